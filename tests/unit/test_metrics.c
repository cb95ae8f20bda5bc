#include "walferry/metrics.h"

#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define TEST_METRICS(X)                                                            \
    X(EVENTS_TOTAL, "events_total", METRIC_COUNTER, "events", "Events published.") \
    X(LAG_BYTES, "lag_bytes", METRIC_GAUGE, "bytes", "Back\\slash, two\nlines, a | bar.")

enum { TEST_METRICS(METRIC_ENUM) TEST_METRIC_COUNT };
static const struct metric table[] = {TEST_METRICS(METRIC_ROW)};

struct fixture {
    struct metrics metrics;
    struct buf out;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    metrics_init(&fixture->metrics, "walferry_test_", table, TEST_METRIC_COUNT);
    buf_init(&fixture->out, 1 << 16);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    metrics_release(&fixture->metrics);
    buf_release(&fixture->out);
    free(fixture);
    return 0;
}

/* The text is the one that the Prometheus exposition format 0.0.4 describes. */
static void writes_prometheus_text(void **state)
{
    struct fixture *fixture = *state;
    metrics_add(&fixture->metrics, EVENTS_TOTAL, 2);
    metrics_add(&fixture->metrics, EVENTS_TOTAL, 40);
    metrics_set(&fixture->metrics, LAG_BYTES, 1.5);
    metrics_write(&fixture->metrics, &fixture->out);
    assert_string_equal(buf_text(&fixture->out),
                        "# HELP walferry_test_events_total Events published.\n"
                        "# TYPE walferry_test_events_total counter\n"
                        "walferry_test_events_total 42\n"
                        "# HELP walferry_test_lag_bytes Back\\\\slash, two\\nlines, a | bar.\n"
                        "# TYPE walferry_test_lag_bytes gauge\n"
                        "walferry_test_lag_bytes 1.5\n");
}

static void prints_values_without_loss(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1e6, "1000000"},
        {-3, "-3"},
        {123456789012345.0, "123456789012345"},
        {9007199254740992.0, "9007199254740992"}, /* 2^53 */
        {1e300, "1.0000000000000001e+300"},
        {0.1, "0.10000000000000001"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "\nwalferry_test_lag_bytes %s\n", cases[i].text);
        metrics_set(&fixture->metrics, LAG_BYTES, cases[i].value);
        buf_clear(&fixture->out);
        metrics_write(&fixture->metrics, &fixture->out);
        assert_non_null(strstr(buf_text(&fixture->out), line));
    }
}

static void writes_the_documentation_table(void **state)
{
    struct fixture *fixture = *state;
    metrics_write_docs("walferry_test_", table, TEST_METRIC_COUNT, &fixture->out);
    assert_string_equal(
        buf_text(&fixture->out),
        "| metric | kind | unit | meaning |\n"
        "| --- | --- | --- | --- |\n"
        "| `walferry_test_events_total` | counter | events | Events published. |\n"
        "| `walferry_test_lag_bytes` | gauge | bytes | Back\\slash, two lines, a \\| bar. |\n");
}

static void reads_the_memory_of_this_process(void **state)
{
    (void)state;
    uint64_t rss_bytes, rss_peak_bytes, rss_after_bytes;
    enum { GROWTH = 32 << 20 };
    metrics_read_memory(&rss_bytes, &rss_peak_bytes);
    assert_true(rss_bytes > 100 * 1024);
    assert_true(rss_peak_bytes >= rss_bytes);

    volatile char *block = malloc(GROWTH);
    for (size_t i = 0; i < GROWTH; i += 4096)
        block[i] = 1;
    metrics_read_memory(&rss_after_bytes, &rss_peak_bytes);
    assert_true(rss_after_bytes >= rss_bytes + GROWTH / 2);
    assert_true(rss_peak_bytes >= rss_after_bytes);
    free((void *)(uintptr_t)block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_prometheus_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(prints_values_without_loss, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_the_documentation_table, set_up, tear_down),
        cmocka_unit_test(reads_the_memory_of_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
