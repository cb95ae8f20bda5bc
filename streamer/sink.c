#include "sink.h"

#include "walferry/local_log.h"

#include <string.h>
#include <unistd.h>

static bool kafka_open(uv_loop_t *uv, const struct streamer_config *config, const struct sink_events *events,
                       struct sink **sink, struct err *err)
{
    (void)uv;
    (void)config;
    (void)events;
    (void)sink;
    return err_set(err, ERR_CONFIG,
                   "the Kafka transport is not available in this build; set walferry.transport to local, "
                   "stdout or null");
}

typedef bool open_function(uv_loop_t *, const struct streamer_config *, const struct sink_events *,
                           struct sink **, struct err *);

static open_function *const openers[] = {
    [TRANSPORT_KAFKA] = kafka_open,
    [TRANSPORT_LOCAL] = sink_local_open,
    [TRANSPORT_STDOUT] = sink_stdout_open,
    [TRANSPORT_NULL] = sink_null_open,
};

bool sink_open(uv_loop_t *uv, const struct streamer_config *config, const struct sink_events *events,
               struct sink **sink, struct err *err)
{
    return openers[config->transport](uv, config, events, sink, err);
}

static void ignore_wake(void *data)
{
    (void)data;
}

bool sink_peek(uv_loop_t *uv, const struct streamer_config *config, struct position *position, bool *found,
               struct err *err)
{
    *found = false;
    if (config->transport == TRANSPORT_KAFKA)
        return kafka_open(uv, config, NULL, NULL, err);
    if (config->transport != TRANSPORT_LOCAL || access(config->local_path, F_OK) != 0)
        return true;
    struct local_reader *reader = NULL;
    int64_t end_offset;
    const struct local_reader_options options = {config->local_path, "check", ignore_wake, NULL};
    if (!local_reader_open(uv, &options, &reader, err))
        return false;
    bool ok = local_reader_end(reader, &end_offset, position, err);
    *found = ok && (position->end_lsn != LSN_NONE || position->snapshot != SNAPSHOT_NONE);
    local_reader_close(reader);
    return ok;
}
