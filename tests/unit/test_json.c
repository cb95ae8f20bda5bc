/* Escapes as captured from Jackson (case 07_text), base64 vectors of RFC 4648. */
#include "walferry/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(struct buf *out, const char *expected)
{
    assert_string_equal(buf_text(out), expected);
    buf_clear(out);
}

static void strings(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"quote \" backslash \\ slash / nl \n cr \r tab \t bs \b ff \f",
         "\"quote \\\" backslash \\\\ slash / nl \\n cr \\r tab \\t bs \\b ff \\f\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001F\x7f\""},
        {"\xc2\x80\u00a0\u2028\ufeff", "\"\xc2\x80\u00a0\u2028\ufeff\""},
        {"žš 漢字 emoji 😀 combining é", "\"žš 漢字 emoji \\uD83D\\uDE00 combining é\""},
        {"\xf0\x9f\x98", "\"\xEF\xBF\xBD\x9f\x98\""},         /* cut in the middle: not UTF-8 */
        {"\xf6\xa0\x98\x9f", "\"\xEF\xBF\xBD\xa0\x98\x9f\""}, /* beyond U+10FFFF */
        {"\xf0\x80\x80\x80", "\"\xEF\xBF\xBD\x80\x80\x80\""}, /* overlong */
        {"\U0010ffff", "\"\\uDBFF\\uDFFF\""},
    };
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_append_string(&out, slice_of(cases[i].text));
        expect(&out, cases[i].json);
    }
    buf_release(&out);
}

/* One escape at each place of texts of each length: the eight-byte steps and what is left over. */
static void escape_at_each_place(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    for (size_t len = 1; len <= 40; len++) {
        for (size_t at = 0; at < len; at++) {
            char text[41], json[64];
            memset(text, 'a', len);
            text[at] = '\n';
            memset(json, 'a', len + 3);
            json[0] = json[len + 2] = '"';
            json[at + 1] = '\\';
            json[at + 2] = 'n';
            json[len + 3] = '\0';
            json_append_string(&out, (struct slice){text, len});
            expect(&out, json);
        }
    }
    buf_release(&out);
}

/* Bytes before and after a word with the high bit set must not look special. */
static void no_byte_but_the_special_ones_is_escaped(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    for (unsigned byte = 0x20; byte < 0xF0; byte++) {
        char text[16];
        memset(text, (int)byte, sizeof(text));
        json_append_escaped(&out, (struct slice){text, sizeof(text)});
        size_t expected = byte == '"' || byte == '\\' ? 2 * sizeof(text) : sizeof(text);
        assert_int_equal(out.len, expected);
        buf_clear(&out);
    }
    buf_release(&out);
}

static void overflow_is_sticky(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 32);
    json_append_string(&out, SLICE_LITERAL("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"));
    assert_true(out.overflowed);
    assert_true(out.len <= 32);
    buf_release(&out);
}

static void base64(void **state)
{
    static const char *const cases[][2] = {{"", "\"\""},
                                           {"f", "\"Zg==\""},
                                           {"fo", "\"Zm8=\""},
                                           {"foo", "\"Zm9v\""},
                                           {"foob", "\"Zm9vYg==\""},
                                           {"fooba", "\"Zm9vYmE=\""},
                                           {"foobar", "\"Zm9vYmFy\""}};
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_append_base64(&out, slice_of(cases[i][0]));
        expect(&out, cases[i][1]);
    }
    char text[8];
    *json_write_base64(text, SLICE_LITERAL("\xfb\xef\xbe"), false) = '\0';
    assert_string_equal(text, "++++");
    *json_write_base64(text, SLICE_LITERAL("\xff\xff\xff"), true) = '\0';
    assert_string_equal(text, "____");
    buf_release(&out);
}

static void integers(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {7, "7"},
                 {-1, "-1"},
                 {10, "10"},
                 {99, "99"},
                 {100, "100"},
                 {-12, "-12"},
                 {12345, "12345"},
                 {INT64_MAX, "9223372036854775807"},
                 {INT64_MIN, "-9223372036854775808"}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[JSON_INT_SIZE + 1];
        *json_write_int(text, cases[i].value) = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static void floats(void **state)
{
    static const char *const bad[] = {"", "x", "1x", "0x1p3", "nan", "inf", "1e999", "-", "1 ", " 1"};
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    assert_true(json_append_float(&out, SLICE_LITERAL("1e+10"), false));
    expect(&out, "1.0E10");
    assert_true(json_append_float(&out, SLICE_LITERAL("-Infinity"), true));
    expect(&out, "\"-Infinity\"");
    assert_true(json_append_float(&out, SLICE_LITERAL("NaN"), true));
    expect(&out, "\"NaN\"");
    assert_true(json_append_float(&out, SLICE_LITERAL("3.4028235e+38"), true));
    expect(&out, "3.4028235E38");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(json_append_float(&out, slice_of(bad[i]), false));
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings),
        cmocka_unit_test(escape_at_each_place),
        cmocka_unit_test(no_byte_but_the_special_ones_is_escaped),
        cmocka_unit_test(overflow_is_sticky),
        cmocka_unit_test(base64),
        cmocka_unit_test(integers),
        cmocka_unit_test(floats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
