#include "walferry/pgvalue.h"

#include "pgvalue_internal.h"

/* Texts of a type that reads what it prints: numbers, words, JSON, uuid, ranges, enums, … */
static bool decode_text(struct decoding *c)
{
    switch (c->field->kind) {
    case FIELD_NUMBER:
    case FIELD_STRING:
        buf_append_slice(c->out, c->field->json);
        return true;
    case FIELD_BOOL:
        if (c->column->type_oid == PGTYPE_BOOL)
            buf_append_char(c->out, c->field->boolean ? 't' : 'f');
        else
            buf_append_text(c->out, c->field->boolean ? "true" : "false");
        return true;
    case FIELD_NULL:
    case FIELD_STRUCT:
    case FIELD_ARRAY:
        return false;
    }
    return false;
}

static bool decode_bool(struct decoding *c)
{
    return c->field->kind == FIELD_BOOL && decode_text(c);
}

/* {"x":1.0,"y":2.0,…}; each a number, or one of the words of a float. */
static bool decode_point(struct decoding *c)
{
    static const char *const members[] = {"x", "y"};
    yyjson_val *node = (yyjson_val *)(uintptr_t)c->field->node;
    if (c->field->kind != FIELD_STRUCT)
        return decode_text(c);
    for (size_t i = 0; i < 2; i++) {
        yyjson_val *coordinate = yyjson_obj_get(node, members[i]);
        struct slice text = yyjson_is_raw(coordinate) ? json_lexeme(coordinate) : json_text(coordinate);
        if (text.data == NULL)
            return false;
        buf_append_char(c->out, i == 0 ? '(' : ',');
        buf_append_slice(c->out, text);
    }
    buf_append_char(c->out, ')');
    return true;
}

/* By the schema's name; what is not here goes by the target type. */
static const struct {
    struct slice name;
    decode_fn decode;
} by_name[] = {
    {SLICE_LITERAL("org.apache.kafka.connect.data.Decimal"), decode_decimal},
    {SLICE_LITERAL("io.debezium.data.VariableScaleDecimal"), decode_variable_scale_decimal},
    {SLICE_LITERAL("io.debezium.time.Date"), decode_date},
    {SLICE_LITERAL("io.debezium.time.IsoDate"), decode_date},
    {SLICE_LITERAL("org.apache.kafka.connect.data.Date"), decode_date},
    {SLICE_LITERAL("io.debezium.time.Time"), decode_time_ms},
    {SLICE_LITERAL("io.debezium.time.MicroTime"), decode_time_us},
    {SLICE_LITERAL("io.debezium.time.NanoTime"), decode_time_ns},
    {SLICE_LITERAL("io.debezium.time.IsoTime"), decode_time_us},
    {SLICE_LITERAL("org.apache.kafka.connect.data.Time"), decode_time_ms},
    {SLICE_LITERAL("io.debezium.time.Timestamp"), decode_timestamp_ms},
    {SLICE_LITERAL("io.debezium.time.MicroTimestamp"), decode_timestamp_us},
    {SLICE_LITERAL("io.debezium.time.NanoTimestamp"), decode_timestamp_ns},
    {SLICE_LITERAL("io.debezium.time.IsoTimestamp"), decode_timestamp_us},
    {SLICE_LITERAL("org.apache.kafka.connect.data.Timestamp"), decode_timestamp_ms},
    {SLICE_LITERAL("io.debezium.time.ZonedTimestamp"), decode_timestamptz},
    {SLICE_LITERAL("io.debezium.time.ZonedTime"), decode_timetz},
    {SLICE_LITERAL("io.debezium.time.MicroDuration"), decode_interval},
    {SLICE_LITERAL("io.debezium.time.Interval"), decode_interval},
    {SLICE_LITERAL("io.debezium.data.Bits"), decode_bits},
    {SLICE_LITERAL("io.debezium.data.geometry.Point"), decode_point},
};

static decode_fn decoder_of_name(struct slice name)
{
    for (size_t i = 0; name.data != NULL && i < sizeof(by_name) / sizeof(by_name[0]); i++) {
        if (slice_equal(by_name[i].name, name))
            return by_name[i].decode;
    }
    return NULL;
}

static decode_fn decoder_of_type(uint32_t type_oid)
{
    switch (type_oid) {
    case PGTYPE_BOOL:
        return decode_bool;
    case PGTYPE_BYTEA:
        return decode_bytea;
    case PGTYPE_NUMERIC:
        return decode_numeric;
    case PGTYPE_MONEY:
        return decode_money;
    case PGTYPE_DATE:
        return decode_date;
    case PGTYPE_TIME:
        return decode_time;
    case PGTYPE_TIMESTAMP:
        return decode_timestamp;
    case PGTYPE_TIMESTAMPTZ:
        return decode_timestamptz;
    case PGTYPE_TIMETZ:
        return decode_timetz;
    case PGTYPE_INTERVAL:
        return decode_interval;
    case PGTYPE_BIT:
    case PGTYPE_VARBIT:
        return decode_bits;
    case PGTYPE_POINT:
        return decode_point;
    default:
        return NULL;
    }
}

bool type_is_named(const struct target_column *column, struct slice name)
{
    struct slice type = column->type_name;
    if (type.len > 2 && memcmp(type.data + type.len - 2, "[]", 2) == 0)
        type.len -= 2;
    if (type.len < name.len || memcmp(type.data + type.len - name.len, name.data, name.len) != 0)
        return false;
    return type.len == name.len || type.data[type.len - name.len - 1] == '.';
}

static decode_fn choose_decoder(const struct decoding *c)
{
    decode_fn decode = decoder_of_name(c->field->schema_name);
    if (decode == NULL)
        decode = decoder_of_type(c->column->type_oid);
    if (decode != NULL)
        return decode;
    if (type_is_named(c->column, SLICE_LITERAL("hstore")))
        return decode_hstore;
    return slice_equal(c->field->schema_type, SLICE_LITERAL("bytes")) ? decode_text_in_bytes : decode_text;
}

static bool has_zero_byte(const struct buf *out, size_t start)
{
    return out->len > start && memchr(out->data + start, '\0', out->len - start) != NULL;
}

bool decode_scalar(struct decoding *c)
{
    size_t start = c->out->len;
    if (!choose_decoder(c)(c))
        return false;
    /* No type of PostgreSQL holds a zero byte, and a parameter would end there. */
    return c->unchanged || !has_zero_byte(c->out, start);
}

static const char *kind_name(enum field_kind kind)
{
    static const char *const names[] = {
        [FIELD_NULL] = "null",     [FIELD_BOOL] = "a boolean",   [FIELD_NUMBER] = "a number",
        [FIELD_STRING] = "a text", [FIELD_STRUCT] = "an object", [FIELD_ARRAY] = "an array",
    };
    return names[kind];
}

static bool refuse(const struct decoding *c, struct err *err)
{
    struct slice described =
        c->field->schema_name.data != NULL ? c->field->schema_name : c->field->schema_type;
    if (described.data == NULL)
        described = SLICE_LITERAL("none");
    return err_set(err, ERR_TYPE,
                   "column \"" SLICE_FMT "\" of type " SLICE_FMT ": %s (schema: " SLICE_FMT
                   ") is no value that can be read for it%s%s",
                   SLICE_ARG(c->column->name), SLICE_ARG(c->column->type_name), kind_name(c->field->kind),
                   SLICE_ARG(described), c->reason != NULL ? "; " : "", c->reason != NULL ? c->reason : "");
}

static bool append_exact(struct decoding *c)
{
    size_t start = c->out->len;
    buf_append_slice(c->out, c->field->exact);
    return !has_zero_byte(c->out, start);
}

static bool decode_field(struct decoding *c)
{
    if (c->field->exact.data != NULL)
        return append_exact(c);
    return c->field->kind == FIELD_ARRAY ? decode_array(c) : decode_scalar(c);
}

static bool is_unchanged(const struct field *field, const struct pgvalue_options *options)
{
    return field->unchanged || (field->exact.data == NULL && field->kind == FIELD_STRING &&
                                is_placeholder_text(options, field->json));
}

bool pgvalue_append(struct buf *out, const struct field *field, const struct target_column *column,
                    const struct pgvalue_options *options, enum value_kind *kind, struct err *err)
{
    struct decoding c = {.out = out, .field = field, .column = column, .options = options};
    size_t start = out->len;
    *kind = VALUE_UNCHANGED;
    if (is_unchanged(field, options))
        return true;
    *kind = VALUE_NULL;
    if (field->kind == FIELD_NULL && field->exact.data == NULL)
        return true;
    bool ok = decode_field(&c);
    if (ok && c.unchanged)
        *kind = VALUE_UNCHANGED;
    else if (ok)
        *kind = VALUE_TEXT;
    if (!ok || c.unchanged)
        out->len = start;
    if (out->overflowed)
        return err_set(err, ERR_LIMIT,
                       "column \"" SLICE_FMT "\": the row's values exceed the limit of %zu bytes",
                       SLICE_ARG(column->name), out->bytes_max);
    return ok || refuse(&c, err);
}
