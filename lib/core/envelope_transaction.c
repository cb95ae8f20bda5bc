#include "envelope_internal.h"
#include "walferry/json.h"

static void append_id(struct buf *out, uint32_t xid, lsn_t lsn)
{
    buf_append_text(out, "\"id\":\"");
    buf_append_uint(out, xid);
    buf_append_char(out, ':');
    buf_append_uint(out, lsn);
    buf_append_char(out, '"');
}

/* The key, and the value up to the id. */
static void append_head(struct envelope *envelope, const char *status, uint32_t xid, lsn_t lsn)
{
    struct buf *key = &envelope->keys, *value = &envelope->values[0];
    buf_clear(key);
    buf_clear(value);
    buf_clear(&envelope->headers);
    buf_append_slice(key, envelope->transaction_key_head);
    buf_append_char(key, '{');
    append_id(key, xid, lsn);
    buf_append_char(key, '}');
    buf_append_slice(key, envelope->key_close);
    buf_append_slice(value, envelope->transaction_head);
    buf_append_text(value, "{\"status\":\"");
    buf_append_text(value, status);
    buf_append_text(value, "\",");
    append_id(value, xid, lsn);
}

static bool finish(struct envelope *envelope, const struct transaction *transaction, uint64_t ordinal,
                   struct record *out, struct err *err)
{
    struct buf *value = &envelope->values[0];
    int64_t time_us = transaction_commit_time_us(transaction);
    buf_append_text(value, ",\"ts_ms\":");
    buf_append_int(value, time_us / 1000 - (time_us % 1000 < 0 ? 1 : 0));
    buf_append_slice(value, envelope->value_close);
    *out = (struct record){.topic = envelope->transaction_topic,
                           .key = buf_slice(&envelope->keys),
                           .value = buf_slice(value),
                           .partition = RECORD_PARTITION_BY_KEY,
                           .xid = transaction_xid(transaction),
                           .commit_lsn = transaction_commit_lsn(transaction),
                           .ordinal = ordinal};
    return envelope_check_size(envelope, out, SLICE_LITERAL(""), envelope->transaction_topic, err);
}

bool envelope_encode_begin(struct envelope *envelope, const struct transaction *transaction,
                           struct record *out, struct err *err)
{
    append_head(envelope, "BEGIN", transaction_xid(transaction), transaction_first_lsn(transaction));
    buf_append_text(&envelope->values[0], ",\"event_count\":null,\"data_collections\":null");
    return finish(envelope, transaction, 0, out, err);
}

/* Messages have no table: they are counted under the topic they go to. */
static void append_collection(struct envelope *envelope, const struct collection_count *collection)
{
    struct buf *out = &envelope->values[0];
    buf_append_text(out, "{\"data_collection\":\"");
    if (collection->table.data == NULL) {
        json_append_escaped(out, envelope->message_topic);
    } else {
        json_append_escaped(out, collection->schema);
        buf_append_char(out, '.');
        json_append_escaped(out, collection->table);
    }
    buf_append_text(out, "\",\"event_count\":");
    buf_append_uint(out, collection->events);
    buf_append_char(out, '}');
}

bool envelope_encode_end(struct envelope *envelope, const struct transaction *transaction, struct record *out,
                         struct err *err)
{
    size_t count;
    const struct collection_count *collections = transaction_collections(transaction, &count);
    append_head(envelope, "END", transaction_xid(transaction), transaction_end_lsn(transaction));
    struct buf *value = &envelope->values[0];
    buf_append_text(value, ",\"event_count\":");
    buf_append_uint(value, transaction_total(transaction));
    buf_append_text(value, ",\"data_collections\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(value, ',');
        append_collection(envelope, &collections[i]);
    }
    buf_append_char(value, ']');
    return finish(envelope, transaction, transaction_ordinal(transaction) + 1, out, err);
}
