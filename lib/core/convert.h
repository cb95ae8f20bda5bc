/* convert: the converters that the table in pgtype.c names; see convert_fn. */
#ifndef WALFERRY_CONVERT_H
#define WALFERRY_CONVERT_H

#include "walferry/conversion.h"

#define CONVERTER(name) \
    enum converted name(struct buf *out, struct slice text, const struct conversion *conversion)

/* convert_text.c */
CONVERTER(convert_bool);
CONVERTER(convert_integer);
CONVERTER(convert_float4);
CONVERTER(convert_float8);
CONVERTER(convert_text);

/* convert_binary.c */
CONVERTER(convert_bytes);
CONVERTER(convert_bytes_url_safe);
CONVERTER(convert_bytes_hex);
CONVERTER(convert_bits);
CONVERTER(convert_one_bit);

/* convert_numeric.c */
CONVERTER(convert_decimal);
CONVERTER(convert_variable_decimal);
CONVERTER(convert_numeric_double);
CONVERTER(convert_numeric_text);
CONVERTER(convert_money);
CONVERTER(convert_money_double);
CONVERTER(convert_money_text);

/* convert_temporal.c */
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

/* conversion.c: the type's constant for a computed default, as PostgreSQL prints it; NULL = none. */
const char *conversion_stand_in(const struct conversion *conversion);

/* Quotes `len` bytes that need no escape. */
void convert_append_quoted(struct buf *out, const char *text, size_t len);
enum converted convert_append_int(struct buf *out, int64_t value);

#endif
