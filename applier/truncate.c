/* TRUNCATE a, b, c arrives as one event per table with the same transaction and LSN. It must be one statement
 * again: the tables may refer to one another. */
#include "apply.h"

#include <stdlib.h>

static bool belongs(const struct apply *apply, const struct change *change)
{
    return apply->truncated_count > 0 && apply->truncated_xid == change->xid &&
           apply->truncated_lsn == change->lsn;
}

bool apply_truncate_add(struct apply *apply, const struct apply_place *place, const struct change *change,
                        struct err *err)
{
    if (!belongs(apply, change) && !apply_truncate_flush(apply, err))
        return false;
    if (apply->truncated_count == TRUNCATED_TABLES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d tables in one TRUNCATE", TRUNCATED_TABLES_MAX);
    if (apply->truncated_count == apply->truncated_capacity) {
        apply->truncated_capacity = apply->truncated_capacity > 0 ? apply->truncated_capacity * 2 : 16;
        apply->truncated = realloc(apply->truncated, apply->truncated_capacity * sizeof(*apply->truncated));
        if (apply->truncated == NULL)
            abort();
    }
    apply->truncated[apply->truncated_count++] = &place->table->sql;
    apply->truncated_table = place->table;
    apply->truncated_offset = place->offset;
    apply->truncated_xid = change->xid;
    apply->truncated_lsn = change->lsn;
    apply->unit->counts[COUNT_TRUNCATE]++;
    return unit_open(apply->unit, err);
}

bool apply_truncate_flush(struct apply *apply, struct err *err)
{
    if (apply->truncated_count == 0)
        return true;
    struct flight flight = {
        .table = apply->truncated_table, .offset = apply->truncated_offset, .before = apply->progress.offset};
    struct buf *text = &apply->statements.text;
    buf_clear(text);
    sql_append_truncate(text, apply->truncated, apply->truncated_count);
    apply->truncated_count = 0;
    if (text->overflowed)
        return err_set(err, ERR_LIMIT, "a TRUNCATE is longer than %d bytes", STATEMENT_TEXT_BYTES_MAX);
    return unit_send_text(apply->unit, buf_text(text), flight, err);
}
