#include "local_log_fixture.h"

static const struct header headers[] = {
    {{"id", 2}, {"1", 1}}, {{"none", 4}, {NULL, 0}}, {{"empty", 5}, {"", 0}}};

static void expect_next(struct fixture *f, struct local_record *got)
{
    struct err err = {.code = ERR_NONE};
    if (local_reader_next(f->reader, got, &err) != LOCAL_RECORD)
        fail_msg("no record: %s", err.text);
}

static void expect_nothing(struct fixture *f)
{
    struct local_record got;
    struct err err;
    assert_int_equal(local_reader_next(f->reader, &got, &err), LOCAL_NOTHING);
}

static void expect_slice(struct slice got, struct slice expected)
{
    assert_int_equal(got.data == NULL, expected.data == NULL);
    assert_int_equal(got.len, expected.len);
    assert_true(slice_equal(got, expected));
}

/* Every member of a record comes back; null, empty and zero bytes stay what they are. */
static void keeps_records_whole(void **state)
{
    static const struct record records[] = {
        {.topic = {"inv.public.t", 12},
         .key = {"k\0k", 3},
         .value = {"v", 1},
         .headers = headers,
         .header_count = 3,
         .partition = 7,
         .ack_seq = 1,
         .xid = UINT32_MAX,
         .commit_lsn = UINT64_MAX,
         .ordinal = UINT64_MAX},
        {.topic = {"inv.public.t", 12},
         .key = {"k", 1},
         .value = {NULL, 0},
         .partition = RECORD_PARTITION_BY_KEY,
         .ack_seq = 2},
        {.topic = {"inv.transaction", 15},
         .key = {NULL, 0},
         .value = {"", 0},
         .headers = headers,
         .header_count = 1,
         .ack_seq = 3},
    };
    struct fixture *f = *state;
    fixture_open_writer(f);
    for (size_t i = 0; i < 3; i++)
        local_writer_append(f->writer, &records[i]);
    fixture_mark(f, 3);
    fixture_flush(f);
    assert_int_equal(f->stored_seq, 3);
    fixture_open_reader(f, "apply");
    for (size_t i = 0; i < 3; i++) {
        struct local_record got;
        expect_next(f, &got);
        assert_int_equal(got.offset, i + 1);
        expect_slice(got.record.topic, records[i].topic);
        expect_slice(got.record.key, records[i].key);
        expect_slice(got.record.value, records[i].value);
        assert_int_equal(got.record.partition, i == 0 ? 7 : 0);
        assert_int_equal(got.record.xid, records[i].xid);
        assert_true(got.record.commit_lsn == records[i].commit_lsn &&
                    got.record.ordinal == records[i].ordinal);
        assert_true(got.timestamp_ms > 1600000000000);
        assert_int_equal(got.record.header_count, records[i].header_count);
        for (size_t h = 0; h < records[i].header_count; h++) {
            expect_slice(got.record.headers[h].name, headers[h].name);
            expect_slice(got.record.headers[h].value, headers[h].value);
        }
    }
    expect_nothing(f);
}

/* The constant header set of a run is in the file once; sets that change with each record are with it. */
static void stores_a_constant_header_set_once(void **state)
{
    struct fixture *f = *state;
    char id[16], text[FIXTURE_NUMBER_SIZE];
    struct header changing = {{"id", 2}, {id, 0}};
    struct record record = {.topic = SLICE_LITERAL("t")};
    fixture_open_writer(f);
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        changing.value.len = (size_t)snprintf(id, sizeof(id), "%llu", (unsigned long long)seq);
        record.headers = seq % 2 == 0 ? headers : &changing;
        record.header_count = seq % 2 == 0 ? 3 : 1;
        local_writer_append(f->writer, &record);
    }
    fixture_mark(f, 1000);
    fixture_flush(f);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM header_set"), 1);
    assert_true(fixture_query(f, "SELECT count(*) FROM record WHERE typeof(headers) = 'integer'") > 400);
    fixture_open_reader(f, "apply");
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        struct local_record got;
        expect_next(f, &got);
        assert_int_equal(got.record.header_count, seq % 2 == 0 ? 3 : 1);
        struct slice value = slice_of(number_text(seq % 2 == 0 ? 1 : seq, text));
        assert_true(slice_equal(got.record.headers[0].value, value));
    }
}

static void keeps_position_across_restarts(void **state)
{
    struct fixture *f = *state;
    struct position position;
    struct err err;
    bool found = true;
    fixture_open_writer(f);
    assert_true(local_writer_position(f->writer, &position, &found, &err));
    assert_false(found);
    fixture_append(f, 1, 10);
    fixture_mark(f, 41);
    fixture_flush(f);
    fixture_mark(f, 42); /* a position alone */
    fixture_flush(f);
    assert_int_equal(f->stored_calls, 2);
    fixture_close(f);
    fixture_open_writer(f);
    assert_true(local_writer_position(f->writer, &position, &found, &err));
    assert_true(found);
    assert_int_equal(position.end_lsn, 0x900);
    assert_int_equal(position.commit_lsn, 0x1000);
    assert_int_equal(position.ordinal, 42);
}

/* What follows the last mark is not stored before its own. */
static void ends_batches_at_marks(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    fixture_append(f, 1, 10);
    fixture_append(f, 2, 10);
    fixture_mark(f, 2);
    fixture_append(f, 3, 10);
    local_writer_flush(f->writer);
    FIXTURE_WAIT(f, f->stored_calls == 1);
    assert_int_equal(f->stored_seq, 2);
    assert_int_equal(f->stored.ordinal, 2);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 2);
    assert_false(local_writer_idle(f->writer));
    fixture_mark(f, 3);
    fixture_flush(f);
    assert_int_equal(f->stored_seq, 3);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 3);
}

static void drops_unmarked_records_of_a_lost_connection(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    fixture_append(f, 1, 10);
    fixture_mark(f, 1);
    fixture_append(f, 2, 10);
    local_writer_discard_unmarked(f->writer);
    fixture_mark(f, 1);
    fixture_flush(f);
    assert_int_equal(f->stored_seq, 1);
    fixture_append(f, 2, 10);
    local_writer_discard_unmarked(f->writer);
    assert_true(local_writer_idle(f->writer));
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 1);
}

/* Bytes are counted until they are committed, and memory stays at the limit. */
static void has_no_room_at_its_limit(void **state)
{
    struct fixture *f = *state;
    uint64_t seq = 0;
    fixture_open_writer(f);
    while (local_writer_has_room(f->writer)) {
        fixture_append(f, ++seq, 1000);
        fixture_mark(f, seq);
    }
    assert_true(local_writer_queue_bytes(f->writer) >= f->options.queue_bytes_max);
    assert_true(local_writer_queue_bytes(f->writer) < f->options.queue_bytes_max + 2000);
    FIXTURE_WAIT(f, local_writer_has_room(f->writer));
    FIXTURE_WAIT(f, local_writer_idle(f->writer));
    assert_int_equal(local_writer_queue_bytes(f->writer), 0);
    assert_int_equal(f->stored_seq, seq);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), seq);
}

static void keeps_order_over_many_batches(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 20000, 300);
    fixture_flush(f);
    assert_true(f->stored_calls > 10);
    assert_int_equal(f->stored_seq, 20000);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), 20000);
}

static void stores_a_record_larger_than_every_buffer(void **state)
{
    struct fixture *f = *state;
    const size_t len = 20 << 20;
    struct local_record got;
    fixture_open_writer(f);
    fixture_append(f, 1, len);
    fixture_mark(f, 1);
    fixture_append(f, 2, 1);
    fixture_mark(f, 2);
    FIXTURE_WAIT(f, local_writer_idle(f->writer));
    fixture_open_reader(f, "apply");
    expect_next(f, &got);
    assert_int_equal(got.record.value.len, len);
    expect_next(f, &got);
    assert_int_equal(got.record.ordinal, 2);
}

/* A reader sees a snapshot whole or not at all, also when it was interrupted and begun again. */
static void hides_a_snapshot_until_it_is_complete(void **state)
{
    struct fixture *f = *state;
    int64_t end = 0;
    struct position position;
    struct err err;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 5, 10);
    local_writer_snapshot_begin(f->writer);
    for (uint64_t seq = 900; seq < 1000; seq++)
        fixture_append(f, seq, 10);
    fixture_mark(f, 5);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), 5);
    assert_true(local_reader_end(f->reader, &end, &position, &err));
    assert_int_equal(end, 5);
    fixture_close(f); /* the interrupted one */

    fixture_open_writer(f);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), 5);
    local_writer_snapshot_begin(f->writer);
    fixture_append_many(f, 6, 20, 10);
    fixture_flush(f);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 25);
    expect_nothing(f);
    local_writer_snapshot_end(f->writer);
    fixture_mark(f, 26);
    fixture_flush(f);
    assert_int_equal(fixture_read_all(f, 6), 20);
    assert_true(local_reader_end(f->reader, &end, &position, &err));
    assert_int_equal(end, 125); /* the hundred offsets of the first attempt are never used again */
}

static void drops_an_interrupted_snapshot_for_good(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    local_writer_snapshot_begin(f->writer);
    fixture_append_many(f, 900, 30, 10);
    fixture_flush(f);
    local_writer_snapshot_begin(f->writer);
    local_writer_snapshot_end(f->writer);
    fixture_append_many(f, 1, 3, 10);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), 3);
    assert_int_equal(fixture_query(f, "SELECT record_bytes FROM meta"),
                     fixture_query(f, "SELECT sum(64 + length(\"key\") + length(value)) FROM record"));
}

/* Many more hidden records than one transaction deletes. */
static void deletes_a_large_interrupted_snapshot_in_steps(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 3, 10);
    local_writer_snapshot_begin(f->writer);
    fixture_append_many(f, 900, 50000, 10);
    local_writer_snapshot_begin(f->writer);
    fixture_append_many(f, 4, 2, 10);
    local_writer_snapshot_end(f->writer);
    fixture_mark(f, 5);
    fixture_flush(f);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 5);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), 5);
}

static void reader_goes_on_behind_an_offset(void **state)
{
    struct fixture *f = *state;
    struct err err;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 10, 10);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    assert_true(local_reader_seek(f->reader, 7, &err));
    assert_int_equal(fixture_read_all(f, 8), 3);
    assert_true(local_reader_seek(f->reader, 0, &err));
    assert_int_equal(fixture_read_all(f, 1), 10);
    assert_true(local_reader_seek(f->reader, 10, &err));
    expect_nothing(f);
}

/* An offset that this file never had came from another file: waiting for it would lose what lies below. */
static void reader_refuses_an_offset_of_another_file(void **state)
{
    struct fixture *f = *state;
    struct err err;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 10, 10);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    assert_false(local_reader_seek(f->reader, 11, &err));
    assert_int_equal(err.code, ERR_LOG_FOREIGN);
}

static void reader_notices_that_its_file_is_gone(void **state)
{
    struct fixture *f = *state;
    struct local_record got;
    struct err err;
    char moved[128];
    fixture_open_writer(f);
    fixture_append_many(f, 1, 1, 10);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), 1);
    (void)snprintf(moved, sizeof(moved), "%s.moved", f->path);
    assert_int_equal(rename(f->path, moved), 0);
    assert_int_equal(local_reader_next(f->reader, &got, &err), LOCAL_ERROR);
    assert_int_equal(err.code, ERR_LOG_FOREIGN);
}

static void reader_tells_the_newest_position(void **state)
{
    struct fixture *f = *state;
    struct position position;
    struct err err;
    int64_t end = -1;
    fixture_open_writer(f);
    fixture_open_reader(f, "apply");
    assert_true(local_reader_end(f->reader, &end, &position, &err));
    assert_int_equal(end, 0);
    assert_int_equal(position.end_lsn, LSN_NONE);
    fixture_append_many(f, 1, 4, 10);
    fixture_flush(f);
    assert_true(local_reader_end(f->reader, &end, &position, &err));
    assert_int_equal(end, 4);
    assert_int_equal(position.ordinal, 4);
}

/* A commit wakes the reader through the watched file; the fallback timer is out of the way. */
static void commit_wakes_the_reader(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    fixture_open_reader(f, "apply");
    local_reader_watch_only(f->reader);
    for (uint64_t seq = 1; seq <= 20; seq++) {
        int before = f->wakes;
        fixture_append(f, seq, 10);
        fixture_mark(f, seq);
        FIXTURE_WAIT(f, f->wakes > before && local_writer_idle(f->writer));
        assert_int_equal(fixture_read_all(f, seq), 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keeps_records_whole),
        TEST(stores_a_constant_header_set_once),
        TEST(keeps_position_across_restarts),
        TEST(ends_batches_at_marks),
        TEST(drops_unmarked_records_of_a_lost_connection),
        TEST(has_no_room_at_its_limit),
        TEST(keeps_order_over_many_batches),
        TEST(stores_a_record_larger_than_every_buffer),
        TEST(hides_a_snapshot_until_it_is_complete),
        TEST(drops_an_interrupted_snapshot_for_good),
        TEST(deletes_a_large_interrupted_snapshot_in_steps),
        TEST(reader_goes_on_behind_an_offset),
        TEST(reader_refuses_an_offset_of_another_file),
        TEST(reader_notices_that_its_file_is_gone),
        TEST(reader_tells_the_newest_position),
        TEST(commit_wakes_the_reader),
    };
    return cmocka_run_group_tests_name("local_log", tests, NULL, NULL);
}
