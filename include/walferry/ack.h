/* ack: which LSN may be confirmed to the source.
 *
 * Every record gets a sequence number; sinks report them back in any order. A transaction is complete when it
 * was closed and all its records were reported. The confirmed LSN is the end LSN of the last transaction in
 * the unbroken run, from the oldest, that is complete: never the largest acknowledged one.
 *
 *     ack_window_open(w);  seq = ack_window_add(w); …  ack_window_close(w, end_lsn);
 *     ack_window_delivered(w, seq);                   lsn = ack_window_confirmed(w);
 *
 * A unit outside a transaction (a non-transactional message, a snapshot) is opened and closed in the same
 * way. Records added while nothing is open are an error of the caller (asserted). Memory: one entry per
 * unacknowledged transaction that has records and one bit per unacknowledged record, both bounded by the
 * sink's own queue limit.
 */
#ifndef WALFERRY_ACK_H
#define WALFERRY_ACK_H

#include "walferry/lsn.h"

struct ack_window;

struct ack_window *ack_window_new(void);
void ack_window_free(struct ack_window *window);

/* A new session after a lost connection or sink: forgets everything that is open; sequence numbers go on, and
 * late reports of forgotten ones are ignored. The confirmed LSN stays. */
void ack_window_reset(struct ack_window *window);

void ack_window_open(struct ack_window *window);
uint64_t ack_window_add(struct ack_window *window); /* numbers rise by one, from 1 */
void ack_window_close(struct ack_window *window, lsn_t end_lsn);
void ack_window_delivered(struct ack_window *window, uint64_t seq);

/* Every number up to and including `seq` was stored: what a sink that stores in order reports. */
void ack_window_delivered_through(struct ack_window *window, uint64_t seq);

lsn_t ack_window_confirmed(const struct ack_window *window); /* LSN_NONE before the first */
bool ack_window_idle(const struct ack_window *window);       /* nothing open, nothing unacknowledged */
uint64_t ack_window_unacknowledged(const struct ack_window *window); /* records in flight */

/* A keepalive's LSN, allowed only when idle (returns false otherwise): raises the confirmed LSN. */
bool ack_window_advance(struct ack_window *window, lsn_t lsn);

#endif
