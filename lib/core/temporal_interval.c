#include "walferry/temporal.h"

#include <string.h>

/* interval_out of IntervalStyle postgres:  [N year(s)] [N mon(s)] [N day(s)] [[+-]HH:MM:SS[.ffffff]]
 * Parts that are zero are left out, "00:00:00" alone is zero. */

struct words {
    const char *at, *end;
};

static struct slice next_word(struct words *words)
{
    const char *from = words->at;
    while (words->at < words->end && *words->at != ' ')
        words->at++;
    struct slice word = {from, (size_t)(words->at - from)};
    if (words->at < words->end)
        words->at++;
    return word;
}

/* Digits from `at`, at most `max` of them; returns how many. */
static size_t read_digits(struct slice text, size_t at, size_t max, int64_t *value)
{
    size_t count = 0;
    *value = 0;
    for (; count < max && at + count < text.len; count++) {
        char byte = text.data[at + count];
        if (byte < '0' || byte > '9')
            break;
        *value = *value * 10 + (byte - '0');
    }
    return count;
}

static bool read_signed(struct slice word, int64_t *value)
{
    size_t sign = word.len > 0 && (word.data[0] == '-' || word.data[0] == '+') ? 1 : 0;
    size_t count = read_digits(word, sign, 10, value);
    if (count == 0 || sign + count != word.len)
        return false;
    if (sign == 1 && word.data[0] == '-')
        *value = -*value;
    return true;
}

static bool read_pair(struct slice word, size_t *at, int64_t *value)
{
    if (*at >= word.len || word.data[*at] != ':')
        return false;
    size_t count = read_digits(word, *at + 1, 2, value);
    *at += 1 + count;
    return count == 2 && *value < 60;
}

static bool read_fraction(struct slice word, size_t *at, int64_t *micros)
{
    *micros = 0;
    if (*at == word.len)
        return true;
    if (word.data[*at] != '.')
        return false;
    size_t count = read_digits(word, *at + 1, 6, micros);
    *at += 1 + count;
    for (size_t i = count; i < 6; i++)
        *micros *= 10;
    return count > 0;
}

/* Hours have up to ten digits: 2562047788:00:54.775807 is the largest. */
static bool read_clock(struct slice word, int64_t *micros)
{
    size_t at = word.len > 0 && (word.data[0] == '-' || word.data[0] == '+') ? 1 : 0;
    bool negative = at == 1 && word.data[0] == '-';
    int64_t hours, minutes, seconds, part;
    size_t count = read_digits(word, at, 10, &hours);
    at += count;
    if (count == 0 || hours > INT64_C(2562047789))
        return false;
    if (!read_pair(word, &at, &minutes) || !read_pair(word, &at, &seconds) ||
        !read_fraction(word, &at, &part))
        return false;
    int64_t total;
    part += (minutes * 60 + seconds) * 1000000;
    if (__builtin_mul_overflow(negative ? -hours : hours, INT64_C(3600000000), &total) ||
        __builtin_add_overflow(total, negative ? -part : part, &total))
        return false;
    *micros = total;
    return at == word.len;
}

static bool starts(struct slice word, const char *unit)
{
    size_t len = strlen(unit);
    return (word.len == len || (word.len == len + 1 && word.data[len] == 's')) &&
           memcmp(word.data, unit, len) == 0;
}

static bool add_part(struct temporal_interval *interval, int64_t value, struct slice unit)
{
    int64_t months = interval->months, days = interval->days;
    if (starts(unit, "year"))
        months += value * 12;
    else if (starts(unit, "mon"))
        months += value;
    else if (starts(unit, "day"))
        days += value;
    else
        return false;
    if (months < INT32_MIN || months > INT32_MAX || days < INT32_MIN || days > INT32_MAX)
        return false;
    interval->months = (int32_t)months;
    interval->days = (int32_t)days;
    return true;
}

bool temporal_parse_interval(struct slice text, struct temporal_interval *interval)
{
    *interval = (struct temporal_interval){0};
    struct words words = {text.data, text.data + text.len};
    if (text.len == 0 || text.data[text.len - 1] == ' ')
        return false;
    while (words.at < words.end) {
        struct slice word = next_word(&words);
        int64_t value;
        if (memchr(word.data, ':', word.len) != NULL)
            return read_clock(word, &interval->micros) && words.at == words.end;
        if (!read_signed(word, &value) || !add_part(interval, value, next_word(&words)))
            return false;
    }
    return true;
}
