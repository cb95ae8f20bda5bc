#include "conversion_internal.h"
#include "walferry/json.h"

#include <string.h>

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return -1;
}

/* Cuts the \x of bytea_output=hex off; false where the rest is no hex. */
static bool hex_digits(struct slice text, struct slice *digits)
{
    if (text.len < 2 || text.len % 2 != 0 || text.data[0] != '\\' || text.data[1] != 'x')
        return false;
    *digits = (struct slice){text.data + 2, text.len - 2};
    for (size_t i = 0; i < digits->len; i++) {
        if (hex_digit(digits->data[i]) < 0)
            return false;
    }
    return true;
}

/* The room behind out->len holds the quoted base64 first, then the bytes it is made from. */
static enum converted append_base64(struct buf *out, struct slice text, bool url_safe)
{
    struct slice digits;
    if (!hex_digits(text, &digits))
        return CONVERTED_BAD;
    size_t len = digits.len / 2, text_size = JSON_BASE64_SIZE(len) + 2;
    char *to = buf_room(out, text_size + len);
    if (to == NULL)
        return CONVERTED;
    char *bytes = to + text_size;
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)((unsigned)hex_digit(digits.data[2 * i]) << 4 |
                          (unsigned)hex_digit(digits.data[2 * i + 1]));
    *to = '"';
    char *end = json_write_base64(to + 1, (struct slice){bytes, len}, url_safe);
    *end++ = '"';
    out->len += (size_t)(end - to);
    return CONVERTED;
}

CONVERTER(convert_bytes)
{
    (void)conversion;
    return append_base64(out, text, false);
}

CONVERTER(convert_bytes_url_safe)
{
    (void)conversion;
    return append_base64(out, text, true);
}

CONVERTER(convert_bytes_hex)
{
    (void)conversion;
    struct slice digits;
    if (!hex_digits(text, &digits))
        return CONVERTED_BAD;
    convert_append_quoted(out, digits.data, digits.len);
    return CONVERTED;
}

/* io.debezium.data.Bits: the last bit of the text is the lowest of byte 0; zero bytes at the end are cut. The
 * length, and so its leading zeros, are in the type. */
CONVERTER(convert_bits)
{
    (void)conversion;
    size_t len = (text.len + 7) / 8, text_size = JSON_BASE64_SIZE(len) + 2;
    char *to = buf_room(out, text_size + len);
    if (to == NULL)
        return CONVERTED;
    char *bytes = to + text_size;
    memset(bytes, 0, len);
    for (size_t i = 0; i < text.len; i++) {
        char bit = text.data[text.len - 1 - i];
        if (bit != '0' && bit != '1')
            return CONVERTED_BAD;
        bytes[i / 8] = (char)(bytes[i / 8] | (bit - '0') << (i % 8));
    }
    while (len > 0 && bytes[len - 1] == 0)
        len--;
    *to = '"';
    char *end = json_write_base64(to + 1, (struct slice){bytes, len}, false);
    *end++ = '"';
    out->len += (size_t)(end - to);
    return CONVERTED;
}

/* The same bytes may be 1 or 0001; only where every bit of the type is used and the first is set, they say
 * it. */
CONVERTER(convert_varbit)
{
    bool full = text.len > 0 && text.len == (size_t)conversion->length && text.data[0] == '1';
    enum converted converted = convert_bits(out, text, conversion);
    return converted == CONVERTED && !full ? CONVERTED_LOST : converted;
}

/* varbit(1) may be empty, for which Debezium has no form. */
CONVERTER(convert_one_bit)
{
    (void)conversion;
    if (text.len == 0) {
        buf_append_text(out, "null");
        return CONVERTED_LOST;
    }
    if (text.len != 1 || (text.data[0] != '0' && text.data[0] != '1'))
        return CONVERTED_BAD;
    buf_append_text(out, text.data[0] == '1' ? "true" : "false");
    return CONVERTED;
}
