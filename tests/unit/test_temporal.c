/* Texts and numbers printed by PostgreSQL 15 (DateStyle ISO, IntervalStyle postgres). */
#include "walferry/temporal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void dates(void **state)
{
    static const struct {
        const char *text;
        int64_t days;
    } cases[] = {{"1970-01-01", 0},          {"2016-11-04", 17109},      {"1969-12-31", -1},
                 {"0001-01-01", -719162},    {"0001-12-31 BC", -719163}, {"4713-01-01 BC", -2440550},
                 {"1582-10-10", -141432},    {"2000-02-29", 11016},      {"9999-12-31", 2932896},
                 {"10000-01-01", 2932897},   {"0044-03-15 BC", -735160}, {"5874897-12-31", 2145042905},
                 {"1130-01-09 BC", -1131878}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct temporal_date date, again;
        assert_true(temporal_parse_date(slice_of(cases[i].text), &date));
        assert_int_equal(temporal_date_days(&date), cases[i].days);
        temporal_date_of_days(cases[i].days, &again);
        assert_int_equal(again.year, date.year);
        assert_int_equal(again.month, date.month);
        assert_int_equal(again.day, date.day);
    }
}

static void intervals(void **state)
{
    static const struct {
        const char *text;
        int32_t months, days;
        int64_t micros;
    } cases[] = {
        {"00:00:00", 0, 0, 0},
        {"1 year 2 mons 3 days 04:05:06.78", 14, 3, 14706780000},
        {"-1 years -2 mons -3 days -04:05:06.78", -14, -3, -14706780000},
        {"10 mons 3 days -04:05:06.000001", 10, 3, -14706000001},
        {"1 mon -1 days +00:00:01", 1, -1, 1000000},
        {"178000000 years", 2136000000, 0, 0},
        {"100000:00:00", 0, 0, 360000000000000},
        {"-88 days +1566:07:40.396772", 0, -88, 5638060396772},
        {"2562047788:00:54.775807", 0, 0, INT64_MAX},
        {"1 day", 0, 1, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct temporal_interval interval;
        assert_true(temporal_parse_interval(slice_of(cases[i].text), &interval));
        assert_int_equal(interval.months, cases[i].months);
        assert_int_equal(interval.days, cases[i].days);
        assert_true(interval.micros == cases[i].micros);
    }
}

static void timestamps(void **state)
{
    struct temporal_timestamp timestamp;
    (void)state;
    assert_true(temporal_parse_timestamp(SLICE_LITERAL("4713-12-31 23:59:59.999999 BC"), false, &timestamp));
    assert_true(temporal_timestamp_seconds(&timestamp) == INT64_C(-210831897601));
    assert_int_equal(timestamp.time.micros, 999999);
    assert_true(temporal_parse_timestamp(SLICE_LITERAL("2016-11-04 13:51:30.5+05:30"), true, &timestamp));
    assert_true(temporal_timestamp_seconds(&timestamp) == INT64_C(1478247690));
    assert_int_equal(timestamp.time.micros, 500000);
    assert_true(temporal_parse_timestamp(SLICE_LITERAL("-infinity"), true, &timestamp));
    assert_int_equal(timestamp.date.kind, TEMPORAL_MINUS_INFINITY);
}

static void times(void **state)
{
    struct temporal_time time;
    (void)state;
    assert_true(temporal_parse_time(SLICE_LITERAL("24:00:00"), false, &time));
    assert_true(temporal_time_micros(&time) == INT64_C(86400000000));
    assert_true(temporal_parse_time(SLICE_LITERAL("01:02:03.000001-15:59:59"), true, &time));
    assert_int_equal(time.micros, 1);
    assert_int_equal(time.offset_seconds, -57599);
}

static void iso_text(void **state)
{
    static const struct {
        struct temporal_date date;
        const char *text;
    } cases[] = {{{.year = 2017, .month = 9, .day = 15}, "2017-09-15"},
                 {{.year = 0, .month = 12, .day = 31}, "0000-12-31"},
                 {{.year = -4712, .month = 1, .day = 1}, "-4712-01-01"},
                 {{.year = 294276, .month = 12, .day = 31}, "+294276-12-31"}};
    char text[TEMPORAL_DATE_SIZE + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        *temporal_write_date(text, &cases[i].date) = '\0';
        assert_string_equal(text, cases[i].text);
    }
    const struct temporal_time time = {.hour = 1, .minute = 2, .second = 3, .micros = 120000};
    *temporal_write_time(text, &time, -1) = '\0';
    assert_string_equal(text, "01:02:03.12");
    *temporal_write_time(text, &time, 6) = '\0';
    assert_string_equal(text, "01:02:03.120000");
    *temporal_write_time(text, &time, 0) = '\0';
    assert_string_equal(text, "01:02:03");
}

static void not_of_the_type(void **state)
{
    static const char *const dates[] = {
        "", "2016", "2016-13-01", "2016-1-1", "2016-11-04 AD", "04.11.2016", "2016-11-04x", "-2016-11-04"};
    static const char *const times[] = {"",      "1:2:3",       "24:00:01",  "25:00:00",        "12:60:00",
                                        "12:00", "12:00:00+02", "12:00:00.", "12:00:00.1234567"};
    static const char *const intervals[] = {"",
                                            " ",
                                            "1",
                                            "day",
                                            "1 day ",
                                            "@ 1 day",
                                            "P1D",
                                            "1 fortnight",
                                            "1 day 1",
                                            "1:2:3",
                                            "00:00:00 1 day",
                                            "99999999999 days",
                                            "1 day  2 mons"};
    struct temporal_date date;
    struct temporal_time time;
    struct temporal_interval interval;
    (void)state;
    for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++)
        assert_false(temporal_parse_date(slice_of(dates[i]), &date));
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        assert_false(temporal_parse_time(slice_of(times[i]), false, &time));
    for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++)
        assert_false(temporal_parse_interval(slice_of(intervals[i]), &interval));
}

static bool parses(struct slice text)
{
    struct temporal_timestamp timestamp;
    return temporal_parse_timestamp(text, true, &timestamp);
}

static void cut_at_each_length(void **state)
{
    const char *text = "0044-03-15 01:02:03.5+05:30:15";
    size_t accepted = 0;
    (void)state;
    for (size_t len = 0; len < strlen(text); len++)
        accepted += parses((struct slice){text, len}) ? 1 : 0;
    assert_int_equal(accepted, 2); /* after +05 and +05:30, where a shorter offset ends */
    assert_true(parses(slice_of(text)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates),
        cmocka_unit_test(intervals),
        cmocka_unit_test(timestamps),
        cmocka_unit_test(times),
        cmocka_unit_test(iso_text),
        cmocka_unit_test(not_of_the_type),
        cmocka_unit_test(cut_at_each_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
