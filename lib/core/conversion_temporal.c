#include "conversion_internal.h"
#include "walferry/json.h"
#include "walferry/temporal.h"

#include <string.h>

/* The numbers that Debezium's stream writes for infinite values. */
#define DATE_INFINITY INT64_C(-2147472692)
#define DATE_MINUS_INFINITY INT64_C(-2147472691)
#define MILLIS_INFINITY INT64_C(9223372036825200)
#define MILLIS_MINUS_INFINITY INT64_C(-9223372036832400)

CONVERTER(convert_date_days)
{
    (void)conversion;
    struct temporal_date date;
    if (!temporal_parse_date(text, &date))
        return CONVERTED_BAD;
    if (date.kind == TEMPORAL_FINITE)
        return convert_append_int(out, temporal_date_days(&date));
    return convert_append_int(out, date.kind == TEMPORAL_INFINITY ? DATE_INFINITY : DATE_MINUS_INFINITY);
}

CONVERTER(convert_date_iso)
{
    (void)conversion;
    struct temporal_date date;
    if (!temporal_parse_date(text, &date))
        return CONVERTED_BAD;
    if (date.kind == TEMPORAL_INFINITY)
        date = (struct temporal_date){.year = -5877611, .month = 6, .day = 21};
    else if (date.kind == TEMPORAL_MINUS_INFINITY)
        date = (struct temporal_date){.year = -5877611, .month = 6, .day = 22};
    char iso[TEMPORAL_DATE_SIZE + 1];
    char *end = temporal_write_date(iso, &date);
    *end++ = 'Z';
    convert_append_quoted(out, iso, (size_t)(end - iso));
    return CONVERTED;
}

static enum converted append_time(struct buf *out, struct slice text, int64_t multiply, int64_t divide)
{
    struct temporal_time time;
    if (!temporal_parse_time(text, false, &time))
        return CONVERTED_BAD;
    int64_t micros = temporal_time_micros(&time);
    (void)convert_append_int(out, micros / divide * multiply);
    return micros % divide != 0 ? CONVERTED_LOST : CONVERTED;
}

CONVERTER(convert_time_millis)
{
    (void)conversion;
    return append_time(out, text, 1, 1000);
}

CONVERTER(convert_time_micros)
{
    (void)conversion;
    return append_time(out, text, 1, 1);
}

CONVERTER(convert_time_nanos)
{
    (void)conversion;
    return append_time(out, text, 1000, 1);
}

static void append_clock(struct buf *out, const struct temporal_time *time)
{
    char iso[TEMPORAL_TIME_SIZE + 1];
    char *end = temporal_write_time(iso, time, -1);
    *end++ = 'Z';
    convert_append_quoted(out, iso, (size_t)(end - iso));
}

CONVERTER(convert_time_iso)
{
    (void)conversion;
    struct temporal_time time;
    if (!temporal_parse_time(text, false, &time))
        return CONVERTED_BAD;
    bool midnight = time.hour == 24;
    time.hour %= 24;
    append_clock(out, &time);
    return midnight ? CONVERTED_LOST : CONVERTED;
}

/* Converted to UTC; the zone it was stored with cannot be told from it. */
CONVERTER(convert_timetz)
{
    (void)conversion;
    struct temporal_time time;
    if (!temporal_parse_time(text, true, &time))
        return CONVERTED_BAD;
    bool lost = time.offset_seconds != 0 || time.hour == 24;
    int32_t seconds = (time.hour * 60 + time.minute) * 60 + time.second - time.offset_seconds;
    seconds = ((seconds % 86400) + 86400) % 86400;
    time.hour = seconds / 3600;
    time.minute = seconds / 60 % 60;
    time.second = seconds % 60;
    append_clock(out, &time);
    return lost ? CONVERTED_LOST : CONVERTED;
}

static int64_t millis_of(const struct temporal_timestamp *timestamp)
{
    return temporal_timestamp_seconds(timestamp) * 1000 + timestamp->time.micros / 1000;
}

/* A finite timestamp whose number stands for an infinite one. */
static bool reads_as_infinity(int64_t millis)
{
    return millis == MILLIS_INFINITY || millis == MILLIS_MINUS_INFINITY;
}

CONVERTER(convert_timestamp_millis)
{
    (void)conversion;
    struct temporal_timestamp timestamp;
    if (!temporal_parse_timestamp(text, false, &timestamp))
        return CONVERTED_BAD;
    if (timestamp.date.kind != TEMPORAL_FINITE) {
        bool after = timestamp.date.kind == TEMPORAL_INFINITY;
        return convert_append_int(out, after ? MILLIS_INFINITY : MILLIS_MINUS_INFINITY);
    }
    int64_t millis = millis_of(&timestamp);
    (void)convert_append_int(out, millis);
    return timestamp.time.micros % 1000 != 0 || reads_as_infinity(millis) ? CONVERTED_LOST : CONVERTED;
}

/* As Java's TimeUnit.SECONDS.toMicros plus the fraction: saturates, then the addition wraps. */
CONVERTER(convert_timestamp_micros)
{
    (void)conversion;
    struct temporal_timestamp timestamp;
    if (!temporal_parse_timestamp(text, false, &timestamp))
        return CONVERTED_BAD;
    if (timestamp.date.kind != TEMPORAL_FINITE) {
        bool after = timestamp.date.kind == TEMPORAL_INFINITY;
        return convert_append_int(out, (after ? MILLIS_INFINITY : MILLIS_MINUS_INFINITY) * 1000);
    }
    int64_t micros;
    bool lost = __builtin_mul_overflow(temporal_timestamp_seconds(&timestamp), INT64_C(1000000), &micros);
    if (lost)
        micros = INT64_MAX; /* only years after 294247 get here: the past of PostgreSQL ends 4713 BC */
    lost = __builtin_add_overflow(micros, timestamp.time.micros, &micros) || lost;
    (void)convert_append_int(out, micros);
    lost = lost || (micros % 1000 == 0 && reads_as_infinity(micros / 1000));
    return lost ? CONVERTED_LOST : CONVERTED;
}

/* Debezium writes null outside 1677-09-21T00:12:44 (excluded) to 2262-04-11T23:47:16. */
CONVERTER(convert_timestamp_nanos)
{
    (void)conversion;
    struct temporal_timestamp timestamp;
    if (!temporal_parse_timestamp(text, false, &timestamp))
        return CONVERTED_BAD;
    if (timestamp.date.kind != TEMPORAL_FINITE) {
        bool after = timestamp.date.kind == TEMPORAL_INFINITY;
        return convert_append_int(out, after ? INT64_MAX : INT64_MIN);
    }
    int64_t seconds = temporal_timestamp_seconds(&timestamp), nanos;
    if (seconds <= INT64_C(-9223372036) || __builtin_mul_overflow(seconds, INT64_C(1000000000), &nanos) ||
        __builtin_add_overflow(nanos, timestamp.time.micros * INT64_C(1000), &nanos)) {
        buf_append_text(out, "null");
        return CONVERTED_LOST;
    }
    return convert_append_int(out, nanos);
}

static void append_instant(struct buf *out, const struct temporal_timestamp *timestamp, int digits)
{
    char iso[TEMPORAL_DATE_SIZE + TEMPORAL_TIME_SIZE + 2];
    char *end = temporal_write_date(iso, &timestamp->date);
    *end++ = 'T';
    end = temporal_write_time(end, &timestamp->time, digits);
    *end++ = 'Z';
    convert_append_quoted(out, iso, (size_t)(end - iso));
}

CONVERTER(convert_timestamp_iso)
{
    (void)conversion;
    struct temporal_timestamp timestamp;
    if (!temporal_parse_timestamp(text, false, &timestamp))
        return CONVERTED_BAD;
    if (timestamp.date.kind == TEMPORAL_INFINITY)
        buf_append_text(out, "\"+294247-01-10T04:00:25.2Z\"");
    else if (timestamp.date.kind == TEMPORAL_MINUS_INFINITY)
        buf_append_text(out, "\"-290308-12-21T19:59:27.6Z\"");
    else
        append_instant(out, &timestamp, -1);
    bool finite = timestamp.date.kind == TEMPORAL_FINITE;
    return finite && reads_as_infinity(millis_of(&timestamp)) ? CONVERTED_LOST : CONVERTED;
}

/* The session's TimeZone is UTC, so PostgreSQL writes +00; another offset is put right here. */
static void shift_to_utc(struct temporal_timestamp *timestamp)
{
    if (timestamp->time.offset_seconds == 0)
        return;
    int64_t seconds = temporal_timestamp_seconds(timestamp);
    int64_t days = seconds / 86400 - (seconds % 86400 < 0 ? 1 : 0);
    int of_day = (int)(seconds - days * 86400);
    temporal_date_of_days(days, &timestamp->date);
    timestamp->time = (struct temporal_time){.hour = of_day / 3600,
                                             .minute = of_day / 60 % 60,
                                             .second = of_day % 60,
                                             .micros = timestamp->time.micros};
}

CONVERTER(convert_timestamptz)
{
    struct temporal_timestamp timestamp;
    if (!temporal_parse_timestamp(text, true, &timestamp))
        return CONVERTED_BAD;
    if (timestamp.date.kind != TEMPORAL_FINITE) {
        convert_append_quoted(out, text.data, text.len);
        return CONVERTED;
    }
    shift_to_utc(&timestamp);
    append_instant(out, &timestamp, conversion->digits == 0 ? -1 : conversion->digits);
    return CONVERTED;
}

#define MONTH_MICROS INT64_C(2629800000000) /* 365.25 days / 12 */
#define DAY_MICROS INT64_C(86400000000)

/* A number of microseconds cannot say how many months and days it was. */
CONVERTER(convert_interval_micros)
{
    (void)conversion;
    struct temporal_interval interval;
    if (!temporal_parse_interval(text, &interval))
        return CONVERTED_BAD;
    __int128 total = (__int128)interval.months * MONTH_MICROS + (__int128)interval.days * DAY_MICROS;
    total += interval.micros;
    if (total > INT64_MAX)
        total = INT64_MAX;
    if (total < INT64_MIN)
        total = INT64_MIN;
    (void)convert_append_int(out, (int64_t)total);
    return interval.months != 0 || interval.days != 0 ? CONVERTED_LOST : CONVERTED;
}

static char *write_part(char *to, int64_t value, char unit)
{
    to = json_write_int(to, value);
    *to++ = unit;
    return to;
}

static char *write_seconds(char *to, int64_t micros)
{
    if (micros < 0)
        *to++ = '-';
    micros = micros < 0 ? -micros : micros;
    to = json_write_int(to, micros / 1000000);
    if (micros % 1000000 != 0) {
        *to++ = '.';
        int64_t rest = micros % 1000000;
        for (int64_t unit = 100000; rest > 0; rest %= unit, unit /= 10)
            *to++ = (char)('0' + rest / unit);
    }
    *to++ = 'S';
    return to;
}

CONVERTER(convert_interval_iso)
{
    (void)conversion;
    struct temporal_interval interval;
    if (!temporal_parse_interval(text, &interval))
        return CONVERTED_BAD;
    char iso[128];
    char *to = iso;
    *to++ = 'P';
    to = write_part(to, interval.months / 12, 'Y');
    to = write_part(to, interval.months % 12, 'M');
    to = write_part(to, interval.days, 'D');
    *to++ = 'T';
    to = write_part(to, interval.micros / INT64_C(3600000000), 'H');
    to = write_part(to, interval.micros / INT64_C(60000000) % 60, 'M');
    to = write_seconds(to, interval.micros % INT64_C(60000000));
    convert_append_quoted(out, iso, (size_t)(to - iso));
    return CONVERTED;
}
