/* read_pacing: how long to leave the replication socket alone before the next read. Pure.
 *
 * The walsender sends every change by itself. A reader that takes each packet as it comes makes both sides
 * pay for one packet per change; one that pauses lets the kernel join the changes while they wait, which over
 * TCP costs the sender and the reader half or less. How long the pause should be depends on the rows, the
 * kernel and who else wants the processor, and too long a one stops the sender. So it is measured: while the
 * stream is behind, each of a few pauses (none among them) is tried for some milliseconds, the best is kept,
 * and now and then another is tried again.
 *
 * There is no pause on a unix socket, where it gains nothing, and none while the stream is less than
 * READ_PACING_LAG_US behind: a fresh change never waits.
 *
 *     pause_us = read_pacing_next(&pacing, bytes of this read, lag_us, now_us);
 */
#ifndef STREAMER_READ_PACING_H
#define STREAMER_READ_PACING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READ_PACING_STEPS 6
#define READ_PACING_PAUSE_MAX_US 1000
#define READ_PACING_LAG_US 50000 /* behind by more than this: the longest pause adds 2 % */

enum read_pacing_phase { READ_PACING_OFF, READ_PACING_SETTLING, READ_PACING_COUNTING };

struct read_pacing {
    bool tcp;
    unsigned best;   /* index of the pause that is kept */
    unsigned step;   /* of the pause that is tried now */
    unsigned probed; /* of the one that was tried last beside the best */
    unsigned kept;   /* trials of the best since then */
    unsigned surprises;
    bool measured[READ_PACING_STEPS];
    double rate[READ_PACING_STEPS]; /* bytes per µs, smoothed */
    enum read_pacing_phase phase;
    int64_t since_us;      /* of the phase */
    uint64_t bytes, reads; /* counted since then */
};

void read_pacing_init(struct read_pacing *pacing, bool tcp);

/* After each read: `bytes` were read, `lag_us` is how far behind the source the stream is. Returns the pause
 * until the next read in µs; 0 = read as soon as there is something. `now_us` is monotonic. */
uint32_t read_pacing_next(struct read_pacing *pacing, size_t bytes, int64_t lag_us, int64_t now_us);

#endif
