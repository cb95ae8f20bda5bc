#include "walferry/copytext.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#define COLUMNS_MAX 8

/* Reads `line` out of a block of exactly its length. The tuple's values stay valid until the next call. */
static bool read_row(struct slice line, uint16_t column_count, struct tuple *tuple, struct err *err)
{
    static struct value values[COLUMNS_MAX];
    static char *block;
    free(block);
    block = malloc(line.len > 0 ? line.len : 1);
    assert_non_null(block);
    memcpy(block, line.data, line.len);
    return copytext_read_row(block, line.len, column_count, values, tuple, err);
}

static void check_values(const struct tuple *tuple, const char *const *expected)
{
    for (uint16_t i = 0; i < tuple->count; i++) {
        const struct value *value = &tuple->values[i];
        if (expected[i] == NULL) {
            assert_int_equal(value->kind, VALUE_NULL);
            continue;
        }
        assert_int_equal(value->kind, VALUE_TEXT);
        if (!slice_equal(value->bytes, slice_of(expected[i])))
            fail_msg("\"%.*s\" where \"%s\" was expected", (int)value->bytes.len, value->bytes.data,
                     expected[i]);
    }
}

/* Lines in COPY's text format after its documentation, and their values (NULL = null). */
static const struct {
    const char *line;
    uint16_t count;
    const char *values[COLUMNS_MAX];
} rows[] = {
    {"1\tname", 2, {"1", "name"}},
    {"", 1, {""}},
    {"\t", 2, {"", ""}},
    {"\\N", 1, {NULL}},
    {"\\N\t\\N\tx", 3, {NULL, NULL, "x"}},
    {"\\\\N", 1, {"\\N"}},
    {"a\\tb\\nc\\rd\\be\\ff\\vg\\\\h", 1, {"a\tb\nc\rd\be\ff\vg\\h"}},
    {"\\\\", 1, {"\\"}},
    {"x\\\\\ty\\\\", 2, {"x\\", "y\\"}},
    {"caf\xc3\xa9\t\xe6\xbc\xa2", 2, {"café", "漢"}},
    {"{\"a\": \"b\\\\\"c\"}", 1, {"{\"a\": \"b\\\"c\"}"}},
    {"\\\\x00ff", 1, {"\\x00ff"}}, /* bytea */
    {"\\.", 1, {"."}},
    /* Escapes that only COPY FROM knows. */
    {"\\101\\60\\7z", 1, {"A0\az"}},
    {"\\1018", 1, {"A8"}},
    {"\\x41\\x4a4\\x7a", 1, {"AJ4z"}},
    {"\\xg\\q\\N.", 1, {"xgqN."}},
    {"\\x", 1, {"x"}},
};

static void reads_what_copy_prints(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct tuple tuple;
        struct err err = {.text = "untouched"};
        if (!read_row(slice_of(rows[i].line), rows[i].count, &tuple, &err))
            fail_msg("%s: %s", rows[i].line, err.text);
        assert_string_equal(err.text, "untouched");
        assert_int_equal(tuple.count, rows[i].count);
        check_values(&tuple, rows[i].values);
    }
}

static void reads_a_table_without_columns(void **state)
{
    (void)state;
    struct tuple tuple;
    struct err err;
    assert_true(read_row(SLICE_LITERAL(""), 0, &tuple, &err));
    assert_int_equal(tuple.count, 0);
    assert_false(read_row(SLICE_LITERAL("x"), 0, &tuple, &err));
}

static void refuses_another_number_of_columns(void **state)
{
    (void)state;
    struct tuple tuple;
    struct err err;
    assert_false(read_row(SLICE_LITERAL("a\tb"), 3, &tuple, &err));
    assert_int_equal(err.code, ERR_PROTOCOL);
    assert_string_equal(err.text, "COPY: a row has 2 columns where the table has 3");
    assert_false(read_row(SLICE_LITERAL("secret\tb\tc\td"), 3, &tuple, &err));
    assert_string_equal(err.text, "COPY: a row has at least 4 columns where the table has 3");
    assert_false(read_row(SLICE_LITERAL("a\t"), 1, &tuple, &err));
}

static void refuses_a_lone_backslash(void **state)
{
    (void)state;
    struct tuple tuple;
    struct err err;
    assert_false(read_row(SLICE_LITERAL("a\tb\\"), 2, &tuple, &err));
    assert_string_equal(err.text, "COPY: column 2 of a row ends in a lone backslash");
    assert_false(read_row(SLICE_LITERAL("a\\\tb"), 2, &tuple, &err));
    assert_false(read_row(SLICE_LITERAL("\\"), 1, &tuple, &err));
}

/* UTF-8 of a character below 0x800. */
static struct slice utf8(unsigned character, char bytes[2])
{
    if (character < 0x80) {
        bytes[0] = (char)character;
        return (struct slice){bytes, 1};
    }
    bytes[0] = (char)(0xC0 | character >> 6);
    bytes[1] = (char)(0x80 | (character & 0x3F));
    return (struct slice){bytes, 2};
}

/* tests/data/copytext/characters.txt: COPY's own output for every character from 1 to 300. */
static void reads_every_character(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_DATA "/copytext/characters.txt", "r");
    assert_non_null(file);
    char line[200];
    unsigned character = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        struct tuple tuple;
        struct err err = {.text = ""};
        char number[12], bytes[2];
        struct slice expected = utf8(++character, bytes);
        (void)snprintf(number, sizeof(number), "%u", character);
        if (!read_row((struct slice){line, strlen(line) - 1}, 6, &tuple, &err))
            fail_msg("character %u: %s", character, err.text);
        assert_true(slice_equal(tuple.values[0].bytes, slice_of(number)));
        assert_true(slice_equal(tuple.values[1].bytes, expected));
        struct slice between = tuple.values[2].bytes;
        assert_int_equal(between.len, expected.len + 2);
        assert_int_equal(between.data[0], '\\');
        assert_int_equal(between.data[between.len - 1], '\\');
        assert_memory_equal(between.data + 1, expected.data, expected.len);
        assert_int_equal(tuple.values[3].kind, VALUE_NULL);
        assert_int_equal(tuple.values[4].kind, VALUE_TEXT);
        assert_int_equal(tuple.values[4].bytes.len, 0);
        assert_true(slice_equal(tuple.values[5].bytes, SLICE_LITERAL("\\N")));
    }
    (void)fclose(file);
    assert_int_equal(character, 300);
}

/* A cut row must fail, or be read as the shorter row it is: never past its end. */
static void reads_nothing_past_a_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t len = 0; len < strlen(rows[i].line); len++) {
            struct tuple tuple;
            struct err err;
            if (!read_row((struct slice){rows[i].line, len}, rows[i].count, &tuple, &err))
                continue;
            size_t bytes = (size_t)(tuple.count - 1);
            for (uint16_t c = 0; c < tuple.count; c++)
                bytes += tuple.values[c].bytes.len;
            assert_true(bytes <= len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_copy_prints),        cmocka_unit_test(reads_every_character),
        cmocka_unit_test(reads_a_table_without_columns), cmocka_unit_test(refuses_another_number_of_columns),
        cmocka_unit_test(refuses_a_lone_backslash),      cmocka_unit_test(reads_nothing_past_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
