#include "local_log_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* What the writer says of the file at f->path, which it must leave as it was. */
static struct err refusal(struct fixture *f)
{
    struct err err = {.code = ERR_NONE};
    if (local_writer_open(&f->uv, &f->options, &f->writer, &err))
        fail_msg("the log was opened");
    assert_non_null(strstr(err.text, f->path));
    return err;
}

static void expect_refusal(struct fixture *f, enum err_code code, const char *says)
{
    struct err err = refusal(f);
    if (err.code != code || strstr(err.text, says) == NULL)
        fail_msg("%s instead of %s and \"%s\": %s", err_code_name(err.code), err_code_name(code), says,
                 err.text);
}

static void write_file(const char *path, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

static void overwrite_file(const char *path, off_t at, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    assert_int_equal(close(fd), 0);
}

static char *read_file(const char *path, size_t *len)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    *len = (size_t)st.st_size;
    char *bytes = malloc(*len + 1);
    assert_non_null(bytes);
    assert_int_equal(read(fd, bytes, *len), *len);
    assert_int_equal(close(fd), 0);
    return bytes;
}

static void expect_refused_untouched(struct fixture *f, const char *says)
{
    size_t before_len, after_len;
    struct local_reader *reader = NULL;
    struct err err;
    const struct local_reader_options options = {f->path, "apply", fixture_on_wake, f};
    char *before = read_file(f->path, &before_len);
    expect_refusal(f, ERR_LOG_FOREIGN, says);
    assert_false(local_reader_open(&f->uv, &options, &reader, &err));
    assert_int_equal(err.code, ERR_LOG_FOREIGN);
    char *after = read_file(f->path, &after_len);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, after_len);
    free(before);
    free(after);
}

static void run_sql(const struct fixture *f, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void make_log(struct fixture *f, uint64_t records)
{
    fixture_open_writer(f);
    fixture_append_many(f, 1, records, 1000);
    fixture_flush(f);
    fixture_close(f);
}

static void refuses_a_file_that_is_no_database(void **state)
{
    struct fixture *f = *state;
    char notes[5000];
    memset(notes, 'n', sizeof(notes));
    write_file(f->path, notes, sizeof(notes));
    expect_refused_untouched(f, "not an SQLite file");
    write_file(f->path, notes, 1);
    expect_refused_untouched(f, "not an SQLite file");
    write_file(f->path, "SQLite format 3", 16); /* cut off */
    expect_refused_untouched(f, "application_id 0");
}

static void refuses_the_database_of_another_application(void **state)
{
    struct fixture *f = *state;
    run_sql(f, "PRAGMA journal_mode = WAL; CREATE TABLE record(a); INSERT INTO record VALUES (1)");
    expect_refused_untouched(f, "another application");
    run_sql(f, "PRAGMA application_id = 252006673");
    expect_refused_untouched(f, "application_id 252006673");
}

static void refuses_a_newer_schema(void **state)
{
    struct fixture *f = *state;
    make_log(f, 1);
    run_sql(f, "PRAGMA user_version = 2");
    expect_refused_untouched(f, "schema version 2");
}

static void refuses_a_changed_schema(void **state)
{
    struct fixture *f = *state;
    make_log(f, 1);
    run_sql(f, "ALTER TABLE record ADD COLUMN more");
    expect_refused_untouched(f, "lacks a table");
}

static void refuses_counters_that_do_not_fit(void **state)
{
    struct fixture *f = *state;
    make_log(f, 5);
    run_sql(f, "UPDATE meta SET next_offset = 5");
    expect_refused_untouched(f, "damaged");
    run_sql(f, "UPDATE meta SET next_offset = 6; DELETE FROM meta");
    expect_refused_untouched(f, "damaged");
}

static void refuses_a_file_cut_short(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    make_log(f, 500);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(truncate(f->path, st.st_size / 2), 0);
    expect_refused_untouched(f, "damaged");
}

static void refuses_a_damaged_first_page(void **state)
{
    struct fixture *f = *state;
    char bytes[15000];
    memset(bytes, 0xff, sizeof(bytes));
    make_log(f, 50);
    overwrite_file(f->path, 100, bytes, sizeof(bytes));
    expect_refused_untouched(f, "damaged");
}

/* Damage in the middle is met when it is read, and ends the reader. */
static void reader_stops_at_a_damaged_page(void **state)
{
    struct fixture *f = *state;
    struct local_record got;
    struct err err;
    enum local_read result;
    char bytes[32768];
    memset(bytes, 0xff, sizeof(bytes));
    make_log(f, 5000);
    overwrite_file(f->path, 2 << 20, bytes, sizeof(bytes));
    fixture_open_reader(f, "apply");
    while ((result = local_reader_next(f->reader, &got, &err)) == LOCAL_RECORD)
        ;
    assert_int_equal(result, LOCAL_ERROR);
    assert_int_equal(err.code, ERR_LOG_FOREIGN);
    assert_non_null(strstr(err.text, f->path));
}

static void refuses_the_tail_of_a_lost_file(void **state)
{
    struct fixture *f = *state;
    char wal[128];
    (void)snprintf(wal, sizeof(wal), "%s-wal", f->path);
    write_file(wal, "records", 7);
    expect_refusal(f, ERR_LOG_FOREIGN, "missing or empty");
    write_file(f->path, "", 0);
    expect_refusal(f, ERR_LOG_FOREIGN, "missing or empty");
    assert_int_equal(unlink(wal), 0);
    fixture_open_writer(f); /* an empty file is a new one */
}

static void refuses_paths_that_cannot_be(void **state)
{
    struct fixture *f = *state;
    char path[200];
    (void)snprintf(path, sizeof(path), "%s/nowhere/log.db", f->directory);
    f->options.path = path;
    struct err err = {.code = ERR_NONE};
    assert_false(local_writer_open(&f->uv, &f->options, &f->writer, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "nowhere: No such file or directory"));
    f->options.path = f->directory;
    assert_false(local_writer_open(&f->uv, &f->options, &f->writer, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.text, "is a directory"));
    (void)snprintf(path, sizeof(path), "%s/file/log.db", f->directory);
    f->options.path = path;
    (void)snprintf(f->path, sizeof(f->path), "%s/file", f->directory);
    write_file(f->path, "x", 1);
    assert_false(local_writer_open(&f->uv, &f->options, &f->writer, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
}

/* In a child that gave up root, which may write anywhere. */
static void refuses_a_directory_that_may_not_be_written(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(chmod(f->directory, 0555), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct err err = {.code = ERR_NONE};
        bool ok = (geteuid() != 0 || setuid(65534) == 0) &&
                  !local_writer_open(&f->uv, &f->options, &f->writer, &err) && err.code == ERR_SYSTEM &&
                  strstr(err.text, "Permission denied") != NULL;
        _exit(ok ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(f->directory, 0755), 0);
}

static void reader_waits_for_the_file(void **state)
{
    struct fixture *f = *state;
    struct err err;
    const struct local_reader_options options = {f->path, "apply", fixture_on_wake, f};
    assert_false(local_reader_open(&f->uv, &options, &f->reader, &err));
    assert_int_equal(err.code, ERR_CONNECT);
    assert_int_equal(err.action, ERR_RETRY);
}

/* A creation that was killed leaves a half-made PATH.new, which the next one replaces. */
static void creates_in_spite_of_leftovers(void **state)
{
    struct fixture *f = *state;
    char leftover[128];
    struct stat st;
    (void)snprintf(leftover, sizeof(leftover), "%s.new", f->path);
    write_file(leftover, "half", 4);
    (void)snprintf(leftover, sizeof(leftover), "%s.new-journal", f->path);
    write_file(leftover, "half", 4);
    make_log(f, 1);
    assert_int_equal(stat(leftover, &st), -1);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07, 0); /* rows are not for everyone */
}

static void second_writer_names_the_first(void **state)
{
    struct fixture *f = *state;
    char pid[32];
    struct local_writer *first;
    (void)snprintf(pid, sizeof(pid), "process %ld,", (long)getpid());
    fixture_open_writer(f);
    first = f->writer;
    expect_refusal(f, ERR_LOG_LOCKED, pid);
    expect_refusal(f, ERR_LOG_LOCKED, pid); /* asking did not change who holds it */
    f->writer = first;
    fixture_close(f);
    fixture_open_writer(f); /* free again */
}

/* The lock is the file's, whatever name leads to it. */
static void second_writer_through_a_link_is_refused(void **state)
{
    struct fixture *f = *state;
    char link[128];
    struct local_writer *second = NULL;
    struct err err = {.code = ERR_NONE};
    (void)snprintf(link, sizeof(link), "%s/link.db", f->directory);
    fixture_open_writer(f);
    assert_int_equal(symlink(f->path, link), 0);
    f->options.path = link;
    assert_false(local_writer_open(&f->uv, &f->options, &second, &err));
    assert_int_equal(err.code, ERR_LOG_LOCKED);
}

/* A reader that opens and closes in the writer's own process must not drop the writer's locks on the file:
 * then another process could believe that it is the last one and remove the WAL. */
static void reader_leaves_the_writers_locks(void **state)
{
    struct fixture *f = *state;
    char wal[128];
    struct stat st;
    fixture_open_writer(f);
    fixture_append_many(f, 1, 10, 10);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    local_reader_close(f->reader);
    f->reader = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        /* A program of its own: a fork would share what SQLite knows of the locks. */
        (void)execl("/proc/self/exe", "test_local_file", f->path, (char *)NULL);
        _exit(1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)snprintf(wal, sizeof(wal), "%s-wal", f->path);
    assert_int_equal(stat(wal, &st), 0);
    fixture_append_many(f, 11, 10, 10);
    fixture_flush(f);
    fixture_open_reader(f, "apply");
    assert_int_equal(fixture_read_all(f, 1), 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

/* What reader_leaves_the_writers_locks starts: opens, reads and closes as the last one where locks are lost.
 */
static int look_at(const char *path)
{
    sqlite3 *db = NULL;
    bool ok = sqlite3_open(path, &db) == SQLITE_OK &&
              sqlite3_exec(db, "SELECT count(*) FROM record", NULL, NULL, NULL) == SQLITE_OK;
    return sqlite3_close(db) == SQLITE_OK && ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return look_at(argv[1]);
    const struct CMUnitTest tests[] = {
        TEST(refuses_a_file_that_is_no_database),
        TEST(refuses_the_database_of_another_application),
        TEST(refuses_a_newer_schema),
        TEST(refuses_a_changed_schema),
        TEST(refuses_counters_that_do_not_fit),
        TEST(refuses_a_file_cut_short),
        TEST(refuses_a_damaged_first_page),
        TEST(reader_stops_at_a_damaged_page),
        TEST(refuses_the_tail_of_a_lost_file),
        TEST(refuses_paths_that_cannot_be),
        TEST(refuses_a_directory_that_may_not_be_written),
        TEST(reader_waits_for_the_file),
        TEST(creates_in_spite_of_leftovers),
        TEST(second_writer_names_the_first),
        TEST(second_writer_through_a_link_is_refused),
        TEST(reader_leaves_the_writers_locks),
    };
    return cmocka_run_group_tests_name("local_file", tests, NULL, NULL);
}
