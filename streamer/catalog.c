#include "catalog.h"

#include "walferry/buf.h"

#include <stdio.h>
#include <stdlib.h>

#define OID_TEXT_SIZE 16
#define STATEMENT_BYTES_MAX 8192
#define PARAMETER_BYTES_MAX (1 << 20) /* 1664 columns of 63 bytes each, escaped */

uint64_t catalog_number(struct slice text)
{
    /* Values of a result are NUL-terminated. */
    return text.data != NULL ? strtoull(text.data, NULL, 10) : 0;
}

bool catalog_true(struct slice text)
{
    return text.data != NULL && text.len > 0 && text.data[0] == 't';
}

static int32_t signed_number(struct slice text)
{
    return text.data != NULL ? (int32_t)strtol(text.data, NULL, 10) : -1;
}

/* ---- facts ---- */

/* `wire` is the relation as the stream described it: its types may be older than the table's. `base` walks
 * from a domain to the type at its root; the modifier is the first that is given on the way. The key is the
 * primary key, else the unique index that is first by name and has no expression. */
static const char facts_sql[] =
    "WITH RECURSIVE key AS ("
    "  SELECT i.indkey, i.indnkeyatts FROM pg_catalog.pg_index i"
    "  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
    "  WHERE i.indrelid = $1::pg_catalog.oid AND i.indisunique AND i.indisvalid AND i.indexprs IS NULL"
    "  ORDER BY i.indisprimary DESC, c.relname::text COLLATE \"C\" LIMIT 1),"
    " wire AS ("
    "  SELECT * FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.text[]),"
    "   pg_catalog.unnest($3::pg_catalog.oid[]), pg_catalog.unnest($4::pg_catalog.int4[]))"
    "   WITH ORDINALITY AS w(name, oid, typmod, place)),"
    " base(place, oid, typmod) AS ("
    "  SELECT w.place, w.oid, w.typmod FROM wire w"
    "  UNION ALL"
    "  SELECT b.place, t.typbasetype, CASE WHEN b.typmod = -1 THEN t.typtypmod ELSE b.typmod END"
    "  FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid WHERE t.typtype = 'd')"
    " SELECT w.name, t.oid, b.typmod, a.attnotnull OR (d.typtype = 'd' AND d.typnotnull),"
    "  (SELECT k.place FROM key, LATERAL pg_catalog.unnest(key.indkey::pg_catalog.int2[]) WITH ORDINALITY"
    "    AS k(attnum, place) WHERE k.attnum = a.attnum AND k.place <= key.indnkeyatts),"
    "  t.typname,"
    "  CASE WHEN t.typtype = 'e' THEN (SELECT pg_catalog.string_agg(e.enumlabel, ',' ORDER BY "
    "e.enumsortorder)"
    "    FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) END,"
    "  CASE WHEN e.adbin IS NOT NULL%s THEN pg_catalog.pg_get_expr(e.adbin, e.adrelid) END"
    " FROM wire w"
    " JOIN base b ON b.place = w.place"
    " JOIN pg_catalog.pg_type t ON t.oid = b.oid AND t.typtype <> 'd'"
    " JOIN pg_catalog.pg_type d ON d.oid = w.oid"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = $1::pg_catalog.oid AND a.attname = w.name"
    "  AND a.attnum > 0 AND NOT a.attisdropped"
    " LEFT JOIN pg_catalog.pg_attrdef e ON e.adrelid = a.attrelid AND e.adnum = a.attnum"
    " ORDER BY w.place";

static void append_array_text(struct buf *out, struct slice text)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '"');
}

/* The relation's columns as three array literals. */
static void append_wire(const struct relation *relation, struct buf *names, struct buf *oids,
                        struct buf *typmods)
{
    for (uint16_t i = 0; i < relation->column_count; i++) {
        char between = i == 0 ? '{' : ',';
        buf_append_char(names, between);
        append_array_text(names, relation->columns[i].name);
        buf_append_char(oids, between);
        buf_append_uint(oids, relation->columns[i].type_oid);
        buf_append_char(typmods, between);
        buf_append_int(typmods, relation->columns[i].typmod);
    }
    buf_append_text(names, relation->column_count > 0 ? "}" : "{}");
    buf_append_text(oids, relation->column_count > 0 ? "}" : "{}");
    buf_append_text(typmods, relation->column_count > 0 ? "}" : "{}");
}

static void read_facts(const struct pg_result *result, struct relation *relation)
{
    size_t count = pg_result_rows(result);
    struct column_facts *facts = calloc(count + 1, sizeof(*facts));
    if (facts == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        facts[i] = (struct column_facts){
            .name = pg_result_value(result, i, 0),
            .base_oid = (uint32_t)catalog_number(pg_result_value(result, i, 1)),
            .base_typmod = signed_number(pg_result_value(result, i, 2)),
            .not_null = catalog_true(pg_result_value(result, i, 3)),
            .key_position = (uint16_t)catalog_number(pg_result_value(result, i, 4)),
            .type_name = pg_result_value(result, i, 5),
            .labels = pg_result_value(result, i, 6),
            .default_expression = pg_result_value(result, i, 7),
        };
    }
    if (count > 0)
        relation_set_facts(relation, facts, count);
    free(facts);
}

bool catalog_load_facts(struct pg *pg, struct relation *relation, struct err *err)
{
    struct buf sql, oid, names, oids, typmods;
    struct buf *const all[] = {&sql, &oid, &names, &oids, &typmods};
    struct pg_result *result = NULL;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        buf_init(all[i], PARAMETER_BYTES_MAX);
    const char *gap = strstr(facts_sql, "%s");
    buf_append(&sql, facts_sql, (size_t)(gap - facts_sql));
    buf_append_text(&sql, pg_server_version(pg) >= 120000 ? " AND a.attgenerated = ''" : "");
    buf_append_text(&sql, gap + 2);
    buf_append_uint(&oid, relation->oid);
    append_wire(relation, &names, &oids, &typmods);
    const char *params[] = {buf_text(&oid), buf_text(&names), buf_text(&oids), buf_text(&typmods)};
    bool ok = pg_query(pg, buf_text(&sql), 4, params, &result, err);
    if (ok) {
        read_facts(result, relation);
        pg_result_free(result);
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        buf_release(all[i]);
    return ok;
}

/* ---- tables of a publication ---- */

static const char tables_sql[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind = 'p', c.relreplident,"
    " c.relreplident IN ('f', 'i') OR c.relreplident = 'd' AND EXISTS (SELECT FROM pg_catalog.pg_index i"
    "   WHERE i.indrelid = c.oid AND i.indisprimary),"
    " pg_catalog.has_schema_privilege(n.oid, 'USAGE'), pg_catalog.row_security_active(c.oid),"
    " pg_catalog.has_table_privilege(c.oid, 'SELECT') OR"
    "  pg_catalog.has_any_column_privilege(c.oid, 'SELECT') AND NOT EXISTS ("
    "   SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT "
    "a.attisdropped"
    "   AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')";

/* From 15 on a publication can name columns and filter rows. A list of all columns is no list. */
static const char lists_sql[] =
    "p.rowfilter, (SELECT pg_catalog.array_agg(a.attnum ORDER BY a.attnum) FROM pg_catalog.pg_attribute a"
    "  WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY (p.attnames)";

static const char published_sql[] =
    " FROM pg_catalog.pg_publication_tables p"
    " JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname"
    " JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename"
    " WHERE p.pubname = $1";

static const char every_sql[] =
    " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND $1::text IS NULL"
    " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

static void build_tables_sql(struct buf *sql, bool published, int version)
{
    bool lists = published && version >= 150000;
    buf_append_text(sql, tables_sql);
    buf_append_text(sql, lists ? " AND a.attname = ANY (p.attnames)" : "");
    buf_append_text(sql,
                    version >= 120000 && !(lists && version >= 180000) ? " AND a.attgenerated = ''" : "");
    buf_append_text(sql, "), ");
    if (lists) {
        buf_append_text(sql, lists_sql);
        buf_append_text(sql, version < 180000 ? " AND a.attgenerated = '')" : ")");
    } else {
        buf_append_text(sql, "NULL, NULL");
    }
    buf_append_text(sql, published ? published_sql : every_sql);
    buf_append_text(sql, " ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"");
}

static struct catalog_table read_table(const struct pg_result *result, size_t row)
{
    return (struct catalog_table){
        .oid = (uint32_t)catalog_number(pg_result_value(result, row, 0)),
        .schema = pg_result_value(result, row, 1),
        .name = pg_result_value(result, row, 2),
        .partitioned = catalog_true(pg_result_value(result, row, 3)),
        .identity = (enum replica_identity)pg_result_value(result, row, 4).data[0],
        .finds_rows = catalog_true(pg_result_value(result, row, 5)),
        .schema_usable = catalog_true(pg_result_value(result, row, 6)),
        .row_security = catalog_true(pg_result_value(result, row, 7)),
        .readable = catalog_true(pg_result_value(result, row, 8)),
        .row_filter = pg_result_value(result, row, 9),
        .columns = pg_result_value(result, row, 10),
    };
}

bool catalog_load_tables(struct pg *pg, const char *publication, struct catalog_tables *tables,
                         struct err *err)
{
    struct buf sql;
    const char *params[] = {publication};
    *tables = (struct catalog_tables){.count = 0};
    buf_init(&sql, STATEMENT_BYTES_MAX);
    build_tables_sql(&sql, publication != NULL, pg_server_version(pg));
    bool ok = pg_query(pg, buf_text(&sql), 1, params, &tables->result, err);
    buf_release(&sql);
    if (!ok)
        return false;
    tables->count = pg_result_rows(tables->result);
    tables->tables = calloc(tables->count + 1, sizeof(*tables->tables));
    if (tables->tables == NULL)
        abort();
    for (size_t i = 0; i < tables->count; i++)
        tables->tables[i] = read_table(tables->result, i);
    return true;
}

void catalog_tables_release(struct catalog_tables *tables)
{
    free(tables->tables);
    if (tables->result != NULL)
        pg_result_free(tables->result);
    *tables = (struct catalog_tables){.count = 0};
}

/* ---- a relation for the snapshot ---- */

static const char columns_sql[] =
    "SELECT a.attname, a.atttypid, a.atttypmod FROM pg_catalog.pg_attribute a"
    " WHERE a.attrelid = $1::pg_catalog.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " AND ($2::pg_catalog.int2[] IS NULL OR a.attnum = ANY ($2::pg_catalog.int2[]))%s ORDER BY a.attnum";

static bool put_relation(const struct pg_result *result, const struct catalog_table *table,
                         struct relation_cache *cache, struct relation **relation, struct err *err)
{
    size_t count = pg_result_rows(result);
    if (count > RELATION_COLUMNS_MAX)
        return err_set(err, ERR_PROTOCOL, "a table with %zu columns", count);
    struct column *columns = calloc(count + 1, sizeof(*columns));
    if (columns == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        columns[i].name = pg_result_value(result, i, 0);
        columns[i].type_oid = (uint32_t)catalog_number(pg_result_value(result, i, 1));
        columns[i].typmod = signed_number(pg_result_value(result, i, 2));
        columns[i].base_oid = columns[i].type_oid;
        columns[i].base_typmod = columns[i].typmod;
    }
    struct relation described = {.oid = table->oid,
                                 .schema = table->schema,
                                 .name = table->name,
                                 .identity = table->identity,
                                 .column_count = (uint16_t)count,
                                 .columns = columns};
    *relation = relation_cache_put(cache, &described);
    free(columns);
    return true;
}

bool catalog_load_relation(struct pg *pg, const struct catalog_table *table, struct relation_cache *cache,
                           struct relation **relation, struct err *err)
{
    char sql[sizeof(columns_sql) + 64], oid[OID_TEXT_SIZE];
    const char *params[] = {oid, table->columns.data};
    struct pg_result *result = NULL;
    const char *gap = strstr(columns_sql, "%s");
    bool leave_generated = table->columns.data == NULL && pg_server_version(pg) >= 120000;
    (void)snprintf(sql, sizeof(sql), "%.*s%s%s", (int)(gap - columns_sql), columns_sql,
                   leave_generated ? " AND a.attgenerated = ''" : "", gap + 2);
    (void)snprintf(oid, sizeof(oid), "%u", table->oid);
    if (!pg_query(pg, sql, 2, params, &result, err))
        return false;
    bool ok = put_relation(result, table, cache, relation, err);
    pg_result_free(result);
    return ok && catalog_load_facts(pg, *relation, err);
}
