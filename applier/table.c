#include "table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void unload(struct table *table)
{
    free(table->sql.columns);
    free(table->indexes);
    pg_result_free(table->columns_result);
    table->sql.columns = NULL;
    table->sql.column_count = 0;
    table->indexes = NULL;
    table->index_count = 0;
    table->columns_result = NULL;
}

static void table_free(struct table *table)
{
    assert(table->statements == NULL);
    unload(table);
    free(table->guesses);
    free(table->topic);
    free(table->schema);
    free(table->name);
    free(table);
}

void tables_release(struct tables *tables)
{
    for (size_t i = 0; i < TABLE_BUCKETS; i++) {
        while (tables->buckets[i] != NULL) {
            struct table *table = tables->buckets[i];
            tables->buckets[i] = table->next;
            table_free(table);
        }
    }
    tables->recent = NULL;
}

/* ---- loading ---- */

static char *copy_text(struct slice text)
{
    char *copy = strndup(text.data, text.len);
    if (copy == NULL)
        abort();
    return copy;
}

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        abort();
    return memory;
}

static uint32_t number_of(struct slice text)
{
    return text.data != NULL ? (uint32_t)strtoul(text.data, NULL, 10) : 0;
}

static bool is_true(struct slice text)
{
    return text.len == 1 && text.data[0] == 't';
}

static bool load_relation(struct table *table, struct pg *catalog, struct err *err)
{
    static const char sql[] =
        "SELECT c.oid, c.relkind = 'p', c.relkind IN ('r', 'p') FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2";
    const char *params[] = {table->schema, table->name};
    struct pg_result *result = NULL;
    if (!pg_query(catalog, sql, 2, params, &result, err))
        return false;
    bool found = pg_result_rows(result) == 1 && is_true(pg_result_value(result, 0, 2));
    if (found) {
        table->sql.oid = number_of(pg_result_value(result, 0, 0));
        table->sql.partitioned = is_true(pg_result_value(result, 0, 1));
    }
    pg_result_free(result);
    return found || err_set(err, ERR_TARGET_SCHEMA,
                            "the target has no table \"%s\".\"%s\"; create it (pg_dump --schema-only) and "
                            "restart",
                            table->schema, table->name);
}

/* Domains are followed down to their base type. Equality: the type itself, what it is stored as, or, of an
 * array, its elements have a default operator class; enums, ranges and multiranges always do. */
#define COLUMNS_SQL(generated)                                                                              \
    "WITH RECURSIVE base(attnum, oid, typmod) AS ("                                                         \
    " SELECT attnum, atttypid, atttypmod FROM pg_catalog.pg_attribute"                                      \
    " WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped"                                              \
    " UNION ALL SELECT b.attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.typmod " \
    "END"                                                                                                   \
    " FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')"                        \
    "SELECT a.attname, b.oid, b.typmod, pg_catalog.format_type(a.atttypid, a.atttypmod), "                  \
    "a.attnotnull, " generated ", a.attidentity = 'a',"                                                     \
    " t.typtype IN ('e', 'r', 'm') OR EXISTS (SELECT FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_am m"  \
    " ON m.oid = o.opcmethod WHERE m.amname IN ('btree', 'hash') AND o.opcdefault AND o.opcintype ="        \
    " CASE WHEN t.oid = 1043 OR e.oid = 1043 THEN 25 WHEN e.oid IS NOT NULL THEN e.oid ELSE t.oid END),"    \
    " a.attnum FROM pg_catalog.pg_attribute a JOIN base b ON b.attnum = a.attnum"                           \
    " JOIN pg_catalog.pg_type t ON t.oid = b.oid AND t.typtype <> 'd'"                                      \
    " LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'"                          \
    " WHERE a.attrelid = $1 ORDER BY a.attnum"

static bool load_columns(struct table *table, struct pg *catalog, const char *oid, struct err *err)
{
    const char *sql =
        pg_server_version(catalog) >= 120000 ? COLUMNS_SQL("a.attgenerated <> ''") : COLUMNS_SQL("false");
    if (!pg_query(catalog, sql, 1, &oid, &table->columns_result, err))
        return false;
    size_t count = pg_result_rows(table->columns_result);
    table->sql.columns = zeroed(count, sizeof(*table->sql.columns));
    table->sql.column_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct pg_result *result = table->columns_result;
        struct slice typmod = pg_result_value(result, i, 2);
        table->sql.columns[i] = (struct target_column){
            .name = pg_result_value(result, i, 0),
            .type_oid = number_of(pg_result_value(result, i, 1)),
            .typmod = (int32_t)strtol(typmod.data, NULL, 10),
            .type_name = pg_result_value(result, i, 3),
            .not_null = is_true(pg_result_value(result, i, 4)),
            .generated = is_true(pg_result_value(result, i, 5)),
            .identity_always = is_true(pg_result_value(result, i, 6)),
            .has_equality = is_true(pg_result_value(result, i, 7)),
        };
    }
    return true;
}

static int column_of_attnum(const struct table *table, long attnum)
{
    for (size_t i = 0; i < table->sql.column_count; i++) {
        if (number_of(pg_result_value(table->columns_result, i, 8)) == (unsigned long)attnum)
            return (int)i;
    }
    return -1;
}

/* `text` is an int2vector, "1 3 2"; columns behind the first `key_count` are INCLUDEd ones. */
static bool read_index(const struct table *table, const char *text, size_t key_count,
                       struct table_index *index)
{
    char *at = NULL;
    index->count = 0;
    for (; index->count < key_count && index->count < KEY_COLUMNS_MAX; text = at) {
        int column = column_of_attnum(table, strtol(text, &at, 10));
        if (at == text || column < 0)
            return false;
        index->columns[index->count++] = (uint16_t)column;
    }
    return index->count > 0;
}

static bool load_indexes(struct table *table, struct pg *catalog, const char *oid, struct err *err)
{
    static const char sql[] =
        "SELECT indkey::pg_catalog.text, indnkeyatts FROM pg_catalog.pg_index WHERE indrelid = $1 "
        "AND indisunique AND indimmediate AND indisvalid AND indpred IS NULL AND indexprs IS NULL";
    struct pg_result *result = NULL;
    if (!pg_query(catalog, sql, 1, &oid, &result, err))
        return false;
    size_t count = pg_result_rows(result);
    table->indexes = zeroed(count, sizeof(*table->indexes));
    for (size_t i = 0; i < count; i++) {
        struct slice columns = pg_result_value(result, i, 0);
        size_t key_count = number_of(pg_result_value(result, i, 1));
        if (read_index(table, columns.data, key_count, &table->indexes[table->index_count]))
            table->index_count++;
    }
    pg_result_free(result);
    return true;
}

static bool load(struct table *table, struct pg *catalog, struct err *err)
{
    char oid[16];
    if (!load_relation(table, catalog, err))
        return false;
    struct buf text;
    buf_init(&text, sizeof(oid) - 1);
    buf_append_uint(&text, table->sql.oid);
    (void)memcpy(oid, buf_text(&text), text.len + 1);
    buf_release(&text);
    return load_columns(table, catalog, oid, err) && load_indexes(table, catalog, oid, err);
}

/* ---- looking up ---- */

static size_t bucket_of(struct slice schema, struct slice name)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < schema.len; i++)
        hash = (hash ^ (unsigned char)schema.data[i]) * 16777619U;
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619U;
    return hash % TABLE_BUCKETS;
}

static bool is_called(const struct table *table, struct slice schema, struct slice name)
{
    return slice_equal(table->sql.name, name) && slice_equal(table->sql.schema, schema);
}

bool tables_get(struct tables *tables, struct pg *catalog, struct slice schema, struct slice name,
                struct table **table, struct err *err)
{
    if (tables->recent != NULL && is_called(tables->recent, schema, name)) {
        *table = tables->recent;
        return true;
    }
    struct table **bucket = &tables->buckets[bucket_of(schema, name)];
    struct table *found = *bucket;
    while (found != NULL && !is_called(found, schema, name))
        found = found->next;
    if (found == NULL) {
        found = zeroed(1, sizeof(*found));
        found->schema = copy_text(schema);
        found->name = copy_text(name);
        found->sql.schema = slice_of(found->schema);
        found->sql.name = slice_of(found->name);
        found->guesses = zeroed(TABLE_FIELDS_MAX, sizeof(*found->guesses));
        if (!load(found, catalog, err)) {
            table_free(found);
            return false;
        }
        found->next = *bucket;
        *bucket = found;
    }
    tables->recent = found;
    *table = found;
    return true;
}

void table_set_topic(struct table *table, struct slice topic)
{
    if (table->topic != NULL && slice_equal(slice_of(table->topic), topic))
        return;
    free(table->topic);
    table->topic = copy_text(topic);
}

static bool same_columns(const struct table_index *index, const uint16_t *columns, size_t count)
{
    size_t found = 0;
    if (index->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++)
            found += index->columns[i] == columns[k];
    }
    return found == count;
}

bool table_has_index(const struct table *table, const uint16_t *columns, size_t count)
{
    for (size_t i = 0; i < table->index_count; i++) {
        if (same_columns(&table->indexes[i], columns, count))
            return true;
    }
    return false;
}

int table_find_column(struct table *table, size_t position, struct slice name)
{
    const struct target_table *sql = &table->sql;
    uint16_t *guess = position < TABLE_FIELDS_MAX ? &table->guesses[position] : NULL;
    if (guess != NULL && *guess < sql->column_count && slice_equal(sql->columns[*guess].name, name))
        return *guess;
    for (size_t i = 0; i < sql->column_count; i++) {
        if (!slice_equal(sql->columns[i].name, name))
            continue;
        if (guess != NULL)
            *guess = (uint16_t)i;
        return (int)i;
    }
    return -1;
}
