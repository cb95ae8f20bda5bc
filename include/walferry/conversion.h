/* conversion: the one table that says how each PostgreSQL type looks in Debezium's events.
 *
 * A row is a type (base type oid, or the name of an extension's type, whose oid differs by database), the
 * modes it holds for and a rule on the typmod; it gives the schema (Connect type, semantic name, parameters),
 * the function that turns PostgreSQL's text into JSON, what stands for an unknown value of a NOT NULL column,
 * and the kind of placeholder for an unchanged out-of-line value. The first row that fits is taken. Adding a
 * type is one row and one function.
 *
 * Input is PostgreSQL's text output in a session with
 *   DateStyle=ISO  TimeZone=UTC  IntervalStyle=postgres  bytea_output=hex  extra_float_digits=1 lc_monetary=C
 *   client_encoding=UTF8
 * Source: Debezium PostgresValueConverter, JdbcValueConverters, TemporalPrecisionMode, PostgresTypeResolver.
 */
#ifndef WALFERRY_CONVERSION_H
#define WALFERRY_CONVERSION_H

#include "walferry/buf.h"
#include "walferry/relation.h"

enum decimal_mode { DECIMAL_PRECISE, DECIMAL_DOUBLE, DECIMAL_STRING };
enum time_mode {
    TIME_ADAPTIVE,
    TIME_ADAPTIVE_TIME_MICROSECONDS,
    TIME_CONNECT,
    TIME_ISOSTRING,
    TIME_MICROSECONDS,
    TIME_NANOSECONDS,
};
enum binary_mode { BINARY_BYTES, BINARY_BASE64, BINARY_BASE64_URL_SAFE, BINARY_HEX };
enum interval_mode { INTERVAL_NUMERIC, INTERVAL_STRING };

struct type_modes {
    enum decimal_mode decimal;
    enum time_mode time;
    enum binary_mode binary;
    enum interval_mode interval;
};

enum converted {
    CONVERTED,      /* the JSON says what the text said */
    CONVERTED_LOST, /* what was written is Debezium's form of it, but the value cannot be told from it */
    CONVERTED_BAD,  /* the text is not of the type: nothing useful was appended */
};

struct conversion;

/* Appends the JSON of one non-null value. The caller has made room for text.len + CONVERT_ROOM bytes; a
 * converter that needs more reserves it. */
typedef enum converted (*convert_fn)(struct buf *out, struct slice text, const struct conversion *conversion);
#define CONVERT_ROOM 64

enum placeholder {
    PLACEHOLDER_NULL,  /* Debezium has none: null */
    PLACEHOLDER_TEXT,  /* unavailable.value.placeholder as a string */
    PLACEHOLDER_BYTES, /* base64 of it */
    PLACEHOLDER_BYTES_URL_SAFE,
};

enum type_parameters {
    PARAMETERS_NONE,
    PARAMETERS_DECIMAL, /* scale, connect.decimal.precision */
    PARAMETERS_SCALE,   /* scale */
    PARAMETERS_LENGTH,
    PARAMETERS_ALLOWED, /* an enum's labels */
};

struct type_row;

/* A row made concrete for one column; of an array, for its elements. */
struct conversion {
    const struct type_row *row;
    bool array;
    convert_fn convert;
    int32_t scale, precision; /* decimals */
    int32_t digits;           /* of the fraction of a second */
    int32_t length;           /* bits */
    struct slice labels;      /* enum: joined by ',' */
};

/* False where the type has no mapping: the column is left out. */
bool conversion_resolve(struct conversion *conversion, const struct column *column,
                        const struct type_modes *modes) __attribute__((warn_unused_result));

/* The Connect schema of a field, without braces and without the member "field":
 * "type":"int32","optional":false,"name":…,"version":1,"parameters":{…}[,"default":…] */
void conversion_append_schema(struct buf *out, const struct conversion *conversion, bool optional,
                              struct slice default_json);

/* The JSON that stands in a partial old row for a NOT NULL column that it does not show. */
void conversion_append_fallback(struct buf *out, const struct conversion *conversion);

/* The JSON of the column's default, as the schema's member `default`; false = it has none. */
bool conversion_append_default(struct buf *out, const struct conversion *conversion,
                               const struct column *column);

/* The JSON that stands for an unchanged out-of-line value; false = there is none, null stands for it. */
bool conversion_append_placeholder(struct buf *out, const struct conversion *conversion,
                                   struct slice placeholder);

/* What kinds of text the value is, for the key in a record header (Connect's SimpleHeaderConverter). */
bool conversion_is_plain_text(const struct conversion *conversion); /* the JSON string is the text itself */
bool conversion_is_decimal(const struct conversion *conversion);    /* a Connect Decimal: shown as a number */

#endif
