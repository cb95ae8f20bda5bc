/* statement: prepared statements of the session, one per table, operation and column set.
 *
 * Bounded: past the limit all are given up with DEALLOCATE ALL and prepared again as they are needed.
 */
#ifndef APPLIER_STATEMENT_H
#define APPLIER_STATEMENT_H

#include "table.h"

#include "walferry/pg_pipeline.h"

#define STATEMENTS_MAX 1000
#define STATEMENT_TEXT_BYTES_MAX (16 << 20)

enum statement_kind {
    STATEMENT_INSERT,
    STATEMENT_UPSERT,
    STATEMENT_UPDATE,
    STATEMENT_DELETE,
    STATEMENT_UPDATE_ONE,
    STATEMENT_DELETE_ONE,
};

/* Indexes into the table's columns; for INSERT and UPSERT `where` is the key of ON CONFLICT, which takes no
 * parameters. */
struct statement_shape {
    enum statement_kind kind;
    const uint16_t *set, *where;
    size_t set_count, where_count;
};

struct statement {
    enum statement_kind kind;
    uint16_t *set, *where; /* owned, one block */
    size_t set_count, where_count;
    bool may_hit_none; /* ON CONFLICT DO NOTHING */
    char name[16];
    struct statement *next; /* of the table */
};

struct statements {
    struct pg_pipeline *pipeline; /* of the session, borrowed */
    size_t count;
    uint64_t next_name;
    struct buf text;
};

void statements_init(struct statements *statements);
void statements_release(struct statements *statements);

/* Drops the bookkeeping of one table: its columns change, or the session is gone. */
void statements_forget(struct statements *statements, struct table *table);
void statements_forget_all(struct statements *statements, struct tables *tables);

/* Finds the statement or prepares it (under `tag`). */
MUST_CHECK bool statements_get(struct statements *statements, struct table *table,
                               const struct statement_shape *shape, uint64_t tag,
                               struct statement **statement, struct err *err);

#endif
