/* How fast records go through the local log: one process writes, another reads along.
 *
 *     bench_local_log PATH [RECORDS]
 *
 * Prints records/s and MB/s over both (from the first append to the last record read) and the peak memory of
 * each. PATH must not exist; the caller removes it.
 */
#include "walferry/clock.h"
#include "walferry/local_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS 2000000
#define RECORD_BYTES 600 /* key and value */
#define KEY_BYTES 20
#define BATCH_BYTES (1 << 20)
#define QUEUE_BYTES (4 << 20)
#define COMMIT_EVERY 10000 /* records, as an applier's transactions would */

struct bench {
    uv_loop_t uv;
    uv_timer_t again; /* the file does not exist yet */
    const char *path;
    int64_t records, done;
    struct local_writer *writer;
    struct local_reader *reader;
    uint64_t bytes;
};

struct result { /* of the reading process */
    int64_t records, end_us;
    long peak_kb;
};

static void die(const struct err *err)
{
    (void)fprintf(stderr, "bench_local_log: %s\n", err->text);
    exit(1);
}

static long peak_kb(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* ---- the writer */

static void fill(struct bench *b)
{
    static char value[RECORD_BYTES];
    while (b->done < b->records && local_writer_has_room(b->writer)) {
        (void)snprintf(value, sizeof(value), "{\"id\":%013lld}", (long long)++b->done);
        memset(value + KEY_BYTES, 'v', sizeof(value) - KEY_BYTES);
        const struct record record = {
            .topic = SLICE_LITERAL("bench.public.wide"),
            .key = {value, KEY_BYTES},
            .value = {value + KEY_BYTES, RECORD_BYTES - KEY_BYTES},
            .ack_seq = (uint64_t)b->done,
            .commit_lsn = 0x1000,
            .ordinal = (uint64_t)b->done,
        };
        local_writer_append(b->writer, &record);
        const struct position position = {.commit_lsn = 0x1000, .ordinal = (uint64_t)b->done};
        local_writer_mark(b->writer, &position);
    }
    if (b->done == b->records)
        local_writer_flush(b->writer);
}

static void on_stored(void *data, uint64_t ack_seq, const struct position *position)
{
    struct bench *b = data;
    (void)position;
    if (ack_seq == (uint64_t)b->records)
        local_writer_close(b->writer);
    else
        fill(b);
}

static void on_trouble(void *data, const struct err *err)
{
    (void)data;
    if (err != NULL)
        die(err);
}

static void run_writer(struct bench *b)
{
    struct err err;
    const struct local_writer_options options = {
        .path = b->path,
        .batch_bytes_max = BATCH_BYTES,
        .queue_bytes_max = QUEUE_BYTES,
        .linger_ms = 5,
        .connector = SLICE_LITERAL("bench"),
        .server = SLICE_LITERAL("bench"),
        .on_stored = on_stored,
        .on_trouble = on_trouble,
        .data = b,
    };
    if (!local_writer_open(&b->uv, &options, &b->writer, &err))
        die(&err);
    fill(b);
    (void)uv_run(&b->uv, UV_RUN_DEFAULT);
}

/* ---- the reader */

static void read_on(void *data)
{
    struct bench *b = data;
    struct local_record got;
    struct err err;
    enum local_read result = LOCAL_NOTHING;
    while (b->done < b->records && (result = local_reader_next(b->reader, &got, &err)) == LOCAL_RECORD) {
        b->bytes += got.record.key.len + got.record.value.len;
        if (++b->done % COMMIT_EVERY == 0 && !local_reader_commit(b->reader, got.offset, &err))
            die(&err);
    }
    if (result == LOCAL_ERROR)
        die(&err);
    if (b->done == b->records && b->reader != NULL) {
        local_reader_close(b->reader);
        b->reader = NULL;
    }
}

static void try_open(uv_timer_t *timer)
{
    struct bench *b = timer->data;
    struct err err;
    const struct local_reader_options options = {b->path, "bench", read_on, b};
    if (local_reader_open(&b->uv, &options, &b->reader, &err)) {
        if (!local_reader_seek(b->reader, 0, &err))
            die(&err);
        uv_close((uv_handle_t *)timer, NULL);
        read_on(b);
    } else if (err.code != ERR_CONNECT) {
        die(&err);
    } else {
        (void)uv_timer_start(timer, try_open, 1, 0);
    }
}

static void run_reader(struct bench *b, int pipe_fd)
{
    b->again.data = b;
    (void)uv_timer_init(&b->uv, &b->again);
    (void)uv_timer_start(&b->again, try_open, 0, 0);
    (void)uv_run(&b->uv, UV_RUN_DEFAULT);
    const struct result result = {b->done, clock_monotonic_us(), peak_kb()};
    if (b->bytes != (uint64_t)b->records * RECORD_BYTES || write(pipe_fd, &result, sizeof(result)) < 0)
        exit(1);
}

int main(int argc, char **argv)
{
    int pipe_fds[2];
    struct result result;
    if (argc < 2 || pipe(pipe_fds) != 0) {
        (void)fprintf(stderr, "usage: bench_local_log PATH [RECORDS]\n");
        return 2;
    }
    struct bench b = {.path = argv[1], .records = argc > 2 ? strtoll(argv[2], NULL, 10) : RECORDS};
    pid_t child = fork();
    if (child < 0 || uv_loop_init(&b.uv) != 0)
        return 1;
    if (child == 0) {
        run_reader(&b, pipe_fds[1]);
        return 0;
    }
    (void)close(pipe_fds[1]);
    int64_t start_us = clock_monotonic_us();
    run_writer(&b);
    double write_s = (double)(clock_monotonic_us() - start_us) / 1e6;
    if (read(pipe_fds[0], &result, sizeof(result)) != (ssize_t)sizeof(result) ||
        waitpid(child, NULL, 0) != child)
        return 1;
    double both_s = (double)(result.end_us - start_us) / 1e6;
    double count = (double)b.records;
    printf("  %.0f k records of %d bytes: %.0f k records/s, %.0f MB/s written and read; written alone at "
           "%.0f k/s\n",
           count / 1e3, RECORD_BYTES, count / both_s / 1e3, count * RECORD_BYTES / both_s / 1e6,
           count / write_s / 1e3);
    printf("  peak RSS: writer %.1f MiB, reader %.1f MiB\n", (double)peak_kb() / 1024,
           (double)result.peak_kb / 1024);
    return 0;
}
