/* sql: statement text, built from catalogue names quoted by one function; values are always parameters.
 */
#ifndef WALFERRY_SQL_H
#define WALFERRY_SQL_H

#include "walferry/buf.h"
#include "walferry/pgvalue.h"

/* A quoted identifier: `"` doubled, always in quotes. */
void sql_append_identifier(struct buf *out, struct slice name);
void sql_append_qualified(struct buf *out, struct slice schema, struct slice name);
/* A quoted literal for utility statements that take no parameters; safe under any
 * standard_conforming_strings. */
void sql_append_literal(struct buf *out, struct slice text);

struct target_table {
    struct slice schema, name;
    struct target_column *columns;
    size_t column_count;
    uint32_t oid;
    /* relkind 'p'. All others are written with ONLY: rows of inheritance children are other tables' rows. */
    bool partitioned;
};

/* Column sets are indexes into table->columns, without generated ones. Parameters are untyped text, numbered
 * from $1 in the order: set, then where (key or old); a NULL value is a NULL parameter. PostgreSQL infers
 * their types from the columns: a cast to the column's own type would cut what is too long instead of
 * refusing it. */

/* No columns at all: DEFAULT VALUES. Identity columns take the given value, GENERATED ALWAYS or not. */
void sql_append_insert(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count);
/* INSERT … ON CONFLICT (key) DO UPDATE SET the rest; DO NOTHING where nothing is left. `set` has the key
 * columns too; the parameters are those of the INSERT. Neither may be empty. */
void sql_append_upsert(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count, const uint16_t *key, size_t key_count);
/* `set` and `key` may not be empty: an UPDATE with nothing to set is left out by the caller, and so are
 * identity_always columns. A NULL key value meets no row. */
void sql_append_update(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count, const uint16_t *key, size_t key_count);
void sql_append_delete(struct buf *out, const struct target_table *table, const uint16_t *key,
                       size_t key_count);
/* One row of a table without a key, found by its whole old image through ctid; NULLs compare as equal, types
 * without `=` as text. Of rows that are equal but not the same (1.0 and 1.00, citext) the one that prints the
 * same is preferred. */
void sql_append_update_one(struct buf *out, const struct target_table *table, const uint16_t *set,
                           size_t set_count, const uint16_t *old, size_t old_count);
void sql_append_delete_one(struct buf *out, const struct target_table *table, const uint16_t *old,
                           size_t old_count);
/* One statement for the tables that one source statement truncated: exactly these, no CASCADE. */
void sql_append_truncate(struct buf *out, const struct target_table *const *tables, size_t count);

#endif
