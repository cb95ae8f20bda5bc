/* transaction: turns decoded messages into events, in the state of the transaction they belong to.
 *
 * It numbers changes before any filter (`ordinal`), counts published ones per table (the `transaction` block
 * and END's data_collections), carries origin, commit time and `sequence[0]`. It is pure: the same messages
 * give the same events, so that a restart inside a transaction counts itself back to where it was.
 *
 *     transaction_apply(t, &message, message_lsn, relations, &step, err)
 *     switch (step): TRANSACTION_BEGIN  → publish BEGIN
 *                    TRANSACTION_EVENTS → for (i < t->event_count) transaction_event(t, i, &event)
 *                    TRANSACTION_END    → publish END, close the ack window at t->end_lsn
 *                    TRANSACTION_RELATION → load facts for the relation that was put into the cache
 *                    TRANSACTION_NOTHING
 */
#ifndef WALFERRY_TRANSACTION_H
#define WALFERRY_TRANSACTION_H

#include "walferry/event.h"

enum transaction_step {
    TRANSACTION_NOTHING,
    TRANSACTION_BEGIN,
    TRANSACTION_EVENTS,
    TRANSACTION_END,
    TRANSACTION_RELATION,
};

/* Events of one table within the open transaction, in the order of first appearance. Logical messages are
 * one entry whose names are {NULL, 0}: Debezium takes each for a collection of its own, with one event. */
struct collection_count {
    struct slice schema, table; /* owned by the transaction until its end */
    uint64_t events;
};

struct transaction; /* opaque; the accessors below are its facts */

struct transaction *transaction_new(void);
void transaction_free(struct transaction *transaction);

/* A new session: forgets the open transaction; `last_end_lsn` is the next sequence[0] (0 = null). */
void transaction_reset(struct transaction *transaction, lsn_t last_end_lsn);

MUST_CHECK bool transaction_apply(struct transaction *transaction, const struct message *message,
                                  lsn_t message_lsn, struct relation_cache *relations,
                                  enum transaction_step *step, struct err *err);

/* After TRANSACTION_EVENTS: how many events the message became (TRUNCATE: one per table), and each of them.
 * All events of a message have its ordinal; transaction_event does not count them. A message outside a
 * transaction has xid, commit_lsn and ordinal 0, and the commit time of the last transaction (0 = none yet);
 * its LSN is the end of a unit of its own. */
size_t transaction_event_count(const struct transaction *transaction);
void transaction_event(const struct transaction *transaction, size_t index, struct event *event);

/* Counts a published record of the event into total_order and the table's order, and writes both into it.
 * A changed key is two (the delete and the create): call it once for each. */
void transaction_count(struct transaction *transaction, struct event *event);

bool transaction_is_open(const struct transaction *transaction);
uint32_t transaction_xid(const struct transaction *transaction);
lsn_t transaction_commit_lsn(const struct transaction *transaction);
lsn_t transaction_end_lsn(const struct transaction *transaction);   /* after TRANSACTION_END */
lsn_t transaction_first_lsn(const struct transaction *transaction); /* LSN of the Begin message: BEGIN's id */
lsn_t transaction_last_end_lsn(const struct transaction *transaction);
int64_t transaction_commit_time_us(const struct transaction *transaction);
uint64_t transaction_ordinal(const struct transaction *transaction); /* of the last decoded change */
uint64_t transaction_total(const struct transaction *transaction);   /* counted records */
const struct collection_count *transaction_collections(const struct transaction *transaction, size_t *count);
struct relation *transaction_relation(const struct transaction *transaction); /* after TRANSACTION_RELATION */

#endif
