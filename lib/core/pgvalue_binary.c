#include "pgvalue_internal.h"

#include "walferry/base64.h"

/* Spreads `len` bytes at `start` to two digits each, from the last one on. */
static void spread_to_hex(struct buf *out, size_t start, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    if (buf_reserve(out, len) == NULL)
        return;
    for (size_t i = len; i > 0; i--) {
        uint8_t byte = (uint8_t)out->data[start + i - 1];
        out->data[start + 2 * i - 1] = digits[byte & 0xF];
        out->data[start + 2 * i - 2] = digits[byte >> 4];
    }
    out->len += len;
}

static bool is_hex(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i];
        bool digit =
            (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
        if (!digit)
            return false;
    }
    return text.len % 2 == 0;
}

/* `bytes` mode and the base64 modes look the same in JSON. */
static bool comes_in_hex(const struct decoding *c)
{
    bool bytes = slice_equal(c->field->schema_type, SLICE_LITERAL("bytes"));
    return c->options->binary == BINARY_HEX && !bytes;
}

bool decode_bytea(struct decoding *c)
{
    if (c->field->kind != FIELD_STRING)
        return false;
    buf_append_text(c->out, "\\x");
    size_t start = c->out->len;
    if (comes_in_hex(c)) {
        buf_append_slice(c->out, c->field->json);
        return is_hex(c->field->json);
    }
    if (!base64_append_decoded(c->out, c->field->json))
        return false;
    size_t len = c->out->len - start;
    c->unchanged = len > 0 && is_placeholder_bytes(c->options, (struct slice){c->out->data + start, len});
    spread_to_hex(c->out, start, len);
    return true;
}

bool decode_text_in_bytes(struct decoding *c)
{
    size_t start = c->out->len;
    if (c->field->kind != FIELD_STRING || !base64_append_decoded(c->out, c->field->json))
        return false;
    size_t len = c->out->len - start;
    c->unchanged = len > 0 && is_placeholder_bytes(c->options, (struct slice){c->out->data + start, len});
    return true;
}

/* Appends `count` bits, the highest first, of bytes whose lowest bit is the last of the text. */
static void append_bit_text(struct buf *out, struct slice bytes, size_t count)
{
    char *to = buf_reserve(out, count);
    if (to == NULL)
        return;
    for (size_t i = count; i > 0; i--) {
        size_t bit = i - 1;
        bool set = bit / 8 < bytes.len && ((uint8_t)bytes.data[bit / 8] >> (bit % 8) & 1) != 0;
        *to++ = set ? '1' : '0';
    }
    out->len += count;
}

static size_t significant_bits(struct slice bytes)
{
    size_t len = bytes.len;
    while (len > 0 && bytes.data[len - 1] == 0)
        len--;
    size_t bits = len * 8;
    while (bits > 0 && ((uint8_t)bytes.data[(bits - 1) / 8] >> ((bits - 1) % 8) & 1) == 0)
        bits--;
    return bits;
}

/* Debezium drops leading zeros, which a bit(n) has back from its length and a varbit has not. */
static bool check_length(struct decoding *c, size_t significant)
{
    size_t declared = c->column->typmod > 0 ? (size_t)c->column->typmod : 0;
    if (c->column->type_oid == PGTYPE_VARBIT && (declared == 0 || significant != declared)) {
        c->reason = "the event does not carry the length of a varbit; leave the column out or make it text";
        return false;
    }
    return declared > 0 && significant <= declared;
}

/* bit(1), bit and varbit(1), whose empty value comes as null. */
static bool decode_one_bit(struct decoding *c)
{
    buf_append_char(c->out, c->field->boolean ? '1' : '0');
    return c->column->typmod <= 1;
}

bool decode_bits(struct decoding *c)
{
    struct buf bytes;
    bool ok = false;
    if (c->field->kind == FIELD_BOOL)
        return decode_one_bit(c);
    buf_init(&bytes, c->field->json.len);
    if (c->field->kind != FIELD_STRING || !base64_append_decoded(&bytes, c->field->json) ||
        !check_length(c, significant_bits(buf_slice(&bytes))))
        goto done;
    append_bit_text(c->out, buf_slice(&bytes), (size_t)c->column->typmod);
    ok = true;
done:
    buf_release(&bytes);
    return ok;
}
