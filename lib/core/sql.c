#include "walferry/sql.h"

#include "walferry/pgtype.h"

#include <assert.h>

static void append_doubling(struct buf *out, struct slice text, char quote, char other)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == quote || text.data[i] == other)
            buf_append_char(out, text.data[i]);
        buf_append_char(out, text.data[i]);
    }
}

void sql_append_identifier(struct buf *out, struct slice name)
{
    buf_append_char(out, '"');
    append_doubling(out, name, '"', '"');
    buf_append_char(out, '"');
}

void sql_append_qualified(struct buf *out, struct slice schema, struct slice name)
{
    sql_append_identifier(out, schema);
    buf_append_char(out, '.');
    sql_append_identifier(out, name);
}

/* Only the E form means the same under both settings of standard_conforming_strings; the blank keeps it apart
 * from a word before it. */
void sql_append_literal(struct buf *out, struct slice text)
{
    bool escaped = text.len > 0 && memchr(text.data, '\\', text.len) != NULL;
    buf_append_text(out, escaped ? " E'" : "'");
    append_doubling(out, text, '\'', '\\');
    buf_append_char(out, '\'');
}

static void append_parameter(struct buf *out, size_t number)
{
    buf_append_char(out, '$');
    buf_append_uint(out, number);
}

static void append_table(struct buf *out, const struct target_table *table)
{
    if (!table->partitioned)
        buf_append_text(out, "ONLY ");
    sql_append_qualified(out, table->schema, table->name);
}

static const struct target_column *column_of(const struct target_table *table, uint16_t index)
{
    assert(index < table->column_count);
    return &table->columns[index];
}

static void append_columns(struct buf *out, const struct target_table *table, const uint16_t *set,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        sql_append_identifier(out, column_of(table, set[i])->name);
    }
}

void sql_append_insert(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count)
{
    buf_append_text(out, "INSERT INTO ");
    sql_append_qualified(out, table->schema, table->name);
    if (set_count == 0) {
        buf_append_text(out, " DEFAULT VALUES");
        return;
    }
    buf_append_text(out, " (");
    append_columns(out, table, set, set_count);
    buf_append_text(out, ") OVERRIDING SYSTEM VALUE VALUES (");
    for (size_t i = 0; i < set_count; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        append_parameter(out, i + 1);
    }
    buf_append_char(out, ')');
}

static bool contains(const uint16_t *set, size_t count, uint16_t index)
{
    for (size_t i = 0; i < count; i++) {
        if (set[i] == index)
            return true;
    }
    return false;
}

void sql_append_upsert(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count, const uint16_t *key, size_t key_count)
{
    assert(set_count > 0 && key_count > 0);
    sql_append_insert(out, table, set, set_count);
    buf_append_text(out, " ON CONFLICT (");
    append_columns(out, table, key, key_count);
    buf_append_text(out, ") DO ");
    bool first = true;
    for (size_t i = 0; i < set_count; i++) {
        const struct target_column *column = column_of(table, set[i]);
        if (column->identity_always || contains(key, key_count, set[i]))
            continue;
        buf_append_text(out, first ? "UPDATE SET " : ",");
        sql_append_identifier(out, column->name);
        buf_append_text(out, "=EXCLUDED.");
        sql_append_identifier(out, column->name);
        first = false;
    }
    if (first)
        buf_append_text(out, "NOTHING");
}

static void append_update_set(struct buf *out, const struct target_table *table, const uint16_t *set,
                              size_t set_count)
{
    assert(set_count > 0);
    buf_append_text(out, "UPDATE ");
    append_table(out, table);
    buf_append_text(out, " SET ");
    for (size_t i = 0; i < set_count; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        sql_append_identifier(out, column_of(table, set[i])->name);
        buf_append_char(out, '=');
        append_parameter(out, i + 1);
    }
}

static void append_delete_from(struct buf *out, const struct target_table *table)
{
    buf_append_text(out, "DELETE FROM ");
    append_table(out, table);
}

static void append_key(struct buf *out, const struct target_table *table, const uint16_t *key,
                       size_t key_count, size_t first)
{
    assert(key_count > 0);
    for (size_t i = 0; i < key_count; i++) {
        buf_append_text(out, i == 0 ? " WHERE " : " AND ");
        sql_append_identifier(out, column_of(table, key[i])->name);
        buf_append_char(out, '=');
        append_parameter(out, first + i);
    }
}

void sql_append_update(struct buf *out, const struct target_table *table, const uint16_t *set,
                       size_t set_count, const uint16_t *key, size_t key_count)
{
    append_update_set(out, table, set, set_count);
    append_key(out, table, key, key_count, set_count + 1);
}

void sql_append_delete(struct buf *out, const struct target_table *table, const uint16_t *key,
                       size_t key_count)
{
    append_delete_from(out, table);
    append_key(out, table, key, key_count, 1);
}

/* Types whose equal values also print the same. Of all others (numeric, floats' -0, interval, jsonb, citext,
 * what extensions bring) two equal values may differ. */
static bool equal_is_same(uint32_t type_oid)
{
    static const uint32_t exact[] = {
        PGTYPE_BOOL,  PGTYPE_BYTEA,     PGTYPE_CHAR,        PGTYPE_NAME,     PGTYPE_INT8,   PGTYPE_INT2,
        PGTYPE_INT4,  PGTYPE_TEXT,      PGTYPE_OID,         PGTYPE_MACADDR8, PGTYPE_CIDR,   PGTYPE_MACADDR,
        PGTYPE_INET,  PGTYPE_BPCHAR,    PGTYPE_DATE,        PGTYPE_VARCHAR,  PGTYPE_TIME,   PGTYPE_UUID,
        PGTYPE_MONEY, PGTYPE_TIMESTAMP, PGTYPE_TIMESTAMPTZ, PGTYPE_BIT,      PGTYPE_VARBIT,
    };
    for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
        if (exact[i] == type_oid)
            return true;
    }
    return false;
}

/* "c"::text <comparison> $n::type::text: the cast to the type makes its output function print both sides. */
static void append_text_comparison(struct buf *out, const struct target_column *column,
                                   const char *comparison, size_t parameter)
{
    sql_append_identifier(out, column->name);
    buf_append_text(out, "::text ");
    buf_append_text(out, comparison);
    buf_append_char(out, ' ');
    append_parameter(out, parameter);
    buf_append_text(out, "::");
    buf_append_slice(out, column->type_name);
    buf_append_text(out, "::text");
}

static void append_old_condition(struct buf *out, const struct target_column *column, size_t parameter)
{
    if (!column->has_equality) {
        append_text_comparison(out, column, "IS NOT DISTINCT FROM", parameter);
        return;
    }
    sql_append_identifier(out, column->name);
    /* Unlike IS NOT DISTINCT FROM, `=` may use an index. */
    buf_append_text(out, column->not_null ? "=" : " IS NOT DISTINCT FROM ");
    append_parameter(out, parameter);
}

static void append_same_first(struct buf *out, const struct target_table *table, const uint16_t *old,
                              size_t old_count, size_t first)
{
    bool ordered = false;
    for (size_t i = 0; i < old_count; i++) {
        const struct target_column *column = column_of(table, old[i]);
        if (!column->has_equality || equal_is_same(column->type_oid))
            continue;
        buf_append_text(out, ordered ? "," : " ORDER BY ");
        append_text_comparison(out, column, "IS DISTINCT FROM", first + i);
        ordered = true;
    }
}

/* A ctid alone is not unique below a partitioned table. */
static void append_one_row(struct buf *out, const struct target_table *table, const uint16_t *old,
                           size_t old_count, size_t first)
{
    buf_append_text(out, " WHERE (tableoid,ctid)=(SELECT tableoid,ctid FROM ");
    append_table(out, table);
    for (size_t i = 0; i < old_count; i++) {
        buf_append_text(out, i == 0 ? " WHERE " : " AND ");
        append_old_condition(out, column_of(table, old[i]), first + i);
    }
    append_same_first(out, table, old, old_count, first);
    buf_append_text(out, " LIMIT 1)");
}

void sql_append_update_one(struct buf *out, const struct target_table *table, const uint16_t *set,
                           size_t set_count, const uint16_t *old, size_t old_count)
{
    append_update_set(out, table, set, set_count);
    append_one_row(out, table, old, old_count, set_count + 1);
}

void sql_append_delete_one(struct buf *out, const struct target_table *table, const uint16_t *old,
                           size_t old_count)
{
    append_delete_from(out, table);
    append_one_row(out, table, old, old_count, 1);
}

void sql_append_truncate(struct buf *out, const struct target_table *const *tables, size_t count)
{
    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        buf_append_text(out, i == 0 ? "TRUNCATE TABLE " : ",");
        append_table(out, tables[i]);
    }
}
