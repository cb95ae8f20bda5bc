#include "walferry/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void check_table(const char *delimiter, const char *prefix, const char *schema, const char *table,
                        const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    topic_append_table(&out, slice_of(prefix), slice_of(delimiter), slice_of(schema), slice_of(table));
    assert_false(out.overflowed);
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
}

/* Topics that Debezium made of these names. */
static void names_tables_as_debezium(void **state)
{
    (void)state;
    check_table(".", "parity60", "public", "select", "parity60.public.select");
    check_table(".", "parity60", "UPPER", "MixedCase", "parity60.UPPER.MixedCase");
    check_table(".", "parity60", "public", "5table", "parity60.public.5table");
    check_table(".", "parity60", "public", "dash-name", "parity60.public.dash-name");
    check_table(".", "parity60", "public", "dots.in.name", "parity60.public.dots.in.name");
    check_table(".", "parity60", "public", "space end ", "parity60.public.space_end_");
    check_table(".", "parity60", "Quoted_\" . Schema", "Quoted_\" . Table",
                "parity60.Quoted___._Schema.Quoted___._Table");
    check_table(".", "parity60", "public", "a23456789012345678901234567890123456789012345678901234567890123",
                "parity60.public.a23456789012345678901234567890123456789012345678901234567890123");
    check_table("_", "parity63-x.y", "Quoted_\" . Schema", "Quoted_\" . Table",
                "parity63-x.y_Quoted___._Schema_Quoted___._Table");
    check_table("_", "parity63-x.y", "public", "5table", "parity63-x.y_public_5table");
}

/* One `_` per char of a Java string: a character beyond the BMP has two. */
static void counts_characters_as_java(void **state)
{
    (void)state;
    check_table(".", "parity60", "ünï", "täble 漢字", "parity60._n_.t_ble___");
    check_table(".", "p", "\xC3\xA9", "\xE6\x97\xA5\xE6\x9C\xAC", "p._.__");
    check_table(".", "p", "s", "\xF0\x9F\x98\x80", "p.s.__");
}

static void names_others_as_debezium(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    topic_append_named(&out, SLICE_LITERAL("parity63-x.y"), SLICE_LITERAL("_"), SLICE_LITERAL("tx"));
    assert_string_equal(buf_text(&out), "parity63-x.y_tx");
    buf_clear(&out);
    topic_append_named(&out, SLICE_LITERAL("__debezium-heartbeat-own"), SLICE_LITERAL("_"),
                       SLICE_LITERAL("parity63-x.y"));
    assert_string_equal(buf_text(&out), "__debezium-heartbeat-own_parity63-x.y");
    buf_release(&out);
}

static void cuts_at_kafkas_limit(void **state)
{
    (void)state;
    char table[400];
    memset(table, 'x', sizeof(table));
    struct buf out;
    buf_init(&out, 4096);
    buf_append_text(&out, "before ");
    topic_append_table(&out, SLICE_LITERAL("p"), SLICE_LITERAL("."), SLICE_LITERAL("s"),
                       (struct slice){table, sizeof(table)});
    assert_int_equal(out.len, 7 + TOPIC_LENGTH_MAX);
    assert_memory_equal(out.data, "before p.s.xxx", 14);
    buf_release(&out);
}

static void replaces_names_of_directories(void **state)
{
    (void)state;
    check_table("", "", "", ".", "_");
    check_table("", "", ".", ".", "__");
    check_table("", ".", ".", ".", "...");
    check_table("", "", "", "", "");
    check_table("", "", "", ".a", ".a");
}

/* tests/data/partitioner/keys.txt: what the Java producer did. */
static void partitions_as_the_java_client(void **state)
{
    (void)state;
    FILE *file = fopen(TEST_DATA "/partitioner/keys.txt", "r");
    assert_non_null(file);
    char line[4096];
    int checked = 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#')
            continue;
        char *at;
        int32_t count = (int32_t)strtol(line, &at, 10);
        int32_t partition = (int32_t)strtol(at, &at, 10);
        struct slice key = {at + 1, strcspn(at + 1, "\n")};
        assert_int_equal(topic_partition_of_key(key, count), partition);
        checked++;
    }
    (void)fclose(file);
    assert_true(checked > 50);
}

/* Values of Kafka's own UtilsTest.testMurmur2, as the partition of a huge topic. */
static void hashes_as_kafka(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        int32_t hash;
    } known[] = {{"21", -973932308},
                 {"foobar", -790332482},
                 {"a-little-bit-long-string", -985981536},
                 {"a-little-bit-longer-string", -1486304829},
                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                 {"abc", 479470107}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        int32_t masked = (int32_t)((uint32_t)known[i].hash & 0x7fffffff);
        assert_int_equal(topic_partition_of_key(slice_of(known[i].key), INT32_MAX), masked % INT32_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_tables_as_debezium),
        cmocka_unit_test(counts_characters_as_java),
        cmocka_unit_test(names_others_as_debezium),
        cmocka_unit_test(cuts_at_kafkas_limit),
        cmocka_unit_test(replaces_names_of_directories),
        cmocka_unit_test(partitions_as_the_java_client),
        cmocka_unit_test(hashes_as_kafka),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
