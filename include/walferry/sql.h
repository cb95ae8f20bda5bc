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
};

/* Column sets are indexes into table->columns. Parameters are numbered from $1 in the order: set, then where.
 */
void sql_append_insert(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count);
/* INSERT … ON CONFLICT (key) DO UPDATE SET the rest. */
void sql_append_upsert(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count, const uint16_t *key, size_t key_count);
void sql_append_update(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count, const uint16_t *key, size_t key_count);
void sql_append_delete(struct buf *out, const struct target_table *table, const uint16_t *key,
                       size_t key_count);
/* One row of a table without a key, found by its whole old image through ctid; NULLs compare as equal, types
 * without `=` as text. */
void sql_append_update_one(struct buf *out, const struct target_table *table, const uint16_t *set,
                           size_t set_count, const uint16_t *old, size_t old_count);
void sql_append_delete_one(struct buf *out, const struct target_table *table, const uint16_t *old,
                           size_t old_count);
/* One statement for the tables that one source statement truncated. */
void sql_append_truncate(struct buf *out, const struct target_table *const *tables, size_t count);

#endif
