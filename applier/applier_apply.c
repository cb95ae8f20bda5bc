/* APPLYING: answers first, then as many records as there is room for, then the end of the unit if it is due.
 */
#include "applier.h"

#include "walferry/clock.h"
#include "walferry/log.h"

#define RECORDS_PER_ROUND 256     /* then the loop gets its turn: signals, HTTP, answers */
#define PROGRESS_ALONE_US 1000000 /* at most this often where there are no rows to commit */

void applier_on_committed(void *data, const struct progress *progress)
{
    struct applier *applier = data;
    applier->last_commit_us = clock_monotonic_us();
    backoff_reset(&applier->backoff);
    metrics_set(&applier->metrics, APPLIED_OFFSET, (double)progress->offset);
    metrics_set(&applier->metrics, APPLIED_LSN, (double)progress->end_lsn);
}

void applier_note_end(struct applier *applier, const struct source_end *end)
{
    if (!applier->drain || applier->drain_known)
        return;
    applier->drain_known = end->position.snapshot != SNAPSHOT_RUNNING;
    applier->drain_offset = applier->drain_known ? end->offset : INT64_MAX;
    applier->source_empty = false; /* an older answer says nothing about what was hidden then */
    if (!applier->drain_known && !applier->told_snapshot)
        log_info("applier",
                 "a snapshot is being read: --drain waits until the streamer has stored the whole of it");
    applier->told_snapshot |= !applier->drain_known;
}

/* ---- the end of a unit ---- */

static bool is_full(const struct applier *applier)
{
    const struct applier_config *config = applier->config;
    const struct unit *unit = &applier->unit;
    return unit->rows >= (uint64_t)config->group_rows || unit->bytes >= (uint64_t)config->group_bytes ||
           clock_monotonic_us() - unit->opened_us >= config->group_ms * 1000;
}

static int64_t offset_on_its_way(const struct unit *unit)
{
    return unit->committing ? unit->committing_progress.offset : unit->committed.offset;
}

static bool is_drained_to(const struct applier *applier, int64_t offset)
{
    return applier->drain && (offset >= applier->drain_offset || applier->source_empty);
}

bool applier_is_single(const struct applier *applier)
{
    return applier->unit.committed.offset < applier->single_through;
}

static bool is_single_end(const struct applier *applier, int64_t offset)
{
    return applier_is_single(applier) &&
           (applier->unit.counts[COUNT_TRANSACTIONS] > 0 || offset >= applier->single_before);
}

static bool close_is_due(const struct applier *applier)
{
    const struct unit *unit = &applier->unit;
    int64_t offset = applier->apply.progress.offset;
    if (unit->state == UNIT_CLOSING || !apply_at_boundary(&applier->apply) ||
        offset <= offset_on_its_way(unit))
        return false;
    if (is_drained_to(applier, offset) || applier->stop_asked || is_single_end(applier, offset))
        return true;
    if (unit->state == UNIT_OPEN)
        return applier->source_empty || is_full(applier);
    /* Empty transactions, heartbeats, skipped events: progress alone, not at the price of a commit each. */
    return clock_monotonic_us() - applier->last_commit_us >= PROGRESS_ALONE_US;
}

static bool close_if_due(struct applier *applier, struct err *err)
{
    return !close_is_due(applier) || unit_close(&applier->unit, &applier->apply.progress, err);
}

/* ---- records ---- */

static bool should_read(const struct applier *applier)
{
    if (applier->source_empty || applier->stop_asked)
        return false;
    if (applier->unit.committing && applier_is_single(applier))
        return false;
    return !(applier->drain && apply_at_boundary(&applier->apply) &&
             applier->apply.progress.offset >= applier->drain_offset);
}

static bool take_record(struct applier *applier, const struct source_record *record, struct err *err)
{
    if (apply_record(&applier->apply, record, err))
        return true;
    applier->unit.failed =
        (struct flight){.offset = record->offset, .before = applier->apply.progress.offset};
    return false;
}

static bool read_records(struct applier *applier, struct err *err)
{
    struct source_record record;
    for (int i = 0; i < RECORDS_PER_ROUND && should_read(applier); i++) {
        if (!unit_has_room(&applier->unit)) {
            metrics_add(&applier->metrics, PAUSES_TOTAL, i > 0 ? 1 : 0);
            return true;
        }
        switch (source_next(applier->source, &record, err)) {
        case SOURCE_RECORD:
            if (!take_record(applier, &record, err) || !close_if_due(applier, err))
                return false;
            break;
        case SOURCE_NOTHING:
            applier->source_empty = true;
            break;
        case SOURCE_ERROR:
            return false;
        }
    }
    return close_if_due(applier, err);
}

/* ---- stopping and draining ---- */

/* An open source transaction cannot be finished without reading on: it is rolled back, and comes again. */
static bool is_done(const struct applier *applier)
{
    const struct unit *unit = &applier->unit;
    bool behind =
        apply_at_boundary(&applier->apply) && applier->apply.progress.offset > unit->committed.offset;
    if (applier->stop_asked)
        return (unit_is_idle(unit) && !behind) ||
               (!apply_at_boundary(&applier->apply) && !unit->committing && unit->state != UNIT_CLOSING) ||
               clock_monotonic_us() >= applier->stop_deadline_us;
    if (!applier->drain || !applier->drain_known || unit->committing || unit->state == UNIT_CLOSING || behind)
        return false;
    if (unit->committed.offset >= applier->drain_offset)
        return true;
    if (!applier->source_empty)
        return false;
    if (!apply_at_boundary(&applier->apply))
        log_warn("applier", "the log ends inside a source transaction, which is left out: its rest is not "
                            "stored yet");
    return true;
}

static bool make_progress(struct applier *applier, struct err *err)
{
    if (applier->socket_ready) {
        applier->socket_ready = false;
        if (!unit_read(&applier->unit, err))
            return false;
    }
    if (!read_records(applier, err) || !unit_flush(&applier->unit, err))
        return false;
    applier_watch_events(applier);
    return true;
}

void applier_apply(struct applier *applier)
{
    struct err err;
    if (!make_progress(applier, &err)) {
        applier_obey(applier, &err);
        return;
    }
    if (is_done(applier))
        applier_finish(applier);
}

/* ---- once a second ---- */

/* In WAL of the source where both ends are known. Each record owed is a byte at least, so that a snapshot,
 * which has no LSNs of its own, is not nothing. */
static double lag_bytes(const struct source_end *end, const struct progress *progress)
{
    double records = (double)(end->offset - progress->offset);
    lsn_t stored = end->position.end_lsn;
    if (progress->end_lsn == LSN_NONE || stored <= progress->end_lsn)
        return records;
    double wal = (double)(stored - progress->end_lsn);
    return wal > records ? wal : records;
}

static double lag_ms(int64_t oldest_ms)
{
    int64_t age_ms = clock_wall_us() / 1000 - oldest_ms;
    return oldest_ms > 0 && age_ms > 1 ? (double)age_ms : 1;
}

static void measure_lag(struct applier *applier)
{
    const struct progress *progress = &applier->unit.committed;
    struct metrics *metrics = &applier->metrics;
    struct source_end end;
    struct err err;
    int64_t oldest_ms = 0;
    if (!source_end(applier->source, &end, &err) ||
        !source_oldest(applier->source, progress->offset, &oldest_ms, &err)) {
        log_err("applier", "the log's end is not known", &err);
        return;
    }
    applier_note_end(applier, &end);
    bool behind = end.offset > progress->offset;
    metrics_set(metrics, END_OFFSET, (double)end.offset);
    metrics_set(metrics, LAG_RECORDS, behind ? (double)(end.offset - progress->offset) : 0);
    metrics_set(metrics, LAG_BYTES, behind ? lag_bytes(&end, progress) : 0);
    metrics_set(metrics, LAG_MS, behind ? lag_ms(oldest_ms) : 0);
}

/* Told late and rarely: it is for retention and lag tools, the truth is in the target. */
static void tell_consumer_position(struct applier *applier)
{
    int64_t offset = applier->unit.committed.offset;
    struct err err;
    if (applier->consumer_offset == offset)
        return;
    if (source_commit(applier->source, offset, &err))
        applier->consumer_offset = offset;
    else
        log_err("applier", "the consumer's position is not stored in the log", &err);
}

void applier_measure(struct applier *applier)
{
    struct metrics *metrics = &applier->metrics;
    uint64_t rss = 0, peak = 0;
    metrics_read_memory(&rss, &peak);
    metrics_set(metrics, RSS_BYTES, (double)rss);
    metrics_set(metrics, RSS_PEAK_BYTES, (double)peak);
    metrics_set(metrics, PREPARED_STATEMENTS, (double)applier->apply.statements.count);
    metrics_set(metrics, QUEUE_STATEMENTS, (double)(applier->unit.next_tag - applier->unit.answered));
    metrics_set(metrics, QUEUE_BYTES, (double)applier->unit.bytes_in_flight);
    const double *values = metrics->values;
    metrics_set(metrics, EVENTS_PENDING,
                values[EVENTS_READ_TOTAL] - values[EVENTS_APPLIED_TOTAL] - values[EVENTS_SKIPPED_TOTAL] -
                    values[EVENTS_REJECTED_TOTAL] - values[EVENTS_ROLLED_BACK_TOTAL]);
    if (applier->source == NULL)
        return;
    measure_lag(applier);
    if (applier->state == APPLIER_APPLYING)
        tell_consumer_position(applier);
}
