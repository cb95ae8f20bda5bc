/* temporal: PostgreSQL's date and time text under DateStyle ISO, and Java's ISO forms.
 *
 * Expected session settings: DateStyle=ISO, TimeZone=UTC, IntervalStyle=postgres. Years are astronomical here
 * (1 BC is 0), calendars proleptic Gregorian. Parsers take the whole slice and accept only what PostgreSQL's
 * output functions write: anything else is false.
 */
#ifndef WALFERRY_TEMPORAL_H
#define WALFERRY_TEMPORAL_H

#include "walferry/slice.h"

#include <stdint.h>

enum temporal_kind { TEMPORAL_FINITE, TEMPORAL_INFINITY, TEMPORAL_MINUS_INFINITY };

struct temporal_date {
    enum temporal_kind kind;
    int32_t year;
    int month, day;
};

struct temporal_time {
    int hour, minute, second; /* hour 24 only as 24:00:00 */
    int32_t micros;
    int32_t offset_seconds; /* east of UTC; timetz and timestamptz */
};

struct temporal_timestamp {
    struct temporal_date date; /* its kind is the timestamp's */
    struct temporal_time time;
};

struct temporal_interval {
    int32_t months, days;
    int64_t micros;
};

/* 2016-11-04, 0044-03-15 BC, infinity */
bool temporal_parse_date(struct slice text, struct temporal_date *date) __attribute__((warn_unused_result));
/* 13:51:30.123456, with an offset (+02, -05:30, +15:59:30) exactly where `zoned` */
bool temporal_parse_time(struct slice text, bool zoned, struct temporal_time *time)
    __attribute__((warn_unused_result));
/* 2016-11-04 13:51:30.123456+00 BC */
bool temporal_parse_timestamp(struct slice text, bool zoned, struct temporal_timestamp *timestamp)
    __attribute__((warn_unused_result));
/* IntervalStyle postgres: 1 year -2 mons +3 days -04:05:06.000001 */
bool temporal_parse_interval(struct slice text, struct temporal_interval *interval)
    __attribute__((warn_unused_result));

int64_t temporal_date_days(const struct temporal_date *date); /* since 1970-01-01 */
void temporal_date_of_days(int64_t days, struct temporal_date *date);
int64_t temporal_time_micros(const struct temporal_time *time); /* since midnight, offset ignored */
int64_t temporal_timestamp_seconds(const struct temporal_timestamp *timestamp); /* since the epoch, UTC */

/* Java's ISO text at `to`; return the end. Years outside 0..9999 carry a sign. */
#define TEMPORAL_DATE_SIZE 16
#define TEMPORAL_TIME_SIZE 16
char *temporal_write_date(char *to, const struct temporal_date *date);
/* `digits`: of the fraction; -1 = as many as needed, none where it is zero. */
char *temporal_write_time(char *to, const struct temporal_time *time, int digits);

#endif
