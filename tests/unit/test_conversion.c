/* Values are those of captured events (tests/data/envelope has the bulk of them); here: which row of the
 * table is taken, what is lost, what is refused. */
#include "walferry/conversion.h"

#include "walferry/pgtype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define NUMERIC_10_2 (((10 << 16) | 2) + 4)

static struct conversion resolve(uint32_t oid, int32_t typmod, struct type_modes modes)
{
    struct conversion conversion;
    const struct column column = {.type_oid = oid, .base_oid = oid, .typmod = typmod, .base_typmod = typmod};
    assert_true(conversion_resolve(&conversion, &column, &modes));
    return conversion;
}

static enum converted convert(const struct conversion *conversion, const char *text, struct buf *out)
{
    buf_clear(out);
    assert_non_null(buf_reserve(out, strlen(text) + CONVERT_ROOM));
    return conversion->convert(out, slice_of(text), conversion);
}

static const struct {
    uint32_t oid;
    int32_t typmod;
    struct type_modes modes;
    const char *text, *json;
    enum converted converted;
} value_cases[] = {
    {PGTYPE_NUMERIC, NUMERIC_10_2, {.decimal = DECIMAL_PRECISE}, "1.10", "\"bg==\"", CONVERTED},
    {PGTYPE_NUMERIC, NUMERIC_10_2, {.decimal = DECIMAL_PRECISE}, "NaN", "null", CONVERTED_LOST},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_PRECISE}, "Infinity", "null", CONVERTED_LOST},
    {PGTYPE_NUMERIC,
     -1,
     {.decimal = DECIMAL_PRECISE},
     "1.0",
     "{\"scale\":0,\"value\":\"AQ==\"}",
     CONVERTED_LOST},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_PRECISE}, "10", "{\"scale\":0,\"value\":\"Cg==\"}", CONVERTED},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_STRING}, "10.50", "\"10.50\"", CONVERTED},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_DOUBLE}, "10.5", "10.5", CONVERTED},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_DOUBLE}, "10.50", "10.5", CONVERTED_LOST},
    {PGTYPE_NUMERIC, NUMERIC_10_2, {.decimal = DECIMAL_DOUBLE}, "10.50", "10.5", CONVERTED},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_DOUBLE}, "NaN", "\"NaN\"", CONVERTED},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_STRING}, "NaN", "\"NAN\"", CONVERTED},
    {PGTYPE_NUMERIC, -1, {.decimal = DECIMAL_STRING}, "-Infinity", "\"NEGATIVE_INFINITY\"", CONVERTED},
    {PGTYPE_NUMERIC,
     -1,
     {.decimal = DECIMAL_DOUBLE},
     "0.1000000000000000055511151231257827021181583404541015625000000000000001",
     "0.1",
     CONVERTED_LOST},
    {PGTYPE_MONEY, -1, {.decimal = DECIMAL_PRECISE}, "-$1,234.11", "\"/h3t\"", CONVERTED},
    {PGTYPE_TIME, 3, {.time = TIME_ADAPTIVE}, "13:51:30.123", "49890123", CONVERTED},
    {PGTYPE_TIME, -1, {.time = TIME_ADAPTIVE}, "24:00:00", "86400000000", CONVERTED},
    {PGTYPE_TIME, -1, {.time = TIME_ISOSTRING}, "24:00:00", "\"00:00:00Z\"", CONVERTED_LOST},
    {PGTYPE_TIMETZ,
     -1,
     {.time = TIME_ADAPTIVE},
     "13:51:30.123789+02",
     "\"11:51:30.123789Z\"",
     CONVERTED_LOST},
    {PGTYPE_TIMETZ, -1, {.time = TIME_ADAPTIVE}, "11:51:30+00", "\"11:51:30Z\"", CONVERTED},
    {PGTYPE_TIMESTAMPTZ,
     0,
     {.time = TIME_ADAPTIVE},
     "2020-01-01 00:00:00+00",
     "\"2020-01-01T00:00:00Z\"",
     CONVERTED},
    {PGTYPE_TIMESTAMPTZ,
     -1,
     {.time = TIME_CONNECT},
     "2019-12-31 23:30:00-01",
     "\"2020-01-01T00:30:00.000000Z\"",
     CONVERTED},
    {PGTYPE_TIMESTAMP,
     -1,
     {.time = TIME_MICROSECONDS},
     "294276-12-31 23:59:59.999999",
     "-9223372036853775810",
     CONVERTED_LOST},
    {PGTYPE_TIMESTAMP, -1, {.time = TIME_NANOSECONDS}, "1582-10-10 12:00:00", "null", CONVERTED_LOST},
    {PGTYPE_INTERVAL, -1, {.interval = INTERVAL_NUMERIC}, "04:05:06", "14706000000", CONVERTED},
    {PGTYPE_INTERVAL, -1, {.interval = INTERVAL_NUMERIC}, "1 mon", "2629800000000", CONVERTED_LOST},
    {PGTYPE_INTERVAL, -1, {.interval = INTERVAL_STRING}, "1 mon", "\"P0Y1M0DT0H0M0S\"", CONVERTED},
    {PGTYPE_VARBIT, -1, {.binary = BINARY_BYTES}, "101", "\"BQ==\"", CONVERTED_LOST},
    {PGTYPE_VARBIT, 3, {.binary = BINARY_BYTES}, "101", "\"BQ==\"", CONVERTED},
    {PGTYPE_VARBIT, 3, {.binary = BINARY_BYTES}, "001", "\"AQ==\"", CONVERTED_LOST},
    {PGTYPE_TIME, -1, {.time = TIME_CONNECT}, "13:51:30.123456", "49890123", CONVERTED_LOST},
    {PGTYPE_TIMESTAMP, 3, {.time = TIME_CONNECT}, "2016-11-04 13:51:30.124", "1478267490124", CONVERTED},
    {PGTYPE_VARBIT, -1, {.binary = BINARY_BYTES}, "0101", "\"BQ==\"", CONVERTED_LOST},
    {PGTYPE_BIT, 4, {.binary = BINARY_BYTES}, "0101", "\"BQ==\"", CONVERTED},
    {PGTYPE_VARBIT, 1, {.binary = BINARY_BYTES}, "", "null", CONVERTED_LOST},
    {PGTYPE_BYTEA, -1, {.binary = BINARY_BASE64_URL_SAFE}, "\\xfbefbe", "\"----\"", CONVERTED},
    {PGTYPE_BYTEA, -1, {.binary = BINARY_HEX}, "\\xfbefbe", "\"fbefbe\"", CONVERTED},
};

static void values(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(value_cases) / sizeof(value_cases[0]); i++) {
        struct conversion conversion =
            resolve(value_cases[i].oid, value_cases[i].typmod, value_cases[i].modes);
        assert_int_equal(convert(&conversion, value_cases[i].text, &out), value_cases[i].converted);
        assert_string_equal(buf_text(&out), value_cases[i].json);
    }
    buf_release(&out);
}

#define INT4_ARRAY 1007
#define TEXT_ARRAY 1009
#define TIME_ARRAY 1183
#define NUMERIC_ARRAY 1231

/* Shapes of case 29; what Debezium shows of several dimensions is an accident of Java, here it is null. */
static void arrays(void **state)
{
    static const struct {
        uint32_t oid;
        const char *text, *json;
        enum converted converted;
    } cases[] = {
        {INT4_ARRAY, "{}", "[]", CONVERTED},
        {INT4_ARRAY, "{1,NULL,-3}", "[1,null,-3]", CONVERTED},
        {INT4_ARRAY, "[2:4]={1,2,3}", "[1,2,3]", CONVERTED_LOST},
        {INT4_ARRAY, "{{1,2},{3,4},{5,6}}", "[null,null,null]", CONVERTED_LOST},
        {TEXT_ARRAY, "{a,\"b c\",\"d,e\",\"NULL\",NULL,\"\"}", "[\"a\",\"b c\",\"d,e\",\"NULL\",null,\"\"]",
         CONVERTED},
        {TEXT_ARRAY, "{\"quote \\\" and \\\\ and \n\"}", "[\"quote \\\" and \\\\ and \\n\"]", CONVERTED},
        {TEXT_ARRAY, "{{\"}},{\",b},{c,d}}", "[null,null]", CONVERTED_LOST},
        {TIME_ARRAY, "{01:02:03.5,24:00:00}", "[3723500000,0]", CONVERTED_LOST},
        {NUMERIC_ARRAY, "{1.1,NULL}", "[{\"scale\":1,\"value\":\"Cw==\"},null]", CONVERTED},
        {NUMERIC_ARRAY, "{NaN,1}", "null", CONVERTED_LOST},
    };
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conversion conversion = resolve(cases[i].oid, -1, (struct type_modes){0});
        assert_int_equal(convert(&conversion, cases[i].text, &out), cases[i].converted);
        assert_string_equal(buf_text(&out), cases[i].json);
    }
    buf_release(&out);
}

/* Longer than the converter's own copy. */
static void long_array_element(void **state)
{
    static char text[3000], json[3000];
    (void)state;
    struct buf out;
    struct conversion conversion = resolve(TEXT_ARRAY, -1, (struct type_modes){0});
    buf_init(&out, 16384);
    memset(text, 'x', 2000);
    memcpy(text, "{\"\\\"", 4);
    memcpy(text + 2000, "\"}", 3);
    memset(json, 'x', 2000);
    memcpy(json, "[\"\\\"", 4);
    memcpy(json + 2000, "\"]", 3);
    assert_int_equal(convert(&conversion, text, &out), CONVERTED);
    assert_string_equal(buf_text(&out), json);
    buf_release(&out);
}

static void array_cut_at_each_length(void **state)
{
    static const char *const texts[] = {"[0:1]={\"a \\\" b\",NULL}", "{{1,2},{3,4}}", "{\"x\",y}"};
    (void)state;
    struct buf out;
    struct conversion conversion = resolve(TEXT_ARRAY, -1, (struct type_modes){0});
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            char *copy = malloc(len + 1); /* of its own, so that reading past it is seen */
            assert_non_null(copy);
            memcpy(copy, texts[i], len);
            buf_clear(&out);
            assert_non_null(buf_reserve(&out, len + CONVERT_ROOM));
            enum converted converted = conversion.convert(&out, (struct slice){copy, len}, &conversion);
            free(copy);
            assert_int_equal(converted, CONVERTED_BAD);
        }
    }
    buf_release(&out);
}

static void refused(void **state)
{
    static const struct {
        uint32_t oid;
        const char *text;
    } cases[] = {
        {PGTYPE_BOOL, "yes"},
        {PGTYPE_INT4, "1,5"},
        {PGTYPE_INT4, ""},
        {PGTYPE_INT4, "00"},
        {PGTYPE_INT4, "-01"},
        {PGTYPE_INT8, "-"},
        {PGTYPE_INT8, "123456789012345678901"},
        {PGTYPE_FLOAT8, "nan"},
        {PGTYPE_NUMERIC, "1e5"},
        {PGTYPE_MONEY, "1.234,11 €"},
        {PGTYPE_BYTEA, "\\xABC"},
        {PGTYPE_BYTEA, "abc"},
        {PGTYPE_BYTEA, "\\x0G"},
        {PGTYPE_BIT, "12"},
        {PGTYPE_DATE, "04/11/2016"},
        {PGTYPE_TIME, "12:00:00+00"},
        {PGTYPE_TIMETZ, "12:00:00"},
        {PGTYPE_TIMESTAMP, "2016-11-04"},
        {PGTYPE_TIMESTAMPTZ, "2016-11-04 12:00:00"},
        {PGTYPE_INTERVAL, "P1D"},
    };
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct conversion conversion = resolve(cases[i].oid, -1, (struct type_modes){0});
        assert_int_equal(convert(&conversion, cases[i].text, &out), CONVERTED_BAD);
    }
    buf_release(&out);
}

static void schemas(void **state)
{
    (void)state;
    struct buf out;
    struct conversion conversion;
    const struct column domain = {
        .type_oid = 70000, .base_oid = PGTYPE_NUMERIC, .typmod = -1, .base_typmod = NUMERIC_10_2};
    const struct column mood = {.type_oid = 70001, .base_oid = 70001, .labels = SLICE_LITERAL("sad,o\"k")};
    const struct column citext = {.type_oid = 70002, .base_oid = 70002, .type_name = SLICE_LITERAL("citext")};
    const struct column point = {.type_oid = 600, .base_oid = 600, .type_name = SLICE_LITERAL("point")};
    const struct column enum_name = {
        .type_oid = 70003, .base_oid = 70003, .type_name = SLICE_LITERAL("enum")};
    const struct type_modes modes = {0};
    buf_init(&out, 4096);
    assert_true(conversion_resolve(&conversion, &domain, &modes));
    conversion_append_schema(&out, &conversion, true, SLICE_LITERAL("\"bg==\""));
    assert_string_equal(buf_text(&out),
                        "\"type\":\"bytes\",\"optional\":true,"
                        "\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,"
                        "\"parameters\":{\"scale\":\"2\",\"connect.decimal.precision\":\"10\"},"
                        "\"default\":\"bg==\"");
    buf_clear(&out);
    assert_true(conversion_resolve(&conversion, &mood, &modes));
    conversion_append_schema(&out, &conversion, false, SLICE_NONE);
    assert_string_equal(buf_text(&out),
                        "\"type\":\"string\",\"optional\":false,\"name\":\"io.debezium.data.Enum\","
                        "\"version\":1,\"parameters\":{\"allowed\":\"sad,o\\\"k\"}");
    assert_true(conversion_resolve(&conversion, &citext, &modes));
    assert_true(conversion_is_plain_text(&conversion));
    assert_false(conversion_resolve(&conversion, &point, &modes));
    assert_false(conversion_resolve(&conversion, &enum_name, &modes)); /* a type that is only called so */
    buf_release(&out);
}

static void expect_default(struct column column, const char *expression, const char *json)
{
    struct buf out;
    struct conversion conversion;
    const struct type_modes modes = {0};
    buf_init(&out, 4096);
    column.default_expression = slice_of(expression);
    assert_true(conversion_resolve(&conversion, &column, &modes));
    assert_int_equal(conversion_append_default(&out, &conversion, &column), json != NULL);
    assert_string_equal(buf_text(&out), json != NULL ? json : "");
    buf_release(&out);
}

/* Captured in case 31; the ones without a default are left out there as well. */
static void defaults(void **state)
{
    const struct column int4 = {.type_oid = PGTYPE_INT4, .base_oid = PGTYPE_INT4, .typmod = -1};
    const struct column text = {.type_oid = PGTYPE_TEXT, .base_oid = PGTYPE_TEXT, .typmod = -1};
    const struct column date = {.type_oid = PGTYPE_DATE, .base_oid = PGTYPE_DATE, .typmod = -1};
    const struct column domain = {
        .type_oid = 70000, .base_oid = PGTYPE_INT4, .typmod = -1, .base_typmod = -1};
    (void)state;
    expect_default(int4, "'-5'::integer", "-5");
    expect_default(int4, "nextval('seq'::regclass)", "0");
    expect_default(int4, "(1 + 2)", NULL);
    expect_default(int4, "NULL::integer", NULL);
    expect_default(text, "'it''s'::text", "\"it\"");
    expect_default(text, "upper('x'::text)", "\"\"");
    expect_default(text, "CURRENT_USER", "\"CURRENT_USER\"");
    expect_default(text, "('a'::text || 'b'::text)", "\"a\"");
    expect_default(date, "CURRENT_DATE", "0");
    expect_default(date, "'2020-02-29'::date", "18321");
    expect_default(date, "'infinity'::date", NULL); /* ours: Debezium shows a wrong number */
    expect_default(domain, "42", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(arrays),
        cmocka_unit_test(long_array_element),
        cmocka_unit_test(array_cut_at_each_length),
        cmocka_unit_test(refused),
        cmocka_unit_test(schemas),
        cmocka_unit_test(defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
