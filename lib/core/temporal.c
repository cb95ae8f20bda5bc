#include "walferry/temporal.h"

#include <string.h>

struct cursor {
    const char *at, *end;
    bool failed;
};

static struct cursor cursor_of(struct slice text)
{
    return (struct cursor){text.data, text.data + text.len, false};
}

static bool done(const struct cursor *cursor)
{
    return !cursor->failed && cursor->at == cursor->end;
}

static bool take(struct cursor *cursor, char byte)
{
    if (cursor->at == cursor->end || *cursor->at != byte)
        return false;
    cursor->at++;
    return true;
}

static void expect(struct cursor *cursor, char byte)
{
    if (!take(cursor, byte))
        cursor->failed = true;
}

/* A natural number of `min` to `max` digits. */
static int64_t number(struct cursor *cursor, int min, int max)
{
    int64_t value = 0;
    int count = 0;
    for (; count < max && cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9'; count++)
        value = value * 10 + (*cursor->at++ - '0');
    if (count < min)
        cursor->failed = true;
    return value;
}

static int ranged(struct cursor *cursor, int low, int high)
{
    int value = (int)number(cursor, 2, 2);
    if (value < low || value > high)
        cursor->failed = true;
    return value;
}

/* Digits behind a point, as microseconds. */
static int32_t fraction(struct cursor *cursor)
{
    if (!take(cursor, '.'))
        return 0;
    const char *from = cursor->at;
    int32_t value = (int32_t)number(cursor, 1, 6);
    for (int64_t digits = cursor->at - from; digits < 6; digits++)
        value *= 10;
    return value;
}

static bool parse_special(struct slice text, enum temporal_kind *kind)
{
    *kind = TEMPORAL_FINITE;
    if (slice_equal(text, SLICE_LITERAL("infinity")))
        *kind = TEMPORAL_INFINITY;
    else if (slice_equal(text, SLICE_LITERAL("-infinity")))
        *kind = TEMPORAL_MINUS_INFINITY;
    return *kind != TEMPORAL_FINITE;
}

/* Cuts " BC" off. */
static bool cut_bc(struct slice *text)
{
    if (text->len < 3 || memcmp(text->data + text->len - 3, " BC", 3) != 0)
        return false;
    text->len -= 3;
    return true;
}

static void read_date(struct cursor *cursor, bool bc, struct temporal_date *date)
{
    int32_t year = (int32_t)number(cursor, 4, 7);
    date->year = bc ? 1 - year : year;
    expect(cursor, '-');
    date->month = ranged(cursor, 1, 12);
    expect(cursor, '-');
    date->day = ranged(cursor, 1, 31);
}

static void read_offset(struct cursor *cursor, int32_t *seconds)
{
    bool negative = take(cursor, '-');
    if (!negative)
        expect(cursor, '+');
    int32_t value = ranged(cursor, 0, 15) * 3600;
    if (take(cursor, ':'))
        value += ranged(cursor, 0, 59) * 60;
    if (take(cursor, ':'))
        value += ranged(cursor, 0, 59);
    *seconds = negative ? -value : value;
}

static void read_time(struct cursor *cursor, bool zoned, struct temporal_time *time)
{
    *time = (struct temporal_time){.hour = ranged(cursor, 0, 24)};
    expect(cursor, ':');
    time->minute = ranged(cursor, 0, 59);
    expect(cursor, ':');
    time->second = ranged(cursor, 0, 60);
    time->micros = fraction(cursor);
    if (time->hour == 24 && (time->minute > 0 || time->second > 0 || time->micros > 0))
        cursor->failed = true;
    if (zoned)
        read_offset(cursor, &time->offset_seconds);
}

bool temporal_parse_date(struct slice text, struct temporal_date *date)
{
    *date = (struct temporal_date){.kind = TEMPORAL_FINITE};
    if (parse_special(text, &date->kind))
        return true;
    bool bc = cut_bc(&text);
    struct cursor cursor = cursor_of(text);
    read_date(&cursor, bc, date);
    return done(&cursor);
}

bool temporal_parse_time(struct slice text, bool zoned, struct temporal_time *time)
{
    struct cursor cursor = cursor_of(text);
    read_time(&cursor, zoned, time);
    return done(&cursor);
}

bool temporal_parse_timestamp(struct slice text, bool zoned, struct temporal_timestamp *timestamp)
{
    *timestamp = (struct temporal_timestamp){.date.kind = TEMPORAL_FINITE};
    if (parse_special(text, &timestamp->date.kind))
        return true;
    bool bc = cut_bc(&text);
    struct cursor cursor = cursor_of(text);
    read_date(&cursor, bc, &timestamp->date);
    expect(&cursor, ' ');
    read_time(&cursor, zoned, &timestamp->time);
    return done(&cursor);
}

/* H. Hinnant's days_from_civil: eras of 400 years that begin in March. */
int64_t temporal_date_days(const struct temporal_date *date)
{
    int64_t year = (int64_t)date->year - (date->month <= 2 ? 1 : 0);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (date->month + (date->month > 2 ? -3 : 9)) + 2) / 5 + date->day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void temporal_date_of_days(int64_t days, struct temporal_date *date)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    date->kind = TEMPORAL_FINITE;
    date->day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    date->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    date->year = (int32_t)(year_of_era + era * 400 + (date->month <= 2 ? 1 : 0));
}

int64_t temporal_time_micros(const struct temporal_time *time)
{
    return ((time->hour * INT64_C(60) + time->minute) * 60 + time->second) * 1000000 + time->micros;
}

int64_t temporal_timestamp_seconds(const struct temporal_timestamp *timestamp)
{
    const struct temporal_time *time = &timestamp->time;
    int64_t of_day = (time->hour * INT64_C(60) + time->minute) * 60 + time->second;
    return temporal_date_days(&timestamp->date) * 86400 + of_day - time->offset_seconds;
}

static char *write_padded(char *to, int64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        to[i] = (char)('0' + value % 10);
    return to + digits;
}

char *temporal_write_date(char *to, const struct temporal_date *date)
{
    int64_t year = date->year < 0 ? -(int64_t)date->year : date->year;
    if (date->year < 0 || date->year > 9999)
        *to++ = date->year < 0 ? '-' : '+';
    int digits = 4;
    for (int64_t limit = 10000; year >= limit; limit *= 10)
        digits++;
    to = write_padded(to, year, digits);
    *to++ = '-';
    to = write_padded(to, date->month, 2);
    *to++ = '-';
    return write_padded(to, date->day, 2);
}

char *temporal_write_time(char *to, const struct temporal_time *time, int digits)
{
    to = write_padded(to, time->hour, 2);
    *to++ = ':';
    to = write_padded(to, time->minute, 2);
    *to++ = ':';
    to = write_padded(to, time->second, 2);
    if (digits == 0 || (digits < 0 && time->micros == 0))
        return to;
    *to++ = '.';
    char *end = write_padded(to, time->micros, 6);
    if (digits > 0)
        return to + digits;
    while (end[-1] == '0')
        end--;
    return end;
}
