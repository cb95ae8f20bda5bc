/* position: how far the changes of a source are durably stored, and the offsets record that says so.
 *
 * Two numbers are never mixed: `commit_lsn` is where a transaction's commit record begins (Begin's final
 * LSN), `end_lsn` where it ends (Commit's end LSN). Because records follow one another, a transaction lies at
 * or before the position exactly when its commit_lsn < end_lsn of the position, which is known at its Begin.
 * Inside an unfinished transaction the position is (commit_lsn, ordinal): LSNs of rows cannot tell, since all
 * rows of one COPY share one.
 * The offsets record is Debezium's own (key ["<connector>",{"server":"<prefix>"}], value a JSON object), with
 * walferry's extra members behind Debezium's, so that either program can take over from the other.
 */
#ifndef WALFERRY_POSITION_H
#define WALFERRY_POSITION_H

#include "walferry/buf.h"
#include "walferry/err.h"
#include "walferry/lsn.h"

enum snapshot_state {
    SNAPSHOT_NONE = 0, /* none was asked for */
    SNAPSHOT_RUNNING,  /* begun, not complete: must be read again from the start */
    SNAPSHOT_COMPLETE,
};

struct position {
    lsn_t end_lsn;    /* every transaction with commit_lsn < end_lsn is stored; 0 = none yet */
    lsn_t commit_lsn; /* the unfinished transaction of which a part is stored; 0 = none */
    uint64_t
        ordinal; /* decoded changes of it that are stored, counted from 1 before any filter; 0 = its BEGIN */
    lsn_t last_end_lsn; /* end LSN of the last received transaction: the next `sequence[0]`; 0 = null */
    lsn_t lsn;          /* of the last stored change inside the unfinished transaction; else end_lsn is
                           Debezium's `lsn` and `lsn_proc` */
    uint32_t xid;       /* of the last stored change */
    int64_t commit_time_us;
    enum snapshot_state snapshot;
    uint64_t system_identifier; /* of the source's cluster; 0 = not known (a Debezium offset) */
    uint32_t timeline;
};

static inline bool position_covers_transaction(const struct position *position, lsn_t commit_lsn)
{
    return commit_lsn < position->end_lsn;
}

static inline bool position_covers_change(const struct position *position, lsn_t commit_lsn, uint64_t ordinal)
{
    return position_covers_transaction(position, commit_lsn) ||
           (commit_lsn == position->commit_lsn && ordinal <= position->ordinal);
}

void position_write_key(struct buf *out, struct slice connector, struct slice server);
void position_write_value(struct buf *out, const struct position *position);

/* Reads walferry's or Debezium's own value; unknown members are skipped, null is absent. Of a Debezium offset
 * `end_lsn` and `last_end_lsn` are its lsn_commit. Where it stands inside a transaction, that one is not
 * covered (commit_lsn = 0): Debezium does not count changes, so all of it comes again, none is lost; `lsn`
 * and `xid` say where it was. Without a lsn_commit (nothing streamed since the snapshot) end_lsn stays 0:
 * nothing is covered, the slot alone says where to begin. ERR_EVENT where the value is no PostgreSQL offset.
 */
MUST_CHECK bool position_read_value(struct slice json, struct position *position, struct err *err);

#endif
