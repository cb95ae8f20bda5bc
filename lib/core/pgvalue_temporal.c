#include "pgvalue_internal.h"

#include "temporal_text.h"

/* The number's lexeme as an integer; false where it is none or does not fit. */
static bool read_integer(const struct field *field, int64_t *value)
{
    struct slice digits = field->json;
    bool negative = digits.len > 0 && digits.data[0] == '-';
    uint64_t magnitude = 0;
    if (field->kind != FIELD_NUMBER || digits.len > 20)
        return false;
    for (size_t i = negative ? 1 : 0; i < digits.len; i++) {
        uint64_t digit = (uint64_t)(digits.data[i] - '0');
        if (digit > 9 || magnitude > (UINT64_MAX - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

/* A text by ISO 8601, a number in the unit. */
bool decode_date(struct decoding *c)
{
    int64_t days;
    if (c->field->kind == FIELD_STRING)
        return temporal_append_iso(c->out, c->field->json, ISO_DATE);
    return read_integer(c->field, &days) && temporal_append_date(c->out, days);
}

static bool append_time(struct decoding *c, int64_t per_second)
{
    int64_t value;
    if (c->field->kind == FIELD_STRING)
        return temporal_append_iso(c->out, c->field->json, ISO_TIME);
    if (!read_integer(c->field, &value) || value > 86400 * per_second || value < 0 ||
        (per_second > MICROS_PER_SECOND && value % 1000 != 0))
        return false;
    int64_t micros = per_second == 1000 ? value * MICROS_PER_MS : value / (per_second / MICROS_PER_SECOND);
    return temporal_append_time(c->out, micros);
}

static bool append_timestamp(struct decoding *c, int64_t per_second)
{
    int64_t value;
    if (c->field->kind == FIELD_STRING)
        return temporal_append_iso(c->out, c->field->json, ISO_TIMESTAMP);
    return read_integer(c->field, &value) && temporal_append_timestamp(c->out, value, per_second);
}

bool decode_time_ms(struct decoding *c)
{
    return append_time(c, 1000);
}

bool decode_time_us(struct decoding *c)
{
    return append_time(c, 1000000);
}

bool decode_time_ns(struct decoding *c)
{
    return append_time(c, 1000000000);
}

bool decode_timestamp_ms(struct decoding *c)
{
    return append_timestamp(c, 1000);
}

bool decode_timestamp_us(struct decoding *c)
{
    return append_timestamp(c, 1000000);
}

bool decode_timestamp_ns(struct decoding *c)
{
    return append_timestamp(c, 1000000000);
}

bool decode_timestamptz(struct decoding *c)
{
    return c->field->kind == FIELD_STRING && temporal_append_iso(c->out, c->field->json, ISO_TIMESTAMPTZ);
}

bool decode_timetz(struct decoding *c)
{
    return c->field->kind == FIELD_STRING && temporal_append_iso(c->out, c->field->json, ISO_TIMETZ);
}

/* interval year to month, interval day: a text in hours would be cut to nothing there. Debezium counts a
 * month as a twelfth of 365.25 days. Source: utils/timestamp.h. */
#define INTERVAL_MONTHS_OR_YEARS (1 << 1 | 1 << 2)
#define INTERVAL_TIME (1 << 10 | 1 << 11 | 1 << 12)
#define MICROS_PER_MONTH (MICROS_PER_DAY * 36525 / 1200)

static bool append_interval(struct decoding *c, int64_t micros)
{
    int32_t fields = c->column->typmod >= 0 ? c->column->typmod >> 16 : INTERVAL_TIME;
    if ((fields & INTERVAL_TIME) != 0) {
        temporal_append_interval(c->out, micros);
        return true;
    }
    bool months = (fields & INTERVAL_MONTHS_OR_YEARS) != 0;
    int64_t unit = months ? MICROS_PER_MONTH : MICROS_PER_DAY;
    buf_append_int(c->out, micros / unit);
    buf_append_text(c->out, months ? " mons" : " days");
    return micros % unit == 0;
}

/* The text is ISO 8601, which interval's input reads whole: P1Y2M3DT-4H5M6.78S. The number saturates. */
bool decode_interval(struct decoding *c)
{
    int64_t micros;
    if (c->field->kind == FIELD_STRING) {
        buf_append_slice(c->out, c->field->json);
        return true;
    }
    return read_integer(c->field, &micros) && micros != INT64_MAX && micros != INT64_MIN &&
           append_interval(c, micros);
}

/* Without a schema the unit is the producer's mode and the column's precision (no typmod: six digits). */
static int64_t units_per_second(const struct decoding *c)
{
    bool coarse = c->column->typmod >= 0 && c->column->typmod <= 3;
    switch (c->options->time) {
    case TIME_ADAPTIVE:
        return coarse ? 1000 : 1000000;
    case TIME_ADAPTIVE_TIME_MICROSECONDS:
        return coarse && c->column->type_oid == PGTYPE_TIMESTAMP ? 1000 : 1000000;
    case TIME_CONNECT:
        return 1000;
    case TIME_NANOSECONDS:
        return 1000000000;
    case TIME_ISOSTRING:
    case TIME_MICROSECONDS:
        return 1000000;
    }
    return 1000000;
}

/* Under isostring a number is no time at all, whatever its unit. */
static bool is_unitless(const struct decoding *c)
{
    return c->options->time == TIME_ISOSTRING && c->field->kind == FIELD_NUMBER;
}

bool decode_time(struct decoding *c)
{
    return !is_unitless(c) && append_time(c, units_per_second(c));
}

bool decode_timestamp(struct decoding *c)
{
    return !is_unitless(c) && append_timestamp(c, units_per_second(c));
}
