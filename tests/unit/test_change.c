#include "walferry/change.h"

#include "golden.h"

#include "cmocka_all.h"

#define RECORD_BYTES_MAX (1 << 20)

/* A reader and what it read; the golden record stays open because a change borrows from it. */
static struct change_reader *reader;
static struct golden golden;
static struct change change;
static struct err err;

static int set_up(void **state)
{
    (void)state;
    reader = change_reader_new(RECORD_BYTES_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    change_reader_free(reader);
    yyjson_doc_free(golden.doc);
    golden.doc = NULL;
    return 0;
}

static void open_golden(const char *name)
{
    yyjson_doc_free(golden.doc);
    golden_open(&golden, name);
}

static void read_golden(const char *name)
{
    open_golden(name);
    if (!change_read(reader, &golden.record, &change, &err))
        fail_msg("%s: %s", name, err.text);
}

static bool read_value(const char *key, const char *value)
{
    struct record record = {.key = key != NULL ? slice_of(key) : SLICE_NONE, .value = slice_of(value)};
    return change_read(reader, &record, &change, &err);
}

static void expect_text(struct slice got, const char *expected)
{
    if (got.len != strlen(expected) || memcmp(got.data, expected, got.len) != 0)
        fail_msg("got '" SLICE_FMT "', expected '%s'", SLICE_ARG(got), expected);
}

static const struct field *field_of(const struct field_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (slice_equal(list->fields[i].name, slice_of(name)))
            return &list->fields[i];
    }
    fail_msg("no field %s", name);
    return NULL;
}

static void expect_field(const struct field_list *list, const char *name, enum field_kind kind,
                         const char *json)
{
    const struct field *field = field_of(list, name);
    assert_int_equal(field->kind, kind);
    expect_text(field->json, json);
}

static void reads_a_row_with_schemas(void **state)
{
    (void)state;
    read_golden("ints");
    assert_int_equal(change.kind, CHANGE_ROW);
    assert_int_equal(change.op, EVENT_CREATE);
    expect_text(change.server, "parity01");
    expect_text(change.database, "parity_01");
    expect_text(change.schema, "public");
    expect_text(change.table, "ints");
    assert_int_equal(change.xid, 301791);
    assert_int_equal(change.lsn, 2505499160);
    assert_int_equal(change.last_end_lsn, LSN_NONE);
    assert_int_equal(change.commit_time_ms, 1795249413333);
    assert_int_equal(change.total_order, 0);
    assert_int_equal(change.marker, MARKER_FALSE);
    assert_false(change.before.present);
    assert_int_equal(change.after.count, 8);
    expect_field(&change.after, "b", FIELD_NUMBER, "-9223372036854775808");
    expect_text(field_of(&change.after, "b")->schema_type, "int64");
    assert_null(field_of(&change.after, "b")->schema_name.data);
    assert_int_equal(field_of(&change.after, "t")->kind, FIELD_BOOL);
    assert_true(field_of(&change.after, "t")->boolean);
    assert_int_equal(change.key.count, 1);
    expect_field(&change.key, "id", FIELD_NUMBER, "1");
}

static void reads_a_row_without_schemas(void **state)
{
    (void)state;
    read_golden("full_update");
    assert_int_equal(change.op, EVENT_UPDATE);
    expect_field(&change.before, "a", FIELD_NUMBER, "1");
    expect_field(&change.after, "a", FIELD_NUMBER, "2");
    expect_field(&change.after, "tz", FIELD_STRING, "2020-01-01T00:00:00.000000Z");
    assert_int_equal(field_of(&change.after, "o")->kind, FIELD_NULL);
    assert_int_equal(field_of(&change.after, "nv")->kind, FIELD_STRUCT);
    assert_int_equal(field_of(&change.after, "arr")->kind, FIELD_ARRAY);
    assert_null(field_of(&change.after, "n")->schema_type.data);
    assert_int_equal(field_of(&change.after, "n")->scale, INT32_MIN);
}

static void reads_both_sides_of_a_key_change(void **state)
{
    (void)state;
    read_golden("key_change_delete");
    assert_int_equal(change.op, EVENT_DELETE);
    assert_false(change.after.present);
    assert_false(change.old_key.present);
    assert_int_equal(change.new_key.count, 2);
    expect_field(&change.new_key, "a", FIELD_NUMBER, "1");
    expect_field(&change.new_key, "b", FIELD_STRING, "new\nline"); /* the header holds the newline raw */
    expect_field(&change.key, "b", FIELD_STRING, "q\"\\uote é");
    read_golden("key_change_create");
    assert_int_equal(change.op, EVENT_CREATE);
    assert_false(change.new_key.present);
    expect_field(&change.old_key, "b", FIELD_STRING, "q\"\\uote é");
}

static void reads_key_headers_as_bare_text_and_as_documents(void **state)
{
    (void)state;
    read_golden("typed_key_delete");
    expect_field(&change.new_key, "n", FIELD_NUMBER, "2.25");
    expect_field(&change.new_key, "by", FIELD_STRING, "AQI=");
    expect_field(&change.new_key, "f", FIELD_NUMBER, "1.0E10");
    assert_null(field_of(&change.new_key, "n")->schema_name.data);
    expect_text(field_of(&change.key, "n")->schema_name, "org.apache.kafka.connect.data.Decimal");
    assert_int_equal(field_of(&change.key, "n")->scale, 2);
    read_golden("json_header");
    expect_field(&change.new_key, "n", FIELD_STRING, "AOE=");
    expect_text(field_of(&change.new_key, "n")->schema_type, "bytes");
    assert_int_equal(field_of(&change.new_key, "n")->scale, 2);
    assert_null(field_of(&change.key, "n")->schema_name.data);
}

static void reads_a_tombstone_with_its_key(void **state)
{
    (void)state;
    read_golden("tombstone");
    assert_int_equal(change.kind, CHANGE_TOMBSTONE);
    expect_field(&change.key, "id", FIELD_NUMBER, "1");
    expect_field(&change.new_key, "id", FIELD_NUMBER, "3");
}

static void reads_transaction_boundaries_and_orders(void **state)
{
    (void)state;
    read_golden("begin");
    assert_int_equal(change.kind, CHANGE_BEGIN);
    assert_int_equal(change.xid, 302509);
    assert_int_equal(change.transaction_lsn, 2714632496);
    assert_int_equal(change.commit_time_ms, 1795249929815);
    read_golden("in_transaction");
    assert_int_equal(change.total_order, 4);
    assert_int_equal(change.collection_order, 2);
    assert_int_equal(change.xid, 302509);
    assert_int_equal(change.lsn, 2714633072);
    read_golden("end");
    assert_int_equal(change.kind, CHANGE_END);
    assert_int_equal(change.transaction_lsn, 2714633480);
    assert_int_equal(change.event_count, 6);
}

static void reads_a_truncate_without_key(void **state)
{
    (void)state;
    read_golden("truncate");
    assert_int_equal(change.op, EVENT_TRUNCATE);
    expect_text(change.table, "t1");
    assert_false(change.key.present);
    assert_false(change.before.present);
    assert_false(change.after.present);
    assert_int_equal(change.last_end_lsn, 2728507456);
}

static void knows_messages_and_heartbeats(void **state)
{
    (void)state;
    read_golden("message");
    assert_int_equal(change.kind, CHANGE_MESSAGE);
    assert_int_equal(change.xid, 0);
    assert_int_equal(change.lsn, 2732947120);
    read_golden("heartbeat");
    assert_int_equal(change.kind, CHANGE_IGNORED);
}

static void reads_snapshot_markers(void **state)
{
    (void)state;
    read_golden("snapshot");
    assert_int_equal(change.op, EVENT_READ);
    assert_int_equal(change.marker, MARKER_FIRST);
    read_golden("snapshot_last");
    assert_int_equal(change.marker, MARKER_LAST_IN_DATA_COLLECTION);
    read_golden("keyless");
    assert_int_equal(change.marker, MARKER_TRUE);
    assert_false(change.key.present);
}

static void refuses_a_flattened_row(void **state)
{
    (void)state;
    open_golden("flattened");
    assert_false(change_read(reader, &golden.record, &change, &err));
    assert_int_equal(err.code, ERR_EVENT);
    assert_non_null(strstr(err.text, "ExtractNewRecordState"));
}

#define SOURCE "\"source\":{\"schema\":\"s\",\"table\":\"t\"}"

static void takes_members_in_any_order_and_skips_unknown_ones(void **state)
{
    (void)state;
    assert_true(read_value(
        "{\"id\":1}",
        "{\"ts_ms\":1,\"op\":\"u\",\"new\":[{}],\"source\":{\"lsn\":7,\"x\":{\"schema\":1},\"snapshot\":true,"
        "\"table\":\"t\",\"txId\":4294967295,\"sequence\":\"[ \\\"5\\\" , \\\"7\\\" ]\",\"schema\":\"s\"},"
        "\"after\":{\"id\":1}}"));
    assert_int_equal(change.lsn, 7);
    assert_int_equal(change.last_end_lsn, 5);
    assert_int_equal(change.xid, UINT32_MAX);
    assert_int_equal(change.marker, MARKER_TRUE);
    expect_text(change.table, "t");
    assert_null(change.server.data);
}

static void tells_columns_named_schema_and_payload_from_a_wrapper(void **state)
{
    (void)state;
    assert_true(read_value("{\"schema\":\"a\",\"payload\":2}",
                           "{" SOURCE ",\"op\":\"c\",\"after\":{\"payload\":2}}"));
    assert_int_equal(change.key.count, 2);
    assert_true(
        read_value("{\"schema\":null,\"payload\":2}", "{" SOURCE ",\"op\":\"c\",\"after\":{\"payload\":2}}"));
    assert_int_equal(change.key.count, 2);
    assert_true(read_value("{\"schema\":null,\"payload\":null}", "{" SOURCE ",\"op\":\"t\"}"));
    assert_false(change.key.present);
}

static void marks_columns_named_as_unchanged(void **state)
{
    (void)state;
    struct header header = {SLICE_LITERAL("walferry.unchanged.columns"),
                            SLICE_LITERAL("[\"n\",\"a \\\"b\\\"\"]")};
    struct record record = {
        .value = SLICE_LITERAL(
            "{" SOURCE ",\"op\":\"u\",\"after\":{\"id\":1,\"n\":null,\"a \\\"b\\\"\":null,\"c\":null}}"),
        .headers = &header,
        .header_count = 1,
    };
    assert_true(change_read(reader, &record, &change, &err));
    assert_int_equal(change.unchanged.count, 2);
    assert_false(change.after.fields[0].unchanged);
    assert_true(change.after.fields[1].unchanged);
    assert_true(change.after.fields[2].unchanged);
    assert_false(change.after.fields[3].unchanged);
    header.value = slice_of("{\"n\":1}");
    assert_false(change_read(reader, &record, &change, &err));
    assert_int_equal(err.code, ERR_EVENT);
}

static void keeps_exact_texts_of_the_applied_row_and_its_key(void **state)
{
    (void)state;
    struct header header = {SLICE_LITERAL("walferry.exact.columns"),
                            SLICE_LITERAL("{\"n\":\"NaN\",\"x\":\"1\"}")};
    struct record record = {
        .key = SLICE_LITERAL("{\"n\":null}"),
        .value = SLICE_LITERAL("{" SOURCE
                               ",\"op\":\"u\",\"before\":{\"n\":null},\"after\":{\"id\":1,\"n\":null}}"),
        .headers = &header,
        .header_count = 1,
    };
    assert_true(change_read(reader, &record, &change, &err));
    expect_text(change.after.fields[1].exact, "NaN");
    expect_text(change.key.fields[0].exact, "NaN");
    assert_null(change.after.fields[0].exact.data);
    assert_null(change.before.fields[0].exact.data);
    record.value = slice_of("{" SOURCE ",\"op\":\"d\",\"before\":{\"n\":null}}");
    assert_true(change_read(reader, &record, &change, &err));
    expect_text(change.before.fields[0].exact, "NaN");
    record.header_count = 0;
    assert_true(change_read(reader, &record, &change, &err));
    assert_null(change.before.fields[0].exact.data);
    record.header_count = 1;
    header.value = slice_of("{\"n\":1}");
    assert_false(change_read(reader, &record, &change, &err));
    assert_int_equal(err.code, ERR_EVENT);
    header.value = slice_of("[\"n\"]");
    assert_false(change_read(reader, &record, &change, &err));
}

static void keeps_exact_texts_of_the_row_before(void **state)
{
    (void)state;
    struct header header = {SLICE_LITERAL("walferry.exact.before"), SLICE_LITERAL("{\"n\":\"1.00\"}")};
    struct record record = {
        .key = SLICE_LITERAL("{\"n\":2}"),
        .value = SLICE_LITERAL("{" SOURCE ",\"op\":\"u\",\"before\":{\"n\":1,\"v\":1},\"after\":{\"n\":2}}"),
        .headers = &header,
        .header_count = 1,
    };
    assert_true(change_read(reader, &record, &change, &err));
    expect_text(change.before.fields[0].exact, "1.00");
    assert_null(change.before.fields[1].exact.data);
    assert_null(change.after.fields[0].exact.data);
    assert_null(change.key.fields[0].exact.data);
    header.value = slice_of("{\"n\":1}");
    assert_false(change_read(reader, &record, &change, &err));
    assert_int_equal(err.code, ERR_EVENT);
    record.header_count = 0;
    assert_true(change_read(reader, &record, &change, &err));
    assert_null(change.before.fields[0].exact.data);
}

static void refuses_what_is_no_event(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value, *says;
    } bad[] = {
        {NULL, "", "the value is not JSON"},
        {NULL, "{\"a\":", "the value is not JSON"},
        {NULL, "{\"a\":\"\xFF\"}", "the value is not JSON"},
        {NULL, "[1]", "not a JSON object"},
        {NULL, "{\"ts_ms\":1}", "no Debezium envelope"},
        {"[1]", "{" SOURCE ",\"op\":\"t\"}", "the key is not a JSON object"},
        {"x", "{" SOURCE ",\"op\":\"t\"}", "the key is not JSON"},
        {NULL, "{" SOURCE ",\"op\":\"x\"}", "op is none of"},
        {NULL, "{" SOURCE ",\"op\":\"\"}", "op is none of"},
        {NULL, "{" SOURCE ",\"op\":2}", "op is none of"},
        {NULL, "{" SOURCE ",\"op\":\"c\"}", "op c has no after"},
        {NULL, "{" SOURCE ",\"op\":\"u\",\"after\":null}", "op u has no after"},
        {NULL, "{" SOURCE ",\"op\":\"d\"}", "neither before nor a key"},
        {NULL, "{" SOURCE ",\"op\":\"c\",\"after\":[]}", "after is not a JSON object"},
        {NULL, "{\"source\":{\"table\":\"t\"},\"op\":\"t\"}", "source.schema"},
        {NULL, "{\"source\":{\"schema\":\"s\",\"table\":1},\"op\":\"t\"}", "source.table"},
        {NULL, "{\"source\":{\"schema\":\"s\",\"table\":\"t\",\"txId\":4294967296},\"op\":\"t\"}",
         "source.txId"},
        {NULL, "{\"source\":{\"schema\":\"s\",\"table\":\"t\",\"lsn\":-1},\"op\":\"t\"}", "source.lsn"},
        {NULL, "{\"source\":{\"schema\":\"s\",\"table\":\"t\",\"lsn\":1.5},\"op\":\"t\"}", "source.lsn"},
        {NULL, "{\"source\":{\"schema\":\"s\",\"table\":\"t\",\"sequence\":\"[null]\"},\"op\":\"t\"}",
         "source.sequence"},
        {NULL, "{\"source\":{\"schema\":\"s\",\"table\":\"t\",\"snapshot\":\"x\"},\"op\":\"t\"}",
         "source.snapshot"},
        {NULL, "{" SOURCE ",\"op\":\"t\",\"transaction\":{\"id\":\"1\"}}", "transaction.id"},
        {NULL, "{" SOURCE ",\"op\":\"t\",\"transaction\":{\"id\":\"1:2\",\"total_order\":1}}",
         "order numbers"},
        {NULL,
         "{\"source\":{\"schema\":\"s\",\"table\":\"t\",\"txId\":2},\"op\":\"t\",\"transaction\":{\"id\":\"1:"
         "2\"}}",
         "different transactions"},
        {NULL, "{\"status\":\"X\",\"id\":\"1:2\",\"event_count\":1,\"data_collections\":[]}",
         "neither BEGIN nor END"},
        {NULL, "{\"status\":\"END\",\"id\":\"12\",\"event_count\":1,\"data_collections\":[]}", "<xid>:<lsn>"},
        {NULL,
         "{\"status\":\"END\",\"id\":\"1:18446744073709551616\",\"event_count\":1,\"data_collections\":[]}",
         "<xid>:<lsn>"},
        {NULL, "{\"status\":\"END\",\"id\":\"1:2\",\"event_count\":null,\"data_collections\":[]}",
         "event_count"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (read_value(bad[i].key, bad[i].value))
            fail_msg("read: %s", bad[i].value);
        assert_int_equal(err.code, ERR_EVENT);
        if (strstr(err.text, bad[i].says) == NULL)
            fail_msg("%s: %s", bad[i].value, err.text);
    }
}

static void refuses_a_record_above_the_limit(void **state)
{
    (void)state;
    char *text = malloc(RECORD_BYTES_MAX + 1);
    memset(text, ' ', RECORD_BYTES_MAX + 1);
    struct record record = {.value = {text, RECORD_BYTES_MAX + 1}};
    assert_false(change_read(reader, &record, &change, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    record.value.len--;
    assert_false(change_read(reader, &record, &change, &err));
    assert_int_equal(err.code, ERR_EVENT);
    free(text);
}

static void reads_large_records_between_small_ones(void **state)
{
    (void)state;
    size_t size = 600000;
    char *text = malloc(size + 100);
    int head = snprintf(text, 100, "{" SOURCE ",\"op\":\"c\",\"after\":{\"v\":\"");
    memset(text + head, 'x', size);
    memcpy(text + (size_t)head + size, "\"}}", 4);
    for (int i = 0; i < 3; i++) {
        assert_true(read_value(NULL, text));
        assert_int_equal(change.after.fields[0].json.len, size);
        assert_true(read_value(NULL, "{" SOURCE ",\"op\":\"c\",\"after\":{\"v\":\"x\"}}"));
        assert_int_equal(change.after.fields[0].json.len, 1);
    }
    free(text);
}

/* Every prefix of key, value and header in memory of its own size, so that a sanitizer sees a byte read too
 * far. */
static void survives_a_cut_at_every_length(void **state)
{
    (void)state;
    static const char *const names[] = {"ints", "key_change_delete", "json_header", "end", "full_update"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        open_golden(names[i]);
        struct slice value = golden.record.value, *header = &golden.headers[0].value, whole = *header;
        for (size_t len = 0; len < value.len; len++) {
            char *cut = malloc(len + 1);
            memcpy(cut, value.data, len);
            golden.record.value = (struct slice){cut, len};
            assert_false(change_read(reader, &golden.record, &change, &err));
            assert_int_equal(err.code, ERR_EVENT);
            free(cut);
        }
        golden.record.value = value;
        for (size_t len = 0; golden.record.header_count > 0 && len < whole.len; len++) {
            *header = (struct slice){whole.data, len};
            if (!change_read(reader, &golden.record, &change, &err))
                assert_int_equal(err.code, ERR_EVENT);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_a_row_with_schemas),
        TEST(reads_a_row_without_schemas),
        TEST(reads_both_sides_of_a_key_change),
        TEST(reads_key_headers_as_bare_text_and_as_documents),
        TEST(reads_a_tombstone_with_its_key),
        TEST(reads_transaction_boundaries_and_orders),
        TEST(reads_a_truncate_without_key),
        TEST(knows_messages_and_heartbeats),
        TEST(reads_snapshot_markers),
        TEST(refuses_a_flattened_row),
        TEST(takes_members_in_any_order_and_skips_unknown_ones),
        TEST(tells_columns_named_schema_and_payload_from_a_wrapper),
        TEST(marks_columns_named_as_unchanged),
        TEST(keeps_exact_texts_of_the_applied_row_and_its_key),
        TEST(keeps_exact_texts_of_the_row_before),
        TEST(refuses_what_is_no_event),
        TEST(refuses_a_record_above_the_limit),
        TEST(reads_large_records_between_small_ones),
        TEST(survives_a_cut_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
