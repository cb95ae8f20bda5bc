#include "envelope_internal.h"
#include "walferry/json.h"
#include "walferry/topic.h"

#include <stdlib.h>

#define SCRATCH_BYTES_MAX (4 * (size_t)SCHEMA_BYTES_MAX)

static struct slice keep_scratch(struct envelope *envelope)
{
    struct slice kept = pieces_keep(&envelope->pieces, buf_slice(&envelope->scratch));
    buf_clear(&envelope->scratch);
    return kept;
}

/* {"schema":…,"payload": where schemas are on, else nothing. The schema is in `schema`, which is emptied. */
static struct slice keep_head(struct envelope *envelope, bool schemas, struct buf *schema)
{
    struct buf *scratch = &envelope->scratch;
    if (schemas) {
        buf_append_text(scratch, "{\"schema\":");
        buf_append_slice(scratch, buf_slice(schema));
        buf_append_text(scratch, ",\"payload\":");
    }
    buf_clear(schema);
    return keep_scratch(envelope);
}

static void prepare_source(struct envelope *envelope)
{
    struct buf *scratch = &envelope->scratch;
    const struct envelope_options *options = &envelope->options;
    buf_append_text(scratch, ",\"source\":{\"version\":");
    json_append_string(scratch, options->version);
    buf_append_text(scratch, ",\"connector\":\"postgresql\",\"name\":");
    json_append_string(scratch, options->topic_prefix);
    buf_append_text(scratch, ",\"ts_ms\":");
    envelope->source_head = keep_scratch(envelope);
    buf_append_text(scratch, ",\"db\":");
    json_append_string(scratch, options->database);
    buf_append_text(scratch, ",\"sequence\":\"[");
    envelope->source_db = keep_scratch(envelope);
    buf_append_text(scratch, ",\"schema\":\"\",\"table\":\"\",\"txId\":");
    envelope->message_source = keep_scratch(envelope);
}

static void prepare_topics(struct envelope *envelope)
{
    const struct envelope_options *options = &envelope->options;
    struct buf *scratch = &envelope->scratch;
    topic_append_named(scratch, options->topic_prefix, options->topic_delimiter, SLICE_LITERAL("message"));
    envelope->message_topic = keep_scratch(envelope);
    topic_append_named(scratch, options->topic_prefix, options->topic_delimiter, options->transaction_topic);
    envelope->transaction_topic = keep_scratch(envelope);
}

static void prepare_heads(struct envelope *envelope)
{
    const struct envelope_options *options = &envelope->options;
    struct buf schema;
    buf_init(&schema, SCHEMA_BYTES_MAX);
    schema_append_message_key(&schema);
    envelope->message_key_head = keep_head(envelope, options->key_schemas, &schema);
    schema_append_message_value(&schema, options->binary == BINARY_BYTES);
    envelope->message_head = keep_head(envelope, options->value_schemas, &schema);
    schema_append_transaction_key(&schema);
    envelope->transaction_key_head = keep_head(envelope, options->key_schemas, &schema);
    schema_append_transaction_value(&schema);
    envelope->transaction_head = keep_head(envelope, options->value_schemas, &schema);
    buf_release(&schema);
    envelope->value_close = options->value_schemas ? SLICE_LITERAL("}}") : SLICE_LITERAL("}");
    envelope->key_close = options->key_schemas ? SLICE_LITERAL("}") : SLICE_LITERAL("");
}

static void prepare_context(struct envelope *envelope)
{
    const struct header context[] = {
        {SLICE_LITERAL("__debezium.context.connectorLogicalName"), envelope->options.topic_prefix},
        {SLICE_LITERAL("__debezium.context.taskId"), SLICE_LITERAL("0")},
        {SLICE_LITERAL("__debezium.context.connectorName"), SLICE_LITERAL("postgresql")},
        {SLICE_LITERAL("__debezium.context.runId"), envelope->options.run_id},
    };
    if (!envelope->options.extended_headers)
        return;
    memcpy(envelope->context, context, sizeof(context));
    envelope->context_count = sizeof(context) / sizeof(context[0]);
}

struct envelope *envelope_new(const struct envelope_options *options)
{
    struct envelope *envelope = calloc(1, sizeof(*envelope));
    if (envelope == NULL)
        abort(); /* out of memory: a restart is safe by design */
    envelope->options = *options;
    for (size_t i = 0; i < 2; i++)
        buf_init(&envelope->values[i], options->record_bytes_max);
    buf_init(&envelope->keys, options->record_bytes_max);
    buf_init(&envelope->headers, options->record_bytes_max);
    buf_init(&envelope->unchanged, options->record_bytes_max);
    buf_init(&envelope->exact, options->record_bytes_max);
    buf_init(&envelope->scratch, SCRATCH_BYTES_MAX);
    prepare_source(envelope);
    prepare_topics(envelope);
    prepare_heads(envelope);
    prepare_context(envelope);
    return envelope;
}

void envelope_free(struct envelope *envelope)
{
    if (envelope == NULL)
        return;
    struct buf *bufs[] = {&envelope->values[0], &envelope->values[1], &envelope->keys,   &envelope->headers,
                          &envelope->unchanged, &envelope->exact,     &envelope->scratch};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        buf_release(bufs[i]);
    pieces_release(&envelope->pieces);
    free(envelope);
}
