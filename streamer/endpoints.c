#include "streamer.h"

#include "walferry/clock.h"

/* /metrics, /healthz, /readyz. Gauges are computed when they are asked for. */

static double lag_ms(const struct streamer *s)
{
    if (s->stored.commit_time_us == 0 || s->stored.end_lsn >= s->stream.received_lsn)
        return 0;
    int64_t lag_us = clock_wall_us() - s->stored.commit_time_us;
    return lag_us > 0 ? (double)lag_us / 1000 : 0;
}

static void refresh_gauges(struct streamer *s)
{
    struct metrics *m = &s->metrics;
    lsn_t confirmed = stream_confirmed(s);
    lsn_t server = s->server_lsn > s->stream.received_lsn ? s->server_lsn : s->stream.received_lsn;
    uint64_t rss_bytes = 0, rss_peak_bytes = 0;
    metrics_read_memory(&rss_bytes, &rss_peak_bytes);
    metrics_set(m, LAG_BYTES, confirmed != LSN_NONE && server > confirmed ? (double)(server - confirmed) : 0);
    metrics_set(m, LAG_MS, lag_ms(s));
    metrics_set(m, CONFIRMED_LSN, (double)confirmed);
    metrics_set(m, RECEIVED_LSN, (double)s->stream.received_lsn);
    metrics_set(m, SERVER_LSN, (double)server);
    metrics_set(m, QUEUE_BYTES, s->sink != NULL ? (double)s->sink->ops->queue_bytes(s->sink) : 0);
    metrics_set(m, QUEUE_RECORDS, (double)ack_window_unacknowledged(s->ack));
    metrics_set(m, RSS_BYTES, (double)rss_bytes);
    metrics_set(m, RSS_PEAK_BYTES, (double)rss_peak_bytes);
}

static void handle_metrics(void *data, struct http_reply *reply)
{
    struct streamer *s = data;
    refresh_gauges(s);
    reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_write(&s->metrics, &reply->body);
}

static void handle_health(void *data, struct http_reply *reply)
{
    (void)data;
    buf_append_text(&reply->body, "ok\n");
}

/* What is waited for; nothing where the reason says enough. */
static const char *awaited(const struct streamer *s)
{
    if (s->failure.code == ERR_LOG_LOCKED)
        return " for the log";
    return s->failure.code == ERR_SLOT_BUSY ? " for the slot" : "";
}

static void handle_ready(void *data, struct http_reply *reply)
{
    struct streamer *s = data;
    bool ready = s->state == STREAMER_STREAMING && !s->failing && !s->trouble;
    reply->status = ready ? 200 : 503;
    buf_append_text(&reply->body, streamer_state_name(s->state));
    if (s->trouble)
        buf_append_text(&reply->body, ": the transport does not store");
    else if (s->state == STREAMER_WAITING) {
        buf_append_text(&reply->body, awaited(s));
        buf_append_text(&reply->body, ": ");
        buf_append_text(&reply->body, s->failure.text);
    }
    buf_append_char(&reply->body, '\n');
}

static const struct http_route routes[] = {
    {"GET", "/metrics", handle_metrics},
    {"GET", "/healthz", handle_health},
    {"GET", "/readyz", handle_ready},
    {.path = NULL},
};

bool endpoints_start(struct streamer *s, struct err *err)
{
    return http_start(&s->loop.uv, s->config.listeners, routes, s, &s->http, err);
}
