#include "streamer.h"

#include "walferry/clock.h"
#include "walferry/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 100
#define STOP_TIMEOUT_US 8000000
#define SERVER_LSN_PAUSE_US 5000000
#define CONNECT_TIMEOUT_MS 10000
#define STATEMENT_TIMEOUT_MS 5000
#define RETRY_FIRST_MS 200

/* ---- states ---- */

#define BIT(state) (1U << (state))

static const struct {
    const char *name;
    unsigned next; /* legal edges */
} states[STREAMER_STATE_COUNT] = {
    [STREAMER_STARTING] = {"starting",
                           BIT(STREAMER_CONNECTING) | BIT(STREAMER_WAITING) | BIT(STREAMER_STOPPING)},
    [STREAMER_CONNECTING] = {"connecting", BIT(STREAMER_WAITING) | BIT(STREAMER_SNAPSHOTTING) |
                                               BIT(STREAMER_STREAMING) | BIT(STREAMER_STOPPING)},
    [STREAMER_WAITING] = {"waiting", BIT(STREAMER_CONNECTING) | BIT(STREAMER_STOPPING)},
    [STREAMER_SNAPSHOTTING] = {"snapshot",
                               BIT(STREAMER_STREAMING) | BIT(STREAMER_WAITING) | BIT(STREAMER_STOPPING)},
    [STREAMER_STREAMING] = {"streaming", BIT(STREAMER_WAITING) | BIT(STREAMER_STOPPING)},
    [STREAMER_STOPPING] = {"stopping", BIT(STREAMER_STOPPED)},
    [STREAMER_STOPPED] = {"stopped", 0},
};

const char *streamer_state_name(enum streamer_state state)
{
    return states[state].name;
}

void streamer_set_state(struct streamer *s, enum streamer_state state)
{
    assert((states[s->state].next & BIT(state)) != 0);
    log_info("streamer", "state", LOG_STR("from", states[s->state].name), LOG_STR("to", states[state].name));
    s->state = state;
    metrics_set(&s->metrics, STATE, state);
}

/* ---- failing and stopping ---- */

void streamer_fail(struct streamer *s, const struct err *err)
{
    if (s->failing || s->failed)
        return;
    s->failing = true;
    s->failure = *err;
    stream_stop_reading(s);
    loop_stop(&s->loop);
}

static void on_retry(uv_timer_t *timer)
{
    struct streamer *s = timer->data;
    s->connect_due = true;
    loop_stop(&s->loop);
}

static void begin_stop(struct streamer *s)
{
    if (s->state == STREAMER_STOPPING || s->state == STREAMER_STOPPED)
        return;
    streamer_set_state(s, STREAMER_STOPPING);
    loop_notify_stopping();
    (void)uv_timer_stop(&s->retry);
    s->connect_due = false;
    s->stop_deadline_us = clock_monotonic_us() + STOP_TIMEOUT_US;
    stream_stop_reading(s);
    if (s->failed || s->sink == NULL)
        return;
    stream_store_advance(s);
    s->sink->ops->flush(s->sink);
}

static void on_stop(void *data)
{
    struct streamer *s = data;
    s->stop_requested = true;
    loop_stop(&s->loop); /* obeyed between two runs of the loop */
}

/* Everything that was read is stored, or it takes too long (then it comes again at the next start). */
static bool stop_complete(const struct streamer *s)
{
    return s->failed || s->sink == NULL || s->sink->ops->idle(s->sink) ||
           clock_monotonic_us() > s->stop_deadline_us;
}

static void drop_slot(struct streamer *s)
{
    struct err err;
    if (!s->config.slot_drop_on_stop || s->failed || s->pg == NULL)
        return;
    s->finishing = true;
    if (slot_drop(s->pg, s->config.slot_name, &err))
        log_info("slot", "dropped", LOG_STR("slot", s->config.slot_name));
    else
        log_err("slot", "not dropped", &err);
}

static void finish_stop(struct streamer *s)
{
    struct err err;
    if (s->stream.connection != NULL && !s->failed &&
        !pg_stream_send_status(s->stream.connection, stream_confirmed(s), &err))
        log_err("stream", "last status update", &err);
    log_info("streamer", "stopped", LOG_LSN("confirmed", stream_confirmed(s)));
    stream_close(s);
    drop_slot(s);
    pg_close(s->pg);
    s->pg = NULL;
    streamer_set_state(s, STREAMER_STOPPED);
}

/* The one place where an err's action is obeyed. */
static void obey_failure(struct streamer *s)
{
    s->failing = false;
    if (s->failure.code == ERR_STOPPED && s->stop_requested)
        return;
    metrics_add(&s->metrics, ERRORS_TOTAL, 1);
    session_close(s);
    if (s->failure.action != ERR_RETRY) {
        s->failed = true;
        return;
    }
    uint32_t pause_ms = backoff_next_ms(&s->backoff);
    log_err("streamer", "trying again", &s->failure);
    if (s->state == STREAMER_STOPPING)
        return;
    if (s->state != STREAMER_WAITING)
        streamer_set_state(s, STREAMER_WAITING);
    (void)uv_timer_start(&s->retry, on_retry, pause_ms, 0);
}

/* ---- the loop ---- */

bool streamer_pump(struct streamer *s, uv_run_mode mode)
{
    if (s->pumping)
        (void)uv_run(&s->loop.uv, mode);
    else
        stream_tick(s); /* called from inside the loop: it cannot run, but status updates go out */
    return !s->stop_requested && !s->failing;
}

static bool on_wait(void *data)
{
    struct streamer *s = data;
    return streamer_pump(s, UV_RUN_NOWAIT) || s->finishing;
}

/* How far the server is, for the lag: keepalives only say how far it has sent. */
static void ask_server_lsn(struct streamer *s)
{
    struct err err;
    struct pg_result *result = NULL;
    int64_t now_us = clock_monotonic_us();
    if (s->state != STREAMER_STREAMING || s->pg == NULL || now_us < s->server_lsn_due_us)
        return;
    s->server_lsn_due_us = now_us + SERVER_LSN_PAUSE_US;
    if (!pg_query(s->pg,
                  "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
                  " ELSE pg_current_wal_flush_lsn() END",
                  0, NULL, &result, &err)) {
        streamer_fail(s, &err);
        return;
    }
    lsn_t lsn;
    if (lsn_parse(pg_result_value(result, 0, 0), &lsn) && lsn > s->server_lsn)
        s->server_lsn = lsn;
    pg_result_free(result);
}

static void on_tick(uv_timer_t *timer)
{
    struct streamer *s = timer->data;
    stream_tick(s);
    if (s->pumping)
        return;
    ask_server_lsn(s);
    if (s->state == STREAMER_STOPPING || s->finish_when_stored)
        loop_stop(&s->loop);
}

static void on_stored(void *data, uint64_t ack_seq, const struct position *position)
{
    struct streamer *s = data;
    ack_window_delivered_through(s->ack, ack_seq);
    s->stored = *position;
    stream_sink_moved(s);
}

static void on_sink_error(void *data, const struct err *err)
{
    streamer_fail(data, err);
}

static void on_sink_trouble(void *data, const struct err *err)
{
    struct streamer *s = data;
    s->trouble = err != NULL;
    if (err == NULL) {
        log_info("sink", "works again");
        return;
    }
    metrics_add(&s->metrics, ERRORS_TOTAL, 1);
    log_err("sink", "trying again, nothing is confirmed meanwhile", err);
}

static void on_reload(void *data)
{
    struct streamer *s = data;
    struct streamer_config fresh = {.name = NULL};
    struct config *loaded = NULL;
    struct err err;
    if (!config_load(&streamer_config_table, s->sources, &fresh, &loaded, &err)) {
        log_err("config", "not reloaded", &err);
        return;
    }
    s->config.log_level = fresh.log_level;
    log_set((enum log_level)fresh.log_level, (enum log_format)s->config.log_format);
    log_info("config", "reloaded: walferry.log.level");
    config_free(loaded);
}

/* ---- life ---- */

static void make_run_id(char run_id[40])
{
    unsigned char b[16] = {0};
    (void)uv_random(NULL, NULL, b, sizeof(b), 0, NULL);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    (void)snprintf(run_id, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                   b[15]);
}

static struct envelope *make_envelope(const struct streamer *s)
{
    const struct streamer_config *config = &s->config;
    struct envelope_options options = {
        .topic_prefix = slice_of(config->topic_prefix),
        .topic_delimiter = slice_of(config->topic_delimiter),
        .transaction_topic = slice_of(config->topic_transaction),
        .database = slice_of(config->dbname),
        .version = SLICE_LITERAL(DEBEZIUM_VERSION),
        .run_id = slice_of(s->run_id),
        .unavailable_placeholder = slice_of(config->unavailable_placeholder),
        .key_schemas = config->key_schemas,
        .value_schemas = config->value_schemas,
        .tombstones_on_delete = config->tombstones_on_delete,
        .extended_headers = config->extended_headers,
        .replace_null_with_default = config->replace_null_with_default,
        .snapshot_false_as_null = config_is_set(s->loaded, "value.converter.replace.null.with.default") &&
                                  !config->replace_null_with_default,
        .exact_values = true,
        .decimal = (enum decimal_mode)config->decimal_mode,
        .time = (enum time_mode)config->time_mode,
        .binary = (enum binary_mode)config->binary_mode,
        .interval = (enum interval_mode)config->interval_mode,
        .record_bytes_max = (size_t)config->record_bytes_max,
    };
    return envelope_new(&options);
}

static void make_target(struct streamer *s)
{
    const struct streamer_config *config = &s->config;
    (void)snprintf(s->port, sizeof(s->port), "%u", (unsigned)(uint16_t)config->port);
    s->target = (struct pg_target){
        .host = config->hostname,
        .port = s->port,
        .database = config->dbname,
        .user = config->user,
        .password = config->password,
        .sslmode = streamer_sslmodes[config->sslmode],
        .sslcert = config->sslcert,
        .sslkey = config->sslkey,
        .sslrootcert = config->sslrootcert,
        .application_name = "walferry-streamer",
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
        .on_wait = on_wait,
        .wait_data = s,
    };
}

void streamer_init(struct streamer *s, const struct config_sources *sources)
{
    s->sources = sources;
    make_run_id(s->run_id);
    make_target(s);
    metrics_init(&s->metrics, STREAMER_METRICS_PREFIX, streamer_metrics_table, STREAMER_METRIC_COUNT);
    backoff_init(&s->backoff, RETRY_FIRST_MS, (uint32_t)s->config.retry_delay_max_ms,
                 (uint64_t)clock_wall_ns() ^ (uint64_t)uv_os_getpid());
    s->ack = ack_window_new();
    s->decoder = pgoutput_decoder_new(1, false);
    s->relations = relation_cache_new();
    s->transaction = transaction_new();
    s->envelope = make_envelope(s);
    loop_init(&s->loop, on_stop, on_reload, s);
    (void)uv_timer_init(&s->loop.uv, &s->tick);
    (void)uv_timer_init(&s->loop.uv, &s->retry);
    (void)uv_idle_init(&s->loop.uv, &s->resume);
    read_timer_init(&s->read_timer, &s->loop.uv, stream_on_pause_over, s);
    s->tick.data = s->retry.data = s->resume.data = s;
}

static bool open_sink(struct streamer *s, struct err *err)
{
    struct sink_events events = {
        .on_stored = on_stored, .on_error = on_sink_error, .on_trouble = on_sink_trouble, .data = s};
    if (!sink_open(&s->loop.uv, &s->config, &events, &s->sink, err))
        return false;
    if (!s->sink->ops->load(s->sink, &s->position, &s->position_known, err)) {
        s->sink->ops->close(s->sink);
        s->sink = NULL; /* nothing may be streamed without knowing what is stored */
        return false;
    }
    if (s->position_known)
        s->stored = s->position;
    log_info("sink", "opened", LOG_STR("transport", s->sink->ops->name),
             LOG_LSN("stored", s->position_known ? s->position.end_lsn : LSN_NONE));
    return true;
}

/* The sink comes first: a log that another process writes is waited for like a slot that is in use. */
static void attempt(struct streamer *s)
{
    struct err err;
    s->connect_due = false;
    bool ok = (s->sink != NULL || open_sink(s, &err)) && session_open(s, &err);
    if (ok && s->state == STREAMER_STREAMING)
        loop_notify_ready();
    else if (!ok && !s->failing)
        streamer_fail(s, &err);
}

/* One step between two runs of the loop. */
static void step(struct streamer *s)
{
    if (s->connect_due && !s->stop_requested)
        attempt(s);
    if (s->failing)
        obey_failure(s);
    if (s->stop_requested || s->failed || (s->finish_when_stored && s->sink->ops->idle(s->sink)))
        begin_stop(s);
    if (s->state == STREAMER_STOPPING && stop_complete(s))
        finish_stop(s);
}

int streamer_run(struct streamer *s)
{
    struct err err;
    bool waits = !open_sink(s, &err);
    if ((waits && err.code != ERR_LOG_LOCKED) || !endpoints_start(s, &err)) {
        log_fatal_line(&err);
        return err_exit_code(&err);
    }
    (void)uv_timer_start(&s->tick, on_tick, TICK_MS, TICK_MS);
    if (waits)
        streamer_fail(s, &err);
    else
        s->connect_due = true;
    for (step(s); s->state != STREAMER_STOPPED; step(s))
        loop_run(&s->loop);
    if (!s->failed)
        return 0;
    log_fatal_line(&s->failure);
    return err_exit_code(&s->failure);
}

int streamer_check(struct streamer *s)
{
    struct err err;
    struct startup startup = {
        .config = &s->config, .target = &s->target, .sink_retracts = s->config.transport == TRANSPORT_LOCAL};
    s->pumping = true;
    bool ok = sink_peek(&s->loop.uv, &s->config, &startup.position, &startup.position_found, &err) &&
              startup_print_checks(&startup, &err);
    startup_release(&startup);
    if (ok)
        return 0;
    log_fatal_line(&err);
    return err_exit_code(&err);
}

/* A sink whose last write hangs cannot be closed in order: the process ends without it. */
static void close_sink(struct streamer *s)
{
    if (s->sink == NULL)
        return;
    if (!s->sink->ops->idle(s->sink) && s->config.transport == TRANSPORT_STDOUT)
        _exit(s->failed ? 1 : 0);
    s->sink->ops->close(s->sink);
}

void streamer_release(struct streamer *s)
{
    close_sink(s);
    if (s->http != NULL)
        http_stop(s->http);
    loop_release(&s->loop);
    read_timer_release(&s->read_timer);
    envelope_free(s->envelope);
    relation_cache_free(s->relations); /* frees what the envelope prepared */
    transaction_free(s->transaction);
    pgoutput_decoder_free(s->decoder);
    ack_window_free(s->ack);
    metrics_release(&s->metrics);
}
