#include "envelope_internal.h"
#include "walferry/json.h"
#include "walferry/topic.h"

#include <assert.h>
#include <stdlib.h>

#define SCRATCH_BYTES_MAX (4 * (size_t)SCHEMA_BYTES_MAX)

static struct slice keep_scratch(struct envelope *envelope)
{
    struct slice kept = pieces_keep(&envelope->pieces, buf_slice(&envelope->scratch));
    buf_clear(&envelope->scratch);
    return kept;
}

static struct slice keep_head(struct envelope *envelope, bool schemas, struct slice schema)
{
    struct buf *scratch = &envelope->scratch;
    if (schemas) {
        buf_append_text(scratch, "{\"schema\":");
        buf_append_slice(scratch, schema);
        buf_append_text(scratch, ",\"payload\":");
    }
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
    schema_append_message_value(&schema, options->binary == BINARY_BYTES);
    envelope->message_head = keep_head(envelope, options->value_schemas, buf_slice(&schema));
    buf_release(&schema);
    envelope->message_key_head = keep_head(envelope, options->key_schemas, slice_of(schema_message_key));
    envelope->transaction_key_head =
        keep_head(envelope, options->key_schemas, slice_of(schema_transaction_key));
    envelope->transaction_head =
        keep_head(envelope, options->value_schemas, slice_of(schema_transaction_value));
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

bool envelope_check_size(const struct envelope *envelope, const struct record *record, struct slice schema,
                         struct slice name, struct err *err)
{
    size_t limit = envelope->options.record_bytes_max, len = record->key.len + record->value.len;
    bool overflowed = envelope->values[0].overflowed || envelope->values[1].overflowed ||
                      envelope->keys.overflowed || envelope->headers.overflowed ||
                      envelope->unchanged.overflowed || envelope->exact.overflowed;
    for (size_t i = 0; i < record->header_count; i++)
        len += record->headers[i].name.len + record->headers[i].value.len;
    if (!overflowed && len <= limit)
        return true;
    return err_set(err, ERR_LIMIT,
                   "a record of \"" SLICE_FMT "%s" SLICE_FMT
                   "\" exceeds %zu bytes; raise walferry.record.bytes.max",
                   SLICE_ARG(schema), schema.len > 0 ? "." : "", SLICE_ARG(name), limit);
}

static void begin_event(struct envelope *envelope)
{
    buf_clear(&envelope->values[0]);
    buf_clear(&envelope->values[1]);
    buf_clear(&envelope->keys);
    buf_clear(&envelope->headers);
}

static struct slice span_slice(const struct buf *buf, struct span span)
{
    return (struct slice){buf_slice(buf).data + span.from, span.len};
}

/* The value of one record: a row event with its own op, before and after. */
static bool append_value(struct envelope *envelope, const struct event *event, char op,
                         const struct image *before, const struct image *after, struct buf *out,
                         struct err *err)
{
    const struct prepared *prepared = event->relation->prepared;
    buf_append_slice(out, prepared->value_head);
    if (!envelope_append_image(envelope, prepared, before, out, err))
        return false;
    /* Only the row that will be applied is described by headers: an old one is so only in a delete. */
    if (after->tuple != NULL) {
        buf_clear(&envelope->unchanged);
        buf_clear(&envelope->exact);
    }
    buf_append_text(out, ",\"after\":");
    if (!envelope_append_image(envelope, prepared, after, out, err))
        return false;
    envelope_append_source(envelope, event, prepared->source_table, out);
    envelope_append_block(event, out);
    envelope_append_tail(event, op, envelope->value_close, out);
    return true;
}

/* Closes a list of names or values and moves it to the headers; an empty span where there is none. */
static struct span take_list(struct envelope *envelope, struct buf *list, char close)
{
    struct span span = {envelope->headers.len, 0};
    if (list->len == 0)
        return span;
    buf_append_char(list, close);
    buf_append_slice(&envelope->headers, buf_slice(list));
    span.len = envelope->headers.len - span.from;
    return span;
}

/* What the headers of one record are made of; empty spans are left out. */
struct header_spans {
    struct span new_key, old_key, unchanged, exact;
};

static void add_header(const struct envelope *envelope, struct record *record, struct header *list,
                       const char *name, struct span span)
{
    if (span.len == 0)
        return;
    list[record->header_count++] = (struct header){slice_of(name), span_slice(&envelope->headers, span)};
}

static void set_headers(struct envelope *envelope, struct record *record, size_t index,
                        const struct header_spans *spans)
{
    struct header *list = envelope->header_lists[index];
    record->headers = list;
    record->header_count = 0;
    add_header(envelope, record, list, HEADER_NEW_KEY, spans->new_key);
    add_header(envelope, record, list, HEADER_OLD_KEY, spans->old_key);
    memcpy(list + record->header_count, envelope->context, envelope->context_count * sizeof(list[0]));
    record->header_count += envelope->context_count;
    add_header(envelope, record, list, HEADER_UNCHANGED_COLUMNS, spans->unchanged);
    add_header(envelope, record, list, HEADER_EXACT_COLUMNS, spans->exact);
}

static struct record record_of(const struct event *event)
{
    const struct prepared *prepared = event->relation->prepared;
    return (struct record){.topic = prepared->topic,
                           .partition = RECORD_PARTITION_BY_KEY,
                           .xid = event->xid,
                           .commit_lsn = event->commit_lsn,
                           .ordinal = event->ordinal};
}

static struct slice key_slice(const struct envelope *envelope, const struct prepared *prepared,
                              struct span span)
{
    return prepared->key_count == 0 ? SLICE_NONE : span_slice(&envelope->keys, span);
}

/* Appends a record to the set and the tombstone behind a delete, which has the same headers. */
static bool add_record(struct envelope *envelope, const struct event *event, struct record_set *out,
                       struct record record, struct err *err)
{
    const struct relation *relation = event->relation;
    if (!envelope_check_size(envelope, &record, relation->schema, relation->name, err))
        return false;
    out->records[out->count++] = record;
    return true;
}

static bool encode_row(struct envelope *envelope, const struct event *event, struct record_set *out,
                       struct err *err)
{
    const struct prepared *prepared = event->relation->prepared;
    bool partial = event->old_kind == OLD_TUPLE_KEY;
    const struct image before = {.tuple = event->before, .partial = partial};
    const struct image after = {.tuple = event->after, .other = event->before, .other_partial = partial};
    const struct image *shown = event->after != NULL ? &after : &before;
    struct span key = {0, 0};
    if (shown->tuple != NULL && prepared->key_count > 0 &&
        !envelope_append_key(envelope, prepared, shown, &key, err))
        return false;
    buf_clear(&envelope->unchanged);
    buf_clear(&envelope->exact); /* what the key loses, the row loses too */
    if (!append_value(envelope, event, (char)event->op, &before, &after, &envelope->values[0], err))
        return false;
    struct header_spans spans = {.unchanged = take_list(envelope, &envelope->unchanged, ']'),
                                 .exact = take_list(envelope, &envelope->exact, '}')};
    struct record record = record_of(event);
    record.key = shown->tuple != NULL ? key_slice(envelope, prepared, key) : SLICE_NONE;
    record.value = buf_slice(&envelope->values[0]);
    set_headers(envelope, &record, 0, &spans);
    if (!add_record(envelope, event, out, record, err))
        return false;
    if (event->op != EVENT_DELETE || !envelope->options.tombstones_on_delete)
        return true;
    record.value = SLICE_NONE;
    set_headers(envelope, &record, 1, &(struct header_spans){{0, 0}, {0, 0}, {0, 0}, {0, 0}});
    return add_record(envelope, event, out, record, err);
}

/* A message outside a transaction has no xid and belongs to none, even between the rows of one. */
static void count(struct transaction *transaction, struct event *event)
{
    if (transaction != NULL && event->xid != 0)
        transaction_count(transaction, event);
}

/* A changed key: delete, tombstone, create. */
struct key_change {
    struct image old_row, new_row;
    struct span old_key, new_key;
    struct header_spans delete_spans, create_spans;
};

static bool append_change_keys(struct envelope *envelope, const struct prepared *prepared,
                               struct key_change *change, struct err *err)
{
    return envelope_append_key(envelope, prepared, &change->old_row, &change->old_key, err) &&
           envelope_append_key(envelope, prepared, &change->new_row, &change->new_key, err) &&
           envelope_append_key_header(envelope, prepared, &change->new_row, &change->delete_spans.new_key,
                                      err) &&
           envelope_append_key_header(envelope, prepared, &change->old_row, &change->create_spans.old_key,
                                      err);
}

static bool append_change_values(struct envelope *envelope, const struct event *event,
                                 struct transaction *transaction, struct key_change *change, struct err *err)
{
    const struct image none = {.tuple = NULL};
    struct event counted = *event;
    count(transaction, &counted);
    if (!append_value(envelope, &counted, EVENT_DELETE, &change->old_row, &none, &envelope->values[0], err))
        return false;
    change->delete_spans.exact = take_list(envelope, &envelope->exact, '}');
    buf_clear(&envelope->unchanged);
    buf_clear(&envelope->exact);
    count(transaction, &counted);
    if (!append_value(envelope, &counted, EVENT_CREATE, &none, &change->new_row, &envelope->values[1], err))
        return false;
    change->create_spans.unchanged = take_list(envelope, &envelope->unchanged, ']');
    change->create_spans.exact = take_list(envelope, &envelope->exact, '}');
    return true;
}

static bool encode_key_change(struct envelope *envelope, const struct event *event,
                              struct transaction *transaction, struct record_set *out, struct err *err)
{
    const struct prepared *prepared = event->relation->prepared;
    bool partial = event->old_kind == OLD_TUPLE_KEY;
    struct key_change change = {
        .old_row = {.tuple = event->before, .partial = partial},
        .new_row = {.tuple = event->after, .other = event->before, .other_partial = partial}};
    if (!append_change_keys(envelope, prepared, &change, err))
        return false;
    buf_clear(&envelope->exact); /* what the keys lose, the rows lose too */
    buf_clear(&envelope->unchanged);
    if (!append_change_values(envelope, event, transaction, &change, err))
        return false;
    struct record record = record_of(event);
    record.key = key_slice(envelope, prepared, change.old_key);
    record.value = buf_slice(&envelope->values[0]);
    set_headers(envelope, &record, 0, &change.delete_spans);
    if (!add_record(envelope, event, out, record, err))
        return false;
    if (envelope->options.tombstones_on_delete) {
        change.delete_spans.exact.len = 0;
        record.value = SLICE_NONE;
        set_headers(envelope, &record, 1, &change.delete_spans);
        if (!add_record(envelope, event, out, record, err))
            return false;
    }
    record.key = key_slice(envelope, prepared, change.new_key);
    record.value = buf_slice(&envelope->values[1]);
    set_headers(envelope, &record, 2, &change.create_spans);
    return add_record(envelope, event, out, record, err);
}

bool envelope_encode(struct envelope *envelope, const struct event *event, struct transaction *transaction,
                     struct record_set *out, struct err *err)
{
    out->count = 0;
    begin_event(envelope);
    buf_clear(&envelope->unchanged);
    buf_clear(&envelope->exact);
    if (event->op != EVENT_MESSAGE) {
        assert(event->relation != NULL && event->relation->prepared != NULL);
        if (envelope_key_changed(envelope, event))
            return encode_key_change(envelope, event, transaction, out, err);
    }
    struct event counted = *event;
    count(transaction, &counted);
    if (event->op != EVENT_MESSAGE)
        return encode_row(envelope, &counted, out, err);
    if (!envelope_encode_message(envelope, &counted, &out->records[0], err))
        return false;
    out->count = 1;
    return true;
}
