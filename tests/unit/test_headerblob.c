#include "walferry/headerblob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Written by hand from the layout in headerblob.h. */
static const char golden[] = "\0\0\0\2id\0\0\0\3abc"     /* a value */
                             "\0\0\0\1n\xFF\xFF\xFF\xFF" /* null */
                             "\0\0\0\1e\0\0\0\0"         /* empty, not null */
                             "\0\0\0\2id\0\0\0\1\0";     /* a name again, a zero byte */
static const struct header headers[] = {
    {{"id", 2}, {"abc", 3}},
    {{"n", 1}, {NULL, 0}},
    {{"e", 1}, {"", 0}},
    {{"id", 2}, {"\0", 1}},
};
#define HEADERS 4

static const size_t ends[] = {0, 13, 22, 31, 42}; /* where a blob may end: behind each header */

static void check_headers(const struct header *got, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_true(slice_equal(got[i].name, headers[i].name));
        assert_true(slice_equal(got[i].value, headers[i].value));
        assert_int_equal(got[i].value.data == NULL, headers[i].value.data == NULL);
    }
}

static void writes_the_layout(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    headerblob_append(&out, headers, HEADERS);
    assert_int_equal(out.len, sizeof(golden) - 1);
    assert_memory_equal(out.data, golden, out.len);
    buf_release(&out);
}

static void reads_the_layout(void **state)
{
    (void)state;
    struct header got[HEADERS];
    struct err err;
    size_t count = 0;
    struct slice blob = {golden, sizeof(golden) - 1};
    assert_true(headerblob_count(blob, &count, &err));
    assert_int_equal(count, HEADERS);
    headerblob_read(blob, got, count);
    check_headers(got, count);
}

static bool is_end(size_t len, size_t *count)
{
    for (size_t i = 0; i <= HEADERS; i++) {
        if (ends[i] == len) {
            *count = i;
            return true;
        }
    }
    return false;
}

/* Each cut is a copy of its own, so that a sanitizer sees a read past its end. */
static void refuses_every_cut(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(golden) - 1; len++) {
        struct err err;
        size_t expected = 0, count = 0;
        char *copy = malloc(len > 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, golden, len);
        bool whole = is_end(len, &expected);
        assert_int_equal(headerblob_count((struct slice){copy, len}, &count, &err), whole);
        if (!whole)
            assert_int_equal(err.code, ERR_EVENT);
        assert_int_equal(count, expected);
        free(copy);
    }
}

static void refuses_lengths_beyond_the_end(void **state)
{
    (void)state;
    static const struct slice bad[] = {
        {"\xFF\xFF\xFF\xFF", 4},         /* a name of 4 GB */
        {"\xFF\xFF\xFF\xFF\0\0\0\0", 8}, /* a name has no null */
        {"\0\0\0\0\0\0\0\1", 8},         /* one byte of value, none there */
        {"\0\0\0\0\xFF\xFF\xFF\xFE", 8}, /* one below null */
        {"\0\0\0\0\0\0\0\0\0", 9},       /* a byte too many */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err;
        size_t count = 99;
        assert_false(headerblob_count(bad[i], &count, &err));
        assert_int_equal(count, 99);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_layout),
        cmocka_unit_test(reads_the_layout),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(refuses_lengths_beyond_the_end),
    };
    return cmocka_run_group_tests_name("headerblob", tests, NULL, NULL);
}
