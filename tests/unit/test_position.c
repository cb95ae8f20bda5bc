#include "walferry/position.h"

#include "cmocka_all.h"

#include <stdlib.h>

static struct position read_ok(const char *json)
{
    struct position position;
    struct err err = {.text = "untouched"};
    if (!position_read_value(slice_of(json), &position, &err))
        fail_msg("%s", err.text);
    assert_string_equal(err.text, "untouched");
    return position;
}

static void check_written(const struct position *position, const char *expected)
{
    struct buf out;
    buf_init(&out, 4096);
    position_write_value(&out, position);
    assert_string_equal(buf_text(&out), expected);
    buf_release(&out);
}

static void covers_by_commit_lsn(void **state)
{
    (void)state;
    struct position position = {.end_lsn = 1000, .commit_lsn = 1500, .ordinal = 3};
    assert_true(position_covers_transaction(&position, 952)); /* its Commit ends at 1000 */
    assert_false(position_covers_transaction(&position, 1000));
    assert_true(position_covers_change(&position, 952, 1000000));
    assert_true(position_covers_change(&position, 1500, 3));
    assert_false(position_covers_change(&position, 1500, 4));
    /* A transaction that commits between them was not read yet, whatever its rows' LSNs are. */
    assert_false(position_covers_change(&position, 1400, 1));
    assert_false(position_covers_change(&position, 1501, 1));
    position = (struct position){.end_lsn = 0};
    assert_false(position_covers_transaction(&position, 1));
}

static void writes_debeziums_key(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    position_write_key(&out, SLICE_LITERAL("inventory-connector"), SLICE_LITERAL("parity89"));
    assert_string_equal(buf_text(&out), "[\"inventory-connector\",{\"server\":\"parity89\"}]");
    buf_clear(&out);
    position_write_key(&out, SLICE_LITERAL("a \"b\""), SLICE_LITERAL("c\\d"));
    assert_string_equal(buf_text(&out), "[\"a \\\"b\\\"\",{\"server\":\"c\\\\d\"}]");
    buf_release(&out);
}

/* An offset that Debezium 3.6.1 stored behind a commit. */
static void reads_debeziums_commit(void **state)
{
    (void)state;
    struct position p =
        read_ok("{\"transaction_id\":\"303618\",\"lsn_proc\":2950266808,\"messageType\":\"COMMIT\","
                "\"lsn_commit\":2950266808,\"lsn\":2950266808,\"txId\":303618,"
                "\"ts_usec\":1795250106851898,"
                "\"transaction_data_collection_order_public.parity_end\":1}");
    assert_int_equal(p.end_lsn, 2950266808);
    assert_int_equal(p.last_end_lsn, 2950266808);
    assert_int_equal(p.lsn, 2950266808);
    assert_int_equal(p.xid, 303618);
    assert_int_equal(p.commit_time_us, 1795250106851898);
    assert_int_equal(p.commit_lsn, LSN_NONE);
    assert_int_equal(p.ordinal, 0);
    assert_int_equal(p.snapshot, SNAPSHOT_NONE);
    assert_int_equal(p.system_identifier, 0);
    assert_int_equal(p.timeline, 0);
}

/* And inside a transaction: what is covered ends with the transaction before. */
static void reads_debeziums_place_inside(void **state)
{
    (void)state;
    struct position p = read_ok("{\"transaction_id\":\"431808\",\"lsn_proc\":6647223160,"
                                "\"transaction_data_collection_order_s.a\":6500,"
                                "\"transaction_data_collection_order_s.b\":6305,\"messageType\":\"INSERT\","
                                "\"lsn_commit\":6638354880,\"lsn\":6647223160,\"txId\":431808,"
                                "\"ts_usec\":1795255463921315}");
    assert_int_equal(p.end_lsn, 6638354880);
    assert_int_equal(p.last_end_lsn, 6638354880); /* sequence[0] of the transaction's rows */
    assert_int_equal(p.lsn, 6647223160);
    assert_int_equal(p.commit_lsn, LSN_NONE);
    assert_false(position_covers_change(&p, 6647300000, 1));
}

static void reads_debeziums_snapshot_state(void **state)
{
    (void)state;
    struct position p;
    p = read_ok("{\"lsn\":7,\"txId\":1,\"snapshot\":\"INITIAL\",\"snapshot_completed\":false}");
    assert_int_equal(p.snapshot, SNAPSHOT_RUNNING);
    assert_int_equal(p.end_lsn, LSN_NONE);
    assert_int_equal(p.lsn, 7);
    p = read_ok("{\"lsn\":7,\"txId\":1,\"snapshot\":\"INITIAL\",\"snapshot_completed\":true}");
    assert_int_equal(p.snapshot, SNAPSHOT_COMPLETE);
    p = read_ok("{\"lsn\":7,\"snapshot\":true,\"last_snapshot_record\":false}"); /* before 3.0 */
    assert_int_equal(p.snapshot, SNAPSHOT_RUNNING);
    p = read_ok("{\"lsn\":7,\"last_snapshot_record\":true,\"snapshot\":true}");
    assert_int_equal(p.snapshot, SNAPSHOT_COMPLETE);
    p = read_ok("{\"lsn\":7,\"snapshot\":\"BLOCKING\",\"snapshot_completed\":false}");
    assert_int_equal(p.snapshot, SNAPSHOT_COMPLETE);
    p = read_ok("{\"lsn\":7,\"snapshot\":null,\"snapshot_completed\":null}");
    assert_int_equal(p.snapshot, SNAPSHOT_NONE);
}

static const struct position behind_a_commit = {
    .end_lsn = 2950266808,
    .last_end_lsn = 2950266700,
    .lsn = 2950266600,
    .xid = 303618,
    .commit_time_us = 1795250106851898,
    .snapshot = SNAPSHOT_COMPLETE,
    .system_identifier = 18446744073709551615U,
    .timeline = 3,
};

static const struct position inside_a_transaction = {
    .end_lsn = 6638354880,
    .commit_lsn = 6690000000,
    .ordinal = 12805,
    .last_end_lsn = 6638354880,
    .lsn = 6647223160,
    .xid = 4294967295,
    .commit_time_us = 1795255463921315,
};

/* Debezium's members say what Debezium would have said; ours follow. */
static void writes_behind_a_commit(void **state)
{
    (void)state;
    check_written(&behind_a_commit,
                  "{\"ts_usec\":1795250106851898,\"lsn\":2950266808,\"lsn_proc\":2950266808,"
                  "\"lsn_commit\":2950266808,\"txId\":303618,\"messageType\":\"COMMIT\","
                  "\"walferry_last_end_lsn\":2950266700,\"walferry_snapshot\":\"complete\","
                  "\"walferry_system_identifier\":\"18446744073709551615\",\"walferry_timeline\":3}");
}

static void writes_inside_a_transaction(void **state)
{
    (void)state;
    check_written(&inside_a_transaction,
                  "{\"ts_usec\":1795255463921315,\"lsn\":6647223160,\"lsn_proc\":6647223160,"
                  "\"lsn_commit\":6638354880,\"txId\":4294967295,\"messageType\":\"INSERT\","
                  "\"walferry_commit_lsn\":6690000000,\"walferry_ordinal\":12805,"
                  "\"walferry_last_end_lsn\":6638354880,\"walferry_snapshot\":\"none\"}");
}

static void writes_the_snapshot_state(void **state)
{
    (void)state;
    struct position p = {.lsn = 7, .snapshot = SNAPSHOT_RUNNING};
    check_written(&p, "{\"ts_usec\":0,\"lsn\":7,\"lsn_proc\":7,\"snapshot\":\"INITIAL\","
                      "\"snapshot_completed\":false,\"walferry_last_end_lsn\":0,"
                      "\"walferry_snapshot\":\"running\"}");
    p = (struct position){.end_lsn = 7, .snapshot = SNAPSHOT_COMPLETE};
    check_written(&p, "{\"ts_usec\":0,\"lsn\":7,\"lsn_proc\":7,\"lsn_commit\":7,\"snapshot\":\"INITIAL\","
                      "\"snapshot_completed\":true,\"walferry_last_end_lsn\":0,"
                      "\"walferry_snapshot\":\"complete\"}");
}

static void check_same(const struct position *a, const struct position *b)
{
    assert_int_equal(a->end_lsn, b->end_lsn);
    assert_int_equal(a->commit_lsn, b->commit_lsn);
    assert_int_equal(a->ordinal, b->ordinal);
    assert_int_equal(a->last_end_lsn, b->last_end_lsn);
    assert_int_equal(a->xid, b->xid);
    assert_int_equal(a->commit_time_us, b->commit_time_us);
    assert_int_equal(a->snapshot, b->snapshot);
    assert_int_equal(a->system_identifier, b->system_identifier);
    assert_int_equal(a->timeline, b->timeline);
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    const struct position only_begin = {.commit_lsn = 100, .lsn = 90, .xid = 1, .commit_time_us = -5};
    const struct position nothing = {.snapshot = SNAPSHOT_RUNNING};
    const struct position *const all[] = {&behind_a_commit, &inside_a_transaction, &only_begin, &nothing};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct buf out;
        buf_init(&out, 4096);
        position_write_value(&out, all[i]);
        struct position p = read_ok(buf_text(&out));
        check_same(&p, all[i]);
        assert_int_equal(p.lsn, all[i] == &behind_a_commit ? p.end_lsn : all[i]->lsn);
        buf_release(&out);
    }
}

/* Members of later versions, in any order, of any type. */
static void skips_unknown_members(void **state)
{
    (void)state;
    struct position p =
        read_ok("{\"x\":{\"lsn\":1},\"lsn_commit\":8,\"y\":[1.5e300,null],\"lsn_events_processed\":2,"
                "\"lsn\":9,\"xmin\":\"?\",\"txId\":null}");
    assert_int_equal(p.end_lsn, 8);
    assert_int_equal(p.lsn, 9);
    assert_int_equal(p.xid, 0);
}

static const struct {
    const char *json, *text;
} refused[] = {
    {"", "not JSON"},
    {"{", "not JSON"},
    {"{\"lsn\":1}x", "not JSON"},
    {"[]", "not a JSON object"},
    {"1", "not a JSON object"},
    {"{}", "no member \"lsn\""},
    {"{\"file\":\"mysql-bin.000003\",\"pos\":154}", "no member \"lsn\""},
    {"{\"lsn\":1.0}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":1e3}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":-1}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":18446744073709551616}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":\"16/B374D848\"}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":\"\"}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":true}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":{}}", "member \"lsn\" is not a decimal number"},
    {"{\"lsn\":1,\"txId\":4294967296}", "member \"txId\" is above 4294967295"},
    {"{\"lsn\":1,\"walferry_timeline\":4294967296}", "member \"walferry_timeline\" is above"},
    {"{\"lsn\":1,\"ts_usec\":\"1\"}", "member \"ts_usec\" is not a decimal number"},
    {"{\"lsn\":1,\"ts_usec\":9223372036854775808}", "member \"ts_usec\" is not a decimal number"},
    {"{\"lsn\":1,\"snapshot\":1}", "member \"snapshot\" is not a text or a boolean"},
    {"{\"lsn\":1,\"snapshot_completed\":\"true\"}", "member \"snapshot_completed\" is not a boolean"},
    {"{\"lsn\":1,\"walferry_snapshot\":\"half\"}", "is none of none, running, complete"},
    {"{\"lsn\":1,\"walferry_ordinal\":1}", "\"walferry_ordinal\" without \"walferry_commit_lsn\""},
};

static void refuses_what_is_no_offset(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct position position = {.lsn = 42};
        struct err err;
        assert_false(position_read_value(slice_of(refused[i].json), &position, &err));
        assert_int_equal(err.code, ERR_EVENT);
        if (strstr(err.text, refused[i].text) == NULL)
            fail_msg("%s: \"%s\" without \"%s\"", refused[i].json, err.text, refused[i].text);
        assert_int_equal(position.lsn, 42);
    }
    struct position position;
    struct err err;
    assert_false(position_read_value(SLICE_NONE, &position, &err));
}

static void refuses_every_cut(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 4096);
    position_write_value(&out, &inside_a_transaction);
    for (size_t len = 0; len < out.len; len++) {
        char *cut = malloc(len > 0 ? len : 1);
        struct position position;
        struct err err;
        assert_non_null(cut);
        memcpy(cut, out.data, len);
        assert_false(position_read_value((struct slice){cut, len}, &position, &err));
        free(cut);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(covers_by_commit_lsn),           cmocka_unit_test(writes_debeziums_key),
        cmocka_unit_test(reads_debeziums_commit),         cmocka_unit_test(reads_debeziums_place_inside),
        cmocka_unit_test(reads_debeziums_snapshot_state), cmocka_unit_test(writes_behind_a_commit),
        cmocka_unit_test(writes_inside_a_transaction),    cmocka_unit_test(writes_the_snapshot_state),
        cmocka_unit_test(reads_what_it_writes),           cmocka_unit_test(skips_unknown_members),
        cmocka_unit_test(refuses_what_is_no_offset),      cmocka_unit_test(refuses_every_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
