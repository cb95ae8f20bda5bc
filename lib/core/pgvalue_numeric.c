#include "pgvalue_internal.h"

#include "change_source.h"
#include "walferry/base64.h"
#include "walferry/decimal_text.h"

/* No numeric declares more. Debezium reads the typmod of numeric(5,-2) as scale 2046 and pads to it. */
#define DECLARED_SCALE_MAX 1000

static void trim_fraction(struct buf *out, size_t start)
{
    while (out->len > start && out->data[out->len - 1] == '0')
        out->len--;
    if (out->len > start && out->data[out->len - 1] == '.')
        out->len--;
}

/* Decodes behind the end of `out`, then writes the text where the bytes begin; both are bounded by the limit.
 */
static bool append_decimal(struct decoding *c, struct slice base64, int32_t scale)
{
    struct buf *out = c->out;
    char bytes[DECIMAL_BYTES_MAX];
    size_t start = out->len;
    if (base64.len > sizeof(bytes) / 3 * 4 || !base64_append_decoded(out, base64))
        return false;
    size_t len = out->len - start;
    memcpy(bytes, out->data != NULL ? out->data + start : "", len);
    out->len = start;
    if (!decimal_append(out, (struct slice){bytes, len}, scale))
        return false;
    if (scale > DECLARED_SCALE_MAX && !out->overflowed)
        trim_fraction(out, start);
    return true;
}

/* Under double and string modes: a number, or one of Java's and Debezium's words. */
static bool append_plain(struct decoding *c)
{
    static const struct {
        struct slice word, text;
    } words[] = {
        {SLICE_LITERAL("NAN"), SLICE_LITERAL("NaN")},
        {SLICE_LITERAL("POSITIVE_INFINITY"), SLICE_LITERAL("Infinity")},
        {SLICE_LITERAL("NEGATIVE_INFINITY"), SLICE_LITERAL("-Infinity")},
    };
    struct slice text = c->field->json;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (slice_equal(text, words[i].word))
            text = words[i].text;
    }
    buf_append_slice(c->out, text);
    return text.len > 0;
}

bool decode_decimal(struct decoding *c)
{
    if (c->field->kind == FIELD_NUMBER) /* decimal.format=NUMERIC, and Connect's simple header converter */
        return append_plain(c);
    return c->field->kind == FIELD_STRING && c->field->scale != INT32_MIN &&
           append_decimal(c, c->field->json, c->field->scale);
}

/* {"scale":4,"value":"AYr3"} */
bool decode_variable_scale_decimal(struct decoding *c)
{
    uint64_t scale = 0;
    yyjson_val *node = (yyjson_val *)(uintptr_t)c->field->node;
    struct slice value = json_text(yyjson_obj_get(node, "value"));
    if (c->field->kind == FIELD_NUMBER)
        return append_plain(c);
    return c->field->kind == FIELD_STRUCT && value.data != NULL && yyjson_obj_get(node, "scale") != NULL &&
           read_optional_number(yyjson_obj_get(node, "scale"), DECIMAL_SCALE_MAX, &scale) &&
           append_decimal(c, value, (int32_t)scale);
}

/* As Debezium reads it: eleven bits without a sign. */
static int32_t scale_of_typmod(int32_t typmod)
{
    return (typmod - 4) & 0x7FF;
}

/* A string is base64 only where the producer's mode says so. */
static bool is_precise(const struct decoding *c)
{
    return !has_schema(c->field) && c->options->decimal == DECIMAL_PRECISE;
}

/* The padding of a negative scale is there in string mode too. */
static bool append_declared(struct decoding *c)
{
    size_t start = c->out->len;
    if ((c->field->kind != FIELD_NUMBER && c->field->kind != FIELD_STRING) || !append_plain(c))
        return false;
    bool padded = c->column->typmod >= 4 && scale_of_typmod(c->column->typmod) > DECLARED_SCALE_MAX;
    bool has_point = !c->out->overflowed && memchr(c->out->data + start, '.', c->out->len - start) != NULL;
    if (padded && has_point && memchr(c->out->data + start, 'E', c->out->len - start) == NULL)
        trim_fraction(c->out, start);
    return true;
}

bool decode_numeric(struct decoding *c)
{
    if (c->field->kind == FIELD_STRUCT)
        return decode_variable_scale_decimal(c);
    if (c->field->kind != FIELD_STRING || !is_precise(c))
        return append_declared(c);
    if (c->column->typmod < 4) {
        c->reason = "decimal.handling.mode=precise has no such value for a numeric without a scale";
        return false;
    }
    return append_decimal(c, c->field->json, scale_of_typmod(c->column->typmod));
}

/* money.fraction.digits is 2 unless a schema says otherwise. */
bool decode_money(struct decoding *c)
{
    if (c->field->kind == FIELD_STRING && is_precise(c))
        return append_decimal(c, c->field->json, 2);
    return (c->field->kind == FIELD_NUMBER || c->field->kind == FIELD_STRING) && append_plain(c);
}
