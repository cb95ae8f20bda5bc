#include "envelope_internal.h"
#include "walferry/json.h"
#include "walferry/numeric.h"

static bool same_value(struct value a, struct value b)
{
    if (a.kind == VALUE_UNCHANGED || b.kind == VALUE_UNCHANGED)
        return true;
    return a.kind == b.kind && (a.kind == VALUE_NULL || slice_equal(a.bytes, b.bytes));
}

bool envelope_key_changed(const struct envelope *envelope, const struct event *event)
{
    (void)envelope;
    if (event->op != EVENT_UPDATE || event->before == NULL || event->after == NULL)
        return false;
    const struct prepared *prepared = event->relation->prepared;
    for (uint16_t i = 0; i < prepared->key_count; i++) {
        const struct prepared_column *column = &prepared->key[i];
        bool shown = event->old_kind != OLD_TUPLE_KEY || column->identity;
        if (column->index >= event->before->count || column->index >= event->after->count)
            return false; /* a broken row: the encoder refuses it */
        if (shown && !same_value(event->before->values[column->index], event->after->values[column->index]))
            return true;
    }
    return false;
}

static bool unknown_key(const struct prepared *prepared, const struct prepared_column *column,
                        struct err *err)
{
    return err_set(err, ERR_REPLICA_IDENTITY,
                   "key column \"" SLICE_FMT "." SLICE_FMT "." SLICE_FMT
                   "\" was not sent; set REPLICA IDENTITY FULL "
                   "on the table",
                   SLICE_ARG(prepared->relation->schema), SLICE_ARG(prepared->relation->name),
                   SLICE_ARG(column->column->name));
}

static bool key_value(const struct prepared *prepared, const struct image *image,
                      const struct prepared_column *column, struct value *value, struct err *err)
{
    bool absent;
    *value = image_value(image, column, &absent);
    if (absent || value->kind == VALUE_UNCHANGED)
        return unknown_key(prepared, column, err);
    return true;
}

bool envelope_append_key(struct envelope *envelope, const struct prepared *prepared,
                         const struct image *image, struct span *span, struct err *err)
{
    struct buf *out = &envelope->keys;
    span->from = out->len;
    buf_append_slice(out, prepared->key_head);
    buf_append_char(out, '{');
    for (uint16_t i = 0; i < prepared->key_count; i++) {
        const struct prepared_column *column = &prepared->key[i];
        struct value value;
        if (!key_value(prepared, image, column, &value, err) ||
            !envelope_append_value(envelope, prepared, column, value, out, err))
            return false;
    }
    buf_append_char(out, '}');
    buf_append_slice(out, envelope->key_close);
    span->len = out->len - span->from;
    return true;
}

/* A string inside a struct as Connect's Values.append writes it: only `"` and `\` are escaped. */
static void append_connect_string(struct buf *out, struct slice text)
{
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '"');
}

static bool append_header_value(struct envelope *envelope, const struct prepared *prepared,
                                const struct prepared_column *column, struct value value, struct err *err)
{
    struct buf *out = &envelope->headers;
    struct numeric numeric;
    bool text = value.kind == VALUE_TEXT;
    if (text && conversion_is_plain_text(&column->conversion)) {
        buf_append_slice(out, column->prefix);
        append_connect_string(out, value.bytes);
        return true;
    }
    if (text && conversion_is_decimal(&column->conversion) && numeric_parse(value.bytes, &numeric) &&
        numeric.kind == NUMERIC_FINITE) {
        buf_append_slice(out, column->prefix);
        numeric_append_plain(out, &numeric, column->conversion.scale);
        return true;
    }
    return envelope_append_value(envelope, prepared, column, value, out, err);
}

bool envelope_append_key_header(struct envelope *envelope, const struct prepared *prepared,
                                const struct image *image, struct span *span, struct err *err)
{
    struct buf *out = &envelope->headers;
    span->from = out->len;
    buf_append_char(out, '{');
    for (uint16_t i = 0; i < prepared->key_count; i++) {
        struct value value;
        if (!key_value(prepared, image, &prepared->key[i], &value, err) ||
            !append_header_value(envelope, prepared, &prepared->key[i], value, err))
            return false;
    }
    buf_append_char(out, '}');
    span->len = out->len - span->from;
    return true;
}
