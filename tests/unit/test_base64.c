#include "walferry/base64.h"

#include "cmocka_all.h"

#include <stdlib.h>

/* RFC 4648, section 10; the bytes fb ff bf differ in the two alphabets (section 5). */
static const struct {
    const char *text, *bytes;
} vectors[] = {
    {"", ""},
    {"Zg==", "f"},
    {"Zm8=", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg==", "foob"},
    {"Zm9vYmE=", "fooba"},
    {"Zm9vYmFy", "foobar"},
    {"+/+/", "\xFB\xFF\xBF"},
    {"-_-_", "\xFB\xFF\xBF"},
};

static void decodes(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 100);
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        buf_clear(&out);
        buf_append_char(&out, '>');
        assert_true(base64_append_decoded(&out, slice_of(vectors[i].text)));
        assert_string_equal(buf_text(&out) + 1, vectors[i].bytes);
    }
    buf_release(&out);
}

static void refuses_what_is_no_base64(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zm9v=", "Zg==Zg==", "Zm 9", "Zh==", "Zm9=", "Zm9\n"};
    struct buf out;
    buf_init(&out, 100);
    buf_append_char(&out, '>');
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(base64_append_decoded(&out, slice_of(bad[i])));
        assert_int_equal(out.len, 1);
    }
    buf_release(&out);
}

static void survives_a_cut_at_every_length(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 100);
    for (size_t len = 0; len <= 8; len++) {
        char *cut = malloc(len + 1);
        memcpy(cut, "Zm9vYmE=", len);
        buf_clear(&out);
        assert_int_equal(base64_append_decoded(&out, (struct slice){cut, len}), len % 4 == 0);
        free(cut);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(refuses_what_is_no_base64),
        cmocka_unit_test(survives_a_cut_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
