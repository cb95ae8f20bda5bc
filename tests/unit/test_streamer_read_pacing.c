/* Found, followed and left alone: the pause, in a model of a sender. */
#include "../../streamer/read_pacing.h"

#include "cmocka_all.h"

#include <string.h>

/* A model of the stream: how many bytes a µs come at each pause, and what a read itself takes. */
struct model {
    uint32_t pause_us[6];
    double rate[6];
    int64_t now_us;
    double noise; /* of the rate, up and down by turns */
    unsigned reads;
};

#define READ_US 20
#define BEHIND_US 1000000

static double rate_of(const struct model *m, uint32_t pause_us)
{
    for (size_t i = 0; i < sizeof(m->rate) / sizeof(m->rate[0]); i++) {
        if (m->pause_us[i] == pause_us)
            return m->rate[i];
    }
    fail_msg("a pause of %u us", pause_us);
    return 0;
}

/* Runs for so long; the share of the time spent at `pause_us`, in percent. */
static unsigned run(struct model *m, struct read_pacing *p, int64_t for_us, uint32_t pause_us)
{
    int64_t end_us = m->now_us + for_us, spent_us = 0;
    uint32_t pause = 0;
    while (m->now_us < end_us) {
        int64_t step_us = READ_US + pause;
        double factor = m->reads++ % 2 == 0 ? 1 + m->noise : 1 - m->noise;
        m->now_us += step_us;
        spent_us += pause == pause_us ? step_us : 0;
        pause = read_pacing_next(p, (size_t)(rate_of(m, pause) * factor * (double)step_us) + 1, BEHIND_US,
                                 m->now_us);
    }
    return (unsigned)(spent_us * 100 / for_us);
}

static const struct model tpcb = {{0, 60, 125, 250, 500, 1000}, {85, 130, 160, 205, 241, 144}, 0, 0, 0};

static void no_pause_when_caught_up(void **state)
{
    (void)state;
    struct read_pacing p;
    struct model m = tpcb;
    read_pacing_init(&p, true);
    (void)run(&m, &p, 200000, 0);
    assert_int_not_equal(read_pacing_next(&p, 1000, BEHIND_US, m.now_us), 0);
    assert_int_equal(read_pacing_next(&p, 1000, READ_PACING_LAG_US - 1, m.now_us + 100), 0);
    assert_int_equal(read_pacing_next(&p, 1000, 0, m.now_us + 200), 0);
    assert_int_equal(read_pacing_next(&p, 1000, -BEHIND_US, m.now_us + 300), 0);
    assert_int_equal(read_pacing_next(&p, 0, BEHIND_US, m.now_us + 400), 0);
}

static void no_pause_on_a_unix_socket(void **state)
{
    (void)state;
    struct read_pacing p;
    struct model m = tpcb;
    read_pacing_init(&p, false);
    assert_int_equal(run(&m, &p, 1000000, 0), 100);
}

static void finds_the_best_pause(void **state)
{
    (void)state;
    const struct {
        double rate[6];
        uint32_t best_us;
    } rows[] = {
        {{85, 130, 160, 205, 241, 144}, 500},   {{101, 170, 186, 150, 117, 189}, 1000},
        {{100, 119, 120, 121, 162, 178}, 1000}, {{200, 180, 160, 120, 80, 50}, 0},
        {{90, 150, 140, 100, 80, 50}, 60},      {{100, 100, 100, 100, 100, 100}, 1000},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int noise = 0; noise < 2; noise++) {
            struct read_pacing p;
            struct model m = tpcb;
            memcpy(m.rate, rows[i].rate, sizeof(m.rate));
            m.noise = noise * 0.02;
            read_pacing_init(&p, true);
            (void)run(&m, &p, 100000, 0); /* has found it by then */
            assert_in_range(run(&m, &p, 100000, rows[i].best_us), 95, 100);
            assert_in_range(run(&m, &p, 3000000, rows[i].best_us), 90, 99); /* and goes on trying others */
        }
    }
}

static void follows_a_change(void **state)
{
    (void)state;
    struct read_pacing p;
    struct model m = tpcb;
    read_pacing_init(&p, true);
    (void)run(&m, &p, 1000000, 0);
    const double slow[6] = {40, 38, 30, 20, 10, 5}, wide[6] = {300, 310, 320, 330, 440, 490};
    memcpy(m.rate, slow, sizeof(slow));
    (void)run(&m, &p, 1000000, 0);
    assert_in_range(run(&m, &p, 1000000, 0), 85, 100);
    memcpy(m.rate, wide, sizeof(wide));
    (void)run(&m, &p, 2000000, 0);
    assert_in_range(run(&m, &p, 1000000, 1000), 85, 100);
}

/* What was learned holds when the stream is behind again; the time between is in no trial. */
static void remembers_between_backlogs(void **state)
{
    (void)state;
    struct read_pacing p;
    struct model m = tpcb;
    read_pacing_init(&p, true);
    (void)run(&m, &p, 300000, 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(read_pacing_next(&p, 10, 0, m.now_us += 500), 0);
        m.now_us += 10000000;
        (void)run(&m, &p, 5000, 0);
        m.now_us += 10000000; /* the sink was full */
        (void)run(&m, &p, 5000, 0);
    }
    assert_in_range(run(&m, &p, 100000, 500), 80, 100);
}

static void never_above_the_cap(void **state)
{
    (void)state;
    struct read_pacing p;
    int64_t now_us = 0;
    uint32_t seed = 1;
    read_pacing_init(&p, true);
    for (int i = 0; i < 1000000; i++) {
        seed = seed * 1664525 + 1013904223;
        now_us += seed >> 20;
        assert_in_range(read_pacing_next(&p, seed >> 16 & 0xFFFF, seed >> 8, now_us), 0,
                        READ_PACING_PAUSE_MAX_US);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_pause_when_caught_up),    cmocka_unit_test(no_pause_on_a_unix_socket),
        cmocka_unit_test(finds_the_best_pause),       cmocka_unit_test(follows_a_change),
        cmocka_unit_test(remembers_between_backlogs), cmocka_unit_test(never_above_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
