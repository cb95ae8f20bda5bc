/* read_timer: a timer of microseconds on the loop, for the pauses of read_pacing.
 *
 * libuv's timers count milliseconds, which is longer than the longest pause. A sleep in the loop's thread
 * would keep what else the loop does (a sink's worker that is done, a signal) waiting; a timerfd does not.
 */
#ifndef STREAMER_READ_TIMER_H
#define STREAMER_READ_TIMER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct read_timer {
    uv_poll_t poll;
    int fd;
    bool running;
    void (*on_time)(void *data);
    void *data;
};

void read_timer_init(struct read_timer *timer, uv_loop_t *uv, void (*on_time)(void *), void *data);
void read_timer_start(struct read_timer *timer, uint32_t pause_us); /* once, from now; also while it runs */
void read_timer_stop(struct read_timer *timer);
void read_timer_release(struct read_timer *timer); /* after the loop has closed its handles */

#endif
