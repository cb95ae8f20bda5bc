/* Records that one event alone does not make (transactions, messages, snapshots) against captured ones:
 * tests/data/envelope/records.jsonl. */
#include "envelope_fixture.h"

#include <yyjson.h>

struct captured {
    yyjson_doc *docs[16];
    size_t count;
};

static void load_captured(struct captured *captured)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(TEST_DATA "/envelope/records.jsonl", "r");
    assert_non_null(file);
    captured->count = 0;
    for (ssize_t len; (len = getline(&line, &size, file)) > 0; captured->count++)
        captured->docs[captured->count] = yyjson_read(line, (size_t)len, 0);
    free(line);
    assert_int_equal(fclose(file), 0);
}

static void free_captured(struct captured *captured)
{
    for (size_t i = 0; i < captured->count; i++)
        yyjson_doc_free(captured->docs[i]);
}

static void expect_captured(const struct captured *captured, size_t index, const struct record *record)
{
    yyjson_val *root = yyjson_doc_get_root(captured->docs[index]);
    expect_text(record->topic, yyjson_get_str(yyjson_obj_get(root, "topic")));
    expect_text(record->key, yyjson_get_str(yyjson_obj_get(root, "key")));
    expect_text(record->value, yyjson_get_str(yyjson_obj_get(root, "value")));
}

static void transaction_topic_and_counted_key_change(void **state)
{
    (void)state;
    const lsn_t lsn = 2714634584;
    const int64_t time_us = 1795249929819588;
    struct envelope_options options = options_of("parity42", "parity_42", true);
    options.record_bytes_max = 1 << 20;
    struct fixture f;
    struct captured captured;
    load_captured(&captured);
    set_up(&f, &options);
    put_relation(&f, "a", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    yyjson_val *create = yyjson_doc_get_root(captured.docs[1]);
    const char *text = yyjson_get_str(yyjson_obj_get(create, "value"));
    int64_t commit_us = strtoll(strstr(text, "\"ts_us\":1") + 8, NULL, 10);
    assert_int_equal(commit_us / 1000, time_us / 1000);

    struct record record;
    begin(&f, lsn, 302517, commit_us);
    assert_true(envelope_encode_begin(f.envelope, f.transaction, &record, &f.err));
    expect_captured(&captured, 2, &record);
    assert_int_equal(record.ordinal, 0);

    struct row old_row, new_row;
    struct message update = {.kind = MESSAGE_UPDATE};
    update.u.update.relation_oid = 1;
    update.u.update.old_kind = OLD_TUPLE_KEY;
    update.u.update.old_tuple = *ROW(&old_row, "2", NULL);
    update.u.update.new_tuple = *ROW(&new_row, "20", "single");
    apply(&f, &update, lsn, TRANSACTION_EVENTS);
    struct event event;
    transaction_event(f.transaction, 0, &event);
    event.last_end_lsn = (lsn_t)strtoull(strstr(text, "\"sequence\":\"[\\\"") + 15, NULL, 10);
    event.event_time_ns = 1795249929889299731;
    assert_true(envelope_key_changed(f.envelope, &event));
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    assert_int_equal(f.set.count, 3);
    expect_captured(&captured, 0, &f.set.records[0]);
    assert_null(f.set.records[1].value.data);
    expect_text(header_of(&f.set.records[0], HEADER_NEW_KEY), "{\"id\":20}");
    expect_text(header_of(&f.set.records[1], HEADER_NEW_KEY), "{\"id\":20}");
    expect_text(header_of(&f.set.records[2], HEADER_OLD_KEY), "{\"id\":2}");
    event.event_time_ns = 1795249929889851049; /* the create was built a moment later */
    transaction_reset(f.transaction, LSN_NONE);
    begin(&f, lsn, 302517, commit_us);
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    expect_captured(&captured, 1, &f.set.records[2]);

    commit(&f, lsn, 2714634784, commit_us);
    assert_true(envelope_encode_end(f.envelope, f.transaction, &record, &f.err));
    expect_captured(&captured, 3, &record);
    tear_down(&f);
    free_captured(&captured);
}

static void messages_as_captured(void **state)
{
    (void)state;
    struct envelope_options options = options_of("parity46", "parity_46", true);
    options.record_bytes_max = 1 << 20;
    struct fixture f;
    struct captured captured;
    load_captured(&captured);
    set_up(&f, &options);
    struct event event = {.op = EVENT_MESSAGE,
                          .xid = 302572,
                          .lsn = 2732947000,
                          .commit_time_us = 1795249939922637,
                          .event_time_ns = 1795249939967000000,
                          .total_order = 1,
                          .collection_order = 1,
                          .prefix = SLICE_LITERAL("alpha"),
                          .content = SLICE_LITERAL("transactional é")};
    encode(&f, &event);
    expect_captured(&captured, 4, &f.set.records[0]);
    assert_int_equal(f.set.records[0].header_count, 0);
    event = (struct event){.op = EVENT_MESSAGE,
                           .lsn = 2732947120,
                           .last_end_lsn = 2732947120,
                           .prefix = SLICE_LITERAL("beta"),
                           .content = SLICE_LITERAL("not transactional")};
    yyjson_val *root = yyjson_doc_get_root(captured.docs[5]);
    const char *text = yyjson_get_str(yyjson_obj_get(root, "value"));
    event.commit_time_us = strtoll(strstr(text, "\"ts_us\":1") + 8, NULL, 10);
    event.event_time_ns = strtoll(strstr(text, "\"op\":\"m\",\"ts_ms\":") + 17, NULL, 10) * 1000000;
    begin(&f, 5, 7, 9); /* it may stand between the rows of a transaction, and is not counted there */
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    expect_captured(&captured, 5, &f.set.records[0]);
    assert_int_equal(transaction_total(f.transaction), 0);
    tear_down(&f);
    free_captured(&captured);
}

static void snapshot_rows_as_captured(void **state)
{
    (void)state;
    struct envelope_options options = options_of("parity50", "parity_50", false);
    struct fixture f;
    struct captured captured;
    struct row row;
    load_captured(&captured);
    set_up(&f, &options);
    put_relation(&f, "b", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    struct event event = {.op = EVENT_READ,
                          .relation = f.relation,
                          .after = ROW(&row, "1", "b1"),
                          .marker = MARKER_FIRST_IN_DATA_COLLECTION,
                          .xid = 302614,
                          .lsn = 2750706152,
                          .commit_time_us = 1795249948991906,
                          .event_time_ns = 1795249949097744525};
    encode(&f, &event);
    expect_captured(&captured, 6, &f.set.records[0]);
    event.marker = MARKER_LAST_IN_DATA_COLLECTION;
    event.event_time_ns = 1795249949097979638;
    event.after = ROW(&row, "2", NULL);
    encode(&f, &event);
    expect_captured(&captured, 7, &f.set.records[0]);
    static const struct test_column id[] = {{"id", 23, "ikn"}, {NULL, 0, ""}};
    put_relation(&f, "one", REPLICA_IDENTITY_DEFAULT, id);
    prepare(&f);
    event.relation = f.relation;
    event.marker = MARKER_LAST;
    event.event_time_ns = 1795249949103211618;
    event.after = ROW(&row, "1");
    encode(&f, &event);
    expect_captured(&captured, 8, &f.set.records[0]);
    tear_down(&f);
    free_captured(&captured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transaction_topic_and_counted_key_change),
        cmocka_unit_test(messages_as_captured),
        cmocka_unit_test(snapshot_rows_as_captured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
