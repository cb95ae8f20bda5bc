/* applier: the states of walferry-applier and its one event loop.
 *
 *     CONNECTING ──▶ OPENING ──log is there──▶ LOCKING ──owner──▶ APPLYING
 *         ▲             │                         │                  │
 *         └────────── lost connection, conflicts: backoff ───────────┘
 *
 * Callbacks of the loop only leave a note; the work is done between two rounds of the loop, so that a call
 * that waits for the server can run the loop meanwhile.
 */
#ifndef APPLIER_H
#define APPLIER_H

#include "apply.h"
#include "target.h"

#include "walferry/backoff.h"
#include "walferry/http.h"
#include "walferry/loop.h"

enum applier_state {
    APPLIER_CONNECTING, /* to the target */
    APPLIER_OPENING,    /* the local log is not there yet */
    APPLIER_LOCKING,    /* another applier owns the source */
    APPLIER_APPLYING,
};

struct applier {
    const struct applier_config *config;
    const struct config_sources *files; /* for SIGHUP */
    bool drain;
    enum applier_state state;
    struct loop loop;
    struct metrics metrics;
    struct http_server *http;
    struct source *source;
    struct pg *session; /* until the pipeline takes it over */
    struct pg *catalog; /* the second session, opened on first use */
    struct unit unit;
    struct apply apply;
    struct backoff backoff;
    uv_timer_t retry, tick;
    uv_poll_t *poll; /* of the pipeline's socket; closed before the session */
    int poll_events;
    /* Notes of the callbacks. */
    bool due, socket_ready, tick_due;
    bool source_empty; /* nothing was left when last asked, and no wake since */
    bool stop_asked, finished;
    int64_t stop_deadline_us;
    bool drain_known;     /* false while a snapshot is being read, whose rows are hidden until it is whole */
    int64_t drain_offset; /* INT64_MAX until then */
    int64_t last_commit_us;
    int64_t consumer_offset;     /* as last told to the transport */
    int64_t schema_retry_offset; /* where the catalogue was already loaded again for */
    /* After a failure in a group: one source transaction at a time until this offset is committed. */
    int64_t single_through;
    int64_t single_before;       /* what is whole up to here is committed before reading on */
    int64_t single_retry_offset; /* where this was already begun from */
    bool told_waiting, told_snapshot, told_role, told_origin, told_ready;
    struct err failure; /* code ERR_NONE = none */
};

/* Runs until it is stopped, drained or fails; returns the exit code. */
int applier_run(const struct applier_config *config, const struct config_sources *files, bool drain);

/* What /readyz says; *ready is false while not applying. */
const char *applier_readiness(const struct applier *applier, bool *ready);

/* endpoints.c */
MUST_CHECK bool endpoints_start(struct applier *applier, struct err *err);

/* ---- between applier*.c ---- */
void applier_set_state(struct applier *applier, enum applier_state state);
/* The one place that obeys an error's action. */
void applier_obey(struct applier *applier, const struct err *err);
void applier_finish(struct applier *applier);
void applier_again_in(struct applier *applier, uint32_t delay_ms);
/* CONNECTING, OPENING and LOCKING: one attempt. */
void applier_connect(struct applier *applier);
void applier_open(struct applier *applier);
void applier_take_lock(struct applier *applier);
/* The committed progress lies before a record that failed in a group: no groups until it is behind. */
bool applier_is_single(const struct applier *applier);
/* Where --drain ends: what the log holds now, or with the snapshot that is being read. */
void applier_note_end(struct applier *applier, const struct source_end *end);
/* APPLYING: everything that can be done without waiting. */
void applier_apply(struct applier *applier);
void applier_disconnect(struct applier *applier);
bool applier_catalog(void *data, struct pg **catalog, struct err *err);
void applier_on_committed(void *data, const struct progress *progress);
/* Watch the socket for writing too while libpq holds bytes back. */
void applier_watch_events(struct applier *applier);
/* Once a second: lag, memory, the consumer's position. */
void applier_measure(struct applier *applier);

#endif
