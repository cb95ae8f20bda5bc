#include "sink.h"

#include <stdlib.h>

/* Takes everything and keeps nothing: for benchmarks. */
struct sink_null {
    struct sink base;
    struct sink_events events;
    uint64_t ack_seq;
};

static bool null_load(struct sink *sink, struct position *position, bool *found, struct err *err)
{
    (void)sink;
    (void)position;
    (void)err;
    *found = false;
    return true;
}

static bool null_has_room(const struct sink *sink)
{
    (void)sink;
    return true;
}

static void null_publish(struct sink *sink, const struct record *record)
{
    ((struct sink_null *)sink)->ack_seq = record->ack_seq;
}

static void null_mark(struct sink *sink, const struct position *position)
{
    struct sink_null *null = (struct sink_null *)sink;
    null->events.on_stored(null->events.data, null->ack_seq, position);
}

static void null_nothing(struct sink *sink)
{
    (void)sink;
}

static bool null_idle(const struct sink *sink)
{
    (void)sink;
    return true;
}

static uint64_t null_queue_bytes(const struct sink *sink)
{
    (void)sink;
    return 0;
}

static void null_close(struct sink *sink)
{
    free(sink);
}

static const struct sink_ops null_ops = {
    .name = "null",
    .load = null_load,
    .has_room = null_has_room,
    .publish = null_publish,
    .mark = null_mark,
    .store = null_mark,
    .poll = null_nothing,
    .flush = null_nothing,
    .discard_unmarked = null_nothing,
    .snapshot_begin = null_nothing,
    .snapshot_end = null_nothing,
    .idle = null_idle,
    .queue_bytes = null_queue_bytes,
    .close = null_close,
};

bool sink_null_open(uv_loop_t *uv, const struct streamer_config *config, const struct sink_events *events,
                    struct sink **sink, struct err *err)
{
    (void)uv;
    (void)config;
    (void)err;
    struct sink_null *null = calloc(1, sizeof(*null));
    if (null == NULL)
        abort();
    null->base.ops = &null_ops;
    null->events = *events;
    *sink = &null->base;
    return true;
}
