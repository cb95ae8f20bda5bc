#include "walferry/ack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void nothing_is_confirmed_at_first(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    assert_int_equal(ack_window_confirmed(w), LSN_NONE);
    assert_true(ack_window_idle(w));
    assert_int_equal(ack_window_unacknowledged(w), 0);
    ack_window_free(w);
    ack_window_free(NULL);
}

static void a_transaction_is_confirmed_when_closed_and_delivered(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    ack_window_open(w);
    uint64_t first = ack_window_add(w);
    uint64_t second = ack_window_add(w);
    ack_window_delivered(w, first);
    ack_window_delivered(w, second);
    assert_int_equal(ack_window_unacknowledged(w), 0);
    assert_false(ack_window_idle(w));
    assert_int_equal(ack_window_confirmed(w), LSN_NONE);
    ack_window_close(w, 100);
    assert_int_equal(ack_window_confirmed(w), 100);
    assert_true(ack_window_idle(w));
    ack_window_free(w);
}

static void the_oldest_unfinished_transaction_holds_the_others(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    uint64_t seqs[3];
    for (int i = 0; i < 3; i++) {
        ack_window_open(w);
        seqs[i] = ack_window_add(w);
        ack_window_close(w, (lsn_t)(100 + i));
    }
    ack_window_delivered(w, seqs[2]);
    ack_window_delivered(w, seqs[1]);
    assert_int_equal(ack_window_confirmed(w), LSN_NONE);
    assert_int_equal(ack_window_unacknowledged(w), 1);
    ack_window_delivered(w, seqs[0]);
    assert_int_equal(ack_window_confirmed(w), 102);
    ack_window_free(w);
}

static void an_empty_transaction_waits_for_those_before_it(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    ack_window_open(w);
    ack_window_close(w, 50);
    assert_int_equal(ack_window_confirmed(w), 50);
    ack_window_open(w);
    uint64_t seq = ack_window_add(w);
    ack_window_close(w, 100);
    for (lsn_t lsn = 101; lsn < 5000; lsn++) {
        ack_window_open(w);
        ack_window_close(w, lsn);
    }
    assert_int_equal(ack_window_confirmed(w), 50);
    ack_window_delivered(w, seq);
    assert_int_equal(ack_window_confirmed(w), 4999);
    ack_window_free(w);
}

static void a_keepalive_counts_only_when_idle(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    assert_true(ack_window_advance(w, 10));
    assert_int_equal(ack_window_confirmed(w), 10);
    assert_true(ack_window_advance(w, 5));
    assert_int_equal(ack_window_confirmed(w), 10);
    ack_window_open(w);
    assert_false(ack_window_advance(w, 20));
    uint64_t seq = ack_window_add(w);
    ack_window_close(w, 30);
    assert_false(ack_window_advance(w, 40));
    assert_int_equal(ack_window_confirmed(w), 10);
    ack_window_delivered(w, seq);
    assert_true(ack_window_advance(w, 40));
    assert_int_equal(ack_window_confirmed(w), 40);
    ack_window_free(w);
}

static void a_reset_forgets_and_ignores_late_reports(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    ack_window_open(w);
    uint64_t old = ack_window_add(w);
    uint64_t early = ack_window_add(w);
    ack_window_delivered(w, early);
    ack_window_close(w, 100);
    ack_window_open(w);
    ack_window_reset(w);
    assert_true(ack_window_idle(w));
    ack_window_open(w);
    uint64_t seq = ack_window_add(w);
    assert_true(seq > early);
    ack_window_close(w, 90); /* the same WAL again, after a restart at an older place */
    ack_window_delivered(w, old);
    ack_window_delivered(w, early);
    ack_window_delivered_through(w, early);
    assert_int_equal(ack_window_confirmed(w), LSN_NONE);
    assert_int_equal(ack_window_unacknowledged(w), 1);
    ack_window_delivered(w, seq);
    ack_window_delivered(w, seq);
    assert_int_equal(ack_window_confirmed(w), 90);
    ack_window_free(w);
}

static void the_confirmed_lsn_never_moves_back(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    ack_window_open(w);
    ack_window_close(w, 100);
    ack_window_open(w);
    ack_window_close(w, 60);
    assert_int_equal(ack_window_confirmed(w), 100);
    ack_window_free(w);
}

/* The model: every record remembers its transaction, every transaction counts what is outstanding; the run
 * is looked for from the oldest on, each time. */
#define MODEL_RECORDS 6000
#define MODEL_TRANSACTIONS 3000

struct model {
    struct {
        size_t transaction;
        bool done;
    } records[MODEL_RECORDS];
    struct {
        bool closed;
        lsn_t end_lsn;
        uint64_t outstanding;
    } transactions[MODEL_TRANSACTIONS];
    size_t record_count, transaction_count, forgotten; /* transactions before it were reset away */
    bool open;
    lsn_t confirmed;
    uint64_t seq_first; /* of records[0] */
};

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t random_below(uint64_t *seed, size_t limit)
{
    return (size_t)(random_next(seed) % limit);
}

static lsn_t model_confirmed(struct model *m)
{
    for (size_t i = m->forgotten; i < m->transaction_count; i++) {
        if (!m->transactions[i].closed || m->transactions[i].outstanding > 0)
            break;
        if (m->transactions[i].end_lsn > m->confirmed)
            m->confirmed = m->transactions[i].end_lsn;
    }
    return m->confirmed;
}

static uint64_t model_unacknowledged(const struct model *m)
{
    uint64_t sum = 0;
    for (size_t i = m->forgotten; i < m->transaction_count; i++)
        sum += m->transactions[i].outstanding;
    return sum;
}

static void model_deliver(struct model *m, size_t record)
{
    if (m->records[record].done)
        return;
    m->records[record].done = true;
    m->transactions[m->records[record].transaction].outstanding--;
}

static void do_open_or_close(struct model *m, struct ack_window *w, uint64_t *seed)
{
    if (!m->open && m->transaction_count < MODEL_TRANSACTIONS) {
        ack_window_open(w);
        m->transactions[m->transaction_count++].closed = false;
        m->open = true;
    } else if (m->open) {
        lsn_t end_lsn = 1000 * m->transaction_count + random_below(seed, 900);
        ack_window_close(w, end_lsn);
        m->transactions[m->transaction_count - 1].closed = true;
        m->transactions[m->transaction_count - 1].end_lsn = end_lsn;
        m->open = false;
    }
}

static void do_add(struct model *m, struct ack_window *w)
{
    if (!m->open || m->record_count == MODEL_RECORDS)
        return;
    uint64_t seq = ack_window_add(w);
    if (m->record_count == 0)
        m->seq_first = seq;
    assert_int_equal(seq, m->seq_first + m->record_count);
    m->records[m->record_count].transaction = m->transaction_count - 1;
    m->records[m->record_count++].done = false;
    m->transactions[m->transaction_count - 1].outstanding++;
}

/* A report of a record near the newest `spread` ones, which may be an old or a doubled one. */
static void do_deliver(struct model *m, struct ack_window *w, uint64_t *seed, size_t spread)
{
    if (m->record_count == 0)
        return;
    size_t back = random_below(seed, spread < m->record_count ? spread : m->record_count);
    size_t record = m->record_count - 1 - back;
    ack_window_delivered(w, m->seq_first + record);
    model_deliver(m, record);
}

static void do_deliver_through(struct model *m, struct ack_window *w, uint64_t *seed)
{
    if (m->record_count == 0)
        return;
    size_t record = random_below(seed, m->record_count);
    ack_window_delivered_through(w, m->seq_first + record);
    for (size_t i = 0; i <= record; i++)
        model_deliver(m, i);
}

static void do_reset(struct model *m, struct ack_window *w)
{
    ack_window_reset(w);
    for (size_t i = 0; i < m->record_count; i++)
        m->records[i].done = true;
    m->forgotten = m->transaction_count;
    m->open = false;
}

static void check_against_model(struct model *m, const struct ack_window *w)
{
    assert_int_equal(ack_window_confirmed(w), model_confirmed(m));
    assert_int_equal(ack_window_unacknowledged(w), model_unacknowledged(m));
    assert_int_equal(ack_window_idle(w), !m->open && model_unacknowledged(m) == 0);
}

static void run_model(uint64_t seed, size_t steps)
{
    struct model *m = calloc(1, sizeof(*m));
    assert_non_null(m);
    struct ack_window *w = ack_window_new();
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    size_t spread = (size_t)1 << random_below(&state, 14);
    size_t delivering = 25 + random_below(&state, 40); /* of 100 steps */
    for (size_t step = 0; step < steps; step++) {
        size_t dice = random_below(&state, 1000);
        if (dice < delivering * 10)
            do_deliver(m, w, &state, spread);
        else if (dice < 900)
            do_add(m, w);
        else if (dice < 995)
            do_open_or_close(m, w, &state);
        else if (dice < 998)
            do_deliver_through(m, w, &state);
        else if (random_below(&state, 4) == 0)
            do_reset(m, w);
        check_against_model(m, w);
    }
    if (m->open)
        do_open_or_close(m, w, &state);
    for (size_t i = m->record_count; i-- > 0;) {
        ack_window_delivered(w, m->seq_first + i);
        model_deliver(m, i);
    }
    check_against_model(m, w);
    assert_true(ack_window_idle(w));
    ack_window_free(w);
    free(m);
}

static void agrees_with_the_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++)
        run_model(seed, 600);
}

/* More than the first memory of both rings, wrapped several times, delivered in blocks back to front. */
static void grows_and_wraps(void **state)
{
    (void)state;
    struct ack_window *w = ack_window_new();
    uint64_t next = 1;
    for (int round = 0; round < 20; round++) {
        size_t block = (size_t)1000 << (round % 5);
        for (size_t i = 0; i < block; i++) {
            ack_window_open(w);
            assert_int_equal(ack_window_add(w), next + i);
            ack_window_close(w, next + i);
        }
        for (size_t i = block; i-- > 1;)
            ack_window_delivered(w, next + i);
        assert_int_equal(ack_window_confirmed(w), next - 1);
        assert_int_equal(ack_window_unacknowledged(w), 1);
        ack_window_delivered(w, next);
        next += block;
        assert_int_equal(ack_window_confirmed(w), next - 1);
    }
    ack_window_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_confirmed_at_first),
        cmocka_unit_test(a_transaction_is_confirmed_when_closed_and_delivered),
        cmocka_unit_test(the_oldest_unfinished_transaction_holds_the_others),
        cmocka_unit_test(an_empty_transaction_waits_for_those_before_it),
        cmocka_unit_test(a_keepalive_counts_only_when_idle),
        cmocka_unit_test(a_reset_forgets_and_ignores_late_reports),
        cmocka_unit_test(the_confirmed_lsn_never_moves_back),
        cmocka_unit_test(agrees_with_the_model),
        cmocka_unit_test(grows_and_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
