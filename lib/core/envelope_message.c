#include "envelope_internal.h"
#include "walferry/json.h"

static void append_hex(struct buf *out, struct slice bytes)
{
    static const char hex[] = "0123456789abcdef";
    buf_append_char(out, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.data[i];
        char pair[2] = {hex[byte >> 4], hex[byte & 15]};
        buf_append(out, pair, sizeof(pair));
    }
    buf_append_char(out, '"');
}

static void append_content(struct buf *out, struct slice content, enum binary_mode mode)
{
    if (mode == BINARY_HEX) {
        append_hex(out, content);
        return;
    }
    char *to = buf_reserve(out, JSON_BASE64_SIZE(content.len) + 2);
    if (to == NULL)
        return;
    char *end = to;
    *end++ = '"';
    end = json_write_base64(end, content, mode == BINARY_BASE64_URL_SAFE);
    *end++ = '"';
    out->len += (size_t)(end - to);
}

static void append_key(struct envelope *envelope, struct slice prefix)
{
    struct buf *out = &envelope->keys;
    buf_append_slice(out, envelope->message_key_head);
    buf_append_text(out, "{\"prefix\":");
    json_append_string(out, prefix);
    buf_append_char(out, '}');
    buf_append_slice(out, envelope->key_close);
}

static void append_value(struct envelope *envelope, const struct event *event)
{
    struct buf *out = &envelope->values[0];
    buf_append_slice(out, envelope->message_head);
    buf_append_text(out, "{\"op\":\"m\",\"ts_ms\":");
    buf_append_int(out, event->event_time_ns / 1000000);
    envelope_append_source(envelope, event, envelope->message_source, out);
    envelope_append_block(event, out);
    buf_append_text(out, ",\"message\":{\"prefix\":");
    json_append_string(out, event->prefix);
    buf_append_text(out, ",\"content\":");
    append_content(out, event->content, envelope->options.binary);
    buf_append_char(out, '}');
    buf_append_slice(out, envelope->value_close);
}

bool envelope_encode_message(struct envelope *envelope, const struct event *event, struct record *out,
                             struct err *err)
{
    append_key(envelope, event->prefix);
    append_value(envelope, event);
    *out = (struct record){.topic = envelope->message_topic,
                           .key = buf_slice(&envelope->keys),
                           .value = buf_slice(&envelope->values[0]),
                           .partition = RECORD_PARTITION_BY_KEY,
                           .xid = event->xid,
                           .commit_lsn = event->commit_lsn,
                           .ordinal = event->ordinal};
    return envelope_check_size(envelope, out, SLICE_LITERAL(""), envelope->message_topic, err);
}
