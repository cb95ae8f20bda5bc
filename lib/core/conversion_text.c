#include "conversion_internal.h"
#include "walferry/json.h"

#include <string.h>

CONVERTER(convert_bool)
{
    (void)conversion;
    if (slice_equal(text, SLICE_LITERAL("t")) || slice_equal(text, SLICE_LITERAL("true")))
        buf_append_text(out, "true");
    else if (slice_equal(text, SLICE_LITERAL("f")) || slice_equal(text, SLICE_LITERAL("false")))
        buf_append_text(out, "false");
    else
        return CONVERTED_BAD;
    return CONVERTED;
}

/* PostgreSQL writes integers as JSON does; the digits are looked at so that nothing else gets through. */
CONVERTER(convert_integer)
{
    (void)conversion;
    size_t at = text.len > 1 && text.data[0] == '-' ? 1 : 0;
    if (at >= text.len || text.len > JSON_INT_SIZE || (text.data[at] == '0' && text.len > at + 1))
        return CONVERTED_BAD;
    for (; at < text.len; at++) {
        if (text.data[at] < '0' || text.data[at] > '9')
            return CONVERTED_BAD;
    }
    char *to = buf_room(out, JSON_INT_SIZE);
    if (to == NULL)
        return CONVERTED;
    memcpy(to, text.data, text.len);
    out->len += text.len;
    return CONVERTED;
}

CONVERTER(convert_float4)
{
    (void)conversion;
    return json_append_float(out, text, true) ? CONVERTED : CONVERTED_BAD;
}

CONVERTER(convert_float8)
{
    (void)conversion;
    return json_append_float(out, text, false) ? CONVERTED : CONVERTED_BAD;
}

CONVERTER(convert_text)
{
    (void)conversion;
    json_append_string(out, text);
    return CONVERTED;
}

void convert_append_quoted(struct buf *out, const char *text, size_t len)
{
    char *to = buf_room(out, len + 2);
    if (to == NULL)
        return;
    *to = '"';
    memcpy(to + 1, text, len);
    to[len + 1] = '"';
    out->len += len + 2;
}

enum converted convert_append_int(struct buf *out, int64_t value)
{
    char *to = buf_room(out, JSON_INT_SIZE);
    if (to != NULL)
        out->len += (size_t)(json_write_int(to, value) - to);
    return CONVERTED;
}
