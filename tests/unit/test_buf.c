#include "walferry/buf.h"

#include "cmocka_all.h"

static void appends_everything(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    assert_string_equal(buf_text(&buf), "");
    assert_int_equal(buf_slice(&buf).len, 0);
    assert_non_null(buf_slice(&buf).data);
    buf_append(&buf, "ab", 2);
    buf_append(&buf, NULL, 0);
    buf_append_slice(&buf, SLICE_LITERAL("cd"));
    buf_append_slice(&buf, SLICE_NONE);
    buf_append_text(&buf, "ef");
    buf_append_char(&buf, 'g');
    buf_printf(&buf, "%s-%d", "h", 5);
    buf_printf(&buf, "%s", "");
    assert_string_equal(buf_text(&buf), "abcdefgh-5");
    assert_int_equal(buf.len, 10);
    buf_release(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.bytes_max, 1000);
}

static void appends_any_number(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_append_int(&buf, 0);
    buf_append_char(&buf, ' ');
    buf_append_int(&buf, INT64_MIN);
    buf_append_char(&buf, ' ');
    buf_append_int(&buf, INT64_MAX);
    buf_append_char(&buf, ' ');
    buf_append_int(&buf, -1);
    buf_append_char(&buf, ' ');
    buf_append_uint(&buf, UINT64_MAX);
    assert_string_equal(buf_text(&buf), "0 -9223372036854775808 9223372036854775807 -1 18446744073709551615");
    buf_release(&buf);
}

/* Exactly the limit fits; one byte more does not, nor anything after it, until the buffer is cleared. */
static void stops_at_its_limit(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    buf_append(&buf, "0123456789", 10);
    assert_false(buf.overflowed);
    buf_append_char(&buf, 'x');
    assert_true(buf.overflowed);
    assert_int_equal(buf.len, 10);
    buf_clear(&buf);
    assert_false(buf.overflowed);
    buf_append(&buf, "01234567890", 11);
    assert_true(buf.overflowed);
    buf_append_char(&buf, 'x');
    assert_int_equal(buf.len, 0);
    buf_clear(&buf);
    buf_printf(&buf, "%020d", 1);
    assert_true(buf.overflowed);
    buf_clear(&buf);
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.overflowed);
    buf_clear(&buf);
    buf_append_char(&buf, 'x');
    assert_null(buf_reserve(&buf, SIZE_MAX));
    buf_release(&buf);
}

static void reserves_in_place(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 1000; i++) {
        char *to = buf_reserve(&buf, 1000);
        assert_non_null(to);
        memset(to, 'a' + i % 26, 1000);
        buf.len += (size_t)(i % 3); /* less than was reserved */
    }
    assert_int_equal(buf.len, 999);
    assert_int_equal(buf.data[0], 'b');
    assert_int_equal(buf.data[998], 'a' + 998 % 26);
    assert_int_equal(buf_text(&buf)[999], '\0');
    buf_release(&buf);
}

static void keeps_its_memory_when_cleared(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1 << 20);
    buf_append_text(&buf, "something");
    char *data = buf.data;
    buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    buf_append_text(&buf, "else");
    assert_ptr_equal(buf.data, data);
    assert_string_equal(buf_text(&buf), "else");
    buf_release(&buf);
}

/* The limit itself, not a power of two, is what counts. */
static void grows_up_to_the_limit(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 5000);
    for (int i = 0; i < 5000; i++)
        buf_append_char(&buf, 'x');
    assert_false(buf.overflowed);
    assert_int_equal(buf.len, 5000);
    assert_int_equal(strlen(buf_text(&buf)), 5000);
    buf_append_char(&buf, 'x');
    assert_true(buf.overflowed);
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_everything),
        cmocka_unit_test(appends_any_number),
        cmocka_unit_test(stops_at_its_limit),
        cmocka_unit_test(reserves_in_place),
        cmocka_unit_test(keeps_its_memory_when_cleared),
        cmocka_unit_test(grows_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
