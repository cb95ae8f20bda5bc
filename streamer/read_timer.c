#include "read_timer.h"

#include <assert.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Still readable after it fired: setting it again, or stopping, takes that back without a read. */
static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct read_timer *timer = poll->data;
    (void)status;
    (void)events;
    timer->on_time(timer->data);
}

void read_timer_init(struct read_timer *timer, uv_loop_t *uv, void (*on_time)(void *), void *data)
{
    *timer = (struct read_timer){.on_time = on_time, .data = data};
    timer->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    assert(timer->fd >= 0);
    int failed = uv_poll_init(uv, &timer->poll, timer->fd);
    assert(failed == 0);
    timer->poll.data = timer;
}

void read_timer_start(struct read_timer *timer, uint32_t pause_us)
{
    struct itimerspec once = {
        .it_value = {.tv_sec = pause_us / 1000000, .tv_nsec = (long)(pause_us % 1000000) * 1000}};
    assert(pause_us > 0); /* zero would disarm it */
    (void)timerfd_settime(timer->fd, 0, &once, NULL);
    if (!timer->running)
        (void)uv_poll_start(&timer->poll, UV_READABLE, on_readable);
    timer->running = true;
}

void read_timer_stop(struct read_timer *timer)
{
    if (timer->running)
        (void)uv_poll_stop(&timer->poll);
    timer->running = false;
}

void read_timer_release(struct read_timer *timer)
{
    (void)close(timer->fd);
}
