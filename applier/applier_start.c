/* Up to the first row: connect, open the log, become the owner, go to where progress says. */
#include "applier.h"

#include "walferry/clock.h"
#include "walferry/log.h"

#include <stdlib.h>

#define OPEN_AGAIN_MS 500
#define LOCK_AGAIN_MS 1000

static void on_wake(void *data)
{
    struct applier *applier = data;
    applier->source_empty = false;
}

void applier_open(struct applier *applier)
{
    struct err err;
    const struct source_local_options options = {applier->config->local_path, applier->config->name, on_wake,
                                                 applier};
    if (source_local_open(&applier->loop.uv, &options, &applier->source, &err)) {
        applier->unit.options.source = applier->source->id;
        applier->apply.options.source = applier->source->id;
        log_info("applier", "reads the local log", LOG_STR("path", applier->config->local_path),
                 LOG_STR("source", applier->source->id));
        applier->told_waiting = false;
        applier_set_state(applier, APPLIER_LOCKING);
        applier->due = true;
        return;
    }
    if (err.code != ERR_CONNECT) {
        applier_obey(applier, &err);
        return;
    }
    if (!applier->told_waiting)
        log_info("applier", "waiting for the local log", LOG_STR("path", applier->config->local_path));
    applier->told_waiting = true;
    applier_again_in(applier, OPEN_AGAIN_MS);
}

/* ---- sessions ---- */

static bool keep_waiting(void *data)
{
    struct applier *applier = data;
    (void)uv_run(&applier->loop.uv, UV_RUN_NOWAIT);
    return !applier->stop_asked || clock_monotonic_us() < applier->stop_deadline_us - 5000000;
}

static bool connect_session(struct applier *applier, struct pg **session, struct err *err)
{
    struct target_wait wait = {keep_waiting, applier};
    return target_connect(applier->config, &wait, session, err);
}

bool applier_catalog(void *data, struct pg **catalog, struct err *err)
{
    struct applier *applier = data;
    if (applier->catalog == NULL && !connect_session(applier, &applier->catalog, err))
        return false;
    *catalog = applier->catalog;
    return true;
}

void applier_connect(struct applier *applier)
{
    struct err err;
    if (!connect_session(applier, &applier->session, &err)) {
        applier_obey(applier, &err);
        return;
    }
    applier_set_state(applier, applier->source != NULL ? APPLIER_LOCKING : APPLIER_OPENING);
    applier->due = true;
}

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

void applier_disconnect(struct applier *applier)
{
    if (applier->poll != NULL)
        uv_close((uv_handle_t *)applier->poll, free_poll);
    applier->poll = NULL;
    applier->poll_events = 0;
    applier->socket_ready = false;
    unit_stop(&applier->unit);
    pg_close(applier->session);
    pg_close(applier->catalog);
    applier->session = applier->catalog = NULL;
}

/* ---- ownership ---- */

static bool set_up_session(struct applier *applier, bool *replica, struct err *err)
{
    bool marked = false;
    struct err why;
    if (!target_set_role(applier->session, applier->config, replica, err) ||
        !target_set_origin(applier->session, applier->source->id, &marked, &why, err))
        return false;
    if (!*replica && !applier->told_role)
        log_info("applier",
                 "session_replication_role stays origin: triggers and foreign keys of the target fire, "
                 "deferrable constraints are deferred to the end of each transaction");
    if (!marked && !applier->told_origin)
        log_warn("applier",
                 "no replication origin: a stream in the other direction cannot tell these changes apart",
                 LOG_STR("reason", why.text));
    applier->told_role = applier->told_origin = true;
    return true;
}

static bool check_end(struct applier *applier, const struct progress *progress, struct err *err)
{
    struct source_end end;
    if (!source_end(applier->source, &end, err))
        return false;
    applier_note_end(applier, &end);
    return end.offset >= progress->offset ||
           err_set(err, ERR_LOG_FOREIGN,
                   "%s ends at offset %lld and the target has applied it up to %lld: the file is an older "
                   "copy; use the one that was written last",
                   applier->config->local_path, (long long)end.offset, (long long)progress->offset);
}

static bool watch(struct applier *applier, struct err *err);

static bool begin(struct applier *applier, struct err *err)
{
    struct progress progress;
    struct pg_pipeline *pipeline = NULL;
    bool replica = false;
    if (!set_up_session(applier, &replica, err) || !progress_prepare(applier->session, err) ||
        !progress_take(applier->session, applier->source->id, &progress, err) ||
        !check_end(applier, &progress, err) || !source_seek(applier->source, progress.offset, err))
        return false;
    struct pg *session = applier->session;
    applier->session = NULL;
    if (!pg_pipeline_start(session, &pipeline, err))
        return false;
    unit_start(&applier->unit, pipeline, &progress, !replica);
    apply_start(&applier->apply, &progress);
    applier->source_empty = false;
    applier->last_commit_us = clock_monotonic_us();
    metrics_set(&applier->metrics, EPOCH, (double)progress.epoch);
    metrics_set(&applier->metrics, APPLIED_OFFSET, (double)progress.offset);
    metrics_set(&applier->metrics, APPLIED_LSN, (double)progress.end_lsn);
    log_info("applier", "applying", LOG_INT("offset", progress.offset), LOG_LSN("lsn", progress.end_lsn),
             LOG_INT("epoch", progress.epoch));
    return watch(applier, err);
}

void applier_take_lock(struct applier *applier)
{
    struct err err;
    bool taken = false;
    int64_t pid = 0;
    if (!target_lock(applier->session, applier->source->id, &taken, &pid, &err)) {
        applier_obey(applier, &err);
        return;
    }
    if (!taken) {
        if (!applier->told_waiting)
            log_info("applier", "another applier owns this source, waiting for its lock",
                     LOG_STR("source", applier->source->id), LOG_INT("owner_backend", pid));
        applier->told_waiting = true;
        applier_again_in(applier, LOCK_AGAIN_MS);
        return;
    }
    if (!begin(applier, &err)) {
        applier_obey(applier, &err);
        return;
    }
    applier_set_state(applier, APPLIER_APPLYING);
    if (!applier->told_ready)
        loop_notify_ready();
    applier->told_ready = true;
}

/* ---- the pipeline's socket ---- */

static void on_socket(uv_poll_t *poll, int status, int events)
{
    struct applier *applier = poll->data;
    (void)events;
    applier->socket_ready = true; /* errors too: the next read meets them */
    if (status < 0)
        applier->poll_events = 0; /* libuv has stopped watching, and what lies before the error may be data */
}

static bool watch(struct applier *applier, struct err *err)
{
    applier->poll = malloc(sizeof(*applier->poll));
    if (applier->poll == NULL)
        abort();
    int failed = uv_poll_init(&applier->loop.uv, applier->poll, pg_pipeline_socket(applier->unit.pipeline));
    if (failed != 0) {
        free(applier->poll);
        applier->poll = NULL;
        return err_set(err, ERR_SYSTEM, "cannot watch the target's socket: %s", uv_strerror(failed));
    }
    applier->poll->data = applier;
    applier->poll_events = UV_READABLE;
    failed = uv_poll_start(applier->poll, UV_READABLE, on_socket);
    return failed == 0 ||
           err_set(err, ERR_SYSTEM, "cannot watch the target's socket: %s", uv_strerror(failed));
}

void applier_watch_events(struct applier *applier)
{
    int events = UV_READABLE | (pg_pipeline_wants_write(applier->unit.pipeline) ? UV_WRITABLE : 0);
    if (events == applier->poll_events)
        return;
    applier->poll_events = events;
    (void)uv_poll_start(applier->poll, events, on_socket);
}
