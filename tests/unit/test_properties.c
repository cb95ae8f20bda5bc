#include "walferry/properties.h"

#include <stdlib.h>

#include "cmocka_all.h"

/* Expected values are what java.util.Properties (OpenJDK 17) makes of the same text. Bytes, not C strings,
 * are compared; `line` is of the last entry. */
static const struct {
    const char *text;
    const char *entries; /* key|value; in the order of the text */
    unsigned line;
} readable[] = {
    {"", "", 0},
    {"\n \t\r\n\r", "", 0},
    {"a=b", "a|b;", 1},
    {"a = b\r\nc:d\re f\n", "a|b;c|d;e|f;", 3},
    {"a\\=b=c", "a=b|c;", 1},
    {"a\\ b c", "a b|c;", 1},
    {"  # no\n! no\nx=#y\n", "x|#y;", 3},
    {"a=b\\\n   c", "a|bc;", 1},
    {"a=b\\\\\nc=d", "a|b\\;c|d;", 2},
    {"a=b\\\n\nc=d", "a|b;c|d;", 3},
    {"a=b\\\n#c\n", "a|b#c;", 1},
    {"#x\\\nc=d", "c|d;", 2},
    {"a", "a|;", 1},
    {"a=", "a|;", 1},
    {"=v", "|v;", 1},
    {"a==b", "a|=b;", 1},
    {"a: =b", "a|=b;", 1},
    {"a   =   b  ", "a|b  ;", 1},
    {"a=\\t\\n\\r\\f\\q\\\"\\u0041", "a|\t\n\r\fq\"A;", 1},
    {"a=\\ud83d\\ude00", "a|\xF0\x9F\x98\x80;", 1},
    {"k\\u00e9y=\\u20AC", "k\xC3\xA9y|\xE2\x82\xAC;", 1},
    {"a=\xC3\xA9", "a|\xC3\xA9;", 1}, /* Java would read Latin-1 here */
    {"a\\:b\\\\=c", "a:b\\|c;", 1},
    {"\\\n\\\nx=y", "x|y;", 3},
    {"a=b\\", "a|b;", 1},
    {"a\\", "a|;", 1},
    {"\\#a=b", "#a|b;", 1},
    {"a=b\\\r\n\tc\nd=e", "a|bc;d|e;", 3},
    {"a\fb", "a|b;", 1},
    {"a\t:\t\tb", "a|b;", 1},
    {"a\\\n=b", "a|b;", 1},
    {"a=\\\\\\\nb", "a|\\b;", 1},
    {"${x}=${file:/a:b}", "${x}|${file:/a:b};", 1},
};

/* Reads all entries into `out`; returns what ended it. */
static enum properties_result read_all(struct slice text, struct buf *out, unsigned *line, struct err *err)
{
    struct properties_reader reader;
    enum properties_result result;
    properties_reader_init(&reader, text);
    buf_clear(out);
    while ((result = properties_read(&reader, err)) == PROPERTIES_ENTRY) {
        buf_append_slice(out, buf_slice(&reader.key));
        buf_append_char(out, '|');
        buf_append_slice(out, buf_slice(&reader.value));
        buf_append_char(out, ';');
    }
    *line = reader.line;
    properties_reader_release(&reader);
    return result;
}

static void reads_what_java_reads(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++) {
        unsigned line;
        struct err err;
        assert_int_equal(read_all(slice_of(readable[i].text), &out, &line, &err), PROPERTIES_END);
        assert_string_equal(buf_text(&out), readable[i].entries);
        assert_int_equal(line, readable[i].line);
    }
    buf_release(&out);
}

static void refuses_broken_unicode_escapes(void **state)
{
    (void)state;
    static const char *const broken[] = {"\na=\\u",       "\na=\\u12",           "\na=\\u12g4",
                                         "\na=\\u0000",   "\na=\\ud83d",         "\na=\\ude00",
                                         "\na=\\ud83dxx", "\na=\\ud83d\\u0041x", "\n\\u=a"};
    struct buf out;
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        unsigned line;
        struct err err;
        assert_int_equal(read_all(slice_of(broken[i]), &out, &line, &err), PROPERTIES_ERROR);
        assert_int_equal(err.code, ERR_CONFIG);
        assert_non_null(strstr(err.text, "line 2"));
    }
    buf_release(&out);
}

/* Each prefix is copied to memory of its own size, so that a sanitizer sees a byte read too far. */
static void survives_a_cut_at_every_length(void **state)
{
    (void)state;
    static const char text[] = "# c\na\\u00e9 = b\\\r\n  c\\ud83d\\ude00\\t\n! \\\nd\\=:e\\\\\n=x\\";
    struct buf out;
    buf_init(&out, 1000);
    for (size_t len = 0; len <= sizeof(text) - 1; len++) {
        char *copy = malloc(len > 0 ? len : 1);
        memcpy(copy, text, len);
        unsigned line;
        struct err err;
        enum properties_result result = read_all((struct slice){copy, len}, &out, &line, &err);
        assert_true(result == PROPERTIES_END || err.code == ERR_CONFIG);
        free(copy);
    }
    assert_string_equal(buf_text(&out), "a\xC3\xA9|bc\xF0\x9F\x98\x80\t;d=|e\\;|x;");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_java_reads),
        cmocka_unit_test(refuses_broken_unicode_escapes),
        cmocka_unit_test(survives_a_cut_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
