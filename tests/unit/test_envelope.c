/* The encoder's own rules: unchanged values, odd keys, what differs from Debezium on purpose, what is
 * refused. */
#include "envelope_fixture.h"

static const struct test_column toast[] = {{"id", 23, "ikn"}, {"t", 25, ""},   {"n", 1700, ""},
                                           {"b", 17, ""},     {"v", 1562, ""}, {NULL, 0, ""}};

static struct event update_of(const struct fixture *f, enum old_tuple_kind kind, const struct tuple *before,
                              const struct tuple *after)
{
    return (struct event){.op = EVENT_UPDATE,
                          .relation = f->relation,
                          .old_kind = kind,
                          .before = before,
                          .after = after,
                          .xid = 1,
                          .lsn = 2};
}

static void unchanged_is_a_placeholder_or_named_in_a_header(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    set_up(&f, &options);
    put_relation(&f, "toast", REPLICA_IDENTITY_DEFAULT, toast);
    prepare(&f);
    struct event event =
        update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED));
    encode(&f, &event);
    expect_rows(&f.set.records[0],
                "{\"before\":null,\"after\":{\"id\":1,\"t\":\"__debezium_unavailable_value\",\"n\":null,"
                "\"b\":\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\",\"v\":null}");
    expect_text(header_of(&f.set.records[0], HEADER_UNCHANGED_COLUMNS), "[\"n\",\"v\"]");
    event.after = ROW(&row, "1", "x", NULL, "\\x01", NULL); /* a NULL is not unchanged */
    encode(&f, &event);
    assert_null(header_of(&f.set.records[0], HEADER_UNCHANGED_COLUMNS).data);
    tear_down(&f);
}

static void unchanged_is_copied_from_a_full_old_row(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row old_row, new_row;
    set_up(&f, &options);
    put_relation(&f, "toast", REPLICA_IDENTITY_FULL, toast);
    prepare(&f);
    const struct tuple *before = ROW(&old_row, "1", "old", "5", "\\x01", "1");
    struct event event =
        update_of(&f, OLD_TUPLE_FULL, before, ROW(&new_row, "1", UNCHANGED, UNCHANGED, "\\x02", UNCHANGED));
    encode(&f, &event);
    expect_rows(&f.set.records[0], "{\"before\":{\"id\":1,\"t\":\"old\",\"n\":{\"scale\":0,\"value\":\"BQ=="
                                   "\"},\"b\":\"AQ==\",\"v\":\"AQ==\"},"
                                   "\"after\":{\"id\":1,\"t\":\"old\",\"n\":{\"scale\":0,\"value\":\"BQ==\"},"
                                   "\"b\":\"Ag==\",\"v\":\"AQ==\"}");
    assert_null(header_of(&f.set.records[0], HEADER_UNCHANGED_COLUMNS).data);
    event.after =
        ROW(&new_row, "2", UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED); /* with a changed key, too */
    encode(&f, &event);
    assert_int_equal(f.set.count, 3);
    expect_rows(&f.set.records[2],
                "{\"before\":null,\"after\":{\"id\":2,\"t\":\"old\",\"n\":{\"scale\":0,\"value\":\"BQ==\"},"
                "\"b\":\"AQ==\",\"v\":\"AQ==\"}");
    tear_down(&f);
}

/* A long key is stored out of line: the new row may show it as unchanged, the old one carries it. */
static void unchanged_key_comes_from_the_old_row(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{"k", 25, "ikn"}, {"v", 25, ""}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row old_row, new_row;
    set_up(&f, &options);
    put_relation(&f, "longkey", REPLICA_IDENTITY_DEFAULT, columns);
    prepare(&f);
    struct event event =
        update_of(&f, OLD_TUPLE_KEY, ROW(&old_row, "key", NULL), ROW(&new_row, UNCHANGED, "x"));
    assert_false(envelope_key_changed(f.envelope, &event));
    encode(&f, &event);
    assert_int_equal(f.set.count, 1);
    expect_text(f.set.records[0].key, "{\"k\":\"key\"}");
    expect_rows(&f.set.records[0],
                "{\"before\":{\"k\":\"key\",\"v\":null},\"after\":{\"k\":\"key\",\"v\":\"x\"}");
    event.before = NULL;
    event.old_kind = OLD_TUPLE_NONE;
    assert_false(envelope_encode(f.envelope, &event, NULL, &f.set, &f.err));
    assert_int_equal(f.err.code, ERR_REPLICA_IDENTITY);
    assert_non_null(strstr(f.err.text, "\"public.longkey.k\""));
    tear_down(&f);
}

/* Debezium keys such a delete {"id":0}; the applier would delete another row. */
static void index_identity_beside_a_primary_key_is_the_key(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {"id", 23, "kn"}, {"k", 23, "in"}, {"v", 25, ""}, {"w", 23, "n"}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row old_row, new_row;
    set_up(&f, &options);
    put_relation(&f, "ri_index", REPLICA_IDENTITY_INDEX, columns);
    prepare(&f);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&new_row, "2", "10", "y", "7"));
    encode(&f, &event);
    expect_text(f.set.records[0].key, "{\"k\":10}");
    event = update_of(&f, OLD_TUPLE_KEY, ROW(&old_row, NULL, "10", NULL, NULL),
                      ROW(&new_row, "2", "11", "y", "7"));
    encode(&f, &event);
    assert_int_equal(f.set.count, 3);
    expect_text(f.set.records[0].key, "{\"k\":10}");
    expect_rows(&f.set.records[0], "{\"before\":{\"id\":0,\"k\":10,\"v\":null,\"w\":0},\"after\":null");
    expect_text(header_of(&f.set.records[0], HEADER_NEW_KEY), "{\"k\":11}");
    expect_text(f.set.records[2].key, "{\"k\":11}");
    tear_down(&f);
}

static void lost_values_are_kept_in_a_header(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {"id", 23, "ikn"}, {"n", 1700, ""}, {"i", 1186, ""}, {"z", 1266, ""}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    set_up(&f, &options);
    put_relation(&f, "lost", REPLICA_IDENTITY_DEFAULT, columns);
    prepare(&f);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "NaN", "1 mon", "12:00:00+02"));
    encode(&f, &event);
    expect_rows(&f.set.records[0],
                "{\"before\":null,\"after\":{\"id\":1,\"n\":null,\"i\":2629800000000,\"z\":\"10:00:00Z\"}");
    expect_text(header_of(&f.set.records[0], HEADER_EXACT_COLUMNS),
                "{\"n\":\"NaN\",\"i\":\"1 mon\",\"z\":\"12:00:00+02\"}");
    event.after = ROW(&row, "1", "1.5", "01:00:00", "12:00:00+00");
    encode(&f, &event);
    assert_null(header_of(&f.set.records[0], HEADER_EXACT_COLUMNS).data);
    event.after = ROW(&row, "1", "10.50", NULL, NULL);
    encode(&f, &event);
    expect_rows(&f.set.records[0],
                "{\"before\":null,\"after\":{\"id\":1,\"n\":{\"scale\":1,\"value\":\"aQ==\"},"
                "\"i\":null,\"z\":null}");
    expect_text(header_of(&f.set.records[0], HEADER_EXACT_COLUMNS), "{\"n\":\"10.50\"}");
    tear_down(&f);
}

/* An update finds a row without a key by `before`; a changed key is found by the key of its delete. */
static void lost_values_of_the_old_row_have_their_own_header(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{"n", 1700, "i"}, {"i", 1186, "i"}, {NULL, 0, ""}};
    static const struct test_column keyed[] = {{"n", 1700, "ikn"}, {"i", 1186, "i"}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row old_row, new_row;
    set_up(&f, &options);
    put_relation(&f, "keyless", REPLICA_IDENTITY_FULL, columns);
    prepare(&f);
    struct event event =
        update_of(&f, OLD_TUPLE_FULL, ROW(&old_row, "1.0", "1 mon"), ROW(&new_row, "2.00", "00:00:01"));
    encode(&f, &event);
    expect_text(header_of(&f.set.records[0], HEADER_EXACT_COLUMNS), "{\"n\":\"2.00\"}");
    expect_text(header_of(&f.set.records[0], HEADER_EXACT_BEFORE), "{\"n\":\"1.0\",\"i\":\"1 mon\"}");
    event.before = ROW(&old_row, "1", "00:00:01");
    encode(&f, &event);
    assert_null(header_of(&f.set.records[0], HEADER_EXACT_BEFORE).data);

    put_relation(&f, "keyed", REPLICA_IDENTITY_FULL, keyed);
    prepare(&f);
    event = update_of(&f, OLD_TUPLE_FULL, ROW(&old_row, "1.0", NULL), ROW(&new_row, "2", NULL));
    encode(&f, &event);
    assert_int_equal(f.set.count, 3);
    expect_text(header_of(&f.set.records[0], HEADER_EXACT_COLUMNS), "{\"n\":\"1.0\"}");
    assert_null(header_of(&f.set.records[0], HEADER_EXACT_BEFORE).data);
    assert_null(header_of(&f.set.records[1], HEADER_EXACT_COLUMNS).data);
    assert_null(header_of(&f.set.records[2], HEADER_EXACT_COLUMNS).data);
    tear_down(&f);
}

static void columns_without_mapping_are_left_out_and_told(void *data, const struct relation *relation,
                                                          const struct column *column)
{
    assert_true(slice_equal(relation->name, SLICE_LITERAL("odd")));
    expect_text(column->name, "p");
    ++*(int *)data;
}

static void omitted_columns(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {"p", 600, ""}, {"id", 23, "ikn"}, {"v", 25, ""}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    int told = 0;
    set_up(&f, &options);
    put_relation(&f, "odd", REPLICA_IDENTITY_DEFAULT, columns);
    assert_true(envelope_prepare(f.envelope, f.relation, columns_without_mapping_are_left_out_and_told, &told,
                                 &f.err));
    assert_int_equal(told, 1);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "(1,2)", "1", "x"));
    encode(&f, &event);
    expect_rows(&f.set.records[0], "{\"before\":null,\"after\":{\"id\":1,\"v\":\"x\"}");
    static const struct test_column key[] = {{"p", 600, "ikn"}, {"id", 23, "ikn"}, {NULL, 0, ""}};
    put_relation(&f, "odd", REPLICA_IDENTITY_DEFAULT, key);
    assert_false(envelope_prepare(f.envelope, f.relation, NULL, NULL, &f.err));
    assert_int_equal(f.err.code, ERR_TYPE);
    tear_down(&f);
}

static void refused(struct fixture *f, const struct tuple *after, enum err_code code, const char *text)
{
    struct event event = update_of(f, OLD_TUPLE_NONE, NULL, after);
    assert_false(envelope_encode(f->envelope, &event, NULL, &f->set, &f->err));
    assert_int_equal(f->err.code, code);
    if (strstr(f->err.text, text) == NULL)
        fail_msg("\"%s\" without \"%s\"", f->err.text, text);
}

static void bad_rows_are_refused_and_the_next_one_is_fine(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    static char huge[8192];
    memset(huge, 'x', sizeof(huge) - 1);
    set_up(&f, &options);
    put_relation(&f, "t", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    refused(&f, ROW(&row, "secret", "v"), ERR_TYPE, "\"public.t.id\"");
    assert_null(strstr(f.err.text, "secret"));
    refused(&f, ROW(&row, "1"), ERR_PROTOCOL, "public.t");
    refused(&f, ROW(&row, "1", huge), ERR_LIMIT, "\"public.t\" exceeds 4096 bytes");
    (void)ROW(&row, "1", "x");
    row.values[1].kind = VALUE_BINARY;
    refused(&f, &row.tuple, ERR_TYPE, "\"public.t.v\"");
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "x"));
    encode(&f, &event);
    expect_rows(&f.set.records[0], "{\"before\":null,\"after\":{\"id\":1,\"v\":\"x\"}");
    tear_down(&f);
}

static void origin_is_shown(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    set_up(&f, &options);
    put_relation(&f, "t", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "x"));
    event.origin = SLICE_LITERAL("node\"a");
    event.origin_lsn = 77;
    encode(&f, &event);
    struct slice value = f.set.records[0].value;
    char text[1024];
    assert_true(value.len < sizeof(text));
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    assert_non_null(
        strstr(text, "\"xmin\":null,\"origin\":\"node\\\"a\",\"origin_lsn\":77},\"transaction\":null"));
    tear_down(&f);
}

/* Of several collections the order is that of the first event of each; messages count under their topic. */
static void end_lists_collections_in_event_order(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    struct record record;
    set_up(&f, &options);
    put_relation(&f, "z\"t", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    begin(&f, 100, 7, 1500000);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "x"));
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    struct event message = {
        .op = EVENT_MESSAGE, .xid = 7, .lsn = 3, .prefix = SLICE_LITERAL(""), .content = SLICE_LITERAL("")};
    assert_true(envelope_encode(f.envelope, &message, f.transaction, &f.set, &f.err));
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    commit(&f, 100, 200, 1500000);
    assert_true(envelope_encode_end(f.envelope, f.transaction, &record, &f.err));
    expect_text(record.topic, "p.transaction");
    expect_text(record.key, "{\"id\":\"7:200\"}");
    expect_text(record.value, "{\"status\":\"END\",\"id\":\"7:200\",\"event_count\":3,\"data_collections\":["
                              "{\"data_collection\":\"public.z\\\"t\",\"event_count\":2},"
                              "{\"data_collection\":\"p.message\",\"event_count\":1}],\"ts_ms\":1500}");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unchanged_is_a_placeholder_or_named_in_a_header),
        cmocka_unit_test(unchanged_is_copied_from_a_full_old_row),
        cmocka_unit_test(unchanged_key_comes_from_the_old_row),
        cmocka_unit_test(index_identity_beside_a_primary_key_is_the_key),
        cmocka_unit_test(lost_values_are_kept_in_a_header),
        cmocka_unit_test(lost_values_of_the_old_row_have_their_own_header),
        cmocka_unit_test(omitted_columns),
        cmocka_unit_test(bad_rows_are_refused_and_the_next_one_is_fine),
        cmocka_unit_test(origin_is_shown),
        cmocka_unit_test(end_lists_collections_in_event_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
