/* local_watch: tells a reader on the loop that the writer committed: a file watch on PATH.wake, and a look
 * each second where the watch does not work (a network file system, no inotify left). Private to lib/io. */
#ifndef LOCAL_WATCH_H
#define LOCAL_WATCH_H

#include "walferry/err.h"

#include <uv.h>

struct local_watch {
    uv_fs_event_t event;
    uv_timer_t timer;
    char *wake_path; /* owned */
    void (*on_wake)(void *data);
    void *data;
    void (*on_closed)(void *owner);
    void *owner;
    int open_handles;
};

#define LOCAL_WATCH_FALLBACK_MS 1000

MUST_CHECK bool local_watch_start(struct local_watch *watch, uv_loop_t *uv, const char *path,
                                  void (*on_wake)(void *data), void *data, struct err *err);

/* `on_closed` is called on the loop when the memory may go. */
void local_watch_stop(struct local_watch *watch, void (*on_closed)(void *owner), void *owner);

#endif
