/* conversion_internal: the converters that the table in conversion.c names; see convert_fn. */
#ifndef WALFERRY_CONVERSION_INTERNAL_H
#define WALFERRY_CONVERSION_INTERNAL_H

#include "walferry/conversion.h"

/* What of a typmod a row of the table (conversion.c) asks for. */
enum typmod_rule {
    ANY,       /* whatever the typmod */
    SCALED,    /* numeric(p,s) */
    TO_MILLIS, /* at most three digits of a second */
    ONE_BIT,   /* bit(1), varbit(1) */
};

struct type_row {
    uint32_t oid;          /* 0: found by name */
    const char *type_name; /* of an extension, or "enum" */
    uint32_t modes;
    enum typmod_rule rule;
    const char *type; /* Connect's */
    const char *name; /* semantic name, version 1; NULL = none */
    convert_fn convert;
    enum type_parameters parameters;
    enum placeholder placeholder;
    const char *zero;     /* as PostgreSQL prints it */
    const char *fallback; /* JSON of an unknown NOT NULL value; NULL = the zero's */
    const char *stand_in; /* for a default that a function computes; NULL = Debezium shows no defaults */
};

#define CONVERTER(name) \
    enum converted name(struct buf *out, struct slice text, const struct conversion *conversion)

/* conversion_text.c */
CONVERTER(convert_bool);
CONVERTER(convert_integer);
CONVERTER(convert_float4);
CONVERTER(convert_float8);
CONVERTER(convert_text);

/* conversion_binary.c */
CONVERTER(convert_bytes);
CONVERTER(convert_bytes_url_safe);
CONVERTER(convert_bytes_hex);
CONVERTER(convert_bits);
CONVERTER(convert_varbit);
CONVERTER(convert_one_bit);

/* conversion_numeric.c */
CONVERTER(convert_decimal);
CONVERTER(convert_variable_decimal);
CONVERTER(convert_numeric_double);
CONVERTER(convert_numeric_text);
CONVERTER(convert_money);
CONVERTER(convert_money_double);
CONVERTER(convert_money_text);

/* conversion_temporal.c */
CONVERTER(convert_date_days);
CONVERTER(convert_date_iso);
CONVERTER(convert_time_millis);
CONVERTER(convert_time_micros);
CONVERTER(convert_time_nanos);
CONVERTER(convert_time_iso);
CONVERTER(convert_timestamp_millis);
CONVERTER(convert_timestamp_micros);
CONVERTER(convert_timestamp_nanos);
CONVERTER(convert_timestamp_iso);
CONVERTER(convert_timestamptz);
CONVERTER(convert_timetz);
CONVERTER(convert_interval_micros);
CONVERTER(convert_interval_iso);

/* conversion_array.c; `conversion` describes the elements. */
CONVERTER(convert_array);
/* The column as if it were of its array's element type; false where that has no mapping. */
bool conversion_array_element(const struct column *column, uint32_t oid, struct column *element);
bool conversion_append_array_placeholder(struct buf *out, const struct conversion *conversion,
                                         struct slice placeholder);

/* Quotes `len` bytes that need no escape. */
void convert_append_quoted(struct buf *out, const char *text, size_t len);
enum converted convert_append_int(struct buf *out, int64_t value);

#endif
