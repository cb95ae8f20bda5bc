/* loop: the program's one libuv loop with signals, and the stop protocol.
 *
 * SIGTERM or SIGINT once: `on_stop`; a second one exits at once. SIGHUP: `on_reload`. systemd is told READY=1
 * and STOPPING=1 where NOTIFY_SOCKET is set. SIGPIPE is ignored.
 */
#ifndef WALFERRY_LOOP_H
#define WALFERRY_LOOP_H

#include <uv.h>

struct loop {
    uv_loop_t uv;
    uv_signal_t sigterm, sigint, sighup;
    void (*on_stop)(void *data);
    void (*on_reload)(void *data); /* may be NULL */
    void *data;
    int stop_signals;
};

void loop_init(struct loop *loop, void (*on_stop)(void *), void (*on_reload)(void *), void *data);
void loop_run(struct loop *loop); /* until loop_stop */
void loop_stop(struct loop *loop);
void loop_release(struct loop *loop); /* closes what is left and runs the close callbacks */

void loop_notify_ready(void);    /* sd_notify READY=1 */
void loop_notify_stopping(void); /* STOPPING=1 */

#endif
