/* streamer: one source database, one slot, one sink, one event loop.
 *
 * What may wait for a server for long (connecting, creating a slot, reading a snapshot) runs between two runs
 * of the loop and pumps it meanwhile, so that signals, the HTTP server and the sink go on. The stream itself
 * lives in the loop's callbacks.
 */
#ifndef STREAMER_STREAMER_H
#define STREAMER_STREAMER_H

#include "metrics_table.h"
#include "read_pacing.h"
#include "read_timer.h"
#include "sink.h"
#include "startup.h"
#include "streamer_config.h"

#include "walferry/ack.h"
#include "walferry/backoff.h"
#include "walferry/envelope.h"
#include "walferry/http.h"
#include "walferry/loop.h"
#include "walferry/pg_stream.h"
#include "walferry/pgoutput.h"
#include "walferry/transaction.h"

enum streamer_state {
    STREAMER_STARTING,     /* nothing was tried yet */
    STREAMER_CONNECTING,   /* connecting, checking, creating slot and publication */
    STREAMER_WAITING,      /* an attempt failed (server away, slot or log in use); the next one is timed */
    STREAMER_SNAPSHOTTING, /* reading the published tables */
    STREAMER_STREAMING,    /* changes flow, or would */
    STREAMER_STOPPING,     /* asked to stop: nothing is read any more, what was read is being stored */
    STREAMER_STOPPED,
    STREAMER_STATE_COUNT
};

/* Where the changes come from while STREAMER_STREAMING (stream.c). */
struct stream {
    struct pg_stream *connection; /* NULL = none */
    uv_poll_t poll;
    bool poll_open;         /* the handle is not closed yet */
    bool paused;            /* the sink is full */
    lsn_t received_lsn;     /* end of what was received */
    lsn_t keepalive_lsn;    /* the server has sent everything up to here */
    lsn_t sent_lsn;         /* in the last status update */
    int64_t status_due_us;  /* monotonic */
    int64_t last_status_us; /* monotonic */
    int64_t status_interval_us;
    int64_t server_time_us; /* when the server sent the last message, by its clock */
    uint64_t bytes;         /* of messages, since the start */
    struct read_pacing pacing;
};

struct streamer {
    struct streamer_config config;
    struct config *loaded;
    const struct config_sources *sources; /* for a reload */
    struct pg_target target;
    char port[8]; /* for it */
    char run_id[40];

    struct loop loop;
    uv_timer_t tick, retry;
    uv_idle_t resume;
    struct read_timer read_timer;
    struct http_server *http;
    struct metrics metrics;
    struct backoff backoff;

    enum streamer_state state;
    bool connect_due; /* the loop was left to make a session */
    bool pumping;     /* between two runs of the loop: waiting may run it */
    bool stop_requested;
    bool finishing; /* the last statements run although a stop was requested */
    bool failing;   /* `failure` waits to be obeyed: the loop is left first */
    bool failed;    /* for good */
    struct err failure;
    int64_t stop_deadline_us;
    uint64_t attempts; /* to make a session */
    uint64_t sessions; /* made so far */
    bool trouble;      /* the sink tries something again */

    struct sink *sink;        /* NULL = another process writes the log */
    struct position position; /* of what was handed to the sink: where a new session goes on */
    bool position_known;
    struct position stored;  /* of what the sink stored */
    bool advance_pending;    /* position moved without a record: to be stored before long */
    int64_t last_advance_us; /* monotonic */
    bool snapshot_done;      /* in this run */
    bool finish_when_stored; /* initial_only */

    struct pg *pg; /* ordinary session for the catalogue; NULL = none */
    lsn_t server_lsn;
    int64_t server_lsn_due_us;
    struct stream stream;
    struct ack_window *ack;
    struct pgoutput_decoder *decoder;
    struct relation_cache *relations;
    struct transaction *transaction;
    struct envelope *envelope;  /* needs the configuration only */
    bool repeating;             /* the open transaction is stored already */
    uint64_t repeat_until;      /* changes of it up to this ordinal are stored */
    bool repeat_begin;          /* its BEGIN is stored */
    bool transaction_published; /* a record of the open transaction was handed to the sink */
};

void streamer_init(struct streamer *streamer, const struct config_sources *sources);
/* Runs until stopped; the exit code. */
int streamer_run(struct streamer *streamer);
/* --check */
int streamer_check(struct streamer *streamer);
void streamer_release(struct streamer *streamer);

const char *streamer_state_name(enum streamer_state state);
void streamer_set_state(struct streamer *streamer, enum streamer_state state);

/* Something failed; may be called anywhere. It is obeyed (reconnect, or end) between two runs of the loop. */
void streamer_fail(struct streamer *streamer, const struct err *err);

/* Runs the loop once while nothing of ours is on its stack; false where the work should be given up. */
bool streamer_pump(struct streamer *streamer, uv_run_mode mode);

/* session.c: connects, checks, prepares, and leaves the streamer streaming (or finished). */
MUST_CHECK bool session_open(struct streamer *streamer, struct err *err);
void session_close(struct streamer *streamer);

/* snapshot.c: reads every published table on the exported snapshot. The replication session that exported it
 * is closed (and *exporter cleared) once the snapshot is taken over. */
MUST_CHECK bool snapshot_run(struct streamer *streamer, struct pg **exporter,
                             const struct slot_created *created, struct err *err);

/* stream.c: the replication stream on the loop. */
MUST_CHECK bool stream_start(struct streamer *streamer, struct pg *replication, int64_t wal_sender_timeout_ms,
                             struct err *err);
void stream_on_pause_over(void *data); /* of read_timer */
void stream_stop_reading(struct streamer *streamer);
void stream_close(struct streamer *streamer);
void stream_tick(struct streamer *streamer);       /* status updates, position advance */
void stream_sink_moved(struct streamer *streamer); /* the sink stored something */
lsn_t stream_confirmed(const struct streamer *streamer);
/* Stores a position that moved without records, now. */
void stream_store_advance(struct streamer *streamer);

/* changes.c: one pgoutput message to records of the sink. */
MUST_CHECK bool changes_apply(struct streamer *streamer, struct slice bytes, lsn_t message_lsn,
                              struct err *err);
void changes_reset(struct streamer *streamer); /* a new session begins */
void changes_publish(struct streamer *streamer, struct record *record);
MUST_CHECK bool changes_prepare_relation(struct streamer *streamer, struct relation *relation,
                                         struct err *err);

/* endpoints.c */
MUST_CHECK bool endpoints_start(struct streamer *streamer, struct err *err);

#endif
