#include "applier.h"

#include "walferry/clock.h"
#include "walferry/log.h"

#include <assert.h>
#include <string.h>

#define TICK_MS 1000
#define STOP_TIMEOUT_US 8000000
#define RETRY_FIRST_MS 100

/* ---- states ---- */

static const char *const state_names[] = {"connecting", "opening", "locking", "applying"};

void applier_set_state(struct applier *applier, enum applier_state state)
{
    if (applier->state == state)
        return;
    log_debug("applier", "state", LOG_STR("from", state_names[applier->state]),
              LOG_STR("to", state_names[state]));
    applier->state = state;
    metrics_set(&applier->metrics, STATE, (double)state);
}

static bool snapshot_is_open(const struct applier *applier)
{
    const struct progress *progress = &applier->unit.committed;
    return progress->snapshot_begun && !progress->snapshot_complete;
}

const char *applier_readiness(const struct applier *applier, bool *ready)
{
    static const char *const reasons[] = {
        [APPLIER_OPENING] = "waiting for the local log",
        [APPLIER_CONNECTING] = "connecting",
        [APPLIER_LOCKING] = "waiting for the lock: another applier owns this source",
        [APPLIER_APPLYING] = "applying",
    };
    *ready = applier->state == APPLIER_APPLYING && !applier->stop_asked && !snapshot_is_open(applier);
    if (applier->stop_asked)
        return "stopping";
    return applier->state == APPLIER_APPLYING && !*ready ? "snapshot" : reasons[applier->state];
}

void applier_finish(struct applier *applier)
{
    applier->finished = true;
}

static void on_retry(uv_timer_t *timer)
{
    struct applier *applier = timer->data;
    applier->due = true;
}

void applier_again_in(struct applier *applier, uint32_t delay_ms)
{
    applier->due = false;
    (void)uv_timer_start(&applier->retry, on_retry, delay_ms, 0);
}

/* ---- errors ---- */

/* What the catalogue said may be old: load it again, once for each place in the log. */
static bool may_load_again(struct applier *applier, const struct err *err)
{
    int64_t offset = applier->unit.committed.offset;
    if (err->code != ERR_TARGET_SCHEMA || applier->schema_retry_offset == offset)
        return false;
    applier->schema_retry_offset = offset;
    return true;
}

/* Whole source transactions were rolled back with the one that failed. They must not wait until that one is
 * repaired: the repair (a renamed column) may be what makes them fail. Once for each place in the log. */
static bool may_go_singly(struct applier *applier, const struct err *err)
{
    const struct flight *failed = &applier->unit.failed;
    int64_t offset = applier->unit.committed.offset;
    bool alone = failed->before != 0 && failed->before <= offset;
    if (applier->state != APPLIER_APPLYING || err->action == ERR_RETRY || err->code == ERR_FENCED ||
        failed->offset <= offset || alone || applier->single_retry_offset == offset)
        return false;
    applier->single_retry_offset = offset;
    applier->single_through = failed->offset;
    applier->single_before = failed->before;
    return true;
}

static void go_back(struct applier *applier, uint32_t delay_ms)
{
    applier_disconnect(applier);
    metrics_add(&applier->metrics, RECONNECTS_TOTAL, 1);
    applier_set_state(applier, APPLIER_CONNECTING);
    applier_again_in(applier, delay_ms);
}

void applier_obey(struct applier *applier, const struct err *err)
{
    if (err->code == ERR_STOPPED || (applier->stop_asked && err->action == ERR_RETRY)) {
        applier_finish(applier);
        return;
    }
    metrics_add(&applier->metrics, ERRORS_TOTAL, 1);
    if (may_go_singly(applier, err)) {
        log_info("applier", "the source transactions before a failed one are applied one by one",
                 LOG_INT("offset", applier->single_through), LOG_STR("reason", err->text));
        go_back(applier, 0);
        return;
    }
    if (may_load_again(applier, err)) {
        log_info("applier", "the target's catalogue is loaded again", LOG_STR("reason", err->text));
        go_back(applier, 0);
        return;
    }
    if (err->action == ERR_RETRY) {
        uint32_t delay_ms = backoff_next_ms(&applier->backoff);
        log_err("applier", "trying again", err);
        go_back(applier, delay_ms);
        return;
    }
    metrics_add(&applier->metrics, EVENTS_REJECTED_TOTAL, 1);
    applier->failure = *err;
    applier_finish(applier);
}

/* ---- the loop ---- */

static void on_stop(void *data)
{
    struct applier *applier = data;
    applier->stop_asked = true;
    applier->stop_deadline_us = clock_monotonic_us() + STOP_TIMEOUT_US;
    loop_notify_stopping();
}

/* Only the log's level can change while running. */
static void on_reload(void *data)
{
    struct applier *applier = data;
    struct applier_config fresh;
    struct config *loaded = NULL;
    struct err err;
    if (!applier_config_load(applier->files, &fresh, &loaded, &err)) {
        log_err("applier", "configuration not reloaded", &err);
        return;
    }
    log_info("applier", "configuration reloaded; only walferry.log.level can change while running");
    applier_config_release(&fresh);
    config_free(loaded);
}

static void on_tick(uv_timer_t *timer)
{
    struct applier *applier = timer->data;
    applier->tick_due = true;
}

static void work(struct applier *applier)
{
    if (applier->tick_due) {
        applier->tick_due = false;
        applier_measure(applier);
    }
    if (applier->stop_asked && applier->state != APPLIER_APPLYING) {
        applier_finish(applier);
        return;
    }
    if (applier->state == APPLIER_APPLYING) {
        applier_apply(applier);
        return;
    }
    if (!applier->due)
        return;
    applier->due = false;
    if (applier->state == APPLIER_CONNECTING)
        applier_connect(applier);
    else if (applier->state == APPLIER_OPENING)
        applier_open(applier);
    else if (applier->state == APPLIER_LOCKING)
        applier_take_lock(applier);
}

/* Is there something to do without waiting for an event? */
static bool is_busy(const struct applier *applier)
{
    if (applier->state != APPLIER_APPLYING)
        return applier->due;
    bool waits = applier->unit.committing && applier_is_single(applier);
    return applier->socket_ready || (!applier->source_empty && !waits && unit_has_room(&applier->unit));
}

static void init(struct applier *applier)
{
    loop_init(&applier->loop, on_stop, on_reload, applier);
    metrics_init(&applier->metrics, APPLIER_METRICS_PREFIX, applier_metrics_table, APPLIER_METRIC_COUNT);
    struct unit_options unit = {.statements_max = (size_t)applier->config->pipeline_statements,
                                .bytes_max = (size_t)applier->config->pipeline_bytes,
                                .on_committed = applier_on_committed,
                                .data = applier,
                                .metrics = &applier->metrics};
    unit_init(&applier->unit, &unit);
    struct apply_options apply = {
        .config = applier->config, .catalog = applier_catalog, .data = applier, .metrics = &applier->metrics};
    apply_init(&applier->apply, &apply, &applier->unit);
    backoff_init(&applier->backoff, RETRY_FIRST_MS, (uint32_t)applier->config->retry_delay_max_ms,
                 (uint64_t)clock_monotonic_us());
    (void)uv_timer_init(&applier->loop.uv, &applier->retry);
    (void)uv_timer_init(&applier->loop.uv, &applier->tick);
    applier->retry.data = applier->tick.data = applier;
    (void)uv_timer_start(&applier->tick, on_tick, TICK_MS, TICK_MS);
}

static void release(struct applier *applier)
{
    applier_disconnect(applier);
    source_close(applier->source);
    http_stop(applier->http);
    loop_release(&applier->loop);
    apply_release(&applier->apply);
    unit_release(&applier->unit);
    metrics_release(&applier->metrics);
}

int applier_run(const struct applier_config *config, const struct config_sources *files, bool drain)
{
    struct applier applier = {.config = config,
                              .files = files,
                              .drain = drain,
                              .due = true,
                              .schema_retry_offset = -1,
                              .single_retry_offset = -1,
                              .failure = {.code = ERR_NONE}};
    init(&applier);
    /* A drain may run beside the configuration of an applier that serves the port. */
    if (!drain && !endpoints_start(&applier, &applier.failure))
        applier_finish(&applier);
    while (!applier.finished) {
        (void)uv_run(&applier.loop.uv, is_busy(&applier) ? UV_RUN_NOWAIT : UV_RUN_ONCE);
        work(&applier);
    }
    log_info("applier", "stopped", LOG_INT("offset", applier.unit.committed.offset),
             LOG_LSN("lsn", applier.unit.committed.end_lsn));
    struct err failure = applier.failure;
    release(&applier);
    if (failure.code == ERR_NONE)
        return 0;
    log_fatal_line(&failure);
    return err_exit_code(&failure);
}
