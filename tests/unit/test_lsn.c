#include "walferry/lsn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Texts as pg_lsn prints them; numbers by pg_lsn - '0/0'. */
static const struct {
    const char *text;
    lsn_t lsn;
} known[] = {
    {"0/0", 0},
    {"0/1", 1},
    {"16/B374D848", 97500059720},
    {"1/ABCD", 4295011277},
    {"FFFFFFFF/FFFFFFFF", UINT64_MAX},
    {"0/FFFFFFFF", UINT32_MAX},
    {"1/0", UINT64_C(1) << 32},
};

static void formats_as_postgresql(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        char text[LSN_TEXT_SIZE];
        assert_ptr_equal(lsn_format(known[i].lsn, text), text);
        assert_string_equal(text, known[i].text);
    }
}

static void parses_what_it_formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        lsn_t lsn = 42;
        assert_true(lsn_parse(slice_of(known[i].text), &lsn));
        assert_int_equal(lsn, known[i].lsn);
    }
    lsn_t lsn = 0;
    assert_true(lsn_parse(SLICE_LITERAL("16/b374d848"), &lsn));
    assert_int_equal(lsn, 97500059720);
    assert_true(lsn_parse(SLICE_LITERAL("00000016/0B374D84"), &lsn));
    assert_int_equal(lsn, UINT64_C(0x160B374D84));
}

static void refuses_anything_else(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     "/",     "1",           "1/",          "/1",   "1//1",
                                        "1/1/", "1/1 ",  " 1/1",        "+1/1",        "-1/1", "0x1/1",
                                        "g/1",  "1/1/1", "123456789/1", "1/123456789", "1 /1", "1/:"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        lsn_t lsn = 42;
        assert_false(lsn_parse(slice_of(wrong[i]), &lsn));
        assert_int_equal(lsn, 42);
    }
    lsn_t lsn = 42;
    assert_false(lsn_parse(SLICE_NONE, &lsn));
    assert_false(lsn_parse((struct slice){"1/1\0", 4}, &lsn));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_postgresql),
        cmocka_unit_test(parses_what_it_formats),
        cmocka_unit_test(refuses_anything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
