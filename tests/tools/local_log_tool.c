/* A writer and a reader of the local log that do nothing else, for tests that kill them.
 *
 *     local_log_tool write PATH SEED SNAPSHOT_ROWS RETENTION_BYTES
 *     local_log_tool read PATH OFFSET NUMBER
 *
 * The writer goes on where the stored position says: first the rows of a snapshot (again from the first one
 * until it is complete), then changes. Records carry one running number from 1 in key and ordinal, marks come
 * after one to five of them. It prints `position N`, `stored N`, `trouble CODE` and `relief`.
 * The reader starts behind OFFSET, expects NUMBER + 1 next and every number once, and prints `read N OFFSET`.
 */
#include "walferry/clock.h"
#include "walferry/local_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define COMMIT_LSN 0x1000
#define END_LSN 0x900
#define VALUE_BYTES_MAX 60000
#define RETRY_MS 20

struct tool {
    uv_loop_t uv;
    uv_timer_t again;
    const char *path;
    struct local_writer *writer;
    struct local_reader *reader;
    uint64_t random;
    uint64_t number, snapshot_rows, seq;
    int64_t offset;
    bool complete; /* the snapshot */
    char value[VALUE_BYTES_MAX];
};

static void say(const char *line, int len)
{
    if (write(STDOUT_FILENO, line, (size_t)len) != len)
        exit(1);
}

#define SAY(...)                                              \
    do {                                                      \
        char line[128];                                       \
        say(line, snprintf(line, sizeof(line), __VA_ARGS__)); \
    } while (0)

static void die(const struct err *err)
{
    (void)fprintf(stderr, "error: %s: %s\n", err_code_name(err->code), err->text);
    exit(1);
}

static uint64_t below(struct tool *t, uint64_t limit)
{
    t->random = t->random * 6364136223846793005u + 1442695040888963407u;
    return (t->random >> 33) % limit;
}

/* ---- the writer */

static void append_one(struct tool *t)
{
    char key[24];
    uint64_t len = below(t, 200) == 0 ? below(t, VALUE_BYTES_MAX) : below(t, 1500);
    int key_len = snprintf(key, sizeof(key), "%llu", (unsigned long long)++t->number);
    const struct header header = {{"id", 2}, {"1", 1}};
    const struct record record = {
        .topic = t->number % 3 == 0 ? SLICE_LITERAL("inv.public.a") : SLICE_LITERAL("inv.public.b"),
        .key = {key, (size_t)key_len},
        .value = {t->value, (size_t)len},
        .headers = &header,
        .header_count = 1,
        .ack_seq = ++t->seq,
        .commit_lsn = COMMIT_LSN,
        .ordinal = t->number,
    };
    local_writer_append(t->writer, &record);
}

static void mark(struct tool *t)
{
    struct position position = {.end_lsn = END_LSN, .snapshot = SNAPSHOT_RUNNING};
    if (t->complete) {
        position.snapshot = SNAPSHOT_COMPLETE;
        position.commit_lsn = COMMIT_LSN;
        position.ordinal = t->number;
    }
    local_writer_mark(t->writer, &position);
}

static void append_group(struct tool *t)
{
    uint64_t group = 1 + below(t, 5);
    for (uint64_t i = 0; i < group; i++) {
        append_one(t);
        if (!t->complete && t->number == t->snapshot_rows) {
            local_writer_snapshot_end(t->writer);
            t->complete = true;
            break;
        }
    }
    mark(t);
}

static void fill(struct tool *t)
{
    while (local_writer_has_room(t->writer))
        append_group(t);
    /* A batch is handed over while a few records wait for their mark. */
    for (uint64_t tail = t->complete ? below(t, 4) : 0; tail > 0; tail--)
        append_one(t);
}

static void on_stored(void *data, uint64_t ack_seq, const struct position *position)
{
    struct tool *t = data;
    (void)ack_seq;
    if (position->snapshot == SNAPSHOT_COMPLETE)
        SAY("stored %llu\n", (unsigned long long)position->ordinal);
    fill(t);
}

static void on_trouble(void *data, const struct err *err)
{
    (void)data;
    if (err == NULL)
        SAY("relief\n");
    else if (err->action != ERR_RETRY)
        die(err);
    else
        SAY("trouble %s\n", err_code_name(err->code));
}

static void run_writer(struct tool *t, uint64_t retention_bytes)
{
    struct position position = {.snapshot = SNAPSHOT_NONE};
    bool found = false;
    struct err err;
    const struct local_writer_options options = {
        .path = t->path,
        .batch_bytes_max = 256 << 10,
        .queue_bytes_max = 1 << 20,
        .linger_ms = 2,
        .retention_bytes = retention_bytes,
        .connector = SLICE_LITERAL("inventory"),
        .server = SLICE_LITERAL("inv"),
        .on_stored = on_stored,
        .on_trouble = on_trouble,
        .data = t,
    };
    if (!local_writer_open(&t->uv, &options, &t->writer, &err) ||
        !local_writer_position(t->writer, &position, &found, &err))
        die(&err);
    t->complete = position.snapshot == SNAPSHOT_COMPLETE;
    t->number = position.ordinal;
    SAY("position %llu\n", (unsigned long long)t->number);
    if (!t->complete)
        local_writer_snapshot_begin(t->writer);
    fill(t);
    (void)uv_run(&t->uv, UV_RUN_DEFAULT);
}

/* ---- the reader */

static void check_record(struct tool *t, const struct local_record *got)
{
    char key[24];
    int len = snprintf(key, sizeof(key), "%llu", (unsigned long long)t->number + 1);
    bool right = got->record.key.len == (size_t)len && memcmp(got->record.key.data, key, (size_t)len) == 0 &&
                 got->record.ordinal == t->number + 1 && got->offset > t->offset &&
                 got->record.header_count == 1;
    if (!right) {
        (void)fprintf(stderr, "error: record %lld has number %llu, behind %llu\n", (long long)got->offset,
                      (unsigned long long)got->record.ordinal, (unsigned long long)t->number);
        exit(1);
    }
    t->number++;
    t->offset = got->offset;
}

static void read_on(void *data)
{
    struct tool *t = data;
    struct local_record got;
    struct err err;
    enum local_read result;
    uint64_t before = t->number;
    while ((result = local_reader_next(t->reader, &got, &err)) == LOCAL_RECORD)
        check_record(t, &got);
    if (result == LOCAL_ERROR)
        die(&err);
    if (t->number == before)
        return;
    /* Told first: a kill in between must not leave a consumer ahead of what the test knows. */
    SAY("read %llu %lld\n", (unsigned long long)t->number, (long long)t->offset);
    if (!local_reader_commit(t->reader, t->offset, &err))
        die(&err);
}

static void try_open(uv_timer_t *timer)
{
    struct tool *t = timer->data;
    struct err err;
    const struct local_reader_options options = {t->path, "tool", read_on, t};
    if (local_reader_open(&t->uv, &options, &t->reader, &err)) {
        if (!local_reader_seek(t->reader, t->offset, &err))
            die(&err);
        read_on(t);
    } else if (err.code == ERR_CONNECT) {
        (void)uv_timer_start(timer, try_open, RETRY_MS, 0);
    } else {
        die(&err);
    }
}

static void run_reader(struct tool *t)
{
    t->again.data = t;
    (void)uv_timer_init(&t->uv, &t->again);
    (void)uv_timer_start(&t->again, try_open, 0, 0);
    (void)uv_run(&t->uv, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    static struct tool t;
    if (argc < 5 || uv_loop_init(&t.uv) != 0) {
        (void)fprintf(stderr, "usage: local_log_tool write PATH SEED SNAPSHOT_ROWS RETENTION_BYTES\n"
                              "       local_log_tool read PATH OFFSET NUMBER\n");
        return 2;
    }
    t.path = argv[2];
    memset(t.value, 'v', sizeof(t.value));
    if (strcmp(argv[1], "write") == 0 && argc == 6) {
        t.random = strtoull(argv[3], NULL, 10);
        t.snapshot_rows = strtoull(argv[4], NULL, 10);
        run_writer(&t, strtoull(argv[5], NULL, 10));
    } else {
        t.offset = strtoll(argv[3], NULL, 10);
        t.number = strtoull(argv[4], NULL, 10);
        run_reader(&t);
    }
    return 0;
}
