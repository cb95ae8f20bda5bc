/* Vectors of Debezium's own tests and captures, and of Python's int.to_bytes for the long ones. */
#include "walferry/numeric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void decimals(void **state)
{
    static const struct {
        const char *text;
        int32_t scale;
        const char *json;
    } cases[] = {
        {"1.10", 2, "\"bg==\""},
        {"3.30", 2, "\"AUo=\""},
        {"22.2200", 4, "\"A2P4\""},
        {"22.2222", 4, "\"A2QO\""},
        {"1234.11", 2, "\"AeIT\""},
        {"-1234.11", 2, "\"/h3t\""},
        {"0.00", 2, "\"AA==\""},
        {"-0.01", 2, "\"/w==\""},
        {"127", 0, "\"fw==\""},
        {"128", 0, "\"AIA=\""},
        {"-128", 0, "\"gA==\""},
        {"-129", 0, "\"/38=\""},
        {"255", 0, "\"AP8=\""},
        {"-256", 0, "\"/wA=\""},
        {"1", 3, "\"A+g=\""}, /* padded to the scale */
        {"92233720368547758.07", 2, "\"f/////////8=\""},
        {"-92233720368547758.08", 2, "\"gAAAAAAAAAA=\""},
        {"123456789012345678901234567890", 0, "\"AY7pD/bDc+DuTj8K0g==\""},
        {"340282366920938463463374607431768211456", 0, "\"AQAAAAAAAAAAAAAAAAAAAAA=\""}, /* 2^128 */
        {"-340282366920938463463374607431768211456", 0, "\"/wAAAAAAAAAAAAAAAAAAAAA=\""},
        {"-170141183460469231731687303715884105728", 0, "\"gAAAAAAAAAAAAAAAAAAAAA==\""}, /* -2^127 */
    };
    (void)state;
    struct buf out;
    struct numeric numeric;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(numeric_parse(slice_of(cases[i].text), &numeric));
        assert_true(numeric_append_decimal(&out, &numeric, cases[i].scale));
        assert_string_equal(buf_text(&out), cases[i].json);
        buf_clear(&out);
    }
    assert_true(numeric_parse(SLICE_LITERAL("1.234"), &numeric));
    assert_false(numeric_append_decimal(&out, &numeric, 2)); /* never rounded */
    buf_release(&out);
}

static void variable_scale(void **state)
{
    static const char *const cases[][2] = {
        {"10.1111", "{\"scale\":4,\"value\":\"AYr3\"}"},
        {"10", "{\"scale\":0,\"value\":\"Cg==\"}"},
        {"0.000", "{\"scale\":0,\"value\":\"AA==\"}"},
        {"22.22000", "{\"scale\":2,\"value\":\"CK4=\"}"},
        {"100", "{\"scale\":0,\"value\":\"ZA==\"}"},
        {"0.00000000000000000001", "{\"scale\":20,\"value\":\"AQ==\"}"},
    };
    (void)state;
    struct buf out;
    struct numeric numeric;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(numeric_parse(slice_of(cases[i][0]), &numeric));
        numeric_append_variable(&out, &numeric);
        assert_string_equal(buf_text(&out), cases[i][1]);
        buf_clear(&out);
    }
    buf_release(&out);
}

static void plain(void **state)
{
    (void)state;
    struct buf out;
    struct numeric numeric;
    buf_init(&out, 4096);
    assert_true(numeric_parse(SLICE_LITERAL("-1.5"), &numeric));
    numeric_append_plain(&out, &numeric, 3);
    assert_string_equal(buf_text(&out), "-1.500");
    buf_clear(&out);
    assert_true(numeric_parse(SLICE_LITERAL("7"), &numeric));
    numeric_append_plain(&out, &numeric, -1);
    assert_string_equal(buf_text(&out), "7");
    buf_release(&out);
}

static void not_numeric(void **state)
{
    static const char *const bad[] = {"",   "-",     ".",   "1.",        ".5",  "1e5",
                                      "+1", "1.2.3", "nan", "Infinity ", "--1", "1,5"};
    (void)state;
    struct numeric numeric;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(numeric_parse(slice_of(bad[i]), &numeric));
    assert_true(numeric_parse(SLICE_LITERAL("NaN"), &numeric));
    assert_int_equal(numeric.kind, NUMERIC_NAN);
    assert_true(numeric_parse(SLICE_LITERAL("-Infinity"), &numeric));
    assert_int_equal(numeric.kind, NUMERIC_MINUS_INFINITY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),
        cmocka_unit_test(variable_scale),
        cmocka_unit_test(plain),
        cmocka_unit_test(not_numeric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
