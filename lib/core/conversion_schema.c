#include "conversion_internal.h"
#include "walferry/json.h"

#include <string.h>

static void append_parameters(struct buf *out, const struct conversion *conversion)
{
    switch (conversion->row->parameters) {
    case PARAMETERS_NONE:
        return;
    case PARAMETERS_SCALE:
        buf_printf(out, ",\"parameters\":{\"scale\":\"%d\"}", conversion->scale);
        return;
    case PARAMETERS_DECIMAL:
        buf_printf(out, ",\"parameters\":{\"scale\":\"%d\",\"connect.decimal.precision\":\"%d\"}",
                   conversion->scale, conversion->precision);
        return;
    case PARAMETERS_LENGTH:
        buf_printf(out, ",\"parameters\":{\"length\":\"%d\"}", conversion->length);
        return;
    case PARAMETERS_ALLOWED:
        buf_append_text(out, ",\"parameters\":{\"allowed\":");
        json_append_string(out, conversion->labels);
        buf_append_char(out, '}');
        return;
    }
}

#define VARIABLE_SCALE_FIELDS                                                   \
    ",\"fields\":[{\"type\":\"int32\",\"optional\":false,\"field\":\"scale\"}," \
    "{\"type\":\"bytes\",\"optional\":false,\"field\":\"value\"}]"

static void append_scalar(struct buf *out, const struct conversion *conversion, bool optional)
{
    const struct type_row *row = conversion->row;
    bool variable = strcmp(row->type, "struct") == 0;
    buf_printf(out, "\"type\":\"%s\"%s,\"optional\":%s", row->type, variable ? VARIABLE_SCALE_FIELDS : "",
               optional ? "true" : "false");
    if (row->name != NULL)
        buf_printf(out, ",\"name\":\"%s\",\"version\":1", row->name);
    if (variable)
        buf_append_text(out, ",\"doc\":\"Variable scaled decimal\"");
    append_parameters(out, conversion);
}

void conversion_append_schema(struct buf *out, const struct conversion *conversion, bool optional,
                              struct slice default_json)
{
    if (conversion->array) {
        buf_append_text(out, "\"type\":\"array\",\"items\":{");
        append_scalar(out, conversion, true);
        buf_printf(out, "},\"optional\":%s", optional ? "true" : "false");
    } else {
        append_scalar(out, conversion, optional);
    }
    if (default_json.data != NULL) {
        buf_append_text(out, ",\"default\":");
        buf_append_slice(out, default_json);
    }
}

void conversion_append_fallback(struct buf *out, const struct conversion *conversion)
{
    struct slice zero = slice_of(conversion->row->zero);
    if (conversion->array)
        buf_append_text(out, "[]");
    else if (conversion->row->fallback != NULL)
        buf_append_text(out, conversion->row->fallback);
    else if (buf_room(out, zero.len + CONVERT_ROOM) != NULL)
        (void)conversion->convert(out, zero, conversion);
}

bool conversion_append_placeholder(struct buf *out, const struct conversion *conversion,
                                   struct slice placeholder)
{
    if (conversion->array)
        return conversion_append_array_placeholder(out, conversion, placeholder);
    switch (conversion->row->placeholder) {
    case PLACEHOLDER_NULL:
        break;
    case PLACEHOLDER_TEXT:
        json_append_string(out, placeholder);
        return true;
    case PLACEHOLDER_BYTES:
    case PLACEHOLDER_BYTES_URL_SAFE: {
        char *to = buf_reserve(out, JSON_BASE64_SIZE(placeholder.len) + 2);
        if (to == NULL)
            return true;
        bool url_safe = conversion->row->placeholder == PLACEHOLDER_BYTES_URL_SAFE;
        char *end = to;
        *end++ = '"';
        end = json_write_base64(end, placeholder, url_safe);
        *end++ = '"';
        out->len += (size_t)(end - to);
        return true;
    }
    }
    buf_append_text(out, "null");
    return false;
}

bool conversion_is_plain_text(const struct conversion *conversion)
{
    return conversion->convert == convert_text;
}

bool conversion_is_decimal(const struct conversion *conversion)
{
    return conversion->convert == convert_decimal || conversion->convert == convert_money;
}
