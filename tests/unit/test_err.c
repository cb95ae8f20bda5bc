#include "walferry/err.h"

#include "cmocka_all.h"

#include <string.h>

static void fills_code_action_and_text(void **state)
{
    (void)state;
    struct err err;
    memset(&err, 'x', sizeof(err));
    assert_false(err_set(&err, ERR_SLOT_BUSY, "slot \"%s\" is in use by pid %d", "s", 42));
    assert_int_equal(err.code, ERR_SLOT_BUSY);
    assert_int_equal(err.action, ERR_RETRY);
    assert_string_equal(err.text, "slot \"s\" is in use by pid 42");
    assert_string_equal(err.sqlstate, "");
}

/* A server's message may have several lines; the log's line has one. */
static void is_one_line(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_SQL, "ERROR:  a\nDETAIL:\tb\r");
    assert_string_equal(err.text, "ERROR:  a DETAIL: b ");
    (void)err_prefix(&err, "file\nname");
    assert_string_equal(err.text, "file name: ERROR:  a DETAIL: b ");
}

static void is_cut_at_its_size(void **state)
{
    (void)state;
    struct err err;
    char text[2000];
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)err_set(&err, ERR_SYSTEM, "%s", text);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_false(err_prefix(&err, "%s", "before"));
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "before: aaa", 11);
    assert_false(err_prefix(&err, "%s", text));
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_int_equal(err.code, ERR_SYSTEM);
}

static void prefixes_keep_code_and_sqlstate(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_SQL, "permission denied");
    memcpy(err.sqlstate, "42501", 6);
    (void)err_prefix(&err, "table %d", 7);
    assert_string_equal(err.text, "table 7: permission denied");
    assert_string_equal(err.sqlstate, "42501");
    assert_int_equal(err.code, ERR_SQL);
}

/* docs/ERRORS.md is made of these rows: each has a name of its own and a help. */
static void every_code_has_a_row(void **state)
{
    (void)state;
    for (int code = 0; code < ERR_CODE_COUNT; code++) {
        assert_true(strlen(err_code_name((enum err_code)code)) > 0);
        assert_true(strlen(err_code_help((enum err_code)code)) > 0);
        assert_true(err_code_action((enum err_code)code) <= ERR_USAGE);
        for (int other = 0; other < code; other++)
            assert_string_not_equal(err_code_name((enum err_code)code), err_code_name((enum err_code)other));
    }
}

static void exits_with_2_for_usage_only(void **state)
{
    (void)state;
    struct err err;
    (void)err_set(&err, ERR_CONFIG, "x");
    assert_int_equal(err_exit_code(&err), 2);
    (void)err_set(&err, ERR_PROTOCOL, "x");
    assert_int_equal(err_exit_code(&err), 1);
    (void)err_set(&err, ERR_CONNECT, "x");
    assert_int_equal(err_exit_code(&err), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_code_action_and_text), cmocka_unit_test(is_one_line),
        cmocka_unit_test(is_cut_at_its_size),         cmocka_unit_test(prefixes_keep_code_and_sqlstate),
        cmocka_unit_test(every_code_has_a_row),       cmocka_unit_test(exits_with_2_for_usage_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
