#include "envelope_internal.h"
#include "walferry/json.h"

#include <stdio.h>

/* A prepared prefix and the prepared text behind it. */
static void append_pieces(struct buf *out, struct slice prefix, struct slice text)
{
    char *to = buf_room(out, prefix.len + text.len + PIECES_STEP);
    if (to == NULL)
        return;
    out->len = (size_t)(pieces_copy(pieces_copy(to, prefix), text) - out->data);
}

static void note_unchanged(struct envelope *envelope, const struct prepared_column *column)
{
    buf_append_char(&envelope->unchanged, envelope->unchanged.len == 0 ? '[' : ',');
    json_append_string(&envelope->unchanged, column->column->name);
}

static void note_exact(struct envelope *envelope, const struct prepared_column *column, struct slice text)
{
    if (!envelope->options.exact_values)
        return;
    buf_append_char(&envelope->exact, envelope->exact.len == 0 ? '{' : ',');
    append_member(&envelope->exact, column->column->name, true);
    json_append_string(&envelope->exact, text);
}

static bool fail(const struct prepared *prepared, const struct prepared_column *column, const char *why,
                 struct err *err)
{
    const struct relation *relation = prepared->relation;
    char type[80] = "";
    struct slice name = column->column->type_name;
    if (name.data != NULL)
        (void)snprintf(type, sizeof(type), "%.*s, ", (int)(name.len < 63 ? name.len : 63), name.data);
    return err_set(err, ERR_TYPE, "column \"" SLICE_FMT "." SLICE_FMT "." SLICE_FMT "\" (type %soid %u): %s",
                   SLICE_ARG(relation->schema), SLICE_ARG(relation->name), SLICE_ARG(column->column->name),
                   type, column->column->type_oid, why);
}

/* A row may hold the placeholder's own text. */
static bool looks_unchanged(const struct prepared_column *column, const struct buf *out, size_t start)
{
    return column->placeholder.data != NULL && out->len - start == column->placeholder.len &&
           memcmp(out->data + start, column->placeholder.data, column->placeholder.len) == 0;
}

static bool append_text_value(struct envelope *envelope, const struct prepared *prepared,
                              const struct prepared_column *column, struct slice text, struct buf *out,
                              struct err *err)
{
    char *to = buf_room(out, column->prefix.len + PIECES_STEP + text.len + CONVERT_ROOM);
    if (to == NULL)
        return true; /* overflowed: envelope_check_size says so */
    out->len = (size_t)(pieces_copy(to, column->prefix) - out->data);
    size_t start = out->len;
    switch (column->conversion.convert(out, text, &column->conversion)) {
    case CONVERTED:
        if (looks_unchanged(column, out, start))
            note_exact(envelope, column, text);
        return true;
    case CONVERTED_LOST:
        note_exact(envelope, column, text);
        return true;
    case CONVERTED_BAD:
        break;
    }
    return fail(prepared, column,
                "the value is not what PostgreSQL prints for the type; check the session's "
                "DateStyle, IntervalStyle, bytea_output and lc_monetary",
                err);
}

bool envelope_append_value(struct envelope *envelope, const struct prepared *prepared,
                           const struct prepared_column *column, struct value value, struct buf *out,
                           struct err *err)
{
    switch (value.kind) {
    case VALUE_TEXT:
        return append_text_value(envelope, prepared, column, value.bytes, out, err);
    case VALUE_NULL:
        append_pieces(out, column->prefix, column->null_json);
        return true;
    case VALUE_UNCHANGED:
        if (column->placeholder.data != NULL) {
            append_pieces(out, column->prefix, column->placeholder);
        } else {
            append_pieces(out, column->prefix, prepared->null_text);
            note_unchanged(envelope, column);
        }
        return true;
    case VALUE_BINARY:
        break;
    }
    return fail(prepared, column, "binary values are not read; stream without the option binary", err);
}

struct value image_value(const struct image *image, const struct prepared_column *column, bool *absent)
{
    *absent = image->partial && !column->identity;
    struct value value = image->tuple->values[column->index];
    bool elsewhere = value.kind == VALUE_UNCHANGED && image->other != NULL;
    if (elsewhere && (column->identity || !image->other_partial))
        value = image->other->values[column->index];
    return value;
}

static bool check_counts(const struct prepared *prepared, const struct image *image, struct err *err)
{
    const struct relation *relation = prepared->relation;
    uint16_t expected = relation->column_count;
    if (image->tuple->count == expected && (image->other == NULL || image->other->count == expected))
        return true;
    return err_set(err, ERR_PROTOCOL,
                   "a row of \"" SLICE_FMT "." SLICE_FMT "\" has %u columns, its Relation message %u",
                   SLICE_ARG(relation->schema), SLICE_ARG(relation->name), image->tuple->count, expected);
}

bool envelope_append_image(struct envelope *envelope, const struct prepared *prepared,
                           const struct image *image, struct buf *out, struct err *err)
{
    if (image->tuple == NULL) {
        buf_append_text(out, "null");
        return true;
    }
    if (!check_counts(prepared, image, err))
        return false;
    buf_append_char(out, '{');
    for (uint16_t i = 0; i < prepared->column_count; i++) {
        const struct prepared_column *column = &prepared->columns[i];
        bool absent;
        struct value value = image_value(image, column, &absent);
        if (absent)
            append_pieces(out, column->prefix, column->absent_json);
        else if (!envelope_append_value(envelope, prepared, column, value, out, err))
            return false;
    }
    buf_append_char(out, '}');
    return true;
}
