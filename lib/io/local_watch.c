#include "local_watch.h"

#include "local_file.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status; /* a broken watch leaves the timer */
    struct local_watch *watch = event->data;
    watch->on_wake(watch->data);
}

static void on_timer(uv_timer_t *timer)
{
    struct local_watch *watch = timer->data;
    watch->on_wake(watch->data);
}

bool local_watch_start(struct local_watch *watch, uv_loop_t *uv, const char *path,
                       void (*on_wake)(void *data), void *data, struct err *err)
{
    int fd = -1;
    if (!local_wake_open(path, &fd, err))
        return false;
    (void)close(fd);
    *watch =
        (struct local_watch){.on_wake = on_wake, .data = data, .wake_path = local_file_name(path, ".wake")};
    watch->event.data = watch->timer.data = watch;
    int rc = uv_fs_event_init(uv, &watch->event);
    assert(rc == 0);
    rc = uv_timer_init(uv, &watch->timer);
    assert(rc == 0);
    (void)uv_fs_event_start(&watch->event, on_event, watch->wake_path, 0);
    (void)uv_timer_start(&watch->timer, on_timer, LOCAL_WATCH_FALLBACK_MS, LOCAL_WATCH_FALLBACK_MS);
    return true;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct local_watch *watch = handle->data;
    if (--watch->open_handles > 0)
        return;
    free(watch->wake_path);
    watch->on_closed(watch->owner);
}

void local_watch_stop(struct local_watch *watch, void (*on_closed)(void *owner), void *owner)
{
    watch->on_closed = on_closed;
    watch->owner = owner;
    watch->open_handles = 2;
    uv_close((uv_handle_t *)&watch->event, on_handle_closed);
    uv_close((uv_handle_t *)&watch->timer, on_handle_closed);
}
