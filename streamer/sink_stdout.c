#include "sink.h"

#include "walferry/json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One JSON object per line. Lines collect in `filling`; when nothing is being written the buffers change
 * places and the full one goes out through libuv's thread pool (which serves files, pipes and terminals alike
 * and leaves their flags as they are). A line counts as stored once it was written. */
#define CHUNK_BYTES 65536

/* What a buffer ends with: reported when it is out. */
struct milestone {
    uint64_t ack_seq;
    struct position position;
    bool marked;
};

struct sink_stdout {
    struct sink base;
    struct sink_events events;
    uv_loop_t *uv;
    uv_fs_t request;
    struct buf filling, writing;
    size_t written; /* of `writing` */
    size_t room_bytes;
    struct milestone filling_end, writing_end;
    bool busy, failed, closing;
};

static struct sink_stdout *of(struct sink *sink)
{
    return (struct sink_stdout *)sink;
}

static const struct sink_stdout *of_const(const struct sink *sink)
{
    return (const struct sink_stdout *)sink;
}

static bool stdout_load(struct sink *sink, struct position *position, bool *found, struct err *err)
{
    (void)sink;
    (void)position;
    (void)err;
    *found = false;
    return true;
}

static bool stdout_has_room(const struct sink *sink)
{
    return of_const(sink)->filling.len < of_const(sink)->room_bytes;
}

/* ---- writing ---- */

static void write_rest(struct sink_stdout *out);

static void release(struct sink_stdout *out)
{
    buf_release(&out->filling);
    buf_release(&out->writing);
    free(out);
}

static void start_write(struct sink_stdout *out)
{
    if (out->busy || out->failed || out->closing || out->filling.len == 0)
        return;
    struct buf full = out->filling;
    out->filling = out->writing;
    out->writing = full;
    buf_clear(&out->filling);
    out->writing_end = out->filling_end;
    out->filling_end.marked = false;
    out->written = 0;
    write_rest(out);
}

static void on_written(uv_fs_t *request)
{
    struct sink_stdout *out = request->data;
    ssize_t result = request->result;
    uv_fs_req_cleanup(request);
    out->busy = false;
    if (out->closing) {
        release(out);
        return;
    }
    if (result < 0 && result != UV_EINTR && result != UV_EAGAIN) {
        struct err err;
        out->failed = true;
        (void)err_set(&err, ERR_OUTPUT, "standard output: %s", uv_strerror((int)result));
        out->events.on_error(out->events.data, &err);
        return;
    }
    out->written += result > 0 ? (size_t)result : 0;
    if (out->written < out->writing.len) {
        write_rest(out);
        return;
    }
    if (out->writing_end.marked)
        out->events.on_stored(out->events.data, out->writing_end.ack_seq, &out->writing_end.position);
    start_write(out);
}

static void write_rest(struct sink_stdout *out)
{
    uv_buf_t rest =
        uv_buf_init(out->writing.data + out->written, (unsigned)(out->writing.len - out->written));
    out->busy = true;
    out->request.data = out;
    int failed = uv_fs_write(out->uv, &out->request, STDOUT_FILENO, &rest, 1, -1, on_written);
    assert(failed == 0);
}

/* ---- one record ---- */

static void append_json(struct buf *line, struct slice json)
{
    if (json.data == NULL)
        buf_append_text(line, "null");
    else if (json.len == 0)
        buf_append_text(line, "\"\"");
    else
        buf_append_slice(line, json);
}

static void append_headers(struct buf *line, const struct record *record)
{
    for (size_t i = 0; i < record->header_count; i++) {
        buf_append_text(line, i == 0 ? "[" : ",[");
        json_append_string(line, record->headers[i].name);
        buf_append_char(line, ',');
        if (record->headers[i].value.data == NULL)
            buf_append_text(line, "null");
        else
            json_append_string(line, record->headers[i].value);
        buf_append_char(line, ']');
    }
}

static void stdout_publish(struct sink *sink, const struct record *record)
{
    struct sink_stdout *out = of(sink);
    struct buf *line = &out->filling;
    buf_append_text(line, "{\"topic\":");
    json_append_string(line, record->topic);
    buf_append_text(line, ",\"partition\":");
    if (record->partition == RECORD_PARTITION_BY_KEY)
        buf_append_text(line, "null");
    else
        buf_append_int(line, record->partition);
    buf_append_text(line, ",\"key\":");
    append_json(line, record->key);
    buf_append_text(line, ",\"value\":");
    append_json(line, record->value);
    buf_append_text(line, ",\"headers\":[");
    append_headers(line, record);
    buf_append_text(line, "]}\n");
    assert(!line->overflowed); /* has_room leaves space for a record of the greatest size */
    out->filling_end.ack_seq = record->ack_seq;
    out->filling_end.marked = false;
    if (line->len >= CHUNK_BYTES)
        start_write(out);
}

/* A mark without lines is stored as soon as those before it are. */
static void stdout_mark(struct sink *sink, const struct position *position)
{
    struct sink_stdout *out = of(sink);
    if (out->filling.len == 0 && !out->busy) {
        out->events.on_stored(out->events.data, out->filling_end.ack_seq, position);
        return;
    }
    struct milestone *end = out->filling.len > 0 ? &out->filling_end : &out->writing_end;
    end->position = *position;
    end->marked = true;
}

static void stdout_poll(struct sink *sink)
{
    start_write(of(sink));
}

static void stdout_store(struct sink *sink, const struct position *position)
{
    stdout_mark(sink, position);
    start_write(of(sink));
}

static void stdout_nothing(struct sink *sink)
{
    (void)sink; /* what was written cannot be taken back */
}

static bool stdout_idle(const struct sink *sink)
{
    const struct sink_stdout *out = of_const(sink);
    return out->failed || (!out->busy && out->filling.len == 0);
}

static uint64_t stdout_queue_bytes(const struct sink *sink)
{
    const struct sink_stdout *out = of_const(sink);
    return out->filling.len + (out->busy ? out->writing.len - out->written : 0);
}

/* A write that hangs in a full pipe keeps the buffers until it returns, or the process ends. */
static void stdout_close(struct sink *sink)
{
    struct sink_stdout *out = of(sink);
    out->closing = true;
    if (!out->busy)
        release(out);
}

static const struct sink_ops stdout_ops = {
    .name = "stdout",
    .load = stdout_load,
    .has_room = stdout_has_room,
    .publish = stdout_publish,
    .mark = stdout_mark,
    .store = stdout_store,
    .poll = stdout_poll,
    .flush = stdout_poll,
    .discard_unmarked = stdout_nothing,
    .snapshot_begin = stdout_nothing,
    .snapshot_end = stdout_nothing,
    .idle = stdout_idle,
    .queue_bytes = stdout_queue_bytes,
    .close = stdout_close,
};

bool sink_stdout_open(uv_loop_t *uv, const struct streamer_config *config, const struct sink_events *events,
                      struct sink **sink, struct err *err)
{
    (void)err;
    struct sink_stdout *out = calloc(1, sizeof(*out));
    if (out == NULL)
        abort();
    out->base.ops = &stdout_ops;
    out->uv = uv;
    out->events = *events;
    out->room_bytes = (size_t)config->queue_bytes_max;
    size_t bytes_max = out->room_bytes + RECORDS_PER_EVENT_MAX * 2 * (size_t)config->record_bytes_max;
    buf_init(&out->filling, bytes_max);
    buf_init(&out->writing, bytes_max);
    *sink = &out->base;
    return true;
}
