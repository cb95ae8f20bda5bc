#include "streamer.h"

#include "catalog.h"

#include "walferry/clock.h"
#include "walferry/copytext.h"
#include "walferry/log.h"
#include "walferry/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The snapshot was exported by the slot that was just created, so it shows exactly the commits before the
 * slot's consistent point, and the stream has exactly those behind it. Rows are read by COPY, one table after
 * the other, and one row is held back, because the last one of a table and of the whole is marked. */
#define STATEMENT_BYTES_MAX (1 << 20)
#define PUMP_ROWS 256

struct snapshot {
    struct streamer *s;
    struct pg *pg;
    struct catalog_tables tables;
    lsn_t lsn; /* consistent point */
    uint32_t xid;
    int64_t time_us;
    struct value *values;
    struct position running; /* marked with each row */
    uint64_t rows;
    bool first_table; /* the first one is being read */
    /* the row that is held back */
    bool held;
    struct buf line;
    struct relation *relation;
    bool first_of_table, first_of_all;
};

/* ---- statements ---- */

static void append_copy(struct buf *sql, const struct catalog_table *table, const struct relation *relation)
{
    /* COPY of the table itself is cheaper than of a query, and leaves inheriting tables out in the same way.
     */
    bool query = table->partitioned || table->row_filter.data != NULL || relation->column_count == 0;
    buf_append_text(sql, query ? "COPY (SELECT " : "COPY ");
    if (!query) {
        sql_append_qualified(sql, table->schema, table->name);
        buf_append_text(sql, " (");
    }
    for (uint16_t i = 0; i < relation->column_count; i++) {
        buf_append_text(sql, i > 0 ? ", " : "");
        sql_append_identifier(sql, relation->columns[i].name);
    }
    if (query) {
        buf_append_text(sql, table->partitioned ? " FROM " : " FROM ONLY ");
        sql_append_qualified(sql, table->schema, table->name);
        if (table->row_filter.data != NULL) {
            buf_append_text(sql, " WHERE ");
            buf_append_slice(sql, table->row_filter); /* the server's own deparsed expression */
        }
    }
    buf_append_text(sql, ") TO STDOUT");
}

static bool begin_transaction(struct snapshot *snap, const char *name, struct err *err)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '%s'", name);
    /* Off means: an error where a policy would hide rows. */
    return pg_exec(snap->pg, sql, err) && pg_exec(snap->pg, "SET LOCAL row_security = off", err);
}

/* What every event of the snapshot says of its source. */
static bool read_source(struct snapshot *snap, struct err *err)
{
    struct pg_result *result = NULL;
    if (!pg_query(snap->pg,
                  "SELECT (extract(epoch FROM now()) * 1000000)::bigint,"
                  " CASE WHEN pg_is_in_recovery() THEN 0 ELSE txid_current() & 4294967295 END",
                  0, NULL, &result, err))
        return false;
    snap->time_us = (int64_t)catalog_number(pg_result_value(result, 0, 0));
    snap->xid = (uint32_t)catalog_number(pg_result_value(result, 0, 1));
    pg_result_free(result);
    return true;
}

/* ---- rows ---- */

/* `first` yields to `last`, as in Debezium, where a table has one row. */
static enum snapshot_marker marker_of(const struct snapshot *snap, bool last_of_table, bool last_of_all)
{
    if (last_of_all)
        return MARKER_LAST;
    if (snap->first_of_all)
        return MARKER_FIRST;
    if (last_of_table)
        return MARKER_LAST_IN_DATA_COLLECTION;
    return snap->first_of_table ? MARKER_FIRST_IN_DATA_COLLECTION : MARKER_TRUE;
}

static bool publish_held(struct snapshot *snap, bool last_of_table, bool last_of_all, struct err *err)
{
    struct streamer *s = snap->s;
    struct tuple tuple;
    struct record_set set;
    if (!snap->held)
        return true;
    snap->held = false;
    if (!copytext_read_row(snap->line.data, snap->line.len, snap->relation->column_count, snap->values,
                           &tuple, err))
        return false;
    struct event event = {.op = EVENT_READ,
                          .relation = snap->relation,
                          .after = &tuple,
                          .marker = marker_of(snap, last_of_table, last_of_all),
                          .xid = snap->xid,
                          .lsn = snap->lsn,
                          .commit_time_us = snap->time_us,
                          .event_time_ns = clock_wall_ns()};
    if (!envelope_encode(s->envelope, &event, NULL, &set, err))
        return false;
    for (size_t i = 0; i < set.count; i++) {
        set.records[i].xid = 0;
        set.records[i].commit_lsn = LSN_NONE;
        set.records[i].ordinal = 0;
        changes_publish(s, &set.records[i]);
    }
    metrics_add(&s->metrics, EVENTS_TOTAL, 1);
    metrics_add(&s->metrics, READS_TOTAL, 1);
    metrics_add(&s->metrics, SNAPSHOT_ROWS, 1);
    s->sink->ops->mark(s->sink, &snap->running);
    return true;
}

/* Waits for room without blocking the loop. */
static bool wait_for_room(struct streamer *s, struct err *err)
{
    s->sink->ops->poll(s->sink);
    bool alive = streamer_pump(s, UV_RUN_NOWAIT);
    if (!s->sink->ops->has_room(s->sink))
        metrics_add(&s->metrics, PAUSES_TOTAL, 1);
    while (alive && !s->sink->ops->has_room(s->sink))
        alive = streamer_pump(s, UV_RUN_ONCE);
    return alive || err_set(err, ERR_STOPPED, "stopped during the snapshot");
}

static bool hold_row(struct snapshot *snap, struct relation *relation, struct slice line, bool first_of_table,
                     struct err *err)
{
    buf_clear(&snap->line);
    buf_append_slice(&snap->line, line);
    buf_append_char(&snap->line, '\0');
    snap->line.len--; /* a terminator behind the row, and never a NULL pointer */
    snap->held = true;
    snap->relation = relation;
    snap->first_of_table = first_of_table;
    snap->first_of_all = first_of_table && snap->first_table;
    return !snap->line.overflowed ||
           err_set(err, ERR_LIMIT,
                   "a row of " SLICE_FMT "." SLICE_FMT " is larger than walferry.record.bytes.max",
                   SLICE_ARG(relation->schema), SLICE_ARG(relation->name));
}

static bool copy_rows(struct snapshot *snap, struct relation *relation, struct err *err)
{
    uint64_t rows = 0;
    for (;;) {
        char *line;
        size_t len;
        switch (pg_copy_read(snap->pg, &line, &len, err)) {
        case PG_COPY_ROW:
            if (!publish_held(snap, rows == 0, false, err) ||
                !hold_row(snap, relation, (struct slice){line, len}, rows == 0, err))
                return false;
            if (++rows % PUMP_ROWS == 0 && !wait_for_room(snap->s, err))
                return false;
            if (!snap->s->sink->ops->has_room(snap->s->sink) && !wait_for_room(snap->s, err))
                return false;
            break;
        case PG_COPY_END:
            snap->rows += rows;
            log_info("snapshot", "table read", LOG_SLICE("schema", relation->schema),
                     LOG_SLICE("table", relation->name), LOG_INT("rows", rows));
            return true;
        case PG_COPY_ERROR:
            return false;
        }
    }
}

static bool read_table(struct snapshot *snap, size_t index, struct err *err)
{
    const struct catalog_table *table = &snap->tables.tables[index];
    struct relation *relation = NULL;
    struct buf sql;
    if (!catalog_load_relation(snap->pg, table, snap->s->relations, &relation, err) ||
        !changes_prepare_relation(snap->s, relation, err))
        return false;
    snap->first_table = index == 0;
    buf_init(&sql, STATEMENT_BYTES_MAX);
    append_copy(&sql, table, relation);
    bool ok = pg_copy_start(snap->pg, buf_text(&sql), err) && copy_rows(snap, relation, err);
    buf_release(&sql);
    if (!ok)
        return err_prefix(err, "snapshot of " SLICE_FMT "." SLICE_FMT, SLICE_ARG(table->schema),
                          SLICE_ARG(table->name));
    metrics_add(&snap->s->metrics, SNAPSHOT_TABLES_DONE, 1);
    return true;
}

/* ---- the whole ---- */

static void start_sink(struct snapshot *snap)
{
    struct streamer *s = snap->s;
    changes_reset(s);
    ack_window_open(s->ack);
    s->sink->ops->snapshot_begin(s->sink);
    s->position = snap->running;
    s->sink->ops->store(s->sink, &snap->running);
    metrics_set(&s->metrics, SNAPSHOT_TABLES, (double)snap->tables.count);
    metrics_set(&s->metrics, SNAPSHOT_TABLES_DONE, 0);
    metrics_set(&s->metrics, SNAPSHOT_ROWS, 0);
    log_info("snapshot", "started", LOG_LSN("lsn", snap->lsn), LOG_INT("tables", snap->tables.count));
}

/* The seam: the position that is stored with the last row is where the stream begins. */
static void finish_sink(struct snapshot *snap)
{
    struct streamer *s = snap->s;
    ack_window_close(s->ack, s->position.end_lsn);
    s->sink->ops->snapshot_end(s->sink);
    s->position.snapshot = SNAPSHOT_COMPLETE;
    s->sink->ops->store(s->sink, &s->position);
    s->snapshot_done = true;
    log_info("snapshot", "complete", LOG_INT("rows", snap->rows), LOG_LSN("lsn", s->position.end_lsn));
}

static bool take_over(struct snapshot *snap, struct pg **exporter, const char *name, struct err *err)
{
    if (!pg_connect(&snap->s->target, &snap->pg, err) || !pg_set_statement_timeout(snap->pg, 0, err) ||
        !begin_transaction(snap, name, err))
        return false;
    pg_close(*exporter); /* the transaction holds the snapshot now */
    *exporter = NULL;
    return read_source(snap, err) &&
           catalog_load_tables(snap->pg, snap->s->config.publication_name, &snap->tables, err);
}

static bool read_tables(struct snapshot *snap, struct err *err)
{
    for (size_t i = 0; i < snap->tables.count; i++) {
        if (!read_table(snap, i, err))
            return false;
    }
    return publish_held(snap, true, true, err) && pg_exec(snap->pg, "COMMIT", err);
}

bool snapshot_run(struct streamer *s, struct pg **exporter, const struct slot_created *created,
                  struct err *err)
{
    struct snapshot snap = {.s = s, .lsn = created->consistent_lsn, .running = s->position};
    snap.running.snapshot = SNAPSHOT_RUNNING;
    buf_init(&snap.line, (size_t)s->config.record_bytes_max);
    snap.values = calloc(RELATION_COLUMNS_MAX, sizeof(*snap.values));
    if (snap.values == NULL)
        abort();
    bool ok = take_over(&snap, exporter, created->snapshot, err);
    if (ok) {
        start_sink(&snap);
        ok = read_tables(&snap, err);
        if (ok)
            finish_sink(&snap);
    }
    catalog_tables_release(&snap.tables);
    buf_release(&snap.line);
    free(snap.values);
    pg_close(snap.pg);
    return ok;
}
