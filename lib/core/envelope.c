#include "envelope_internal.h"

#include <assert.h>

static void begin_event(struct envelope *envelope)
{
    buf_clear(&envelope->values[0]);
    buf_clear(&envelope->values[1]);
    buf_clear(&envelope->keys);
    buf_clear(&envelope->headers);
    envelope_clear_lists(envelope);
}

/* One record's part of an event: a changed key has two. */
struct part {
    char op;
    struct image before, after;
    struct buf *value;
};

/* The value, and what its headers say of its rows. */
static bool append_value(struct envelope *envelope, const struct event *event, const struct part *part,
                         struct header_spans *spans, struct err *err)
{
    const struct prepared *prepared = event->relation->prepared;
    struct buf *out = part->value;
    buf_append_slice(out, prepared->value_head);
    if (!envelope_append_image(envelope, prepared, &part->before, out, err))
        return false;
    if (part->after.tuple != NULL)
        envelope_take_before(envelope, spans);
    buf_append_text(out, ",\"after\":");
    if (!envelope_append_image(envelope, prepared, &part->after, out, err))
        return false;
    envelope_append_source(envelope, event, prepared->source_table, out);
    envelope_append_block(event, out);
    envelope_append_tail(event, part->op, envelope->value_close, out);
    envelope_take_lists(envelope, spans);
    return true;
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

static bool add_record(struct envelope *envelope, const struct event *event, struct record_set *out,
                       struct record record, struct err *err)
{
    const struct relation *relation = event->relation;
    if (!envelope_check_size(envelope, &record, relation->schema, relation->name, err))
        return false;
    out->records[out->count++] = record;
    return true;
}

/* The tombstone behind a delete: its key and its headers, but nothing about values. */
static bool add_tombstone(struct envelope *envelope, const struct event *event, struct record_set *out,
                          struct header_spans spans, struct err *err)
{
    struct record record = out->records[0];
    if (!envelope->options.tombstones_on_delete)
        return true;
    spans.unchanged.len = spans.exact.len = 0;
    record.value = SLICE_NONE;
    envelope_set_headers(envelope, &record, 1, &spans);
    return add_record(envelope, event, out, record, err);
}

static bool encode_row(struct envelope *envelope, const struct event *event, struct record_set *out,
                       struct err *err)
{
    const struct prepared *prepared = event->relation->prepared;
    bool partial = event->old_kind == OLD_TUPLE_KEY;
    const struct part part = {
        .op = (char)event->op,
        .before = {.tuple = event->before, .partial = partial},
        .after = {.tuple = event->after, .other = event->before, .other_partial = partial},
        .value = &envelope->values[0]};
    const struct image *shown = event->after != NULL ? &part.after : &part.before;
    struct span key = {0, 0};
    struct header_spans spans = {.new_key = {0, 0}};
    bool keyed = shown->tuple != NULL && prepared->key_count > 0;
    if (keyed && !envelope_append_key(envelope, prepared, shown, &key, err))
        return false;
    envelope_clear_lists(envelope); /* what the key loses, the row loses too */
    if (!append_value(envelope, event, &part, &spans, err))
        return false;
    struct record record = record_of(event);
    record.key = keyed ? envelope_span(&envelope->keys, key) : SLICE_NONE;
    record.value = buf_slice(part.value);
    envelope_set_headers(envelope, &record, 0, &spans);
    if (!add_record(envelope, event, out, record, err))
        return false;
    return event->op != EVENT_DELETE || add_tombstone(envelope, event, out, spans, err);
}

/* A message outside a transaction has no xid and belongs to none, even between the rows of one. */
static void count(struct transaction *transaction, struct event *event)
{
    if (transaction != NULL && event->xid != 0)
        transaction_count(transaction, event);
}

/* A changed key: delete, tombstone, create. */
struct key_change {
    struct part delete, create;
    struct span old_key, new_key;
    struct header_spans delete_spans, create_spans;
};

static bool append_change_keys(struct envelope *envelope, const struct prepared *prepared,
                               struct key_change *change, struct err *err)
{
    const struct image *old_row = &change->delete.before, *new_row = &change->create.after;
    return envelope_append_key(envelope, prepared, old_row, &change->old_key, err) &&
           envelope_append_key(envelope, prepared, new_row, &change->new_key, err) &&
           envelope_append_key_header(envelope, prepared, new_row, &change->delete_spans.new_key, err) &&
           envelope_append_key_header(envelope, prepared, old_row, &change->create_spans.old_key, err);
}

static bool append_change_values(struct envelope *envelope, const struct event *event,
                                 struct transaction *transaction, struct key_change *change, struct err *err)
{
    struct event counted = *event;
    count(transaction, &counted);
    envelope_clear_lists(envelope);
    if (!append_value(envelope, &counted, &change->delete, &change->delete_spans, err))
        return false;
    change->delete_spans.unchanged.len = 0;
    count(transaction, &counted);
    return append_value(envelope, &counted, &change->create, &change->create_spans, err);
}

static bool add_change(struct envelope *envelope, const struct event *event, const struct key_change *change,
                       struct record_set *out, struct err *err)
{
    struct record record = record_of(event);
    record.key = envelope_span(&envelope->keys, change->old_key);
    record.value = buf_slice(change->delete.value);
    envelope_set_headers(envelope, &record, 0, &change->delete_spans);
    if (!add_record(envelope, event, out, record, err) ||
        !add_tombstone(envelope, event, out, change->delete_spans, err))
        return false;
    record.key = envelope_span(&envelope->keys, change->new_key);
    record.value = buf_slice(change->create.value);
    envelope_set_headers(envelope, &record, 2, &change->create_spans);
    return add_record(envelope, event, out, record, err);
}

static bool encode_key_change(struct envelope *envelope, const struct event *event,
                              struct transaction *transaction, struct record_set *out, struct err *err)
{
    bool partial = event->old_kind == OLD_TUPLE_KEY;
    struct key_change change = {
        .delete = {.op = EVENT_DELETE,
                   .before = {.tuple = event->before, .partial = partial},
                   .value = &envelope->values[0]},
        .create = {.op = EVENT_CREATE,
                   .after = {.tuple = event->after, .other = event->before, .other_partial = partial},
                   .value = &envelope->values[1]}};
    return append_change_keys(envelope, event->relation->prepared, &change, err) &&
           append_change_values(envelope, event, transaction, &change, err) &&
           add_change(envelope, event, &change, out, err);
}

bool envelope_encode(struct envelope *envelope, const struct event *event, struct transaction *transaction,
                     struct record_set *out, struct err *err)
{
    out->count = 0;
    begin_event(envelope);
    assert(event->op == EVENT_MESSAGE || (event->relation != NULL && event->relation->prepared != NULL));
    if (event->op != EVENT_MESSAGE && envelope_key_changed(envelope, event))
        return encode_key_change(envelope, event, transaction, out, err);
    struct event counted = *event;
    count(transaction, &counted);
    if (event->op != EVENT_MESSAGE)
        return encode_row(envelope, &counted, out, err);
    if (!envelope_encode_message(envelope, &counted, &out->records[0], err))
        return false;
    out->count = 1;
    return true;
}
