#include "startup.h"

#include "walferry/buf.h"
#include "walferry/conversion.h"
#include "walferry/log.h"

#include <stdio.h>

/* Columns that the events will not have. Whoever moves a database must know them before, not from the first
 * row that lacks one. */

#define LINES_MAX 20
#define PARAMETER_BYTES_MAX (16 << 20)

/* As catalog.c describes a relation, for all tables at once. */
static const char columns_sql[] =
    "WITH RECURSIVE wanted AS ("
    "  SELECT * FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.oid[]),"
    "   pg_catalog.unnest($2::pg_catalog.text[])) WITH ORDINALITY AS w(oid, list, place)),"
    " base(typ, oid) AS ("
    "  SELECT t.oid, t.oid FROM pg_catalog.pg_type t WHERE t.oid IN (SELECT a.atttypid"
    "   FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (SELECT oid FROM wanted))"
    "  UNION ALL"
    "  SELECT b.typ, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.oid"
    "  WHERE t.typtype = 'd')"
    " SELECT n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),"
    "  a.atttypid, t.oid, t.typname, t.typtype = 'e'"
    " FROM wanted w JOIN pg_catalog.pg_class c ON c.oid = w.oid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped"
    " JOIN base b ON b.typ = a.atttypid"
    " JOIN pg_catalog.pg_type t ON t.oid = b.oid AND t.typtype <> 'd'"
    " WHERE CASE WHEN w.list IS NULL THEN %s ELSE a.attnum = ANY (w.list::pg_catalog.int2[]) END"
    " ORDER BY w.place, a.attnum";

static bool load_columns(struct startup *s, struct pg_result **result, struct err *err)
{
    char sql[sizeof(columns_sql) + 32];
    struct buf oids, lists;
    const char *gap = strstr(columns_sql, "%s");
    (void)snprintf(sql, sizeof(sql), "%.*s%s%s", (int)(gap - columns_sql), columns_sql,
                   pg_server_version(s->pg) >= 120000 ? "a.attgenerated = ''" : "true", gap + 2);
    buf_init(&oids, PARAMETER_BYTES_MAX);
    buf_init(&lists, PARAMETER_BYTES_MAX);
    for (size_t i = 0; i < s->tables.count; i++) {
        struct slice list = s->tables.tables[i].columns;
        buf_printf(&oids, "%c%u", i == 0 ? '{' : ',', s->tables.tables[i].oid);
        buf_append_text(&lists, i == 0 ? "{" : ",");
        if (list.data != NULL)
            buf_printf(&lists, "\"" SLICE_FMT "\"", SLICE_ARG(list));
        else
            buf_append_text(&lists, "NULL");
    }
    buf_append_char(&oids, '}');
    buf_append_char(&lists, '}');
    const char *params[] = {buf_text(&oids), buf_text(&lists)};
    bool ok = pg_query(s->pg, sql, 2, params, result, err);
    buf_release(&oids);
    buf_release(&lists);
    return ok;
}

static bool has_mapping(const struct startup *s, const struct pg_result *result, size_t row)
{
    const struct type_modes modes = {
        (enum decimal_mode)s->config->decimal_mode, (enum time_mode)s->config->time_mode,
        (enum binary_mode)s->config->binary_mode, (enum interval_mode)s->config->interval_mode};
    struct conversion conversion;
    struct column column = {
        .type_oid = (uint32_t)catalog_number(pg_result_value(result, row, 4)),
        .base_oid = (uint32_t)catalog_number(pg_result_value(result, row, 5)),
        .type_name = pg_result_value(result, row, 6),
        .typmod = -1,
        .base_typmod = -1,
    };
    if (catalog_true(pg_result_value(result, row, 7)))
        column.labels = SLICE_LITERAL("any"); /* which ones makes no difference here */
    return conversion_resolve(&conversion, &column, &modes);
}

static void tell(const struct startup *s, const struct pg_result *result, size_t row)
{
    struct slice schema = pg_result_value(result, row, 0), table = pg_result_value(result, row, 1);
    struct slice column = pg_result_value(result, row, 2), type = pg_result_value(result, row, 3);
    if (s->printing)
        (void)printf("warn  columns: " SLICE_FMT "." SLICE_FMT "." SLICE_FMT " " SLICE_FMT
                     " is left out: its type has no form in the events\n",
                     SLICE_ARG(schema), SLICE_ARG(table), SLICE_ARG(column), SLICE_ARG(type));
    else
        log_warn("startup", "column left out: its type has no form in the events",
                 LOG_SLICE("schema", schema), LOG_SLICE("table", table), LOG_SLICE("column", column),
                 LOG_SLICE("type", type));
}

static void tell_more(const struct startup *s, size_t more)
{
    if (s->printing)
        (void)printf("warn  columns: %zu more are left out\n", more);
    else
        log_warn("startup", "more columns left out", LOG_INT("columns", more));
}

bool startup_check_columns(struct startup *s, struct err *err)
{
    struct pg_result *result = NULL;
    size_t omitted = 0;
    s->note[0] = '\0';
    if (s->quiet)
        return true;
    if (s->tables.count > 0 && !load_columns(s, &result, err)) {
        (void)snprintf(s->note, sizeof(s->note), "not looked at, there are too many");
        return strcmp(err->sqlstate, "57014") == 0; /* it took too long: no reason not to start */
    }
    for (size_t i = 0; result != NULL && i < pg_result_rows(result); i++) {
        if (!has_mapping(s, result, i) && ++omitted <= LINES_MAX)
            tell(s, result, i);
    }
    if (omitted > LINES_MAX)
        tell_more(s, omitted - LINES_MAX);
    if (result != NULL)
        pg_result_free(result);
    (void)snprintf(s->note, sizeof(s->note), "%zu columns are left out", omitted);
    return true;
}
