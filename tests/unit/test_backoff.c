#include "walferry/backoff.h"

#include "cmocka_all.h"

/* 100, 200, 400, 800, 1000, 1000 …, each within 25 %. */
static void pauses_double_up_to_the_maximum(void **state)
{
    (void)state;
    static const uint32_t middle_ms[] = {100, 200, 400, 800, 1000, 1000, 1000};
    struct backoff backoff;
    for (uint64_t seed = 0; seed < 200; seed++) {
        backoff_init(&backoff, 100, 1000, seed);
        for (size_t i = 0; i < sizeof(middle_ms) / sizeof(*middle_ms); i++) {
            uint32_t pause_ms = backoff_next_ms(&backoff);
            assert_in_range(pause_ms, middle_ms[i] * 3 / 4, middle_ms[i] * 5 / 4);
        }
    }
}

static void jitter_uses_the_whole_range(void **state)
{
    (void)state;
    struct backoff backoff;
    uint32_t smallest_ms = UINT32_MAX;
    uint32_t largest_ms = 0;
    backoff_init(&backoff, 1000, 1000, 1);
    for (int i = 0; i < 1000; i++) {
        uint32_t pause_ms = backoff_next_ms(&backoff);
        smallest_ms = pause_ms < smallest_ms ? pause_ms : smallest_ms;
        largest_ms = pause_ms > largest_ms ? pause_ms : largest_ms;
    }
    assert_in_range(smallest_ms, 750, 800);
    assert_in_range(largest_ms, 1200, 1250);
}

static void neighbouring_seeds_differ(void **state)
{
    (void)state;
    struct backoff a, b;
    backoff_init(&a, 1000000, 1000000, 4711);
    backoff_init(&b, 1000000, 1000000, 4712);
    assert_int_not_equal(backoff_next_ms(&a), backoff_next_ms(&b));
}

static void reset_starts_again(void **state)
{
    (void)state;
    struct backoff backoff;
    backoff_init(&backoff, 100, 100000, 7);
    for (int i = 0; i < 8; i++)
        (void)backoff_next_ms(&backoff);
    backoff_reset(&backoff);
    assert_in_range(backoff_next_ms(&backoff), 75, 125);
}

static void extreme_pauses_do_not_wrap(void **state)
{
    (void)state;
    struct backoff backoff;
    backoff_init(&backoff, UINT32_MAX, UINT32_MAX, 3);
    for (int i = 0; i < 100; i++)
        assert_true(backoff_next_ms(&backoff) >= UINT32_MAX / 4 * 3 - 3);
    backoff_init(&backoff, 0, 0, 3);
    assert_int_equal(backoff_next_ms(&backoff), 0);
    backoff_init(&backoff, 500, 100, 3); /* first above max: max */
    assert_in_range(backoff_next_ms(&backoff), 75, 125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_the_maximum), cmocka_unit_test(jitter_uses_the_whole_range),
        cmocka_unit_test(neighbouring_seeds_differ),       cmocka_unit_test(reset_starts_again),
        cmocka_unit_test(extreme_pauses_do_not_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
