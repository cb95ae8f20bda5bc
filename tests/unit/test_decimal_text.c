#include "walferry/decimal_text.h"

#include "cmocka_all.h"

#include <stdlib.h>

/* Made with Python's int.to_bytes(signed=True) and string arithmetic. */
static const struct {
    const char *bytes;
    size_t len;
    int32_t scale;
    const char *text;
} vectors[] = {
    {"\x00", 1, 0, "0"},
    {"\x00", 1, 3, "0.000"},
    {"\x01", 1, 0, "1"},
    {"\xFF", 1, 0, "-1"},
    {"\x7F", 1, 0, "127"},
    {"\x00\x80", 2, 0, "128"},
    {"\x80", 1, 0, "-128"},
    {"\xFF\x7F", 2, 0, "-129"},
    {"\x00\xFF", 2, 2, "2.55"},
    {"\xFF\x00", 2, 1, "-25.6"},
    {"\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8, 0, "9223372036854775807"},
    {"\x80\x00\x00\x00\x00\x00\x00\x00", 8, 0, "-9223372036854775808"},
    {"\x00\x80\x00\x00\x00\x00\x00\x00\x00", 9, 0, "9223372036854775808"},
    {"\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9, 2, "-92233720368547758.09"},
    {"\x01\x00\x00\x00\x00\x00\x00\x00\x00", 9, 5, "184467440737095.51616"},
    {"\x3B\x9A\xCA\x00", 4, 0, "1000000000"},
    {"\x0D\xE0\xB6\xB3\xA7\x64\x00\x00", 8, 9, "1000000000.000000000"},
    {"\x03\x3B\x2E\x3C\x9F\xD0\x80\x3C\xE8\x00\x00\x00", 12, 30, "0.001000000000000000000000000000"},
    {"\xFF\x3F\x68\x31\x84\x36\xF8\xEA\x4C\xB4\x60\xF0\x00\x00\x00\x00", 16, 0,
     "-1000000000000000000000000000000000000"},
    {"\x5C\xE0\xE9\xA5\x60\x15\xFE\xC5\xAA\xDF\xA3\x28\xAE\x39\x81\x15", 16, 20,
     "1234567890123456789.01234567890123456789"},
    {"\xAD\x48\x2D\x23\x37\xF3\x2D\x1C\x00\x00\x01", 11, 26, "-0.99999999999999999999999999"},
    {"\x05", 1, -3, "5000"},
    {"\x00", 1, -3, "0"},
    {"\xF4", 1, -1, "-120"},
};

static void prints(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 200);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        buf_clear(&out);
        buf_append_char(&out, '9');
        assert_true(decimal_append(&out, (struct slice){vectors[i].bytes, vectors[i].len}, vectors[i].scale));
        assert_string_equal(buf_text(&out) + 1, vectors[i].text);
    }
    buf_release(&out);
}

/* Bytes that say no more than the ones behind them do not change the number. */
static void takes_leading_sign_bytes(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 200);
    assert_true(decimal_append(&out, (struct slice){"\0\0\0\0\0\0\0\0\0\x01", 10}, 0));
    assert_true(decimal_append(&out, (struct slice){"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10}, 0));
    assert_true(decimal_append(&out, (struct slice){"\0\0\0\0\0\0\0\0\0\0", 10}, 1));
    assert_string_equal(buf_text(&out), "1-10.0");
    buf_release(&out);
}

static void prints_the_longest(void **state)
{
    (void)state;
    char *bytes = malloc(DECIMAL_BYTES_MAX + 1);
    memset(bytes, 0x7F, DECIMAL_BYTES_MAX + 1);
    struct buf out;
    buf_init(&out, 200000);
    assert_true(decimal_append(&out, (struct slice){bytes, DECIMAL_BYTES_MAX}, DECIMAL_SCALE_MAX));
    /* floor(log10(0x7F7F… of 61300 bytes)) + 1 digits and the point, by Python. */
    assert_int_equal(out.len, 147626);
    assert_false(decimal_append(&out, (struct slice){bytes, DECIMAL_BYTES_MAX + 1}, 0));
    buf_release(&out);
    free(bytes);
}

static void refuses_what_is_no_decimal(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 200);
    assert_false(decimal_append(&out, (struct slice){"", 0}, 0));
    assert_false(decimal_append(&out, (struct slice){"\x01", 1}, DECIMAL_SCALE_MAX + 1));
    assert_false(decimal_append(&out, (struct slice){"\x01", 1}, INT32_MIN));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints),
        cmocka_unit_test(takes_leading_sign_bytes),
        cmocka_unit_test(prints_the_longest),
        cmocka_unit_test(refuses_what_is_no_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
