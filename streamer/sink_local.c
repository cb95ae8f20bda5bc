#include "sink.h"

#include "walferry/local_log.h"

#include <stdlib.h>

struct sink_local {
    struct sink base;
    struct sink_events events;
    struct local_writer *writer;
};

static struct local_writer *writer_of(const struct sink *sink)
{
    return ((const struct sink_local *)sink)->writer;
}

static void on_writer_trouble(void *data, const struct err *err)
{
    struct sink_local *local = data;
    if (err == NULL || err->code == ERR_DISK)
        local->events.on_trouble(local->events.data, err);
    else
        local->events.on_error(local->events.data, err);
}

static void on_writer_stored(void *data, uint64_t ack_seq, const struct position *position)
{
    struct sink_local *local = data;
    local->events.on_stored(local->events.data, ack_seq, position);
}

static bool local_load(struct sink *sink, struct position *position, bool *found, struct err *err)
{
    return local_writer_position(writer_of(sink), position, found, err);
}

static bool local_has_room(const struct sink *sink)
{
    return local_writer_has_room(writer_of(sink));
}

static void local_publish(struct sink *sink, const struct record *record)
{
    local_writer_append(writer_of(sink), record);
}

static void local_mark(struct sink *sink, const struct position *position)
{
    local_writer_mark(writer_of(sink), position);
}

static void local_store(struct sink *sink, const struct position *position)
{
    local_writer_mark(writer_of(sink), position);
    local_writer_flush(writer_of(sink));
}

static void local_poll(struct sink *sink)
{
    (void)sink; /* the writer has its own lingering */
}

static void local_flush(struct sink *sink)
{
    local_writer_flush(writer_of(sink));
}

static void local_discard_unmarked(struct sink *sink)
{
    local_writer_discard_unmarked(writer_of(sink));
}

static void local_snapshot_begin(struct sink *sink)
{
    local_writer_snapshot_begin(writer_of(sink));
}

static void local_snapshot_end(struct sink *sink)
{
    local_writer_snapshot_end(writer_of(sink));
}

static bool local_idle(const struct sink *sink)
{
    return local_writer_idle(writer_of(sink));
}

static uint64_t local_queue_bytes(const struct sink *sink)
{
    return local_writer_queue_bytes(writer_of(sink));
}

static void local_close(struct sink *sink)
{
    local_writer_close(writer_of(sink));
    free(sink);
}

static const struct sink_ops local_ops = {
    .name = "local",
    .retracts_snapshot = true,
    .load = local_load,
    .has_room = local_has_room,
    .publish = local_publish,
    .mark = local_mark,
    .store = local_store,
    .poll = local_poll,
    .flush = local_flush,
    .discard_unmarked = local_discard_unmarked,
    .snapshot_begin = local_snapshot_begin,
    .snapshot_end = local_snapshot_end,
    .idle = local_idle,
    .queue_bytes = local_queue_bytes,
    .close = local_close,
};

bool sink_local_open(uv_loop_t *uv, const struct streamer_config *config, const struct sink_events *events,
                     struct sink **sink, struct err *err)
{
    struct sink_local *local = calloc(1, sizeof(*local));
    if (local == NULL)
        abort();
    local->base.ops = &local_ops;
    local->events = *events;
    struct local_writer_options options = {
        .path = config->local_path,
        .batch_bytes_max = (size_t)config->batch_bytes_max,
        .queue_bytes_max = (size_t)config->queue_bytes_max,
        .linger_ms = (uint32_t)config->linger_ms,
        .retention_bytes = (uint64_t)config->local_retention_bytes,
        .retention_ms = (uint64_t)config->local_retention_ms,
        .connector = slice_of(config->name),
        .server = slice_of(config->topic_prefix),
        .on_stored = on_writer_stored,
        .on_trouble = on_writer_trouble,
        .data = local,
    };
    if (!local_writer_open(uv, &options, &local->writer, err)) {
        free(local);
        return false;
    }
    *sink = &local->base;
    return true;
}
