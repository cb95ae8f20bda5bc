#include "walferry/reader.h"

#include "cmocka_all.h"

#include <stdlib.h>

static void reads_big_endian_fields(void **state)
{
    (void)state;
    static const char bytes[] = "\x01\x02\x03\x04\x05\x06\x07\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff"
                                "text\0\0bytes";
    struct reader r;
    reader_init(&r, (struct slice){bytes, sizeof(bytes) - 1});
    assert_int_equal(reader_u8(&r, "a"), 0x01);
    assert_int_equal(reader_u16(&r, "b"), 0x0203);
    assert_int_equal(reader_u32(&r, "c"), 0x04050607);
    assert_int_equal(reader_u64(&r, "d"), 0xf8f9fafbfcfdfeff);
    assert_true(slice_equal(reader_text(&r, "e"), SLICE_LITERAL("text")));
    struct slice empty = reader_text(&r, "f");
    assert_non_null(empty.data);
    assert_int_equal(empty.len, 0);
    assert_int_equal(reader_left(&r), 5);
    assert_true(slice_equal(reader_bytes(&r, 5, "g"), SLICE_LITERAL("bytes")));
    assert_int_equal(reader_bytes(&r, 0, "h").len, 0);
    reader_end(&r);
    assert_false(r.failed);
}

static void keeps_the_first_failure(void **state)
{
    (void)state;
    struct reader r;
    struct err err;
    reader_init(&r, SLICE_LITERAL("abc"));
    assert_int_equal(reader_u16(&r, "first"), 0x6162);
    assert_int_equal(reader_u32(&r, "second"), 0);
    assert_true(r.failed);
    assert_int_equal(reader_u8(&r, "third"), 0); /* though a byte is left */
    assert_null(reader_text(&r, "fourth").data);
    assert_null(reader_bytes(&r, 0, "fifth").data);
    reader_end(&r);
    reader_fail_at(&r, 0, "sixth", "is wrong");
    assert_false(reader_error(&r, "Thing", &err));
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_string_equal(err.text, "Thing: second is cut short, at byte 2 of 3");
}

static void refuses_left_over_bytes(void **state)
{
    (void)state;
    struct reader r;
    struct err err;
    reader_init(&r, SLICE_LITERAL("abc"));
    (void)reader_u16(&r, "first");
    reader_end(&r);
    assert_true(r.failed);
    assert_false(reader_error(&r, "Thing", &err));
    assert_string_equal(err.text, "Thing: end of message is followed by more bytes, at byte 2 of 3");
}

static void refuses_a_text_without_end(void **state)
{
    (void)state;
    struct reader r;
    reader_init(&r, SLICE_LITERAL("abc"));
    assert_null(reader_text(&r, "name").data);
    assert_true(r.failed);
    assert_string_equal(r.problem, "has no end");
    reader_init(&r, SLICE_NONE);
    assert_null(reader_text(&r, "name").data);
    assert_true(r.failed);
}

/* Every field type at every length that is too short, in a block of exactly that length. */
static void never_reads_past_the_end(void **state)
{
    (void)state;
    for (size_t len = 0; len < 8; len++) {
        char *block = malloc(len > 0 ? len : 1);
        assert_non_null(block);
        memset(block, 'x', len);
        for (int field = 0; field < 5; field++) {
            struct reader r;
            reader_init(&r, (struct slice){block, len});
            uint64_t value = field == 0   ? reader_u8(&r, "f")
                             : field == 1 ? reader_u16(&r, "f")
                             : field == 2 ? reader_u32(&r, "f")
                             : field == 3 ? reader_u64(&r, "f")
                                          : reader_bytes(&r, SIZE_MAX, "f").len;
            static const size_t needed[] = {1, 2, 4, 8, SIZE_MAX};
            assert_int_equal(r.failed, len < needed[field]);
            assert_int_equal(value != 0, len >= needed[field]);
        }
        free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_big_endian_fields),  cmocka_unit_test(keeps_the_first_failure),
        cmocka_unit_test(refuses_left_over_bytes),  cmocka_unit_test(refuses_a_text_without_end),
        cmocka_unit_test(never_reads_past_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
