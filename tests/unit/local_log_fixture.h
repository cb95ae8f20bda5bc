/* What the tests of the local log share: a loop, a directory of its own, a writer and a reader on it. */
#ifndef LOCAL_LOG_FIXTURE_H
#define LOCAL_LOG_FIXTURE_H

#include "cmocka_all.h"
#include "walferry/local_log.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FIXTURE_WAIT_MS 30000 /* a condition that takes longer never comes */

struct fixture {
    uv_loop_t uv;
    uv_timer_t guard;
    char directory[64], path[96];
    struct local_writer *writer;
    struct local_reader *reader;
    uint64_t stored_seq;
    struct position stored;
    int stored_calls, trouble_calls, relief_calls, wakes;
    struct err trouble;
    struct local_writer_options options;
};

#define FIXTURE_NUMBER_SIZE 24

/* Turns the loop until `condition` holds. */
#define FIXTURE_WAIT(f, condition)                                               \
    do {                                                                         \
        (void)uv_timer_start(&(f)->guard, fixture_on_guard, FIXTURE_WAIT_MS, 0); \
        while (!(condition))                                                     \
            (void)uv_run(&(f)->uv, UV_RUN_ONCE);                                 \
        (void)uv_timer_stop(&(f)->guard);                                        \
    } while (0)

void fixture_on_wake(void *data);
void fixture_on_guard(uv_timer_t *timer);
int fixture_set_up(void **state);
void fixture_close(struct fixture *f);
int fixture_tear_down(void **state);
void fixture_open_writer(struct fixture *f);
void fixture_open_reader(struct fixture *f, const char *consumer);
void fixture_flush(struct fixture *f);
const char *number_text(uint64_t number, char text[FIXTURE_NUMBER_SIZE]);
/* Record number `seq` with a value of `value_len` bytes that starts with the number. */
void fixture_append(struct fixture *f, uint64_t seq, size_t value_len);
void fixture_mark(struct fixture *f, uint64_t ordinal);
/* Appends and marks `count` records from number `first`, turning the loop where there is no room. */
void fixture_append_many(struct fixture *f, uint64_t first, uint64_t count, size_t value_len);
/* Reads records until there are none; returns how many, checking that their numbers go up by one. */
uint64_t fixture_read_all(struct fixture *f, uint64_t first);
/* A number out of the file, past our own reader. */
int64_t fixture_query(const struct fixture *f, const char *sql);

#endif
