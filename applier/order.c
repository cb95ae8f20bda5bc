#include "order.h"

#include <inttypes.h>

void order_start(struct order *order, lsn_t last_end_lsn)
{
    *order = (struct order){.last_end_lsn = last_end_lsn};
}

bool order_begin(struct order *order, const struct change *change, struct err *err)
{
    if (order->open && (order->rows > 0 || order->xid != change->xid))
        return err_set(err, ERR_ORDER,
                       "BEGIN of transaction %" PRIu32 " before the END of transaction %" PRIu32 " (%" PRIu64
                       " events so far)",
                       change->xid, order->xid, order->rows);
    order->open = true;
    order->xid = change->xid;
    order->rows = 0;
    return true;
}

static bool stands_alone(const struct order *order, const struct change *change, struct err *err)
{
    if (change->op == EVENT_READ || change->op == EVENT_MESSAGE)
        return true;
    return err_set(err, ERR_ORDER,
                   "a change of transaction %" PRIu32 " has no transaction block%s; the source must run with "
                   "provide.transaction.metadata=true",
                   change->xid, order->open ? " while another transaction is open" : "");
}

bool order_row(struct order *order, const struct change *change, struct err *err)
{
    if (change->total_order == 0)
        return stands_alone(order, change, err);
    if (!order->open) {
        order->open = true;
        order->xid = change->xid;
        order->rows = 0;
    }
    if (order->xid != change->xid)
        return err_set(err, ERR_ORDER, "an event of transaction %" PRIu32 " inside transaction %" PRIu32,
                       change->xid, order->xid);
    if (change->total_order != order->rows + 1)
        return err_set(err, ERR_ORDER,
                       "transaction %" PRIu32 ": total_order %" PRIu64 " where %" PRIu64 " was due",
                       order->xid, change->total_order, order->rows + 1);
    order->rows++;
    return true;
}

bool order_end(struct order *order, const struct change *change, struct err *err)
{
    if (order->open && order->xid != change->xid)
        return err_set(err, ERR_ORDER, "END of transaction %" PRIu32 " inside transaction %" PRIu32,
                       change->xid, order->xid);
    uint64_t rows = order->open ? order->rows : 0;
    if (rows != change->event_count)
        return err_set(err, ERR_ORDER,
                       "transaction %" PRIu32 " ends after %" PRIu64 " events and its END counts %" PRIu64,
                       change->xid, rows, change->event_count);
    if (change->transaction_lsn <= order->last_end_lsn)
        return err_set(err, ERR_ORDER,
                       "transaction %" PRIu32 " ends at " LSN_FMT ", not behind the one before it at " LSN_FMT
                       ": the source was rebuilt or its slot moved back",
                       change->xid, LSN_ARG(change->transaction_lsn), LSN_ARG(order->last_end_lsn));
    order->open = false;
    order->rows = 0;
    order->last_end_lsn = change->transaction_lsn;
    return true;
}
