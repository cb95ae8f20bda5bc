/* order: checks that records of the transport make up whole source transactions, each exactly once.
 *
 *     BEGIN, rows with total_order 1, 2, 3 …, END with event_count         rows without a block stand alone
 *
 * Pure. BEGIN is a hint: a row with total_order 1 opens its transaction as well. Whatever does not add up is
 * ERR_ORDER, and nothing of that transaction is applied.
 */
#ifndef APPLIER_ORDER_H
#define APPLIER_ORDER_H

#include "walferry/change.h"

struct order {
    bool open;
    uint32_t xid;
    uint64_t rows;      /* with a transaction block, so far */
    lsn_t last_end_lsn; /* of the last transaction that ended; 0 = none */
};

void order_start(struct order *order, lsn_t last_end_lsn);
MUST_CHECK bool order_begin(struct order *order, const struct change *change, struct err *err);
/* Rows, truncates, messages. */
MUST_CHECK bool order_row(struct order *order, const struct change *change, struct err *err);
MUST_CHECK bool order_end(struct order *order, const struct change *change, struct err *err);

#endif
