/* source: where records come from, in one total order. An ops table, as the streamer's sinks are.
 *
 * A position is an offset of that order. `id` names the transport itself (a local log carries a random number
 * of its own), so that progress in the target can never be taken for that of another log.
 */
#ifndef APPLIER_SOURCE_H
#define APPLIER_SOURCE_H

#include "walferry/event.h"
#include "walferry/position.h"

#include <uv.h>

struct source_record {
    int64_t offset;
    struct record record; /* borrowed until the next read or close */
};

/* How far the transport reaches. */
struct source_end {
    int64_t offset;           /* of the newest record */
    struct position position; /* of the source, as the streamer stored it; zeros where unknown */
};

enum source_read { SOURCE_RECORD, SOURCE_NOTHING, SOURCE_ERROR };

struct source;

struct source_ops {
    enum source_read (*next)(struct source *source, struct source_record *record, struct err *err);
    bool (*seek)(struct source *source, int64_t offset, struct err *err); /* go on behind it */
    bool (*end)(struct source *source, struct source_end *end, struct err *err);
    bool (*oldest)(struct source *source, int64_t offset, int64_t *timestamp_ms, struct err *err);
    bool (*commit)(struct source *source, int64_t offset, struct err *err); /* for retention and lag tools */
    void (*close)(struct source *source);
};

struct source {
    const struct source_ops *ops;
    char id[64];
};

static inline enum source_read source_next(struct source *source, struct source_record *record,
                                           struct err *err)
{
    return source->ops->next(source, record, err);
}
MUST_CHECK static inline bool source_seek(struct source *source, int64_t offset, struct err *err)
{
    return source->ops->seek(source, offset, err);
}
MUST_CHECK static inline bool source_end(struct source *source, struct source_end *end, struct err *err)
{
    return source->ops->end(source, end, err);
}
/* When the first record behind `offset` was stored; 0 where there is none. */
MUST_CHECK static inline bool source_oldest(struct source *source, int64_t offset, int64_t *timestamp_ms,
                                            struct err *err)
{
    return source->ops->oldest(source, offset, timestamp_ms, err);
}
MUST_CHECK static inline bool source_commit(struct source *source, int64_t offset, struct err *err)
{
    return source->ops->commit(source, offset, err);
}
static inline void source_close(struct source *source)
{
    if (source != NULL)
        source->ops->close(source);
}

struct source_local_options {
    const char *path;
    const char *consumer;        /* whose position is kept in the file */
    void (*on_wake)(void *data); /* on the loop, whenever there may be more */
    void *data;
};

/* ERR_CONNECT: the file does not exist yet. */
MUST_CHECK bool source_local_open(uv_loop_t *uv, const struct source_local_options *options,
                                  struct source **source, struct err *err);

#endif
