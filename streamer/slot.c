#include "slot.h"

#include "catalog.h"

#include <stdio.h>
#include <string.h>

static void copy_text(char *out, size_t size, struct slice text)
{
    (void)snprintf(out, size, SLICE_FMT, SLICE_ARG(text));
}

/* Every way in which servers say that a slot is useless; the columns came with 13, 16 and 17. */
static const char *lost_expression(int version)
{
    if (version >= 170000)
        return "CASE WHEN s.invalidation_reason IS NOT NULL THEN 'invalidated: ' || s.invalidation_reason"
               " WHEN s.wal_status = 'lost' THEN 'wal_status is lost' END";
    if (version >= 160000)
        return "CASE WHEN s.conflicting THEN 'in conflict with recovery'"
               " WHEN s.wal_status = 'lost' THEN 'wal_status is lost' END";
    if (version >= 130000)
        return "CASE WHEN s.wal_status = 'lost' THEN 'wal_status is lost' END";
    return "NULL";
}

static void read_row(const struct pg_result *result, struct slot_facts *facts)
{
    struct slice lost = pg_result_value(result, 0, 6);
    facts->exists = true;
    facts->logical = catalog_true(pg_result_value(result, 0, 0));
    copy_text(facts->plugin, sizeof(facts->plugin), pg_result_value(result, 0, 1));
    copy_text(facts->database, sizeof(facts->database), pg_result_value(result, 0, 2));
    facts->active_pid = (int)catalog_number(pg_result_value(result, 0, 3));
    if (!lsn_parse(pg_result_value(result, 0, 4), &facts->confirmed_lsn))
        facts->confirmed_lsn = LSN_NONE;
    if (!lsn_parse(pg_result_value(result, 0, 5), &facts->restart_lsn))
        facts->restart_lsn = LSN_NONE;
    facts->lost = lost.data != NULL;
    copy_text(facts->lost_why, sizeof(facts->lost_why), lost);
}

bool slot_read(struct pg *pg, const char *name, struct slot_facts *facts, struct err *err)
{
    char sql[640];
    const char *params[] = {name};
    struct pg_result *result = NULL;
    *facts = (struct slot_facts){.exists = false};
    (void)snprintf(sql, sizeof(sql),
                   "SELECT s.slot_type = 'logical', coalesce(s.plugin, ''), coalesce(s.database, ''),"
                   " coalesce(s.active_pid, 0), coalesce(s.confirmed_flush_lsn, '0/0'),"
                   " coalesce(s.restart_lsn, '0/0'), %s"
                   " FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = $1",
                   lost_expression(pg_server_version(pg)));
    if (!pg_query(pg, sql, 1, params, &result, err))
        return false;
    if (pg_result_rows(result) > 0)
        read_row(result, facts);
    pg_result_free(result);
    return true;
}

/* ---- creating ---- */

static bool create_failed(struct err *err)
{
    struct err server = *err;
    if (strcmp(server.sqlstate, "53400") == 0)
        return err_set(err, ERR_SLOT_FULL,
                       "%s; raise max_replication_slots (walferry needs one slot, and a second one while it "
                       "reads a snapshot beside an existing slot) or drop an unused slot",
                       server.text);
    if (strcmp(server.sqlstate, "55000") == 0 && strstr(server.text, "wal_level") != NULL)
        return err_set(err, ERR_WAL_LEVEL, "%s; set wal_level = logical and restart the server", server.text);
    return false;
}

bool slot_create(struct pg *replication, const char *name, bool temporary, struct slot_created *created,
                 struct err *err)
{
    char sql[192];
    struct pg_result *result = NULL;
    bool named_options = pg_server_version(replication) >= 150000;
    (void)snprintf(sql, sizeof(sql), "CREATE_REPLICATION_SLOT \"%s\"%s LOGICAL pgoutput %s", name,
                   temporary ? " TEMPORARY" : "", named_options ? "(SNAPSHOT 'export')" : "EXPORT_SNAPSHOT");
    if (!pg_query(replication, sql, 0, NULL, &result, err))
        return create_failed(err);
    bool ok =
        pg_result_rows(result) == 1 && lsn_parse(pg_result_value(result, 0, 1), &created->consistent_lsn);
    if (ok)
        copy_text(created->snapshot, sizeof(created->snapshot), pg_result_value(result, 0, 2));
    pg_result_free(result);
    return ok || err_set(err, ERR_PROTOCOL, "CREATE_REPLICATION_SLOT gave no consistent point");
}

bool slot_drop(struct pg *pg, const char *name, struct err *err)
{
    const char *params[] = {name};
    struct pg_result *result = NULL;
    if (!pg_query(pg, "SELECT pg_catalog.pg_drop_replication_slot($1)", 1, params, &result, err))
        return false;
    pg_result_free(result);
    return true;
}
