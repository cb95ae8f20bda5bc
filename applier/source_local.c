#include "source.h"

#include "walferry/local_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct source_local {
    struct source base;
    struct local_reader *reader;
};

static struct local_reader *reader_of(struct source *source)
{
    return ((struct source_local *)source)->reader;
}

static enum source_read local_next(struct source *source, struct source_record *record, struct err *err)
{
    struct local_record local;
    switch (local_reader_next(reader_of(source), &local, err)) {
    case LOCAL_RECORD:
        *record = (struct source_record){local.offset, local.record};
        return SOURCE_RECORD;
    case LOCAL_NOTHING:
        return SOURCE_NOTHING;
    case LOCAL_ERROR:
        break;
    }
    return SOURCE_ERROR;
}

static bool local_seek(struct source *source, int64_t offset, struct err *err)
{
    return local_reader_seek(reader_of(source), offset, err);
}

static bool local_end(struct source *source, struct source_end *end, struct err *err)
{
    return local_reader_end(reader_of(source), &end->offset, &end->position, err);
}

static bool local_oldest(struct source *source, int64_t offset, int64_t *timestamp_ms, struct err *err)
{
    return local_reader_oldest(reader_of(source), offset, timestamp_ms, err);
}

static bool local_commit(struct source *source, int64_t offset, struct err *err)
{
    return local_reader_commit(reader_of(source), offset, err);
}

static void local_close(struct source *source)
{
    local_reader_close(reader_of(source));
    free(source);
}

static const struct source_ops ops = {local_next,   local_seek,   local_end,
                                      local_oldest, local_commit, local_close};

bool source_local_open(uv_loop_t *uv, const struct source_local_options *options, struct source **source,
                       struct err *err)
{
    struct local_reader *reader = NULL;
    const struct local_reader_options local_options = {options->path, options->consumer, options->on_wake,
                                                       options->data};
    if (!local_reader_open(uv, &local_options, &reader, err))
        return false;
    struct source_local *local = calloc(1, sizeof(*local));
    if (local == NULL)
        abort();
    local->base.ops = &ops;
    local->reader = reader;
    (void)snprintf(local->base.id, sizeof(local->base.id), "local:%016" PRIx64,
                   (uint64_t)local_reader_log_id(reader));
    *source = &local->base;
    return true;
}
