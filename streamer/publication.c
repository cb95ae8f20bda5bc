#include "publication.h"

#include "catalog.h"

#include "walferry/log.h"
#include "walferry/sql.h"

#define STATEMENT_BYTES_MAX (16 << 20)

bool publication_read(struct pg *pg, const char *name, struct publication_facts *facts, struct err *err)
{
    const char *params[] = {name};
    struct pg_result *result = NULL;
    *facts = (struct publication_facts){.exists = false};
    if (!pg_query(pg,
                  "SELECT puballtables, pubupdate OR pubdelete FROM pg_catalog.pg_publication"
                  " WHERE pubname = $1",
                  1, params, &result, err))
        return false;
    facts->exists = pg_result_rows(result) > 0;
    if (facts->exists) {
        facts->all_tables = catalog_true(pg_result_value(result, 0, 0));
        facts->publishes_updates = catalog_true(pg_result_value(result, 0, 1));
    }
    pg_result_free(result);
    return true;
}

/* Partitions come with their root, so only roots and ordinary tables are named. */
static bool append_tables(struct pg *pg, struct buf *sql, struct err *err)
{
    struct pg_result *result = NULL;
    if (!pg_query(pg,
                  "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c"
                  " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                  " WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition"
                  " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'"
                  " ORDER BY n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"",
                  0, NULL, &result, err))
        return false;
    for (size_t i = 0; i < pg_result_rows(result); i++) {
        buf_append_text(sql, i == 0 ? " FOR TABLE ONLY " : ", ONLY ");
        sql_append_qualified(sql, pg_result_value(result, i, 0), pg_result_value(result, i, 1));
    }
    pg_result_free(result);
    return true;
}

static void append_options(struct buf *sql, const struct streamer_config *config, bool narrow)
{
    static const struct {
        char letter;
        const char *name;
    } operations[] = {{'c', "insert"}, {'u', "update"}, {'d', "delete"}, {'t', "truncate"}};
    const char *comma = "";
    buf_append_text(sql, " WITH (publish = '");
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (narrow && streamer_config_skips(config, operations[i].letter))
            continue;
        buf_append_text(sql, comma);
        buf_append_text(sql, operations[i].name);
        comma = ", ";
    }
    buf_append_text(sql, "'");
    if (config->publish_via_partition_root)
        buf_append_text(sql, ", publish_via_partition_root = true");
    buf_append_text(sql, ")");
}

bool publication_create(struct pg *pg, const struct streamer_config *config, bool narrow, struct err *err)
{
    struct buf sql;
    buf_init(&sql, STATEMENT_BYTES_MAX);
    buf_append_text(&sql, "CREATE PUBLICATION ");
    sql_append_identifier(&sql, slice_of(config->publication_name));
    bool ok = true;
    if (config->publication_mode == PUBLICATION_ALL_TABLES)
        buf_append_text(&sql, " FOR ALL TABLES");
    else if (config->publication_mode == PUBLICATION_FILTERED)
        ok = append_tables(pg, &sql, err);
    append_options(&sql, config, narrow);
    ok = ok && pg_exec(pg, buf_text(&sql), err);
    buf_release(&sql);
    if (!ok && err->code == ERR_PRIVILEGE)
        (void)err_prefix(
            err,
            "cannot create publication \"%s\" (let a superuser or the owner of the tables create "
            "it, or set publication.autocreate.mode=filtered for tables the role owns)",
            config->publication_name);
    if (ok)
        log_info("publication", "created", LOG_STR("publication", config->publication_name));
    return ok;
}
