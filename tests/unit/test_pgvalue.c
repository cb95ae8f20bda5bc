#include "walferry/pgtype.h"
#include "walferry/pgvalue.h"

#include "cmocka_all.h"

#include <stdio.h>

#define PLACEHOLDER "__debezium_unavailable_value"

/* Reads one field through change_read, converts it. */
static struct change_reader *reader;
static struct change change;
static struct buf event, out;
static struct err err;
static enum value_kind kind;
static struct pgvalue_options options;

static int set_up(void **state)
{
    (void)state;
    reader = change_reader_new(1 << 20);
    buf_init(&event, 1 << 20);
    buf_init(&out, 1 << 20);
    options = (struct pgvalue_options){.unavailable_placeholder = SLICE_LITERAL(PLACEHOLDER)};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    change_reader_free(reader);
    buf_release(&event);
    buf_release(&out);
    return 0;
}

/* An event whose row has one column c; `schema` are members of its field schema, "" = an event without
 * schemas. */
static void read_event(const char *schema, const char *json)
{
    buf_clear(&event);
    if (*schema != '\0')
        buf_printf(&event,
                   "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"struct\",\"fields\":[{%s,"
                   "\"field\":\"c\"}],"
                   "\"field\":\"after\"}]},\"payload\":",
                   schema);
    buf_printf(&event, "{\"after\":{\"c\":%s},\"source\":{\"schema\":\"s\",\"table\":\"t\"},\"op\":\"c\"}%s",
               json, *schema != '\0' ? "}" : "");
    struct record record = {.value = buf_slice(&event)};
    if (!change_read(reader, &record, &change, &err))
        fail_msg("%s: %s", json, err.text);
}

static bool convert(uint32_t type_oid, int32_t typmod, const char *type_name, const char *schema,
                    const char *json)
{
    struct target_column column = {
        .name = SLICE_LITERAL("c"), .type_oid = type_oid, .typmod = typmod, .type_name = slice_of(type_name)};
    read_event(schema, json);
    buf_clear(&out);
    return pgvalue_append(&out, &change.after.fields[0], &column, &options, &kind, &err);
}

static void expect_text(uint32_t type_oid, int32_t typmod, const char *schema, const char *json,
                        const char *text)
{
    if (!convert(type_oid, typmod, "T", schema, json))
        fail_msg("%s %s: %s", schema, json, err.text);
    assert_int_equal(kind, VALUE_TEXT);
    if (strcmp(buf_text(&out), text) != 0)
        fail_msg("%s %s: got '%s', expected '%s'", schema, json, buf_text(&out), text);
}

static void expect_refused(uint32_t type_oid, int32_t typmod, const char *schema, const char *json)
{
    if (convert(type_oid, typmod, "T", schema, json))
        fail_msg("%s %s: got '%s'", schema, json, buf_text(&out));
    assert_int_equal(err.code, ERR_TYPE);
    assert_non_null(strstr(err.text, "column \"c\" of type T"));
    assert_int_equal(out.len, 0);
}

static void expect_unchanged(uint32_t type_oid, const char *type_name, const char *schema, const char *json)
{
    if (!convert(type_oid, -1, type_name, schema, json))
        fail_msg("%s %s: %s", schema, json, err.text);
    if (kind != VALUE_UNCHANGED)
        fail_msg("%s %s: got '%s'", schema, json, buf_text(&out));
    assert_int_equal(out.len, 0);
}

#define NUMERIC(precision, scale) (((precision) << 16 | ((scale)&0x7FF)) + 4)

#define NAMED(type, name) "\"type\":\"" type "\",\"name\":\"" name "\""
#define DECIMAL(scale) \
    NAMED("bytes", "org.apache.kafka.connect.data.Decimal") ",\"parameters\":{\"scale\":\"" scale "\"}"
#define VARIABLE NAMED("struct", "io.debezium.data.VariableScaleDecimal")

static void null_is_null(void **state)
{
    (void)state;
    assert_true(convert(PGTYPE_INT4, -1, "integer", "", "null"));
    assert_int_equal(kind, VALUE_NULL);
    assert_true(convert(PGTYPE_NUMERIC, -1, "numeric", VARIABLE, "null"));
    assert_int_equal(kind, VALUE_NULL);
}

/* Rows of parity cases 01, 02, 07; the float lexemes are Java's, whose value PostgreSQL reads back equal. */
static void plain_types_keep_their_text(void **state)
{
    (void)state;
    expect_text(PGTYPE_INT8, -1, "", "-9223372036854775808", "-9223372036854775808");
    expect_text(PGTYPE_OID, -1, "", "4294967295", "4294967295");
    expect_text(PGTYPE_FLOAT8, -1, "", "1.7976931348623157E308", "1.7976931348623157E308");
    expect_text(PGTYPE_FLOAT4, -1, "", "\"-Infinity\"", "-Infinity");
    expect_text(PGTYPE_BOOL, -1, "", "true", "t");
    expect_text(PGTYPE_BOOL, -1, "\"type\":\"boolean\"", "false", "f");
    expect_text(PGTYPE_TEXT, -1, "", "\"q\\\"\\\\ \\n \\u00e9\"", "q\"\\ \n \xC3\xA9");
    expect_text(PGTYPE_JSON, -1, NAMED("string", "io.debezium.data.Json"), "\"{\\\"a\\\":  1}\"",
                "{\"a\":  1}");
    expect_text(PGTYPE_UUID, -1, NAMED("string", "io.debezium.data.Uuid"),
                "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    expect_text(PGTYPE_POINT, -1, "", "{\"x\":1.0,\"y\":\"Infinity\",\"wkb\":\"\",\"srid\":null}",
                "(1.0,Infinity)");
    expect_text(99999, -1, NAMED("string", "io.debezium.data.Enum"), "\"sad\"", "sad");
    expect_text(99999, -1, "\"type\":\"bytes\"", "\"J2ZhdCcgPC0+ICdjYXQn\"", "'fat' <-> 'cat'");
}

static void kinds_that_do_not_suit_are_refused(void **state)
{
    (void)state;
    expect_refused(PGTYPE_BOOL, -1, "", "1");
    expect_refused(PGTYPE_BOOL, -1, "", "\"t\"");
    expect_refused(PGTYPE_TEXT, -1, "", "{\"a\":1}");
    expect_refused(PGTYPE_TEXT, -1, "", "[1]");
    expect_refused(PGTYPE_TEXT, -1, "", "\"a\\u0000b\"");
    expect_refused(PGTYPE_DATE, -1, "", "true");
    expect_refused(PGTYPE_DATE, -1, "", "1.5");
    expect_refused(PGTYPE_BYTEA, -1, "", "1");
    expect_refused(PGTYPE_NUMERIC, -1, "", "true");
    expect_refused(PGTYPE_POINT, -1, "", "{\"x\":1}");
    assert_false(convert(PGTYPE_TEXT, -1, "text", "", "{\"secret\":1}"));
    assert_null(strstr(err.text, "secret"));
    assert_non_null(strstr(err.text, "an object"));
}

/* Debezium's reference vectors, and parity cases 03 and 05. */
static void decimals_by_schema(void **state)
{
    (void)state;
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"bg==\"", "1.10");
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"AUo=\"", "3.30");
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("4"), "\"A2P4\"", "22.2200");
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"/h3t\"", "-1234.11");
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("3"), "\"/w==\"", "-0.001");
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("0"), "\"AA==\"", "0");
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"AA==\"", "0.00");
    expect_text(PGTYPE_MONEY, -1, DECIMAL("2"), "\"gAAAAAAAAAA=\"", "-92233720368547758.08");
    expect_text(PGTYPE_NUMERIC, -1, DECIMAL("2"), "2.25", "2.25"); /* decimal.format=NUMERIC */
    expect_text(PGTYPE_NUMERIC, -1, VARIABLE, "{\"scale\":4,\"value\":\"AYr3\"}", "10.1111");
    expect_text(PGTYPE_NUMERIC, -1, VARIABLE, "{\"scale\":0,\"value\":\"BWvHXi1jEAAA\"}",
                "100000000000000000000");
    expect_text(PGTYPE_NUMERIC, -1, VARIABLE, "{\"scale\":20,\"value\":\"AQ==\"}", "0.00000000000000000001");
    expect_text(PGTYPE_NUMERIC, -1, VARIABLE, "{\"scale\":0,\"value\":\"AY7pD/bDc+DuTj8K0g==\"}",
                "123456789012345678901234567890");
    expect_text(PGTYPE_NUMERIC, -1, VARIABLE, "{\"scale\":0,\"value\":\"/nEW8Ak8jB8RscD1Lg==\"}",
                "-123456789012345678901234567890");
    expect_text(PGTYPE_NUMERIC, -1, "\"type\":\"string\"", "\"POSITIVE_INFINITY\"", "Infinity");
    expect_text(PGTYPE_NUMERIC, -1, "\"type\":\"double\"", "\"NaN\"", "NaN");
    expect_text(PGTYPE_NUMERIC, -1, "\"type\":\"double\"", "1.0E20", "1.0E20");
}

static void decimals_without_schema(void **state)
{
    (void)state;
    expect_text(PGTYPE_NUMERIC, NUMERIC(10, 2), "", "\"bg==\"", "1.10");
    expect_text(PGTYPE_NUMERIC, NUMERIC(5, 0), "", "\"AYaf\"", "99999");
    expect_text(PGTYPE_NUMERIC, -1, "", "{\"scale\":4,\"value\":\"AYr3\"}", "10.1111");
    expect_text(PGTYPE_MONEY, -1, "", "\"AeIT\"", "1234.11");
    options.decimal = DECIMAL_STRING;
    expect_text(PGTYPE_NUMERIC, NUMERIC(10, 2), "", "\"1234\"", "1234");
    expect_text(PGTYPE_NUMERIC, -1, "", "\"NAN\"", "NaN");
    expect_text(PGTYPE_NUMERIC, -1, "", "\"NEGATIVE_INFINITY\"", "-Infinity");
    options.decimal = DECIMAL_DOUBLE;
    expect_text(PGTYPE_NUMERIC, NUMERIC(10, 2), "", "1.1", "1.1");
    expect_text(PGTYPE_NUMERIC, -1, "", "\"-Infinity\"", "-Infinity");
}

static void broken_decimals_are_refused(void **state)
{
    (void)state;
    expect_refused(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"\"");
    expect_refused(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"b\"");
    expect_refused(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"bh==\""); /* a bit too many */
    expect_refused(PGTYPE_NUMERIC, -1, DECIMAL("2"), "\"b*==\"");
    expect_refused(PGTYPE_NUMERIC, -1, DECIMAL("99999"), "\"bg==\"");
    expect_refused(PGTYPE_NUMERIC, -1, NAMED("bytes", "org.apache.kafka.connect.data.Decimal"), "\"bg==\"");
    expect_refused(PGTYPE_NUMERIC, -1, VARIABLE, "{\"value\":\"bg==\"}");
    expect_refused(PGTYPE_NUMERIC, -1, VARIABLE, "{\"scale\":-1,\"value\":\"bg==\"}");
    expect_refused(PGTYPE_NUMERIC, -1, "", "\"bg==\""); /* precise, but no scale */
}

/* numeric(5,-2) holds -25600; Debezium takes the scale for 2046 and pads to it. From parity case 03. */
static void a_negative_scale_comes_back(void **state)
{
    (void)state;
    static const char json[] =
        "\""
        "9hdMSiOsKiG1iy1zHNZTGtlc5oRBQc/LCI6rMdQ0Xmm3TePuFGnU5J5Gww0Ro1kIFtcZ4vcdKWvd2I4a8M/Yc2fJ3PUG90v1isSC"
        "iDJzlBjq5VSxBTojJ8G2KW+HqhFP11CdwJCP2y08kFYxYvtbeAXgRm1B3eEOQvUqCIqYgx8h97/VLAXr8VOCqTg2IR9BInWT/HBt"
        "uk0Xg8t1J/wTNXD/jwckSoWVu6DYdMKjC9bqF+e+o4DBB9IHuaczC6MFLIa8wMx2W79wvDrsEKV8BHd5BAqSYrQqB5+G0aoTEY9B"
        "Tn7yiTHGIWE9tDBmL+asieVCYox2P127IcPmrKonsRFBEZC5FSSpOX6kh6MZSE7aU3Ek+PcCcJNRoKjqCG6kzBS+hA/D5ihug4Re"
        "A5Rpfr1zeou5ag8XmSgQNlPIoog+W9C/mfufa7q6AHhYI50orQhZlahOVIzw38PlVgu7eyfx0aA6X7iGOpR1Ye7zhDQVs1hn0luZ"
        "wwG24vJC3gFUtnlozKqzyZehqu87Wamau+ZCvHG3AMopOClUbkU2iwTtm0sO7n3gXUNb6VAZ9jzsS+G7Zq0EEqXq679phURMV9fh"
        "KVcOkG3vPoBrHHbRFn+LAP4cNJsM0kSZvFhX12Nzk6shyz7+y2jsS7bH32MeDHnjHwSAEjPcqq0UqFh70o44AnCZbtG1LQeWPW2G"
        "tnjmy9PteZEpDjevJUNny9NhrkhyTRWvLr0CfYiM0SqSqloaXm7JdHVESfmKexF4HKsT0bjeth1yME2CssAc9pea7Mwf/wAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "\"";
    expect_text(PGTYPE_NUMERIC, NUMERIC(5, -2), "", json, "-25600");
    expect_text(PGTYPE_NUMERIC, NUMERIC(5, -2), DECIMAL("2046"), json, "-25600");
}

#define TIME(name) "\"type\":\"int64\",\"name\":\"io.debezium.time." name "\""
#define CONNECT(name) "\"type\":\"int64\",\"name\":\"org.apache.kafka.connect.data." name "\""

/* Parity cases 12 to 17: texts as PostgreSQL 15 prints the inserted values. */
static void dates(void **state)
{
    (void)state;
    expect_text(PGTYPE_DATE, -1, "", "0", "1970-01-01");
    expect_text(PGTYPE_DATE, -1, TIME("Date"), "17109", "2016-11-04");
    expect_text(PGTYPE_DATE, -1, CONNECT("Date"), "11016", "2000-02-29");
    expect_text(PGTYPE_DATE, -1, "", "-719162", "0001-01-01");
    expect_text(PGTYPE_DATE, -1, "", "-719163", "0001-12-31 BC");
    expect_text(PGTYPE_DATE, -1, "", "-735160", "0044-03-15 BC");
    expect_text(PGTYPE_DATE, -1, "", "-2440550", "4713-01-01 BC");
    expect_text(PGTYPE_DATE, -1, "", "2145042905", "5874897-12-31");
    expect_text(PGTYPE_DATE, -1, "", "2932897", "10000-01-01");
    expect_text(PGTYPE_DATE, -1, "", "-141432", "1582-10-10");
    expect_text(PGTYPE_DATE, -1, "", "-2147472692", "infinity");
    expect_text(PGTYPE_DATE, -1, "", "-2147472691", "-infinity");
    expect_text(PGTYPE_DATE, -1, "", "-622191234", "infinity");
    expect_text(PGTYPE_DATE, -1, "", "-625821272", "-infinity");
    expect_text(PGTYPE_DATE, -1, TIME("IsoDate"), "\"-0043-03-15Z\"", "0044-03-15 BC");
    expect_text(PGTYPE_DATE, -1, "", "\"+5874897-12-31Z\"", "5874897-12-31");
    expect_text(PGTYPE_DATE, -1, "", "\"-5877611-06-21Z\"", "infinity");
    expect_text(PGTYPE_DATE, -1, "", "\"-5877611-06-22Z\"", "-infinity");
    expect_refused(PGTYPE_DATE, -1, "", "-2440589");
    expect_refused(PGTYPE_DATE, -1, "", "2145042906");
    expect_refused(PGTYPE_DATE, -1, "", "9223372036854775808");
    expect_refused(PGTYPE_DATE, -1, "", "\"2017-13-15Z\"");
    expect_refused(PGTYPE_DATE, -1, "", "\"2017-9-15Z\"");
    expect_refused(PGTYPE_DATE, -1, "", "\"2017-09-15Zx\"");
    expect_refused(PGTYPE_DATE, -1, "", "\"2017-09-15+02:00\"");
}

static void times(void **state)
{
    (void)state;
    expect_text(PGTYPE_TIME, -1, "", "49890123456", "13:51:30.123456");
    expect_text(PGTYPE_TIME, 3, "", "49890124", "13:51:30.124");
    expect_text(PGTYPE_TIME, 0, "", "86400000", "24:00:00");
    expect_text(PGTYPE_TIME, -1, TIME("MicroTime"), "86400000000", "24:00:00");
    expect_text(PGTYPE_TIME, -1, TIME("Time"), "49890200", "13:51:30.2");
    expect_text(PGTYPE_TIME, -1, TIME("NanoTime"), "49890123456000", "13:51:30.123456");
    expect_text(PGTYPE_TIME, -1, CONNECT("Time"), "0", "00:00:00");
    expect_text(PGTYPE_TIME, -1, TIME("IsoTime"), "\"13:51:30.1235Z\"", "13:51:30.1235");
    expect_text(PGTYPE_TIMETZ, -1, TIME("ZonedTime"), "\"11:51:30.123789Z\"", "11:51:30.123789+00");
    expect_text(PGTYPE_TIMETZ, 0, "", "\"17:01:03Z\"", "17:01:03+00");
    expect_text(PGTYPE_TIMETZ, -1, "", "\"10:00:00-05:30\"", "10:00:00-05:30");
    options.time = TIME_ADAPTIVE_TIME_MICROSECONDS;
    expect_text(PGTYPE_TIME, 3, "", "49890124000", "13:51:30.124");
    options.time = TIME_CONNECT;
    expect_text(PGTYPE_TIME, -1, "", "49890123", "13:51:30.123");
    options.time = TIME_NANOSECONDS;
    expect_text(PGTYPE_TIME, 0, "", "86400000000000", "24:00:00");
    expect_refused(PGTYPE_TIME, -1, "", "1"); /* finer than a microsecond */
    options.time = TIME_ISOSTRING;
    expect_refused(PGTYPE_TIME, -1, "", "1000");
    options.time = TIME_ADAPTIVE;
    expect_refused(PGTYPE_TIME, -1, "", "86400000001");
    expect_refused(PGTYPE_TIME, -1, "", "-1");
    expect_refused(PGTYPE_TIMETZ, -1, "", "\"10:00:00\"");
    expect_refused(PGTYPE_TIMETZ, -1, "", "36000000");
    expect_refused(PGTYPE_TIME, -1, "", "\"10:00:00.1234567Z\"");
}

static void timestamps(void **state)
{
    (void)state;
    expect_text(PGTYPE_TIMESTAMP, -1, "", "1478267490123456", "2016-11-04 13:51:30.123456");
    expect_text(PGTYPE_TIMESTAMP, 3, "", "1478267490124", "2016-11-04 13:51:30.124");
    expect_text(PGTYPE_TIMESTAMP, 6, "", "-1", "1969-12-31 23:59:59.999999");
    expect_text(PGTYPE_TIMESTAMP, -1, "", "-210831897600000001", "4713-12-31 23:59:59.999999 BC");
    expect_text(PGTYPE_TIMESTAMP, 3, TIME("Timestamp"), "-62135596800877", "0001-12-31 23:59:59.123 BC");
    expect_text(PGTYPE_TIMESTAMP, 0, "", "9224317929600000", "294276-12-31 00:00:00");
    expect_text(PGTYPE_TIMESTAMP, 4, TIME("MicroTimestamp"), "253402300800000000", "10000-01-01 00:00:00");
    expect_text(PGTYPE_TIMESTAMP, -1, TIME("NanoTimestamp"), "1478267490123456000",
                "2016-11-04 13:51:30.123456");
    expect_text(PGTYPE_TIMESTAMP, -1, CONNECT("Timestamp"), "601060312290124", "21016-11-04 13:51:30.124");
    expect_text(PGTYPE_TIMESTAMP, -1, TIME("IsoTimestamp"), "\"-4712-12-31T23:59:59.999999Z\"",
                "4713-12-31 23:59:59.999999 BC");
    expect_text(PGTYPE_TIMESTAMP, -1, "", "\"+294276-12-31T23:59:59.999999Z\"",
                "294276-12-31 23:59:59.999999");
    expect_text(PGTYPE_TIMESTAMP, -1, "", "9223372036825200000", "infinity");
    expect_text(PGTYPE_TIMESTAMP, -1, "", "-9223372036832400000", "-infinity");
    expect_text(PGTYPE_TIMESTAMP, 2, "", "9223372036825200", "infinity");
    expect_text(PGTYPE_TIMESTAMP, 2, "", "-9223372036832400", "-infinity");
    expect_text(PGTYPE_TIMESTAMP, -1, TIME("NanoTimestamp"), "9223372036854775807", "infinity");
    expect_text(PGTYPE_TIMESTAMP, -1, TIME("NanoTimestamp"), "-9223372036854775808", "-infinity");
    expect_text(PGTYPE_TIMESTAMP, -1, "", "\"+294247-01-10T04:00:25.2Z\"", "infinity");
    expect_text(PGTYPE_TIMESTAMP, -1, "", "\"-290308-12-21T19:59:27.6Z\"", "-infinity");
    expect_text(PGTYPE_TIMESTAMP, -1, "", "\"+294247-01-10T04:00:25.200001Z\"",
                "294247-01-10 04:00:25.200001");
    /* What 294276-12-31 becomes in microseconds, with and without a fraction: no longer that timestamp. */
    expect_refused(PGTYPE_TIMESTAMP, -1, "", "-9223372036853775810");
    expect_refused(PGTYPE_TIMESTAMP, -1, "", "9223372036854775807");
}

static void timestamps_with_zone(void **state)
{
    (void)state;
    expect_text(PGTYPE_TIMESTAMPTZ, -1, TIME("ZonedTimestamp"), "\"2016-11-04T11:51:30.100000Z\"",
                "2016-11-04 11:51:30.1+00");
    expect_text(PGTYPE_TIMESTAMPTZ, 0, "", "\"1936-10-26T06:10:12Z\"", "1936-10-26 06:10:12+00");
    expect_text(PGTYPE_TIMESTAMPTZ, -1, "", "\"-4712-12-31T23:59:59.999999Z\"",
                "4713-12-31 23:59:59.999999+00 BC");
    expect_text(PGTYPE_TIMESTAMPTZ, -1, "", "\"0000-12-31T23:59:59.1Z\"", "0001-12-31 23:59:59.1+00 BC");
    expect_text(PGTYPE_TIMESTAMPTZ, -1, "", "\"+294276-12-31T23:59:59.999999Z\"",
                "294276-12-31 23:59:59.999999+00");
    expect_text(PGTYPE_TIMESTAMPTZ, -1, "", "\"infinity\"", "infinity");
    expect_text(PGTYPE_TIMESTAMPTZ, -1, "", "\"-infinity\"", "-infinity");
    expect_text(PGTYPE_TIMESTAMPTZ, -1, "", "\"2020-01-01T10:00:00+05:45\"", "2020-01-01 10:00:00+05:45");
    expect_refused(PGTYPE_TIMESTAMPTZ, -1, "", "\"2020-01-01T10:00:00\"");
    expect_refused(PGTYPE_TIMESTAMPTZ, -1, "", "\"2020-01-01T25:00:00Z\"");
    expect_refused(PGTYPE_TIMESTAMPTZ, -1, "", "\"+294277-01-01T00:00:00Z\"");
    expect_refused(PGTYPE_TIMESTAMPTZ, -1, "", "1478267490123456");
}

/* Parity cases 18 and 19. 458751 is the typmod of interval year to month. */
static void intervals(void **state)
{
    (void)state;
    expect_text(PGTYPE_INTERVAL, -1, "", "0", "00:00:00");
    expect_text(PGTYPE_INTERVAL, -1, TIME("MicroDuration"), "37091106780000", "10303:05:06.78");
    expect_text(PGTYPE_INTERVAL, -1, "", "-2543400500000", "-706:30:00.5");
    expect_text(PGTYPE_INTERVAL, -1, "", "-1", "-00:00:00.000001");
    expect_text(PGTYPE_INTERVAL, 458751, "", "36817200000000", "14 mons");
    expect_text(PGTYPE_INTERVAL, 458751, "", "-2629800000000", "-1 mons");
    expect_refused(PGTYPE_INTERVAL, 458751, "", "36817200000001");
    expect_refused(PGTYPE_INTERVAL, -1, "", "9223372036854775807"); /* saturated */
    expect_refused(PGTYPE_INTERVAL, -1, "", "-9223372036854775808");
    expect_text(PGTYPE_INTERVAL, -1, TIME("Interval"), "\"P0Y10M3DT-4H-5M-6.000001S\"",
                "P0Y10M3DT-4H-5M-6.000001S");
}

static void binary(void **state)
{
    (void)state;
    expect_text(PGTYPE_BYTEA, -1, "", "\"AQID\"", "\\x010203");
    expect_text(PGTYPE_BYTEA, -1, "\"type\":\"bytes\"", "\"//79AIB/\"", "\\xfffefd00807f");
    expect_text(PGTYPE_BYTEA, -1, "", "\"\"", "\\x");
    options.binary = BINARY_BASE64_URL_SAFE;
    expect_text(PGTYPE_BYTEA, -1, "", "\"__79AIB_\"", "\\xfffefd00807f");
    options.binary = BINARY_HEX;
    expect_text(PGTYPE_BYTEA, -1, "\"type\":\"string\"", "\"fffefd00807f\"", "\\xfffefd00807f");
    expect_text(PGTYPE_BYTEA, -1, "\"type\":\"bytes\"", "\"AQID\"", "\\x010203");
    expect_refused(PGTYPE_BYTEA, -1, "", "\"AQI\"");
    expect_refused(PGTYPE_BYTEA, -1, "", "\"0g\"");
    options.binary = BINARY_BYTES;
    expect_refused(PGTYPE_BYTEA, -1, "", "\"AQI\"");
}

/* Parity case 08. */
static void bits(void **state)
{
    (void)state;
    expect_text(PGTYPE_BIT, 1, "", "true", "1");
    expect_text(PGTYPE_VARBIT, 1, "", "false", "0");
    expect_text(PGTYPE_BIT, 2, "", "\"Aw==\"", "11");
    expect_text(PGTYPE_BIT, 7, NAMED("bytes", "io.debezium.data.Bits"), "\"QA==\"", "1000000");
    expect_text(PGTYPE_BIT, 8, "", "\"\"", "00000000");
    expect_text(PGTYPE_BIT, 64, "", "\"AAAAAAAAAIA=\"",
                "1000000000000000000000000000000000000000000000000000000000000000");
    expect_text(PGTYPE_BIT, 24, "", "\"AQID\"", "000000110000001000000001");
    expect_text(PGTYPE_VARBIT, 3, "", "\"BQ==\"", "101");
    expect_refused(PGTYPE_BIT, 2, "", "\"BA==\"");
    expect_refused(PGTYPE_BIT, 2, "", "true");
    expect_refused(PGTYPE_VARBIT, 24, "", "\"AQID\"");
    expect_refused(PGTYPE_VARBIT, -1, "", "\"\"");
    assert_non_null(strstr(err.text, "length of a varbit"));
}

#define INT4_ARRAY 1007
#define TEXT_ARRAY 1009
#define ITEMS(items) "\"type\":\"array\",\"items\":{" items "}"

/* Parity cases 28 and 30: what array_out prints. */
static void arrays(void **state)
{
    (void)state;
    expect_text(INT4_ARRAY, -1, "", "[1,null,3]", "{1,NULL,3}");
    expect_text(INT4_ARRAY, -1, "", "[]", "{}");
    expect_text(TEXT_ARRAY, -1, "", "[\"a\",\"b c\",\"d,e\",\"\",\"null\",null,\"{curly}\"]",
                "{a,\"b c\",\"d,e\",\"\",\"null\",NULL,\"{curly}\"}");
    expect_text(TEXT_ARRAY, -1, "", "[\"quote \\\" and \\\\ and \\n\"]", "{\"quote \\\" and \\\\ and \n\"}");
    expect_text(1000, -1, "", "[true,false]", "{t,f}");
    expect_text(1001, -1, "", "[\"AQI=\",\"\"]", "{\"\\\\x0102\",\"\\\\x\"}");
    expect_text(1182, -1, ITEMS("\"type\":\"int32\",\"name\":\"io.debezium.time.Date\""), "[18262,-1]",
                "{2020-01-01,1969-12-31}");
    expect_text(1115, 3, "", "[1577836862123]", "{\"2020-01-01 00:01:02.123\"}");
    expect_text(1231, NUMERIC(10, 2), "", "[null,\"ZA==\"]", "{NULL,1.00}");
    expect_text(1231, -1, ITEMS(DECIMAL("2")), "[\"eA==\",\"AVQ=\"]", "{1.20,3.40}");
    expect_text(1231, -1, "", "[{\"scale\":1,\"value\":\"Cw==\"}]", "{1.1}");
    assert_true(convert(99999, -1, "public.mood[]", "", "[\"sad\",\"com,ma\"]"));
    assert_string_equal(buf_text(&out), "{sad,\"com,ma\"}");
    expect_refused(INT4_ARRAY, -1, "", "[[1],[2]]");
    expect_refused(1000, -1, "", "[true,1]");
    expect_refused(1182, -1, "", "[18262,true]");
}

/* Parity cases 25 and 26. */
static void hstores(void **state)
{
    (void)state;
    static const char json[] =
        "\"{\\\"aa\\\":\\\"3\\\",\\\"q\\\\\\\"k\\\":\\\"v\\\\\\\\w\\\",\\\"c\\\":null}\"";
    static const char expected[] = "\"aa\"=>\"3\", \"q\\\"k\"=>\"v\\\\w\", \"c\"=>NULL";
    assert_true(convert(99999, -1, "hstore", "", json));
    assert_string_equal(buf_text(&out), expected);
    assert_true(convert(99999, -1, "public.hstore", "", "{\"aa\":\"3\",\"q\\\"k\":\"v\\\\w\",\"c\":null}"));
    assert_string_equal(buf_text(&out), expected);
    assert_true(convert(99999, -1, "hstore", "", "\"{}\""));
    assert_string_equal(buf_text(&out), "");
    assert_true(convert(99999, -1, "hstore[]", "", "[\"{\\\"a\\\":\\\"1\\\"}\",null]"));
    assert_string_equal(buf_text(&out), "{\"\\\"a\\\"=>\\\"1\\\"\",NULL}");
    assert_false(convert(99999, -1, "hstore", "", "\"no map\""));
    assert_false(convert(99999, -1, "hstore", "", "{\"a\":1}"));
    assert_true(convert(99999, -1, "myhstore", "", "\"{}\""));
    assert_string_equal(buf_text(&out), "{}");
}

/* Parity case 38: what Debezium puts where it does not know the value. */
static void placeholders_are_never_data(void **state)
{
    (void)state;
    static const char codes[] =
        "[95,95,100,101,98,101,122,105,117,109,95,117,110,97,118,97,105,108,97,98,108,101,95,"
        "118,97,108,117,101]";
    static const char base64[] = "\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"";
    expect_unchanged(PGTYPE_TEXT, "text", "", "\"" PLACEHOLDER "\"");
    expect_unchanged(PGTYPE_JSONB, "jsonb", NAMED("string", "io.debezium.data.Json"), "\"" PLACEHOLDER "\"");
    expect_unchanged(PGTYPE_BYTEA, "bytea", "", base64);
    expect_unchanged(99999, "ext", "\"type\":\"bytes\"", base64);
    expect_unchanged(TEXT_ARRAY, "text[]", "", "[\"" PLACEHOLDER "\"]");
    expect_unchanged(INT4_ARRAY, "integer[]", "", codes);
    expect_unchanged(1182, "date[]", "", codes);
    expect_unchanged(1001, "bytea[]", "", "[\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\"]");
    expect_unchanged(2951, "uuid[]", "", "[\"b68a35a7-17ad-35b3-af2a-ae46edb4545a\"]");
    expect_unchanged(99999, "hstore", "", "\"{\\\"" PLACEHOLDER "\\\":\\\"" PLACEHOLDER "\\\"}\"");
    expect_unchanged(99999, "hstore", "", "{\"" PLACEHOLDER "\":\"" PLACEHOLDER "\"}");
    options.binary = BINARY_HEX;
    expect_unchanged(PGTYPE_BYTEA, "bytea", "", "\"" PLACEHOLDER "\"");
    expect_text(PGTYPE_TEXT, -1, "", "\"" PLACEHOLDER "s\"", PLACEHOLDER "s");
    expect_text(TEXT_ARRAY, -1, "", "[\"" PLACEHOLDER "\",\"x\"]", "{" PLACEHOLDER ",x}");
}

/* Parity case 40. */
static void a_placeholder_in_hex_is_known_in_each_form(void **state)
{
    (void)state;
    options.unavailable_placeholder = slice_of("hex:00ff10");
    expect_unchanged(PGTYPE_TEXT, "text", "", "\"\\u0000\xEF\xBF\xBD\\u0010\"");
    expect_unchanged(PGTYPE_TEXT, "text", "", "\"hex:00ff10\"");
    expect_unchanged(PGTYPE_BYTEA, "bytea", "", "\"AP8Q\"");
    expect_unchanged(PGTYPE_BYTEA, "bytea", "", "\"aGV4OjAwZmYxMA==\"");
    expect_unchanged(INT4_ARRAY, "integer[]", "", "[0,-1,16]");
    expect_unchanged(2951, "uuid[]", "", "[\"481e4551-ec03-3aad-a760-901cf52b1917\"]");
    expect_unchanged(TEXT_ARRAY, "text[]", "", "[\"\\u0000\xEF\xBF\xBD\\u0010\"]");
    expect_text(INT4_ARRAY, -1, "", "[0,-1]", "{0,-1}");
    options.unavailable_placeholder = slice_of("");
    expect_text(PGTYPE_TEXT, -1, "", "\"\"", "");
    expect_text(INT4_ARRAY, -1, "", "[]", "{}");
}

static void a_field_marked_unchanged_is_no_data(void **state)
{
    (void)state;
    struct target_column column = {.name = SLICE_LITERAL("c"), .type_oid = PGTYPE_NUMERIC};
    struct field field = {.kind = FIELD_NULL, .unchanged = true};
    assert_true(pgvalue_append(&out, &field, &column, &options, &kind, &err));
    assert_int_equal(kind, VALUE_UNCHANGED);
}

static void an_exact_text_comes_before_what_the_event_shows(void **state)
{
    (void)state;
    struct target_column column = {.name = SLICE_LITERAL("c"), .type_oid = PGTYPE_NUMERIC};
    struct field field = {.kind = FIELD_NULL, .exact = SLICE_LITERAL("NaN")};
    assert_true(pgvalue_append(&out, &field, &column, &options, &kind, &err));
    assert_int_equal(kind, VALUE_TEXT);
    assert_string_equal(buf_text(&out), "NaN");
    field.exact = (struct slice){"a\0b", 3};
    assert_false(pgvalue_append(&out, &field, &column, &options, &kind, &err));
    assert_int_equal(err.code, ERR_TYPE);
}

static void a_full_buffer_is_a_limit(void **state)
{
    (void)state;
    struct target_column column = {.name = SLICE_LITERAL("c"), .type_oid = PGTYPE_BYTEA};
    struct buf small;
    buf_init(&small, 6);
    read_event("", "\"AQIDBA==\"");
    assert_false(pgvalue_append(&small, &change.after.fields[0], &column, &options, &kind, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    buf_release(&small);
}

/* Each text cut at every length, for every type that has a rule of its own. */
static void survives_a_cut_at_every_length(void **state)
{
    (void)state;
    static const char *const texts[] = {"+294276-12-31T23:59:59.999999+05:30", "13:51:30.123456Z",
                                        "AY7pD/bDc+DuTj8K0g==", "{\\\"a\\\":\\\"b\\\"}"};
    static const uint32_t types[] = {PGTYPE_DATE,      PGTYPE_TIME,        PGTYPE_TIMETZ,
                                     PGTYPE_TIMESTAMP, PGTYPE_TIMESTAMPTZ, PGTYPE_BYTEA,
                                     PGTYPE_MONEY,     PGTYPE_BIT,         PGTYPE_NUMERIC};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t len = 0; len <= strlen(texts[i]); len++) {
            char json[64];
            if (len > 0 && texts[i][len - 1] == '\\')
                continue;
            (void)snprintf(json, sizeof(json), "\"%.*s\"", (int)len, texts[i]);
            for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
                if (!convert(types[t], 20, "T", "", json))
                    assert_int_equal(err.code, ERR_TYPE);
            }
            if (!convert(99999, -1, "hstore", "", json))
                assert_int_equal(err.code, ERR_TYPE);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(null_is_null),
        TEST(plain_types_keep_their_text),
        TEST(kinds_that_do_not_suit_are_refused),
        TEST(decimals_by_schema),
        TEST(decimals_without_schema),
        TEST(broken_decimals_are_refused),
        TEST(a_negative_scale_comes_back),
        TEST(dates),
        TEST(times),
        TEST(timestamps),
        TEST(timestamps_with_zone),
        TEST(intervals),
        TEST(binary),
        TEST(bits),
        TEST(arrays),
        TEST(hstores),
        TEST(placeholders_are_never_data),
        TEST(a_placeholder_in_hex_is_known_in_each_form),
        TEST(a_field_marked_unchanged_is_no_data),
        TEST(an_exact_text_comes_before_what_the_event_shows),
        TEST(a_full_buffer_is_a_limit),
        TEST(survives_a_cut_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
