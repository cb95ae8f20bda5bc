#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char create_sql[] =
    "CREATE SCHEMA IF NOT EXISTS walferry;"
    "CREATE TABLE IF NOT EXISTS walferry.progress ("
    "source text PRIMARY KEY, epoch bigint NOT NULL, log_offset bigint NOT NULL, "
    "end_lsn pg_lsn, xid bigint, commit_time timestamptz, server text, "
    "snapshot_begun boolean NOT NULL DEFAULT false, snapshot_complete boolean NOT NULL DEFAULT false, "
    "applier_pid integer, updated_at timestamptz NOT NULL DEFAULT now()) WITH (fillfactor = 50)";

static bool table_exists(struct pg *pg, bool *exists, struct err *err)
{
    static const char sql[] = "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n "
                              "ON n.oid = c.relnamespace WHERE n.nspname = 'walferry' AND "
                              "c.relname = 'progress'";
    struct pg_result *result = NULL;
    if (!pg_query(pg, sql, 0, NULL, &result, err))
        return false;
    *exists = pg_result_rows(result) > 0;
    pg_result_free(result);
    return true;
}

/* Two appliers of different sources may create it at the same moment: one of them fails and looks again. */
bool progress_prepare(struct pg *pg, struct err *err)
{
    bool exists = false;
    struct err why;
    if (!table_exists(pg, &exists, err))
        return false;
    if (exists || pg_exec(pg, create_sql, &why))
        return true;
    if (why.action == ERR_RETRY) {
        *err = why;
        return false;
    }
    if (!table_exists(pg, &exists, err))
        return false;
    if (exists)
        return true;
    *err = why;
    return err_prefix(err, "cannot create table walferry.progress (GRANT CREATE ON DATABASE to the role, or "
                           "create schema walferry owned by it)");
}

static int64_t integer_of(struct slice text)
{
    return text.data != NULL ? strtoll(text.data, NULL, 10) : 0;
}

static bool read_row(const struct pg_result *result, struct progress *progress, struct err *err)
{
    struct slice lsn = pg_result_value(result, 0, 2), server = pg_result_value(result, 0, 5);
    *progress = (struct progress){
        .epoch = integer_of(pg_result_value(result, 0, 0)),
        .offset = integer_of(pg_result_value(result, 0, 1)),
        .xid = (uint32_t)integer_of(pg_result_value(result, 0, 3)),
        .commit_time_ms = integer_of(pg_result_value(result, 0, 4)),
        .snapshot_begun = slice_equal(pg_result_value(result, 0, 6), SLICE_LITERAL("t")),
        .snapshot_complete = slice_equal(pg_result_value(result, 0, 7), SLICE_LITERAL("t")),
    };
    (void)snprintf(progress->server, sizeof(progress->server), SLICE_FMT, SLICE_ARG(server));
    if (lsn.data != NULL && !lsn_parse(lsn, &progress->end_lsn))
        return err_set(err, ERR_PROTOCOL, "walferry.progress: end_lsn is not an LSN");
    return true;
}

#define PROGRESS_COLUMNS                                                                            \
    "p.epoch, p.log_offset, p.end_lsn, p.xid, (extract(epoch FROM p.commit_time) * 1000)::bigint, " \
    "coalesce(p.server, ''), p.snapshot_begun, p.snapshot_complete"

bool progress_take(struct pg *pg, const char *source, struct progress *progress, struct err *err)
{
    static const char sql[] = "INSERT INTO walferry.progress AS p (source, epoch, log_offset, applier_pid) "
                              "VALUES ($1, 1, 0, pg_backend_pid()) ON CONFLICT (source) DO UPDATE "
                              "SET epoch = p.epoch + 1, applier_pid = pg_backend_pid(), updated_at = now() "
                              "RETURNING " PROGRESS_COLUMNS;
    struct pg_result *result = NULL;
    if (!pg_query(pg, sql, 1, &source, &result, err))
        return false;
    bool ok = pg_result_rows(result) == 1 ? read_row(result, progress, err)
                                          : err_set(err, ERR_SQL, "walferry.progress did not take a row");
    pg_result_free(result);
    return ok;
}

bool progress_peek(struct pg *pg, const char *source, struct progress *progress, bool *found, struct err *err)
{
    struct pg_result *result = NULL;
    *found = false;
    if (!table_exists(pg, found, err) || !*found)
        return !*found;
    if (!pg_query(pg, "SELECT " PROGRESS_COLUMNS " FROM walferry.progress p WHERE p.source = $1", 1, &source,
                  &result, err))
        return false;
    *found = pg_result_rows(result) == 1;
    bool ok = !*found || read_row(result, progress, err);
    pg_result_free(result);
    return ok;
}

/* Integers as text parameters. */
struct number {
    char text[24];
};

static const char *number_text(struct number *number, int64_t value)
{
    (void)snprintf(number->text, sizeof(number->text), "%" PRId64, value);
    return number->text;
}

bool progress_send(struct pg_pipeline *pipeline, const char *source, const struct progress *from,
                   const struct progress *to, uint64_t tag, struct err *err)
{
    static const char sql[] =
        "WITH moved AS (UPDATE walferry.progress SET log_offset = $4, end_lsn = $5, xid = $6, "
        "commit_time = to_timestamp($7::bigint / 1000.0), server = $8, snapshot_begun = $9, "
        "snapshot_complete = $10, updated_at = now() "
        "WHERE source = $1 AND epoch = $2 AND log_offset = $3 RETURNING 1) SELECT 1 / count(*) FROM moved";
    struct number epoch, from_offset, to_offset, xid, commit_time;
    char lsn[LSN_TEXT_SIZE];
    bool has_transaction = to->end_lsn != LSN_NONE;
    const char *values[] = {
        source,
        number_text(&epoch, from->epoch),
        number_text(&from_offset, from->offset),
        number_text(&to_offset, to->offset),
        has_transaction ? lsn_format(to->end_lsn, lsn) : NULL,
        has_transaction ? number_text(&xid, to->xid) : NULL,
        has_transaction ? number_text(&commit_time, to->commit_time_ms) : NULL,
        to->server[0] != '\0' ? to->server : NULL,
        to->snapshot_begun ? "t" : "f",
        to->snapshot_complete ? "t" : "f",
    };
    return pg_pipeline_send_text(pipeline, sql, sizeof(values) / sizeof(values[0]), values, tag, err);
}

bool progress_check_server(struct pg *pg, const char *source, const char *server, struct err *err)
{
    static const char sql[] =
        "SELECT source FROM walferry.progress WHERE server = $1 AND source <> $2 AND log_offset > 0 LIMIT 1";
    const char *params[] = {server, source};
    struct pg_result *result = NULL;
    if (!pg_query(pg, sql, 2, params, &result, err))
        return false;
    bool ok = pg_result_rows(result) == 0;
    if (!ok) {
        struct slice other = pg_result_value(result, 0, 0);
        (void)err_set(err, ERR_SOURCE_CHANGED,
                      "this target already holds changes of \"%s\" from another log (" SLICE_FMT
                      ", this one is %s): was the local log made anew? Use the old file, or empty the tables "
                      "and delete the row from walferry.progress",
                      server, SLICE_ARG(other), source);
    }
    pg_result_free(result);
    return ok;
}
