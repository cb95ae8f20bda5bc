/* The local log when the disk or another program is in the way, and its retention. */
#include "local_log_fixture.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static int64_t wal_bytes(const struct fixture *f)
{
    char wal[128];
    struct stat st;
    (void)snprintf(wal, sizeof(wal), "%s-wal", f->path);
    return stat(wal, &st) == 0 ? st.st_size : 0;
}

/* No file of this process may grow beyond `bytes`: the nearest thing to a full disk without mounting one. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void full_disk_loses_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t seq = 0;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    assert_int_equal(sigaction(SIGXFSZ, &ignore, NULL), 0);
    fixture_open_writer(f);
    fixture_append_many(f, 1, 10, 1000);
    fixture_flush(f);
    seq = 10;
    uint64_t durable = f->stored_seq;
    limit_files((rlim_t)wal_bytes(f) + 20000);
    while (local_writer_has_room(f->writer)) {
        fixture_append(f, ++seq, 1000);
        fixture_mark(f, seq);
    }
    FIXTURE_WAIT(f, f->trouble_calls > 0);
    assert_int_equal(f->trouble.code, ERR_DISK);
    assert_int_equal(f->trouble.action, ERR_RETRY);
    assert_non_null(strstr(f->trouble.text, f->path));
    for (int turns = 0; turns < 5; turns++) /* further attempts say nothing new */
        (void)uv_run(&f->uv, UV_RUN_ONCE);
    assert_int_equal(f->trouble_calls, 1);
    assert_int_equal(f->stored_seq, durable);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 10);
    limit_files(RLIM_INFINITY);
    FIXTURE_WAIT(f, local_writer_idle(f->writer));
    assert_int_equal(f->relief_calls, 1);
    assert_int_equal(f->trouble_calls, 1);
    assert_int_equal(f->stored_seq, seq);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), seq);
}

/* Closing while the disk is full drops what was not acknowledged, and nothing else. */
static void closes_with_a_full_disk(void **state)
{
    struct fixture *f = *state;
    struct position position;
    bool found = false;
    struct err err;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 10, 1000);
    fixture_flush(f);
    limit_files((rlim_t)wal_bytes(f) + 20000);
    for (uint64_t seq = 11; seq <= 100; seq++) {
        fixture_append(f, seq, 1000);
        fixture_mark(f, seq);
    }
    FIXTURE_WAIT(f, f->trouble_calls > 0);
    fixture_close(f);
    limit_files(RLIM_INFINITY);
    fixture_open_writer(f);
    assert_true(local_writer_position(f->writer, &position, &found, &err));
    assert_int_equal(position.ordinal, 10);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 10);
}

static sqlite3 *hold_write_lock(const struct fixture *f)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return db;
}

static void writes_when_the_lock_is_free_again(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    sqlite3 *other = hold_write_lock(f);
    fixture_append(f, 1, 10);
    fixture_mark(f, 1);
    FIXTURE_WAIT(f, f->trouble_calls == 1); /* several attempts of a second each */
    assert_int_equal(f->trouble.code, ERR_DISK);
    assert_non_null(strstr(f->trouble.text, "locked"));
    assert_int_equal(f->stored_calls, 0);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    FIXTURE_WAIT(f, local_writer_idle(f->writer));
    assert_int_equal(f->relief_calls, 1);
    assert_int_equal(f->stored_seq, 1);
}

/* A consumer that cannot store its position now stores it later, by itself. */
static void busy_is_no_error_for_a_consumer(void **state)
{
    struct fixture *f = *state;
    struct err err;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 5, 10);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    assert_true(local_reader_seek(f->reader, 0, &err));
    sqlite3 *other = hold_write_lock(f);
    assert_true(local_reader_commit(f->reader, 3, &err));
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(fixture_query(f, "SELECT \"offset\" FROM consumer"), 0);
    FIXTURE_WAIT(f, fixture_query(f, "SELECT \"offset\" FROM consumer WHERE name = 'apply'") == 3);
}

/* An idle reader keeps no transaction open, so the WAL is checkpointed and begins anew under it. */
static void idle_reader_does_not_hold_the_wal(void **state)
{
    struct fixture *f = *state;
    int64_t most = 0;
    fixture_open_writer(f);
    fixture_open_reader(f, "apply");
    fixture_append_many(f, 1, 100, 1000);
    fixture_flush(f);
    assert_int_equal(fixture_read_all(f, 1), 100);
    for (uint64_t first = 101; first < 12000; first += 100) {
        fixture_append_many(f, first, 100, 10000);
        if (wal_bytes(f) > most)
            most = wal_bytes(f);
    }
    fixture_flush(f);
    assert_true(most > 0 && most < 48 << 20); /* of 120 MB written */
    assert_int_equal(fixture_read_all(f, 101), 11900);
}

static void commit_as(struct fixture *f, const char *consumer, int64_t offset)
{
    struct err err;
    fixture_open_reader(f, consumer);
    assert_true(local_reader_seek(f->reader, 0, &err));
    assert_true(local_reader_commit(f->reader, offset, &err));
    local_reader_close(f->reader);
    f->reader = NULL;
}

/* Beyond the bytes allowed, and only what every consumer has committed. */
static void trims_what_all_have_read(void **state)
{
    struct fixture *f = *state;
    struct err err;
    int64_t end;
    struct position position;
    f->options.retention_bytes = 500 * 1000;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 2000, 1000);
    fixture_flush(f);
    assert_int_equal(fixture_query(f, "SELECT count(*) FROM record"), 2000); /* nobody has read */
    commit_as(f, "slow", 1000);
    commit_as(f, "fast", 2000);
    fixture_append_many(f, 2001, 1000, 1000);
    fixture_flush(f);
    FIXTURE_WAIT(f, fixture_query(f, "SELECT min(\"offset\") FROM record") == 1001);
    assert_int_equal(fixture_query(f, "SELECT trimmed_through FROM meta"), 1000);
    commit_as(f, "slow", 3000);
    commit_as(f, "fast", 3000);
    fixture_append_many(f, 3001, 1, 1000);
    fixture_flush(f);
    FIXTURE_WAIT(f, fixture_query(f, "SELECT record_bytes <= 500000 FROM meta") == 1);
    assert_true(fixture_query(f, "SELECT count(*) FROM record") > 400);
    assert_int_equal(fixture_query(f,
                                   "SELECT record_bytes - (SELECT sum(64 + length(\"key\") + length(value)) "
                                   "FROM record) FROM meta"),
                     0);
    fixture_open_reader(f, "slow");
    assert_false(local_reader_seek(f->reader, 1500, &err));
    assert_int_equal(err.code, ERR_LOG_TRIMMED);
    assert_true(local_reader_end(f->reader, &end, &position, &err));
    assert_int_equal(end, 3001);
    int64_t through = fixture_query(f, "SELECT trimmed_through FROM meta");
    assert_true(local_reader_seek(f->reader, through, &err));
    assert_int_equal(fixture_read_all(f, (uint64_t)through + 1), 3001 - through);
    assert_true(local_reader_seek(f->reader, 0, &err));
    assert_int_equal(fixture_read_all(f, (uint64_t)through + 1), 3001 - through);
}

/* By age too, when nothing is written any more. */
static void trims_by_age_while_idle(void **state)
{
    struct fixture *f = *state;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 3000, 10);
    fixture_flush(f);
    fixture_close(f);
    commit_as(f, "apply", 2500);
    f->options.retention_ms = 1;
    fixture_open_writer(f);
    FIXTURE_WAIT(f, fixture_query(f, "SELECT count(*) FROM record") == 500);
    assert_int_equal(fixture_query(f, "SELECT trimmed_through FROM meta"), 2500);
}

/* A reader that was overtaken stops; it must not go on behind the gap. */
static void overtaken_reader_stops(void **state)
{
    struct fixture *f = *state;
    struct local_record got;
    struct err err;
    f->options.retention_bytes = 1;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 10, 10);
    fixture_flush(f);
    fixture_open_reader(f, "lost");
    struct local_reader *lost = f->reader; /* has not told its position */
    commit_as(f, "apply", 10);
    fixture_append_many(f, 11, 1, 10);
    fixture_flush(f);
    f->reader = lost;
    assert_int_equal(local_reader_next(lost, &got, &err), LOCAL_ERROR);
    assert_int_equal(err.code, ERR_LOG_TRIMMED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(full_disk_loses_nothing),
        TEST(closes_with_a_full_disk),
        TEST(writes_when_the_lock_is_free_again),
        TEST(busy_is_no_error_for_a_consumer),
        TEST(idle_reader_does_not_hold_the_wal),
        TEST(trims_what_all_have_read),
        TEST(trims_by_age_while_idle),
        TEST(overtaken_reader_stops),
    };
    return cmocka_run_group_tests_name("local_trouble", tests, NULL, NULL);
}
