#include "streamer.h"

#include "walferry/clock.h"
#include "walferry/log.h"

#include <assert.h>

#define TICK_MS 100
#define SLICE_US 20000           /* reading gives the loop a turn after so long */
#define CONFIRM_PAUSE_US 250000  /* between status updates that only raise the confirmed LSN */
#define ADVANCE_PAUSE_US 1000000 /* between positions that are stored without a record */

/* ---- positions ---- */

/* Both must agree: what the window says was reported, and what the sink says was stored with its position. */
lsn_t stream_confirmed(const struct streamer *s)
{
    lsn_t confirmed = ack_window_confirmed(s->ack);
    return confirmed < s->stored.end_lsn ? confirmed : s->stored.end_lsn;
}

static void send_status(struct streamer *s)
{
    struct err err;
    lsn_t confirmed = stream_confirmed(s);
    if (s->stream.connection == NULL || s->failing)
        return;
    if (!pg_stream_send_status(s->stream.connection, confirmed, &err)) {
        streamer_fail(s, &err);
        return;
    }
    s->stream.sent_lsn = confirmed;
    s->stream.last_status_us = clock_monotonic_us();
    s->stream.status_due_us = s->stream.last_status_us + s->stream.status_interval_us;
}

/* The server has sent all that there is up to a keepalive's LSN. Once nothing is open or in flight that is
 * our position too; otherwise it is remembered until then. */
static void try_advance(struct streamer *s)
{
    lsn_t lsn = s->stream.keepalive_lsn;
    if (lsn <= s->position.end_lsn || transaction_is_open(s->transaction) || !ack_window_idle(s->ack))
        return;
    if (s->position.commit_lsn != LSN_NONE && lsn <= s->position.commit_lsn)
        return; /* the rest of a partly stored transaction is still to come */
    if (!ack_window_advance(s->ack, lsn))
        return;
    s->position.end_lsn = lsn;
    s->position.commit_lsn = LSN_NONE;
    s->position.ordinal = 0;
    s->advance_pending = true;
}

void stream_store_advance(struct streamer *s)
{
    if (!s->advance_pending)
        return;
    s->advance_pending = false;
    s->last_advance_us = clock_monotonic_us();
    s->sink->ops->store(s->sink, &s->position);
}

void stream_tick(struct streamer *s)
{
    int64_t now_us = clock_monotonic_us();
    if (s->stream.connection == NULL)
        return;
    try_advance(s);
    if (now_us - s->last_advance_us >= ADVANCE_PAUSE_US)
        stream_store_advance(s);
    bool raised = stream_confirmed(s) > s->stream.sent_lsn;
    if (now_us >= s->stream.status_due_us ||
        (raised && now_us - s->stream.last_status_us >= CONFIRM_PAUSE_US))
        send_status(s);
}

/* ---- reading ---- */

static void on_readable(uv_poll_t *poll, int status, int events);
static void read_on(struct streamer *s);

/* What reading goes on with: the socket, the end of a pause, or nothing. */
static void wait_for_socket(struct streamer *s)
{
    read_timer_stop(&s->read_timer);
    if (!uv_is_active((uv_handle_t *)&s->stream.poll))
        (void)uv_poll_start(&s->stream.poll, UV_READABLE, on_readable);
}

static void wait_for_pause(struct streamer *s, uint32_t pause_us)
{
    (void)uv_poll_stop(&s->stream.poll);
    read_timer_start(&s->read_timer, pause_us);
}

void stream_stop_reading(struct streamer *s)
{
    if (s->stream.connection == NULL)
        return;
    read_timer_stop(&s->read_timer);
    (void)uv_poll_stop(&s->stream.poll);
}

static void wait_for_sink(struct streamer *s)
{
    s->stream.paused = true;
    stream_stop_reading(s);
    metrics_add(&s->metrics, PAUSES_TOTAL, 1);
}

static void on_resume(uv_idle_t *idle)
{
    struct streamer *s = idle->data;
    (void)uv_idle_stop(idle);
    if (!s->stream.paused || s->stream.connection == NULL || s->state != STREAMER_STREAMING)
        return;
    s->stream.paused = false;
    wait_for_socket(s);
    read_on(s); /* what libpq holds makes no socket readable */
}

/* May be called from inside a publish: reading goes on from the loop, not from here. */
void stream_sink_moved(struct streamer *s)
{
    if (s->stream.paused && s->state == STREAMER_STREAMING && s->sink->ops->has_room(s->sink))
        (void)uv_idle_start(&s->resume, on_resume);
}

static bool take_keepalive(struct streamer *s, const struct pg_stream_data *data)
{
    s->stream.keepalive_lsn = data->wal_end;
    backoff_reset(&s->backoff); /* the session works */
    if (data->wal_end > s->stream.received_lsn)
        s->stream.received_lsn = data->wal_end;
    if (s->server_lsn < data->wal_end)
        s->server_lsn = data->wal_end;
    if (!data->reply_requested)
        return true;
    try_advance(s);
    send_status(s);
    return !s->failing;
}

static bool take_message(struct streamer *s, const struct pg_stream_data *data, struct err *err)
{
    if (data->start_lsn > s->stream.received_lsn)
        s->stream.received_lsn = data->start_lsn;
    s->stream.server_time_us = data->server_time_us;
    s->stream.bytes += data->bytes.len;
    return changes_apply(s, data->bytes, data->start_lsn, err);
}

enum take_result { TAKE_WAIT, TAKE_FULL, TAKE_ENDED };

/* Everything libpq holds, as long as the sink takes it. */
static enum take_result take_buffered(struct streamer *s, struct err *err)
{
    for (;;) {
        struct pg_stream_data data;
        if (!s->sink->ops->has_room(s->sink))
            return TAKE_FULL;
        switch (pg_stream_next(s->stream.connection, &data, err)) {
        case PG_STREAM_MESSAGE:
            if (!take_message(s, &data, err))
                return TAKE_ENDED;
            break;
        case PG_STREAM_KEEPALIVE:
            if (!take_keepalive(s, &data))
                return TAKE_WAIT; /* failed and handled */
            break;
        case PG_STREAM_WAIT:
            return TAKE_WAIT;
        case PG_STREAM_END:
            (void)err_set(err, ERR_CONNECT, "the server ended the replication stream");
            return TAKE_ENDED;
        case PG_STREAM_ERROR:
            return TAKE_ENDED;
        }
    }
}

/* How far the change that was read last is behind its commit; both times are the server's own. */
static int64_t lag_us(const struct streamer *s)
{
    int64_t committed_us = transaction_commit_time_us(s->transaction);
    return committed_us == 0 ? 0 : s->stream.server_time_us - committed_us;
}

/* Reads and takes in turn until the socket is empty, a pause is due, the sink is full or the slice of time is
 * over. */
static enum take_result read_slice(struct streamer *s, uint32_t *pause_us, struct err *err)
{
    int64_t now_us = clock_monotonic_us(), end_us = now_us + SLICE_US;
    enum take_result result = take_buffered(s, err);
    uint64_t bytes = 1;
    *pause_us = 0;
    while (result == TAKE_WAIT && !s->failing && bytes > 0 && *pause_us == 0 && now_us < end_us) {
        uint64_t before = s->stream.bytes;
        if (!pg_stream_read(s->stream.connection, err))
            return TAKE_ENDED;
        result = take_buffered(s, err);
        bytes = s->stream.bytes - before;
        now_us = clock_monotonic_us();
        *pause_us = read_pacing_next(&s->stream.pacing, bytes, lag_us(s), now_us);
    }
    return result;
}

static void read_on(struct streamer *s)
{
    struct err err;
    uint32_t pause_us;
    if (s->stream.connection == NULL || s->failing)
        return;
    enum take_result result = read_slice(s, &pause_us, &err);
    s->sink->ops->poll(s->sink);
    if (s->failing)
        return;
    if (result == TAKE_ENDED)
        streamer_fail(s, &err);
    else if (result == TAKE_FULL)
        wait_for_sink(s);
    else if (pause_us > 0)
        wait_for_pause(s, pause_us);
    else
        wait_for_socket(s);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* broken: reading says more; where data came before that, the socket is watched again */
    (void)events;
    read_on(poll->data);
}

void stream_on_pause_over(void *data)
{
    read_on(data);
}

/* ---- start and end ---- */

static int64_t status_interval_us(const struct streamer *s, int64_t wal_sender_timeout_ms)
{
    int64_t interval_ms = s->config.status_interval_ms;
    if (wal_sender_timeout_ms > 0 && wal_sender_timeout_ms / 3 < interval_ms)
        interval_ms = wal_sender_timeout_ms / 3;
    return (interval_ms > TICK_MS ? interval_ms - TICK_MS : 1) * 1000;
}

bool stream_start(struct streamer *s, struct pg *replication, int64_t wal_sender_timeout_ms, struct err *err)
{
    struct pg_stream_options options = {
        .slot = s->config.slot_name,
        .publication = s->config.publication_name,
        .start_lsn = s->position.end_lsn,
        .messages = pg_server_version(replication) >= 140000,
    };
    struct pg_stream *connection = NULL;
    assert(!s->stream.poll_open);
    changes_reset(s);
    if (!pg_stream_start(replication, &options, &connection, err))
        return false;
    s->stream = (struct stream){.connection = connection,
                                .received_lsn = s->position.end_lsn,
                                .status_interval_us = status_interval_us(s, wal_sender_timeout_ms),
                                .poll_open = true};
    (void)ack_window_advance(s->ack, s->position.end_lsn); /* idle after the reset */
    int failed = uv_poll_init(&s->loop.uv, &s->stream.poll, pg_stream_socket(connection));
    assert(failed == 0);
    s->stream.poll.data = s;
    read_pacing_init(&s->stream.pacing, pg_stream_is_tcp(connection));
    wait_for_socket(s);
    log_info("stream", "started", LOG_STR("slot", s->config.slot_name),
             LOG_STR("publication", s->config.publication_name), LOG_LSN("lsn", s->position.end_lsn));
    return true;
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct streamer *s = handle->data;
    s->stream.poll_open = false;
}

/* The socket must not be closed before its poll handle is gone. */
void stream_close(struct streamer *s)
{
    if (s->stream.connection == NULL)
        return;
    (void)uv_idle_stop(&s->resume);
    stream_stop_reading(s);
    uv_close((uv_handle_t *)&s->stream.poll, on_poll_closed);
    pg_stream_close(s->stream.connection);
    s->stream.connection = NULL;
}
