#include "local_frame.h"
#include "local_store.h"
#include "walferry/backoff.h"
#include "walferry/clock.h"
#include "walferry/headerblob.h"

#include <assert.h>
#include <stdlib.h>

#define RETRY_FIRST_MS 100
#define RETRY_MAX_MS 5000
#define BUSY_TELL_AFTER 3 /* attempts of a second each, before a locked file counts as trouble */
#define TRIM_SOON_MS 100  /* while there is more to trim */
#define TRIM_IDLE_MS 10000

/* What is collected: frames up to marked_bytes belong to `position`, those behind it to a later mark. */
struct batch {
    struct buf frames;
    size_t marked_bytes;
    bool marked; /* also without frames: a position alone */
    struct position position;
    uint64_t ack_seq; /* of the last record that is marked */
};

enum job { JOB_NONE, JOB_BATCH, JOB_CHECKPOINT, JOB_TRIM };

/* The loop's thread owns everything but `store`, `outcome` and `err`, which belong to the worker's between
 * uv_queue_work and after_job; `mutex` guards only `working`, for close. */
struct local_writer {
    uv_loop_t *uv;
    struct local_writer_options options;
    struct local_store *store;
    uv_timer_t linger, later; /* a small batch; the next attempt or trim */
    uv_work_t work;
    struct batch batches[2];
    struct batch *collecting, *flying;
    struct buf headers;                /* scratch */
    uint64_t appended_seq, marked_seq; /* ack_seq of the last record, of the last marked one */
    struct position position;          /* as stored */
    bool position_found;
    bool linger_over, flush, failed, closing;
    enum job job;
    bool retry_waiting; /* job failed and runs again when `later` fires */
    bool trouble_told;
    int busy_attempts;
    struct backoff backoff;
    enum local_outcome outcome;
    struct err err;
    uv_mutex_t mutex;
    uv_cond_t done;
    bool working;
    int open_handles; /* callbacks of libuv that still come after close */
};

static void kick(struct local_writer *w);
static void on_later(uv_timer_t *timer);

/* ---- the worker's thread ---- */

static enum local_outcome run_job(struct local_writer *w)
{
    const struct batch *batch = w->flying;
    switch (w->job) {
    case JOB_BATCH:
        return local_store_write(w->store, buf_slice(&batch->frames), &batch->position, &w->err);
    case JOB_CHECKPOINT:
        return local_store_checkpoint(w->store, &w->err);
    case JOB_TRIM:
        return local_store_write(w->store, (struct slice){"", 0}, NULL, &w->err);
    case JOB_NONE:
    default:
        abort();
    }
}

static void on_worker(uv_work_t *work)
{
    struct local_writer *w = work->data;
    w->outcome = run_job(w);
    uv_mutex_lock(&w->mutex);
    w->working = false;
    uv_cond_signal(&w->done);
    uv_mutex_unlock(&w->mutex);
}

/* ---- the loop's thread ---- */

static void release(struct local_writer *w)
{
    if (--w->open_handles > 0)
        return;
    buf_release(&w->batches[0].frames);
    buf_release(&w->batches[1].frames);
    buf_release(&w->headers);
    uv_mutex_destroy(&w->mutex);
    uv_cond_destroy(&w->done);
    free(w);
}

static void tell(struct local_writer *w, const struct err *err)
{
    if (w->trouble_told == (err != NULL))
        return;
    w->trouble_told = err != NULL;
    w->options.on_trouble(w->options.data, err);
}

static void batch_clear(struct local_writer *w, struct batch *batch)
{
    /* A record far above the usual leaves no memory behind. */
    if (batch->frames.capacity > 2 * w->options.queue_bytes_max)
        buf_release(&batch->frames);
    buf_clear(&batch->frames);
    batch->marked_bytes = 0;
    batch->marked = false;
}

static void on_stored(struct local_writer *w)
{
    struct batch *batch = w->flying;
    w->flying = NULL;
    w->position = batch->position;
    w->position_found = true;
    batch_clear(w, batch);
    w->options.on_stored(w->options.data, batch->ack_seq, &w->position);
}

static void wait_for_retry(struct local_writer *w)
{
    bool busy = w->outcome == LOCAL_BUSY;
    w->busy_attempts = busy ? w->busy_attempts + 1 : 0;
    if (!busy || w->busy_attempts >= BUSY_TELL_AFTER) {
        struct err err = w->err;
        err.code = ERR_DISK;
        err.action = ERR_RETRY;
        tell(w, &err);
    }
    if (w->closing)
        return; /* by the callback */
    w->retry_waiting = true;
    (void)uv_timer_start(&w->later, on_later, backoff_next_ms(&w->backoff), 0);
}

static void fail(struct local_writer *w)
{
    w->failed = true;
    w->options.on_trouble(w->options.data, &w->err);
}

static void settle(struct local_writer *w, enum job job)
{
    if (w->outcome == LOCAL_FINAL) {
        fail(w);
    } else if (job != JOB_BATCH) {
        return; /* a checkpoint or trim comes again by itself */
    } else if (w->outcome != LOCAL_STORED) {
        wait_for_retry(w);
    } else {
        w->busy_attempts = 0;
        backoff_reset(&w->backoff);
        tell(w, NULL);
        if (!w->closing)
            on_stored(w);
    }
}

/* Also called when the job was cancelled before it ran, which only close does. */
static void after_job(uv_work_t *work, int status)
{
    struct local_writer *w = work->data;
    (void)status;
    enum job job = w->job;
    w->job = JOB_NONE;
    if (w->closing) {
        release(w);
        return;
    }
    settle(w, job);
    if (!w->closing && !w->failed)
        kick(w);
}

static void start_job(struct local_writer *w, enum job job)
{
    w->job = job;
    w->working = true;
    int rc = uv_queue_work(w->uv, &w->work, on_worker, after_job);
    assert(rc == 0);
}

/* The marked part flies; what lies behind it begins the other batch. */
static void hand_over(struct local_writer *w)
{
    struct batch *batch = w->collecting;
    struct batch *next = batch == &w->batches[0] ? &w->batches[1] : &w->batches[0];
    size_t tail = batch->frames.len - batch->marked_bytes;
    if (tail > 0)
        buf_append(&next->frames, batch->frames.data + batch->marked_bytes, tail);
    assert(!next->frames.overflowed);
    batch->frames.len = batch->marked_bytes;
    w->flying = batch;
    w->collecting = next;
    w->linger_over = w->flush = false;
    (void)uv_timer_stop(&w->linger);
    start_job(w, JOB_BATCH);
}

static bool batch_is_due(const struct local_writer *w)
{
    const struct batch *batch = w->collecting;
    return batch->marked && (w->flush || w->linger_over ||
                             batch->marked_bytes >= w->options.batch_bytes_max || !local_writer_has_room(w));
}

static void plan_trim(struct local_writer *w)
{
    if (w->options.retention_bytes == 0 && w->options.retention_ms == 0)
        return;
    if (!uv_is_active((uv_handle_t *)&w->later))
        (void)uv_timer_start(&w->later, on_later, w->store->trim_more ? TRIM_SOON_MS : TRIM_IDLE_MS, 0);
}

/* Starts whatever is to be done next, one job at a time. */
static void kick(struct local_writer *w)
{
    if (w->job != JOB_NONE || w->retry_waiting || w->failed || w->closing)
        return;
    if (w->flying != NULL)
        start_job(w, JOB_BATCH); /* the same batch again */
    else if (local_store_wants_checkpoint(w->store))
        start_job(w, JOB_CHECKPOINT);
    else if (batch_is_due(w))
        hand_over(w);
    else
        plan_trim(w);
}

static void on_later(uv_timer_t *timer)
{
    struct local_writer *w = timer->data;
    bool retry = w->retry_waiting;
    w->retry_waiting = false;
    if (retry || w->job != JOB_NONE || w->failed)
        kick(w);
    else
        start_job(w, JOB_TRIM);
}

static void on_linger(uv_timer_t *timer)
{
    struct local_writer *w = timer->data;
    w->linger_over = true;
    kick(w);
}

bool local_writer_has_room(const struct local_writer *w)
{
    return !w->failed && local_writer_queue_bytes(w) < w->options.queue_bytes_max;
}

uint64_t local_writer_queue_bytes(const struct local_writer *w)
{
    return w->collecting->frames.len + (w->flying != NULL ? w->flying->frames.len : 0);
}

void local_writer_append(struct local_writer *w, const struct record *record)
{
    buf_clear(&w->headers);
    headerblob_append(&w->headers, record->headers, record->header_count);
    const struct local_frame frame = {
        .kind = FRAME_RECORD,
        .partition = record->partition == RECORD_PARTITION_BY_KEY ? 0 : record->partition,
        .xid = record->xid,
        .timestamp_ms = clock_wall_us() / 1000,
        .commit_lsn = record->commit_lsn,
        .ordinal = record->ordinal,
        .topic = record->topic,
        .key = record->key,
        .value = record->value,
        .headers = buf_slice(&w->headers),
    };
    local_frame_append(&w->collecting->frames, &frame);
    w->appended_seq = record->ack_seq;
}

void local_writer_mark(struct local_writer *w, const struct position *position)
{
    struct batch *batch = w->collecting;
    batch->position = *position;
    batch->ack_seq = w->marked_seq = w->appended_seq;
    batch->marked_bytes = batch->frames.len;
    if (!batch->marked)
        (void)uv_timer_start(&w->linger, on_linger, w->options.linger_ms, 0);
    batch->marked = true;
    if (batch_is_due(w))
        kick(w);
}

void local_writer_flush(struct local_writer *w)
{
    w->flush = w->collecting->marked;
    kick(w);
}

static void append_bare(struct local_writer *w, enum local_frame_kind kind)
{
    const struct local_frame frame = {.kind = kind};
    local_frame_append(&w->collecting->frames, &frame);
}

void local_writer_snapshot_begin(struct local_writer *w)
{
    append_bare(w, FRAME_SNAPSHOT_BEGIN);
}

void local_writer_snapshot_end(struct local_writer *w)
{
    append_bare(w, FRAME_SNAPSHOT_END);
}

bool local_writer_idle(const struct local_writer *w)
{
    return w->flying == NULL && !w->collecting->marked && w->collecting->frames.len == 0;
}

void local_writer_discard_unmarked(struct local_writer *w)
{
    w->collecting->frames.len = w->collecting->marked_bytes;
    w->appended_seq = w->marked_seq;
}

bool local_writer_position(struct local_writer *w, struct position *position, bool *found, struct err *err)
{
    (void)err; /* read when the file was opened */
    *found = w->position_found;
    if (w->position_found)
        *position = w->position;
    return true;
}

static void init_handles(struct local_writer *w)
{
    w->linger.data = w->later.data = w->work.data = w;
    int rc = uv_timer_init(w->uv, &w->linger);
    assert(rc == 0);
    rc = uv_timer_init(w->uv, &w->later);
    assert(rc == 0);
    rc = uv_mutex_init(&w->mutex);
    assert(rc == 0);
    rc = uv_cond_init(&w->done);
    assert(rc == 0);
}

bool local_writer_open(uv_loop_t *uv, const struct local_writer_options *options,
                       struct local_writer **writer, struct err *err)
{
    struct local_writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        abort();
    if (!local_store_open(options, &w->store, &w->position, &w->position_found, err)) {
        free(w);
        return false;
    }
    w->uv = uv;
    w->options = *options;
    w->collecting = &w->batches[0];
    buf_init(&w->batches[0].frames, SIZE_MAX / 2); /* has_room bounds them */
    buf_init(&w->batches[1].frames, SIZE_MAX / 2);
    buf_init(&w->headers, SIZE_MAX / 2);
    backoff_init(&w->backoff, RETRY_FIRST_MS, RETRY_MAX_MS, (uint64_t)clock_wall_ns());
    w->store->trim_more = true; /* a look soon: while it was not running records grew old */
    init_handles(w);
    plan_trim(w);
    *writer = w;
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

void local_writer_close(struct local_writer *w)
{
    w->closing = true;
    w->open_handles = w->job == JOB_NONE ? 2 : 3;
    if (w->job != JOB_NONE && uv_cancel((uv_req_t *)&w->work) != 0) {
        uv_mutex_lock(&w->mutex);
        while (w->working)
            uv_cond_wait(&w->done, &w->mutex);
        uv_mutex_unlock(&w->mutex);
    }
    local_store_close(w->store);
    uv_close((uv_handle_t *)&w->linger, on_closed);
    uv_close((uv_handle_t *)&w->later, on_closed);
}
