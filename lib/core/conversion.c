#include "walferry/conversion.h"

#include "conversion_internal.h"
#include "walferry/json.h"
#include "walferry/pgtype.h"

#include <string.h>

/* Modes a row holds for; 0 = all. Modes of different kinds never meet in one row. */
#define PRECISE (1U << 0)
#define DOUBLE (1U << 1)
#define STRING (1U << 2)
#define ADAPTIVE (1U << 3)
#define ADAPTIVE_US (1U << 4)
#define CONNECT (1U << 5)
#define ISO (1U << 6)
#define MICROS (1U << 7)
#define NANOS (1U << 8)
#define BYTES (1U << 9)
#define BASE64 (1U << 10)
#define URL_SAFE (1U << 11)
#define HEX (1U << 12)
#define SPANS_NUMERIC (1U << 13)
#define SPANS_STRING (1U << 14)

#define DBZ_TIME(name) "io.debezium.time." name
#define DBZ_DATA(name) "io.debezium.data." name
#define CONNECT_DATA(name) "org.apache.kafka.connect.data." name

#define NONE PARAMETERS_NONE
#define NO_PH PLACEHOLDER_NULL
#define TEXT_PH PLACEHOLDER_TEXT
#define MIDNIGHT "00:00:00"
#define EPOCH "1970-01-01 00:00:00"

/* A text-like type whose JSON string is PostgreSQL's text. */
#define TEXT_ROW(oid, type_name, name, stand_in)                                                \
    {                                                                                           \
        oid, type_name, 0, ANY, "string", name, convert_text, NONE, TEXT_PH, "", NULL, stand_in \
    }

/* clang-format off */
static const struct type_row rows[] = {
    /* oid, name, modes, typmod, Connect type, semantic name, converter, parameters, placeholder, zero, fallback, stand-in */
    {PGTYPE_BOOL, NULL, 0, ANY, "boolean", NULL, convert_bool, NONE, NO_PH, "f", NULL, "f"},
    {PGTYPE_INT2, NULL, 0, ANY, "int16", NULL, convert_integer, NONE, NO_PH, "0", NULL, "0"},
    {PGTYPE_INT4, NULL, 0, ANY, "int32", NULL, convert_integer, NONE, NO_PH, "0", NULL, "0"},
    {PGTYPE_INT8, NULL, 0, ANY, "int64", NULL, convert_integer, NONE, NO_PH, "0", NULL, "0"},
    {PGTYPE_OID, NULL, 0, ANY, "int64", NULL, convert_integer, NONE, NO_PH, "0", NULL, NULL},
    {PGTYPE_FLOAT4, NULL, 0, ANY, "float", NULL, convert_float4, NONE, NO_PH, "0", NULL, "0"},
    {PGTYPE_FLOAT8, NULL, 0, ANY, "double", NULL, convert_float8, NONE, NO_PH, "0", NULL, "0"},

    /* numeric */
    {PGTYPE_NUMERIC, NULL, PRECISE, SCALED, "bytes", CONNECT_DATA("Decimal"), convert_decimal, PARAMETERS_DECIMAL, NO_PH, "0", NULL, "0"},
    {PGTYPE_NUMERIC, NULL, PRECISE, ANY, "struct", DBZ_DATA("VariableScaleDecimal"), convert_variable_decimal, NONE, NO_PH, "0", NULL, NULL},
    {PGTYPE_NUMERIC, NULL, DOUBLE, ANY, "double", NULL, convert_numeric_double, NONE, NO_PH, "0", NULL, "0"},
    {PGTYPE_NUMERIC, NULL, STRING, ANY, "string", NULL, convert_numeric_text, NONE, NO_PH, "0", NULL, "0"},
    /* money */
    {PGTYPE_MONEY, NULL, PRECISE, ANY, "bytes", CONNECT_DATA("Decimal"), convert_money, PARAMETERS_SCALE, NO_PH, "$0.00", NULL, NULL},
    {PGTYPE_MONEY, NULL, DOUBLE, ANY, "double", NULL, convert_money_double, NONE, NO_PH, "$0.00", NULL, NULL},
    {PGTYPE_MONEY, NULL, STRING, ANY, "string", NULL, convert_money_text, NONE, NO_PH, "$0.00", NULL, NULL},

    TEXT_ROW(PGTYPE_TEXT, NULL, NULL, ""),
    TEXT_ROW(PGTYPE_VARCHAR, NULL, NULL, ""),
    TEXT_ROW(PGTYPE_BPCHAR, NULL, NULL, ""),
    TEXT_ROW(PGTYPE_CHAR, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_NAME, NULL, NULL, NULL),
    TEXT_ROW(0, "citext", NULL, NULL),
    TEXT_ROW(PGTYPE_JSON, NULL, DBZ_DATA("Json"), "{}"),
    TEXT_ROW(PGTYPE_JSONB, NULL, DBZ_DATA("Json"), "{}"),
    TEXT_ROW(PGTYPE_XML, NULL, DBZ_DATA("Xml"), ""),
    TEXT_ROW(PGTYPE_UUID, NULL, DBZ_DATA("Uuid"), "00000000-0000-0000-0000-000000000000"),
    TEXT_ROW(0, "ltree", DBZ_DATA("Ltree"), NULL),
    TEXT_ROW(PGTYPE_TSVECTOR, NULL, DBZ_DATA("Tsvector"), NULL),
    {0, "enum", 0, ANY, "string", DBZ_DATA("Enum"), convert_text, PARAMETERS_ALLOWED, TEXT_PH, "", NULL, ""},
    TEXT_ROW(PGTYPE_INET, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_CIDR, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_MACADDR, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_MACADDR8, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_INT4RANGE, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_INT8RANGE, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_NUMRANGE, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_TSRANGE, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_TSTZRANGE, NULL, NULL, NULL),
    TEXT_ROW(PGTYPE_DATERANGE, NULL, NULL, NULL),

    /* bytea */
    {PGTYPE_BYTEA, NULL, BYTES, ANY, "bytes", NULL, convert_bytes, NONE, PLACEHOLDER_BYTES, "\\x", NULL, NULL},
    {PGTYPE_BYTEA, NULL, BASE64, ANY, "string", NULL, convert_bytes, NONE, PLACEHOLDER_BYTES, "\\x", NULL, NULL},
    {PGTYPE_BYTEA, NULL, URL_SAFE, ANY, "string", NULL, convert_bytes_url_safe, NONE, PLACEHOLDER_BYTES_URL_SAFE, "\\x", NULL, NULL},
    {PGTYPE_BYTEA, NULL, HEX, ANY, "string", NULL, convert_bytes_hex, NONE, PLACEHOLDER_TEXT, "\\x", NULL, NULL},
    /* bit, varbit */
    {PGTYPE_BIT, NULL, 0, ONE_BIT, "boolean", NULL, convert_one_bit, NONE, NO_PH, "0", NULL, "0"},
    {PGTYPE_VARBIT, NULL, 0, ONE_BIT, "boolean", NULL, convert_one_bit, NONE, NO_PH, "0", NULL, "0"},
    {PGTYPE_BIT, NULL, 0, ANY, "bytes", DBZ_DATA("Bits"), convert_bits, PARAMETERS_LENGTH, NO_PH, "", NULL, ""},
    {PGTYPE_VARBIT, NULL, 0, ANY, "bytes", DBZ_DATA("Bits"), convert_varbit, PARAMETERS_LENGTH, NO_PH, "", NULL, ""},

    /* date */
    {PGTYPE_DATE, NULL, CONNECT, ANY, "int32", CONNECT_DATA("Date"), convert_date_days, NONE, NO_PH, "1970-01-01", NULL, "1970-01-01"},
    {PGTYPE_DATE, NULL, ISO, ANY, "string", DBZ_TIME("IsoDate"), convert_date_iso, NONE, NO_PH, "1970-01-01", NULL, "1970-01-01"},
    {PGTYPE_DATE, NULL, 0, ANY, "int32", DBZ_TIME("Date"), convert_date_days, NONE, NO_PH, "1970-01-01", NULL, "1970-01-01"},
    /* time */
    {PGTYPE_TIME, NULL, ADAPTIVE, TO_MILLIS, "int32", DBZ_TIME("Time"), convert_time_millis, NONE, NO_PH, MIDNIGHT, NULL, MIDNIGHT},
    {PGTYPE_TIME, NULL, CONNECT, ANY, "int32", CONNECT_DATA("Time"), convert_time_millis, NONE, NO_PH, MIDNIGHT, NULL, MIDNIGHT},
    {PGTYPE_TIME, NULL, ISO, ANY, "string", DBZ_TIME("IsoTime"), convert_time_iso, NONE, NO_PH, MIDNIGHT, NULL, MIDNIGHT},
    {PGTYPE_TIME, NULL, NANOS, ANY, "int64", DBZ_TIME("NanoTime"), convert_time_nanos, NONE, NO_PH, MIDNIGHT, NULL, MIDNIGHT},
    {PGTYPE_TIME, NULL, 0, ANY, "int64", DBZ_TIME("MicroTime"), convert_time_micros, NONE, NO_PH, MIDNIGHT, NULL, MIDNIGHT},
    {PGTYPE_TIMETZ, NULL, 0, ANY, "string", DBZ_TIME("ZonedTime"), convert_timetz, NONE, NO_PH, MIDNIGHT "+00", NULL, NULL},
    /* timestamp */
    {PGTYPE_TIMESTAMP, NULL, ADAPTIVE | ADAPTIVE_US, TO_MILLIS, "int64", DBZ_TIME("Timestamp"), convert_timestamp_millis, NONE, NO_PH, EPOCH, NULL, EPOCH},
    {PGTYPE_TIMESTAMP, NULL, CONNECT, ANY, "int64", CONNECT_DATA("Timestamp"), convert_timestamp_millis, NONE, NO_PH, EPOCH, NULL, EPOCH},
    {PGTYPE_TIMESTAMP, NULL, ISO, ANY, "string", DBZ_TIME("IsoTimestamp"), convert_timestamp_iso, NONE, NO_PH, EPOCH, NULL, EPOCH},
    {PGTYPE_TIMESTAMP, NULL, NANOS, ANY, "int64", DBZ_TIME("NanoTimestamp"), convert_timestamp_nanos, NONE, NO_PH, EPOCH, NULL, EPOCH},
    {PGTYPE_TIMESTAMP, NULL, 0, ANY, "int64", DBZ_TIME("MicroTimestamp"), convert_timestamp_micros, NONE, NO_PH, EPOCH, NULL, EPOCH},
    {PGTYPE_TIMESTAMPTZ, NULL, 0, ANY, "string", DBZ_TIME("ZonedTimestamp"), convert_timestamptz, NONE, NO_PH, EPOCH "+00", "\"1970-01-01T00:00:00Z\"", EPOCH "+00"},
    /* interval */
    {PGTYPE_INTERVAL, NULL, SPANS_NUMERIC, ANY, "int64", DBZ_TIME("MicroDuration"), convert_interval_micros, NONE, NO_PH, MIDNIGHT, NULL, MIDNIGHT},
    {PGTYPE_INTERVAL, NULL, SPANS_STRING, ANY, "string", DBZ_TIME("Interval"), convert_interval_iso, NONE, NO_PH, MIDNIGHT, NULL, MIDNIGHT},
};
/* clang-format on */

#define SCALE_AS_IS (-1)
#define MONEY_SCALE 2
#define TIME_DIGITS_DEFAULT 6

static uint32_t mode_bits(const struct type_modes *modes)
{
    return PRECISE << modes->decimal | ADAPTIVE << modes->time | BYTES << modes->binary |
           SPANS_NUMERIC << modes->interval;
}

static bool row_fits(const struct type_row *row, const struct conversion *conversion, uint32_t modes)
{
    if (row->modes != 0 && (row->modes & modes) == 0)
        return false;
    switch (row->rule) {
    case SCALED:
        return conversion->scale != SCALE_AS_IS;
    case TO_MILLIS:
        return conversion->digits <= 3;
    case ONE_BIT:
        return conversion->length == 1;
    case ANY:
        break;
    }
    return true;
}

static bool row_is_of(const struct type_row *row, const struct column *column, uint32_t oid)
{
    if (column->labels.data != NULL)
        return row->type_name != NULL && strcmp(row->type_name, "enum") == 0;
    if (row->oid != 0)
        return row->oid == oid;
    return column->type_name.data != NULL && slice_equal(column->type_name, slice_of(row->type_name)) &&
           strcmp(row->type_name, "enum") != 0;
}

/* What the typmod of a type means; meaningless fields of other types are never looked at. */
static void read_typmod(struct conversion *conversion, uint32_t oid, int32_t typmod)
{
    conversion->scale = SCALE_AS_IS;
    if (oid == PGTYPE_NUMERIC && typmod >= 4) {
        conversion->precision = ((typmod - 4) >> 16) & 0xFFFF;
        conversion->scale = (typmod - 4) & 0x7FF; /* as Debezium: a negative scale -s reads as 2048 - s */
    }
    if (oid == PGTYPE_MONEY)
        conversion->scale = MONEY_SCALE;
    conversion->digits = typmod < 0 ? TIME_DIGITS_DEFAULT : typmod;
    conversion->length = typmod < 0 ? INT32_MAX : typmod;
}

bool conversion_resolve(struct conversion *conversion, const struct column *column,
                        const struct type_modes *modes)
{
    bool domain = column->base_oid != 0 && column->base_oid != column->type_oid;
    uint32_t oid = domain ? column->base_oid : column->type_oid;
    uint32_t bits = mode_bits(modes);
    struct column element;
    *conversion = (struct conversion){.labels = column->labels};
    conversion->array = column->labels.data == NULL && conversion_array_element(column, oid, &element);
    if (conversion->array) {
        column = &element;
        oid = element.base_oid;
    }
    read_typmod(conversion, oid, domain ? column->base_typmod : column->typmod);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (row_is_of(&rows[i], column, oid) && row_fits(&rows[i], conversion, bits)) {
            conversion->row = &rows[i];
            conversion->convert = conversion->array ? convert_array : rows[i].convert;
            return true;
        }
    }
    return false;
}
