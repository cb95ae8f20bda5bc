#include "apply.h"

#include "walferry/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define NAME_BYTES_MAX 1024

/* Text of one row: binary doubles as hex, so a row is at most a few times its record. */
static size_t row_bytes_max(const struct applier_config *config)
{
    return 4 * (size_t)config->record_bytes_max;
}

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort();
    return memory;
}

void apply_init(struct apply *apply, const struct apply_options *options, struct unit *unit)
{
    const struct applier_config *config = options->config;
    *apply = (struct apply){.options = *options, .unit = unit};
    apply->values = applier_config_values(config);
    apply->reader = change_reader_new((size_t)config->record_bytes_max);
    statements_init(&apply->statements);
    row_init(&apply->after, row_bytes_max(config));
    row_init(&apply->key, row_bytes_max(config));
    row_init(&apply->held, row_bytes_max(config));
    buf_init(&apply->name, NAME_BYTES_MAX);
    apply->set = zeroed(TABLE_FIELDS_MAX, sizeof(*apply->set));
    apply->where = zeroed(TABLE_FIELDS_MAX, sizeof(*apply->where));
    apply->parameters = zeroed((size_t)2 * TABLE_FIELDS_MAX, sizeof(*apply->parameters));
}

void apply_release(struct apply *apply)
{
    statements_forget_all(&apply->statements, &apply->tables);
    tables_release(&apply->tables);
    statements_release(&apply->statements);
    change_reader_free(apply->reader);
    row_release(&apply->after);
    row_release(&apply->key);
    row_release(&apply->held);
    buf_release(&apply->name);
    free(apply->set);
    free(apply->where);
    free(apply->parameters);
    free(apply->truncated);
}

void apply_start(struct apply *apply, const struct progress *progress)
{
    statements_forget_all(&apply->statements, &apply->tables);
    tables_release(&apply->tables);
    order_start(&apply->order, progress->end_lsn);
    apply->progress = *progress;
    apply->held_table = NULL;
    apply->truncated_count = 0;
}

bool apply_at_boundary(const struct apply *apply)
{
    return !apply->order.open && apply->held_table == NULL && apply->truncated_count == 0;
}

/* ---- names ---- */

struct variable {
    struct slice name, value;
};

/* Fills collection.name.format in; the first dot of the format itself parts schema and table. */
static bool format_name(struct apply *apply, const struct record *record, const struct change *change,
                        size_t *dot, struct err *err)
{
    const struct variable variables[] = {{SLICE_LITERAL("${source.schema}"), change->schema},
                                         {SLICE_LITERAL("${source.table}"), change->table},
                                         {SLICE_LITERAL("${source.db}"), change->database},
                                         {SLICE_LITERAL("${topic}"), record->topic}};
    const char *at = apply->options.config->collection_format;
    buf_clear(&apply->name);
    *dot = 0;
    while (*at != '\0') {
        size_t i = 0, count = sizeof(variables) / sizeof(variables[0]);
        while (i < count && strncmp(at, variables[i].name.data, variables[i].name.len) != 0)
            i++;
        if (i < count) {
            buf_append_slice(&apply->name, variables[i].value);
            at += variables[i].name.len;
            continue;
        }
        if (*at == '.' && *dot == 0)
            *dot = apply->name.len;
        buf_append_char(&apply->name, *at++);
    }
    return (!apply->name.overflowed && apply->name.len > 0) ||
           err_set(err, ERR_LIMIT, "a table name from collection.name.format has 1 to %d bytes",
                   NAME_BYTES_MAX);
}

/* Without a schema the dots of a topic become underscores, as in the JDBC sink, and the schema is public. */
static void split_name(struct buf *name, size_t dot, struct slice *schema, struct slice *table)
{
    if (dot > 0) {
        *schema = (struct slice){name->data, dot};
        *table = (struct slice){name->data + dot + 1, name->len - dot - 1};
        return;
    }
    for (size_t i = 0; i < name->len; i++) {
        if (name->data[i] == '.')
            name->data[i] = '_';
    }
    *schema = SLICE_LITERAL("public");
    *table = buf_slice(name);
}

static bool find_table(struct apply *apply, const struct record *record, const struct change *change,
                       struct table **table, struct err *err)
{
    struct slice schema = change->schema, name = change->table;
    struct pg *catalog = NULL;
    if (strcmp(apply->options.config->collection_format, "${source.schema}.${source.table}") != 0) {
        size_t dot = 0;
        if (!format_name(apply, record, change, &dot, err))
            return false;
        split_name(&apply->name, dot, &schema, &name);
    }
    if (name.len == 0 || schema.len == 0)
        return err_set(err, ERR_EVENT, "the event names no table (source.schema, source.table)");
    if (!apply->options.catalog(apply->options.data, &catalog, err) ||
        !tables_get(&apply->tables, catalog, schema, name, table, err))
        return false;
    table_set_topic(*table, record->topic);
    return true;
}

/* ---- snapshot ---- */

static bool is_snapshot_row(const struct change *change)
{
    return change->op == EVENT_READ && change->marker != MARKER_INCREMENTAL;
}

/* Rows that were deleted between two snapshots never send a delete. */
static bool check_snapshot(struct apply *apply, const struct change *change, struct err *err)
{
    struct progress *progress = &apply->progress;
    bool second = progress->snapshot_complete || progress->end_lsn != LSN_NONE;
    apply->second_snapshot = second;
    if (second && apply->options.config->resnapshot == RESNAPSHOT_STOP)
        return err_set(err, ERR_SOURCE_CHANGED,
                       "a second snapshot begins: rows deleted since the first would stay on the target. "
                       "Empty the tables there and set walferry.apply.resnapshot=merge, or set it as it is "
                       "if leftovers do not matter");
    if (second && !apply->second_snapshot_told)
        log_warn("apply", "a second snapshot is merged: rows deleted since the first stay");
    apply->second_snapshot_told |= second;
    progress->snapshot_begun = true;
    progress->snapshot_complete |= change->marker == MARKER_LAST;
    return true;
}

/* ---- records ---- */

static bool note_server(struct apply *apply, const struct change *change, struct err *err)
{
    struct progress *progress = &apply->progress;
    struct pg *catalog = NULL;
    if (progress->server[0] != '\0' || change->server.len == 0)
        return true;
    if (change->server.len >= sizeof(progress->server))
        return err_set(err, ERR_LIMIT, "source.name has %zu bytes; at most %zu are possible",
                       change->server.len, sizeof(progress->server) - 1);
    (void)snprintf(progress->server, sizeof(progress->server), SLICE_FMT, SLICE_ARG(change->server));
    return apply->options.catalog(apply->options.data, &catalog, err) &&
           progress_check_server(catalog, apply->options.source, progress->server, err);
}

static bool is_skipped(const struct apply *apply, const struct record *record, const struct change *change)
{
    const struct applier_config *config = apply->options.config;
    if (change->kind == CHANGE_MESSAGE || !applier_config_takes(config, record->topic))
        return true;
    if (change->op == EVENT_TRUNCATE)
        return !config->truncate_enabled;
    /* A key change is an update that arrives as a delete. */
    return change->op == EVENT_DELETE && !config->delete_enabled && !change->new_key.present;
}

static bool dispatch(struct apply *apply, const struct apply_place *place, const struct change *change,
                     struct err *err)
{
    if (change->op == EVENT_TRUNCATE && apply->held_table == NULL)
        return apply_truncate_add(apply, place, change, err);
    if (!apply_truncate_flush(apply, err))
        return false;
    if (apply->held_table != NULL)
        return apply_key_change_finish(apply, place, change, err);
    if (change->op == EVENT_DELETE && change->new_key.present &&
        apply->options.config->key_mode == KEY_RECORD)
        return apply_key_change_hold(apply, place, change, err);
    return apply_row(apply, place, change, err);
}

static bool take_event(struct apply *apply, const struct source_record *record, const struct change *change,
                       struct err *err)
{
    size_t bytes = record->record.key.len + record->record.value.len;
    struct apply_place place = {.offset = record->offset, .bytes = bytes};
    metrics_add(apply->options.metrics, EVENTS_READ_TOTAL, 1);
    if (!order_row(&apply->order, change, err) || !note_server(apply, change, err))
        return false;
    apply->unit->rows++;
    apply->unit->bytes += bytes;
    if (is_skipped(apply, &record->record, change)) {
        apply->unit->counts[COUNT_SKIPPED]++;
        return true;
    }
    apply->second_snapshot = false;
    if (is_snapshot_row(change) && !check_snapshot(apply, change, err))
        return false;
    return find_table(apply, &record->record, change, &place.table, err) &&
           dispatch(apply, &place, change, err);
}

static bool take_end(struct apply *apply, const struct change *change, struct err *err)
{
    struct progress *progress = &apply->progress;
    if (!order_end(&apply->order, change, err))
        return false;
    if (apply->held_table != NULL)
        return err_set(err, ERR_ORDER,
                       "transaction %u ends between the delete and the create of a changed key", change->xid);
    if (!apply_truncate_flush(apply, err))
        return false;
    progress->end_lsn = change->transaction_lsn;
    progress->xid = change->xid;
    progress->commit_time_ms = change->commit_time_ms;
    progress->snapshot_complete = true;
    apply->unit->counts[COUNT_TRANSACTIONS]++;
    return true;
}

static bool take(struct apply *apply, const struct source_record *record, const struct change *change,
                 struct err *err)
{
    switch (change->kind) {
    case CHANGE_ROW:
    case CHANGE_MESSAGE:
        return take_event(apply, record, change, err);
    case CHANGE_BEGIN:
        return order_begin(&apply->order, change, err);
    case CHANGE_END:
        return take_end(apply, change, err);
    case CHANGE_TOMBSTONE:
    case CHANGE_IGNORED:
        return true;
    }
    return true;
}

bool apply_record(struct apply *apply, const struct source_record *record, struct err *err)
{
    struct change change;
    metrics_add(apply->options.metrics, RECORDS_READ_TOTAL, 1);
    metrics_add(apply->options.metrics, BYTES_READ_TOTAL,
                (double)(record->record.key.len + record->record.value.len));
    if (!change_read(apply->reader, &record->record, &change, err) || !take(apply, record, &change, err)) {
        if (err->action == ERR_RETRY || err->code == ERR_STOPPED)
            return false; /* not the record's fault */
        return err_prefix(err, "topic " SLICE_FMT ", log offset %lld", SLICE_ARG(record->record.topic),
                          (long long)record->offset);
    }
    if (apply_at_boundary(apply))
        apply->progress.offset = record->offset;
    return true;
}
