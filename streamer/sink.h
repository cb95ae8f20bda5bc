/* sink: where records go. One table of operations per transport.
 *
 * publish copies what it keeps. mark says that everything published so far belongs to a position; a sink
 * stores records and position together or the position after the records, and then reports both by on_stored,
 * in order. All calls and callbacks are on the loop's thread; on_stored may come from inside mark or store.
 */
#ifndef STREAMER_SINK_H
#define STREAMER_SINK_H

#include "streamer_config.h"

#include "walferry/event.h"
#include "walferry/position.h"

#include <uv.h>

struct sink; /* the implementation's struct starts with `const struct sink_ops *ops` */

struct sink_events {
    /* Every record up to ack_seq, and the position, are as durable as the transport makes them. */
    void (*on_stored)(void *data, uint64_t ack_seq, const struct position *position);
    void (*on_error)(void *data, const struct err *err);   /* final; nothing more is stored */
    void (*on_trouble)(void *data, const struct err *err); /* it tries again by itself; NULL = works again */
    void *data;
};

struct sink_ops {
    const char *name;
    /* Rows of a snapshot become visible all at once, at its end; an interrupted one leaves nothing behind. */
    bool retracts_snapshot;
    /* The stored position; *found is false where the transport keeps none or has none yet. */
    bool (*load)(struct sink *sink, struct position *position, bool *found, struct err *err);
    bool (*has_room)(const struct sink *sink);
    void (*publish)(struct sink *sink, const struct record *record);
    void (*mark)(struct sink *sink, const struct position *position);
    void (*store)(struct sink *sink, const struct position *position); /* mark, without lingering */
    void (*poll)(struct sink *sink);                                   /* after a run of publish calls */
    void (*flush)(struct sink *sink);                                  /* hand over what is marked, now */
    void (*discard_unmarked)(struct sink *sink);
    void (*snapshot_begin)(struct sink *sink);
    void (*snapshot_end)(struct sink *sink); /* the next mark makes the snapshot visible */
    bool (*idle)(const struct sink *sink);
    uint64_t (*queue_bytes)(const struct sink *sink);
    void (*close)(struct sink *sink);
};

struct sink {
    const struct sink_ops *ops;
};

/* Opens the transport that the configuration names. */
MUST_CHECK bool sink_open(uv_loop_t *uv, const struct streamer_config *config,
                          const struct sink_events *events, struct sink **sink, struct err *err);

MUST_CHECK bool sink_local_open(uv_loop_t *uv, const struct streamer_config *config,
                                const struct sink_events *events, struct sink **sink, struct err *err);
MUST_CHECK bool sink_stdout_open(uv_loop_t *uv, const struct streamer_config *config,
                                 const struct sink_events *events, struct sink **sink, struct err *err);
MUST_CHECK bool sink_null_open(uv_loop_t *uv, const struct streamer_config *config,
                               const struct sink_events *events, struct sink **sink, struct err *err);

/* For --check: what is stored, without opening the transport for writing. */
MUST_CHECK bool sink_peek(uv_loop_t *uv, const struct streamer_config *config, struct position *position,
                          bool *found, struct err *err);

#endif
