#include "local_log_fixture.h"

static void fixture_on_stored(void *data, uint64_t ack_seq, const struct position *position)
{
    struct fixture *f = data;
    f->stored_calls++;
    f->stored_seq = ack_seq;
    f->stored = *position;
}

static void fixture_on_trouble(void *data, const struct err *err)
{
    struct fixture *f = data;
    if (err == NULL) {
        f->relief_calls++;
        return;
    }
    f->trouble_calls++;
    f->trouble = *err;
}

void fixture_on_wake(void *data)
{
    struct fixture *f = data;
    f->wakes++;
}

void fixture_on_guard(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("waited %d ms in vain", FIXTURE_WAIT_MS);
}

int fixture_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->uv), 0);
    assert_int_equal(uv_timer_init(&f->uv, &f->guard), 0);
    (void)snprintf(f->directory, sizeof(f->directory), "/tmp/walferry-unit-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/log.db", f->directory);
    f->options = (struct local_writer_options){
        .path = f->path,
        .batch_bytes_max = 64 << 10,
        .queue_bytes_max = 256 << 10,
        .linger_ms = 1,
        .connector = SLICE_LITERAL("inventory"),
        .server = SLICE_LITERAL("inv"),
        .on_stored = fixture_on_stored,
        .on_trouble = fixture_on_trouble,
        .data = f,
    };
    *state = f;
    return 0;
}

void fixture_close(struct fixture *f)
{
    if (f->writer != NULL)
        local_writer_close(f->writer);
    if (f->reader != NULL)
        local_reader_close(f->reader);
    f->writer = NULL;
    f->reader = NULL;
    (void)uv_timer_stop(&f->guard);
    while (uv_run(&f->uv, UV_RUN_DEFAULT) != 0)
        ;
}

int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    char command[96];
    fixture_close(f);
    uv_close((uv_handle_t *)&f->guard, NULL);
    (void)uv_run(&f->uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->uv), 0);
    (void)snprintf(command, sizeof(command), "rm -rf %s", f->directory);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

void fixture_open_writer(struct fixture *f)
{
    struct err err = {.code = ERR_NONE};
    if (!local_writer_open(&f->uv, &f->options, &f->writer, &err))
        fail_msg("%s", err.text);
}

void fixture_open_reader(struct fixture *f, const char *consumer)
{
    struct err err = {.code = ERR_NONE};
    const struct local_reader_options options = {f->path, consumer, fixture_on_wake, f};
    if (!local_reader_open(&f->uv, &options, &f->reader, &err))
        fail_msg("%s", err.text);
}

void fixture_flush(struct fixture *f)
{
    local_writer_flush(f->writer);
    FIXTURE_WAIT(f, local_writer_idle(f->writer));
}

const char *number_text(uint64_t number, char text[FIXTURE_NUMBER_SIZE])
{
    (void)snprintf(text, FIXTURE_NUMBER_SIZE, "%llu", (unsigned long long)number);
    return text;
}

void fixture_append(struct fixture *f, uint64_t seq, size_t value_len)
{
    char text[FIXTURE_NUMBER_SIZE];
    size_t len = strlen(number_text(seq, text));
    char *value = calloc(1, value_len + sizeof(text));
    assert_non_null(value);
    memcpy(value, text, len);
    const struct record record = {
        .topic = SLICE_LITERAL("inv.public.t"),
        .key = {value, len},
        .value = {value, value_len > len ? value_len : len},
        .partition = RECORD_PARTITION_BY_KEY,
        .ack_seq = seq,
        .xid = 700,
        .commit_lsn = 0x1000,
        .ordinal = seq,
    };
    local_writer_append(f->writer, &record);
    free(value);
}

void fixture_mark(struct fixture *f, uint64_t ordinal)
{
    const struct position position = {.end_lsn = 0x900,
                                      .commit_lsn = 0x1000,
                                      .ordinal = ordinal,
                                      .last_end_lsn = 0x900,
                                      .lsn = 0x950,
                                      .xid = 700};
    local_writer_mark(f->writer, &position);
}

void fixture_append_many(struct fixture *f, uint64_t first, uint64_t count, size_t value_len)
{
    for (uint64_t seq = first; seq < first + count; seq++) {
        FIXTURE_WAIT(f, local_writer_has_room(f->writer));
        fixture_append(f, seq, value_len);
        fixture_mark(f, seq);
    }
}

uint64_t fixture_read_all(struct fixture *f, uint64_t first)
{
    struct local_record got;
    struct err err = {.code = ERR_NONE};
    enum local_read result;
    uint64_t expected = first;
    char text[FIXTURE_NUMBER_SIZE];
    while ((result = local_reader_next(f->reader, &got, &err)) == LOCAL_RECORD) {
        assert_int_equal(got.record.ordinal, expected);
        assert_true(slice_equal(got.record.key, slice_of(number_text(expected, text))));
        expected++;
    }
    if (result == LOCAL_ERROR)
        fail_msg("%s", err.text);
    return expected - first;
}

int64_t fixture_query(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    int rc = sqlite3_step(statement);
    assert_true(rc == SQLITE_ROW || rc == SQLITE_DONE);
    int64_t number = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return number;
}
