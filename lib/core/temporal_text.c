#include "temporal_text.h"

/* PostgreSQL's date: 4714-11-24 BC (Julian day 0) to 5874897-12-31. */
#define DATE_DAYS_MIN (-2440588)
#define DATE_DAYS_MAX 2145042905
/* The last day of a timestamp: 294276-12-31. */
#define TIMESTAMP_DAYS_MAX 106762939

/* Infinite dates: of the stream, and of the snapshot, where the driver's sentinel overflows differently. */
static const int64_t date_infinity[] = {-2147472692, -622191234};
static const int64_t date_minus_infinity[] = {-2147472691, -625821272};

#define TIMESTAMP_INFINITY_MS 9223372036825200
#define TIMESTAMP_MINUS_INFINITY_MS (-9223372036832400)

struct civil_date {
    int64_t year; /* astronomical: 0 is 1 BC */
    int month, day;
};

/* Gregorian, backwards too, in 400-year eras that start on 1 March. Source: H. Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms". */
static struct civil_date civil_from_days(int64_t epoch_days)
{
    int64_t days = epoch_days + 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* 0 = March */
    struct civil_date date = {
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
    };
    date.year = year + era * 400 + (date.month <= 2 ? 1 : 0);
    return date;
}

static int64_t days_from_civil(struct civil_date date)
{
    int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void append_padded(struct buf *out, int64_t value, int digits)
{
    char text[20];
    int at = (int)sizeof(text);
    for (; value > 0 || digits > 0; value /= 10, digits--)
        text[--at] = (char)('0' + value % 10);
    buf_append(out, text + at, sizeof(text) - (size_t)at);
}

static void append_civil_date(struct buf *out, struct civil_date date)
{
    append_padded(out, date.year > 0 ? date.year : 1 - date.year, 4);
    buf_append_char(out, '-');
    append_padded(out, date.month, 2);
    buf_append_char(out, '-');
    append_padded(out, date.day, 2);
}

static void append_era(struct buf *out, struct civil_date date)
{
    if (date.year <= 0)
        buf_append_text(out, " BC");
}

static void append_clock(struct buf *out, uint64_t micros)
{
    uint64_t seconds = micros / (uint64_t)MICROS_PER_SECOND;
    append_padded(out, (int64_t)(seconds / 3600), 2);
    buf_append_char(out, ':');
    append_padded(out, (int64_t)(seconds / 60 % 60), 2);
    buf_append_char(out, ':');
    append_padded(out, (int64_t)(seconds % 60), 2);
    uint64_t fraction = micros % (uint64_t)MICROS_PER_SECOND;
    int digits = 6;
    if (fraction == 0)
        return;
    for (; fraction % 10 == 0; fraction /= 10)
        digits--;
    buf_append_char(out, '.');
    append_padded(out, (int64_t)fraction, digits);
}

static bool append_infinity(struct buf *out, bool positive)
{
    buf_append_text(out, positive ? "infinity" : "-infinity");
    return true;
}

bool temporal_append_date(struct buf *out, int64_t epoch_days)
{
    for (size_t i = 0; i < 2; i++) {
        if (epoch_days == date_infinity[i] || epoch_days == date_minus_infinity[i])
            return append_infinity(out, epoch_days == date_infinity[i]);
    }
    if (epoch_days < DATE_DAYS_MIN || epoch_days > DATE_DAYS_MAX)
        return false;
    struct civil_date date = civil_from_days(epoch_days);
    append_civil_date(out, date);
    append_era(out, date);
    return true;
}

bool temporal_append_time(struct buf *out, int64_t micros)
{
    if (micros < 0 || micros > MICROS_PER_DAY)
        return false;
    append_clock(out, (uint64_t)micros);
    return true;
}

/* 1 for infinity, -1 for -infinity, else 0. */
static int timestamp_sign_of_infinity(int64_t epoch, int64_t per_second)
{
    int64_t positive = per_second == 1000      ? TIMESTAMP_INFINITY_MS
                       : per_second == 1000000 ? TIMESTAMP_INFINITY_MS * MICROS_PER_MS
                                               : INT64_MAX;
    int64_t negative = per_second == 1000      ? TIMESTAMP_MINUS_INFINITY_MS
                       : per_second == 1000000 ? TIMESTAMP_MINUS_INFINITY_MS * MICROS_PER_MS
                                               : INT64_MIN;
    return epoch == positive ? 1 : epoch == negative ? -1 : 0;
}

bool temporal_append_timestamp(struct buf *out, int64_t epoch, int64_t per_second)
{
    int sign = timestamp_sign_of_infinity(epoch, per_second);
    if (sign != 0)
        return append_infinity(out, sign > 0);
    /* Microseconds saturate there, so this number is many timestamps. */
    if (epoch == INT64_MAX || (per_second > MICROS_PER_SECOND && epoch % 1000 != 0))
        return false;
    int64_t per_day = 86400 * per_second;
    int64_t days = epoch / per_day, rest = epoch % per_day;
    if (rest < 0) {
        days--;
        rest += per_day;
    }
    if (days < DATE_DAYS_MIN || days > TIMESTAMP_DAYS_MAX)
        return false;
    struct civil_date date = civil_from_days(days);
    append_civil_date(out, date);
    buf_append_char(out, ' ');
    append_clock(out, (uint64_t)(per_second == 1000 ? rest * 1000 : rest / (per_second / MICROS_PER_SECOND)));
    append_era(out, date);
    return true;
}

void temporal_append_interval(struct buf *out, int64_t micros)
{
    if (micros < 0)
        buf_append_char(out, '-');
    append_clock(out, micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros);
}

/* Reads on while the text has the form; `failed` is looked at once at the end. */
struct scan {
    struct slice rest;
    bool failed;
};

static bool skip(struct scan *scan, char byte)
{
    if (scan->rest.len == 0 || scan->rest.data[0] != byte)
        return false;
    scan->rest = (struct slice){scan->rest.data + 1, scan->rest.len - 1};
    return true;
}

static void expect(struct scan *scan, char byte)
{
    if (!skip(scan, byte))
        scan->failed = true;
}

static bool at_digit(const struct scan *scan)
{
    return scan->rest.len > 0 && scan->rest.data[0] >= '0' && scan->rest.data[0] <= '9';
}

static int64_t take_digits(struct scan *scan, int digits_min, int digits_max)
{
    int64_t value = 0;
    int digits = 0;
    for (; digits < digits_max && at_digit(scan); digits++) {
        value = value * 10 + (scan->rest.data[0] - '0');
        scan->rest = (struct slice){scan->rest.data + 1, scan->rest.len - 1};
    }
    if (digits < digits_min || at_digit(scan))
        scan->failed = true;
    return value;
}

static int take_pair(struct scan *scan, int min, int max)
{
    int value = (int)take_digits(scan, 2, 2);
    if (value < min || value > max)
        scan->failed = true;
    return value;
}

/* [+-]YYYY[YYY]-MM-DD */
static struct civil_date take_date(struct scan *scan)
{
    struct civil_date date;
    bool negative = skip(scan, '-');
    if (!negative)
        (void)skip(scan, '+');
    date.year = take_digits(scan, 4, 7) * (negative ? -1 : 1);
    expect(scan, '-');
    date.month = take_pair(scan, 1, 12);
    expect(scan, '-');
    date.day = take_pair(scan, 1, 31);
    return date;
}

/* Up to nine digits, as microseconds; finer ones must be zero. */
static int64_t take_fraction(struct scan *scan)
{
    int64_t nanos = 0;
    int digits = 0;
    for (; at_digit(scan); digits++, scan->rest.data++, scan->rest.len--) {
        if (digits < 9)
            nanos = nanos * 10 + (scan->rest.data[0] - '0');
    }
    if (digits == 0 || digits > 9)
        scan->failed = true;
    for (; digits < 9; digits++)
        nanos *= 10;
    if (nanos % 1000 != 0)
        scan->failed = true;
    return nanos / 1000;
}

/* HH:MM[:SS[.f]] */
static int64_t take_clock(struct scan *scan)
{
    int64_t seconds = take_pair(scan, 0, 24) * 3600;
    expect(scan, ':');
    seconds += take_pair(scan, 0, 59) * 60;
    if (skip(scan, ':'))
        seconds += take_pair(scan, 0, 59);
    int64_t micros = seconds * MICROS_PER_SECOND + (skip(scan, '.') ? take_fraction(scan) : 0);
    if (micros > MICROS_PER_DAY)
        scan->failed = true;
    return micros;
}

/* Z, or [+-]HH[:MM[:SS]] and then the slice of it. {NULL,0} = absent. */
static struct slice take_zone(struct scan *scan)
{
    struct slice from = scan->rest;
    if (skip(scan, 'Z'))
        return SLICE_LITERAL("+00");
    if (!skip(scan, '+') && !skip(scan, '-'))
        return SLICE_NONE;
    (void)take_pair(scan, 0, 15);
    for (int i = 0; i < 2 && skip(scan, ':'); i++)
        (void)take_pair(scan, 0, 59);
    return (struct slice){from.data, from.len - scan->rest.len};
}

/* The overflowed infinities, as Java prints them. */
static int iso_sign_of_infinity(struct civil_date date, int64_t micros, enum iso_kind kind)
{
    int64_t days = days_from_civil(date);
    if (kind == ISO_DATE) {
        for (size_t i = 0; i < 2; i++) {
            if (days == date_infinity[i] || days == date_minus_infinity[i])
                return days == date_infinity[i] ? 1 : -1;
        }
        return 0;
    }
    if (kind != ISO_TIMESTAMP || micros % MICROS_PER_MS != 0 || days > TIMESTAMP_DAYS_MAX ||
        days < -TIMESTAMP_DAYS_MAX)
        return 0;
    return timestamp_sign_of_infinity(days * 86400000 + micros / MICROS_PER_MS, 1000);
}

/* What was read is out of the type's range, or its zone does not suit the type. */
static bool iso_fits(struct civil_date date, struct slice zone, enum iso_kind kind)
{
    bool zoned = kind == ISO_TIMETZ || kind == ISO_TIMESTAMPTZ;
    bool utc = zone.data == NULL || slice_equal(zone, SLICE_LITERAL("+00"));
    if (zoned ? zone.data == NULL : !utc)
        return false;
    if (kind == ISO_TIME || kind == ISO_TIMETZ)
        return true;
    int64_t days = days_from_civil(date);
    return days >= DATE_DAYS_MIN && days <= (kind == ISO_DATE ? DATE_DAYS_MAX : TIMESTAMP_DAYS_MAX);
}

static void append_parts(struct buf *out, struct civil_date date, int64_t micros, struct slice zone,
                         enum iso_kind kind)
{
    bool dated = kind != ISO_TIME && kind != ISO_TIMETZ;
    if (dated)
        append_civil_date(out, date);
    if (kind == ISO_TIMESTAMP || kind == ISO_TIMESTAMPTZ)
        buf_append_char(out, ' ');
    if (kind != ISO_DATE)
        append_clock(out, (uint64_t)micros);
    if (kind == ISO_TIMETZ || kind == ISO_TIMESTAMPTZ)
        buf_append_slice(out, zone);
    if (dated)
        append_era(out, date);
}

bool temporal_append_iso(struct buf *out, struct slice text, enum iso_kind kind)
{
    struct scan scan = {.rest = text};
    struct civil_date date = {.year = 1970, .month = 1, .day = 1};
    int64_t micros = 0;
    bool dated = kind != ISO_TIME && kind != ISO_TIMETZ;
    bool positive = slice_equal(text, SLICE_LITERAL("infinity"));
    if (dated && (positive || slice_equal(text, SLICE_LITERAL("-infinity"))))
        return append_infinity(out, positive);
    if (dated)
        date = take_date(&scan);
    /* Connect's simple header converter prints midnight as a date alone. */
    bool clocked = !dated || (kind != ISO_DATE && (skip(&scan, 'T') || skip(&scan, ' ')));
    if (clocked)
        micros = take_clock(&scan);
    struct slice zone = take_zone(&scan);
    if (scan.failed || scan.rest.len > 0)
        return false;
    int sign = iso_sign_of_infinity(date, micros, kind);
    if (sign != 0)
        return append_infinity(out, sign > 0);
    if (!iso_fits(date, zone, kind))
        return false;
    append_parts(out, date, micros, zone, kind);
    return true;
}
