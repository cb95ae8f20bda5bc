#include "unit.h"

#include "walferry/clock.h"
#include "walferry/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* BEGIN, SET CONSTRAINTS, DEALLOCATE, prepares, progress, COMMIT and sync come on top of the bound. */
#define FLIGHTS_EXTRA 64

void unit_init(struct unit *unit, const struct unit_options *options)
{
    *unit = (struct unit){.options = *options};
    unit->flight_capacity = 2 * options->statements_max + FLIGHTS_EXTRA;
    unit->flights = calloc(unit->flight_capacity, sizeof(*unit->flights));
    if (unit->flights == NULL)
        abort();
}

void unit_release(struct unit *unit)
{
    unit_stop(unit);
    free(unit->flights);
}

static uint64_t events_in(const uint64_t counts[COUNT_KINDS])
{
    uint64_t events = 0;
    for (int i = COUNT_CREATE; i <= COUNT_SKIPPED; i++)
        events += counts[i];
    return events;
}

static const struct {
    enum count count;
    enum applier_metric metric;
} committed_metrics[] = {
    {COUNT_CREATE, CREATES_APPLIED_TOTAL},     {COUNT_UPDATE, UPDATES_APPLIED_TOTAL},
    {COUNT_DELETE, DELETES_APPLIED_TOTAL},     {COUNT_READ, READS_APPLIED_TOTAL},
    {COUNT_TRUNCATE, TRUNCATES_APPLIED_TOTAL}, {COUNT_SKIPPED, EVENTS_SKIPPED_TOTAL},
    {COUNT_MISSING, MISSING_ROWS_TOTAL},       {COUNT_TRANSACTIONS, SOURCE_TRANSACTIONS_TOTAL},
};

static void count_committed(struct unit *unit)
{
    struct metrics *metrics = unit->options.metrics;
    for (size_t i = 0; i < sizeof(committed_metrics) / sizeof(committed_metrics[0]); i++)
        metrics_add(metrics, committed_metrics[i].metric,
                    (double)unit->committing_counts[committed_metrics[i].count]);
    uint64_t events = events_in(unit->committing_counts) - unit->committing_counts[COUNT_SKIPPED];
    metrics_add(metrics, EVENTS_APPLIED_TOTAL, (double)events);
    metrics_add(metrics, TARGET_TRANSACTIONS_TOTAL, 1);
}

/* Read and neither committed, rejected nor rolled back. */
static double events_pending(const struct metrics *metrics)
{
    const double *values = metrics->values;
    return values[EVENTS_READ_TOTAL] - values[EVENTS_APPLIED_TOTAL] - values[EVENTS_SKIPPED_TOTAL] -
           values[EVENTS_REJECTED_TOTAL] - values[EVENTS_ROLLED_BACK_TOTAL];
}

void unit_start(struct unit *unit, struct pg_pipeline *pipeline, const struct progress *committed,
                bool defer_constraints)
{
    assert(unit->pipeline == NULL);
    /* The progress row says how a COMMIT ended whose answer was lost. */
    if (unit->unknown && committed->offset == unit->committing_progress.offset)
        count_committed(unit);
    unit->unknown = false;
    metrics_add(unit->options.metrics, EVENTS_ROLLED_BACK_TOTAL, events_pending(unit->options.metrics));
    unit->pipeline = pipeline;
    unit->committed = *committed;
    unit->options.defer_constraints = defer_constraints;
    unit->failed = (struct flight){.offset = 0};
}

void unit_stop(struct unit *unit)
{
    pg_pipeline_close(unit->pipeline);
    unit->pipeline = NULL;
    unit->state = UNIT_IDLE;
    unit->rows = unit->bytes = 0;
    unit->unknown |= unit->committing;
    unit->committing = false;
    (void)memset(unit->counts, 0, sizeof(unit->counts));
    unit->next_tag = unit->answered = 0;
    unit->bytes_in_flight = 0;
}

static size_t in_flight(const struct unit *unit)
{
    return (size_t)(unit->next_tag - unit->answered);
}

bool unit_has_room(const struct unit *unit)
{
    return unit->state != UNIT_CLOSING && in_flight(unit) < unit->options.statements_max &&
           unit->bytes_in_flight < unit->options.bytes_max;
}

bool unit_is_idle(const struct unit *unit)
{
    return unit->state == UNIT_IDLE && !unit->committing;
}

/* ---- sending ---- */

uint64_t unit_note(struct unit *unit, struct flight flight)
{
    assert(in_flight(unit) < unit->flight_capacity);
    unit->flights[unit->next_tag % unit->flight_capacity] = flight;
    unit->bytes_in_flight += flight.bytes;
    metrics_add(unit->options.metrics, STATEMENTS_TOTAL, 1);
    return unit->next_tag++;
}

bool unit_send(struct unit *unit, const struct statement *statement, const char *const *values,
               struct flight flight, struct err *err)
{
    bool takes_where = statement->kind != STATEMENT_INSERT && statement->kind != STATEMENT_UPSERT;
    size_t count = statement->set_count + (takes_where ? statement->where_count : 0);
    uint64_t tag = unit_note(unit, flight);
    return pg_pipeline_send(unit->pipeline, statement->name, (int)count, values, tag, err);
}

bool unit_send_text(struct unit *unit, const char *sql, struct flight flight, struct err *err)
{
    uint64_t tag = unit_note(unit, flight);
    return pg_pipeline_send_text(unit->pipeline, sql, 0, NULL, tag, err);
}

bool unit_open(struct unit *unit, struct err *err)
{
    struct flight nothing = {.rule = RULE_NONE};
    assert(unit->state != UNIT_CLOSING);
    if (unit->state == UNIT_OPEN)
        return true;
    unit->state = UNIT_OPEN;
    unit->opened_us = clock_monotonic_us();
    if (!unit_send_text(unit, "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", nothing, err))
        return false;
    return !unit->options.defer_constraints ||
           unit_send_text(unit, "SET CONSTRAINTS ALL DEFERRED", nothing, err);
}

/* Everything of the unit is answered: nothing can stop it now but progress or the commit itself. */
static bool send_commit(struct unit *unit, struct err *err)
{
    struct flight progress = {.offset = unit->target.offset, .rule = RULE_PROGRESS};
    struct flight commit = {.offset = unit->target.offset, .rule = RULE_NONE};
    assert(!unit->committing);
    uint64_t tag = unit_note(unit, progress);
    if (!progress_send(unit->pipeline, unit->options.source, &unit->committed, &unit->target, tag, err) ||
        !unit_send_text(unit, "COMMIT", commit, err))
        return false;
    tag = unit_note(unit, commit);
    if (!pg_pipeline_sync(unit->pipeline, tag, err))
        return false;
    unit->committing = true;
    unit->committing_progress = unit->target;
    (void)memcpy(unit->committing_counts, unit->counts, sizeof(unit->counts));
    (void)memset(unit->counts, 0, sizeof(unit->counts));
    unit->state = UNIT_IDLE;
    unit->rows = unit->bytes = 0;
    return true;
}

bool unit_close(struct unit *unit, const struct progress *progress, struct err *err)
{
    if (!unit_open(unit, err))
        return false;
    unit->target = *progress;
    unit->state = UNIT_CLOSING;
    return unit_flush(unit, err);
}

bool unit_flush(struct unit *unit, struct err *err)
{
    if (unit->state == UNIT_CLOSING && in_flight(unit) == 0 && !send_commit(unit, err))
        return false;
    return pg_pipeline_flush(unit->pipeline, err);
}

/* ---- answers ---- */

static void committed(struct unit *unit)
{
    count_committed(unit);
    unit->committed = unit->committing_progress;
    unit->committing = false;
    unit->options.on_committed(unit->options.data, &unit->committed);
}

static bool is_one_of(const char *sqlstate, const char *const *states)
{
    for (; *states != NULL; states++) {
        if (strcmp(sqlstate, *states) == 0)
            return true;
    }
    return false;
}

/* The catalogue is not what was loaded: undefined column, table, object or schema, no index for ON CONFLICT,
 * a column of another type, a plan that does not fit any more. */
static const char *const catalogue_states[] = {"42703", "42P01", "42704", "3F000", "42P10",
                                               "42804", "42846", "0A000", "428C9", NULL};

static void name_code(struct err *err)
{
    enum err_action action = err->action;
    if (action == ERR_RETRY)
        return;
    if (strncmp(err->sqlstate, "23", 2) == 0)
        err->code = ERR_TARGET_CONSTRAINT;
    else if (strncmp(err->sqlstate, "22", 2) == 0)
        err->code = ERR_TYPE;
    else if (is_one_of(err->sqlstate, catalogue_states))
        err->code = ERR_TARGET_SCHEMA;
}

static bool place(const struct flight *flight, struct err *err)
{
    if (flight->table == NULL)
        return err_prefix(err, "log offset %lld", (long long)flight->offset);
    return err_prefix(err, "topic %s, log offset %lld, table \"%s\".\"%s\"", flight->table->topic,
                      (long long)flight->offset, flight->table->schema, flight->table->name);
}

static bool refused(struct unit *unit, const struct flight *flight, struct err *err)
{
    unit->failed = *flight;
    if (flight->rule == RULE_PROGRESS && strcmp(err->sqlstate, PROGRESS_FENCED_STATE) == 0)
        return err_set(
            err, ERR_FENCED,
            "another applier has taken over: the row of source %s in walferry.progress is no longer "
            "at epoch %lld and log offset %lld; nothing of this transaction was committed",
            unit->options.source, (long long)unit->committed.epoch, (long long)unit->committed.offset);
    name_code(err);
    return place(flight, err);
}

static bool check_rows(struct unit *unit, const struct flight *flight, int64_t rows, struct err *err)
{
    if (flight->rule == RULE_NONE || flight->rule == RULE_PROGRESS || rows == 1)
        return true;
    if (flight->rule == RULE_ONE_OR_MISSING && rows == 0) {
        unit->counts[COUNT_MISSING]++;
        if (!flight->table->told_missing)
            log_warn("apply", "rows are missing on the target, ignored as configured",
                     LOG_STR("table", flight->table->name), LOG_INT("offset", flight->offset));
        flight->table->told_missing = true;
        return true;
    }
    unit->failed = *flight;
    if (rows == 0)
        (void)err_set(
            err, ERR_ROW_MISSING,
            "the target has no such row (or a trigger, rule or policy kept the change off); nothing "
            "of the transaction was committed. Repair the row, or set walferry.apply.missing=ignore");
    else
        (void)err_set(err, ERR_ROW_MISSING,
                      "the change of one row met %lld rows on the target; nothing of the transaction was "
                      "committed. Make the record key's columns unique there",
                      (long long)rows);
    return place(flight, err);
}

static bool answered(struct unit *unit, uint64_t tag, struct flight *flight)
{
    assert(tag == unit->answered);
    *flight = unit->flights[tag % unit->flight_capacity];
    unit->bytes_in_flight -= flight->bytes;
    unit->answered++;
    return true;
}

/* A unit may end (COMMIT be due) in the middle of what was read, so answers are taken one by one. */
bool unit_read(struct unit *unit, struct err *err)
{
    struct flight flight;
    uint64_t tag = 0;
    int64_t rows = 0;
    if (!pg_pipeline_read(unit->pipeline, err))
        return false;
    for (;;) {
        switch (pg_pipeline_next(unit->pipeline, &tag, &rows, err)) {
        case PG_PIPELINE_DONE:
            if (!answered(unit, tag, &flight) || !check_rows(unit, &flight, rows, err))
                return false;
            break;
        case PG_PIPELINE_SYNCED:
            (void)answered(unit, tag, &flight);
            committed(unit);
            break;
        case PG_PIPELINE_FAILED:
            return refused(unit, &unit->flights[tag % unit->flight_capacity], err);
        case PG_PIPELINE_SKIPPED:
            return err_set(err, ERR_PROTOCOL, "a statement was skipped and none before it failed");
        case PG_PIPELINE_LOST:
            return false;
        case PG_PIPELINE_WAIT:
            return unit_flush(unit, err);
        }
    }
}
