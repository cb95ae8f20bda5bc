#include "walferry/copytext.h"

/* The letters behind a backslash that stand for one control character. */
static const char control_of[256] = {
    ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t', ['v'] = '\v'};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \o, \oo, \ooo: `from` is at the first octal digit; returns the first byte behind the escape. */
static const char *read_octal(const char *from, const char *end, char *byte)
{
    unsigned value = 0;
    const char *limit = end - from > 3 ? from + 3 : end;
    for (; from < limit && *from >= '0' && *from <= '7'; from++)
        value = value * 8 + (unsigned)(*from - '0');
    *byte = (char)value;
    return from;
}

/* \xh, \xhh: `from` is behind the x. Without a digit the escape is the letter x itself. */
static const char *read_hex(const char *from, const char *end, char *byte)
{
    const char *limit = end - from > 2 ? from + 2 : end;
    unsigned value = 0;
    const char *at = from;
    for (; at < limit && hex_digit(*at) >= 0; at++)
        value = value * 16 + (unsigned)hex_digit(*at);
    *byte = at == from ? 'x' : (char)value;
    return at;
}

/* One escape; `from` is behind the backslash and before `end`. */
static const char *read_escape(const char *from, const char *end, char *byte)
{
    char letter = *from;
    if (letter >= '0' && letter <= '7')
        return read_octal(from, end, byte);
    if (letter == 'x')
        return read_hex(from + 1, end, byte);
    char control = control_of[(uint8_t)letter];
    *byte = control != 0 ? control : letter;
    return from + 1;
}

/* Unescapes [field, end) in place, from its first backslash on; false where a backslash is the last byte. */
static bool unescape(char *field, char *backslash, const char *end, size_t *len)
{
    char *to = backslash;
    const char *from = backslash;
    while (from < end) {
        const char *next = memchr(from, '\\', (size_t)(end - from));
        size_t plain = (size_t)((next != NULL ? next : end) - from);
        memmove(to, from, plain);
        to += plain;
        from += plain;
        if (from == end)
            break;
        if (from + 1 == end)
            return false;
        from = read_escape(from + 1, end, to++);
    }
    *len = (size_t)(to - field);
    return true;
}

static bool read_field(char *field, size_t len, struct value *value)
{
    char *backslash = len == 0 ? NULL : memchr(field, '\\', len);
    *value = (struct value){.kind = VALUE_TEXT, .bytes = {field, len}};
    if (backslash == NULL)
        return true;
    if (len == 2 && field[0] == '\\' && field[1] == 'N') {
        *value = (struct value){.kind = VALUE_NULL};
        return true;
    }
    return unescape(field, backslash, field + len, &value->bytes.len);
}

static bool wrong_count(size_t found, uint16_t expected, struct err *err)
{
    return err_set(err, ERR_PROTOCOL, "COPY: a row has %s%zu columns where the table has %u",
                   found > expected ? "at least " : "", found, expected);
}

bool copytext_read_row(char *line, size_t len, uint16_t column_count, struct value *values,
                       struct tuple *tuple, struct err *err)
{
    *tuple = (struct tuple){.count = column_count, .values = values};
    if (column_count == 0) /* a table without columns: its rows are empty lines */
        return len == 0 || wrong_count(1, 0, err);
    char *field = line;
    char *end = line + len;
    /* COPY TO writes a tab inside a value as \t, so that each tab byte parts two values. */
    for (uint16_t i = 0;; i++) {
        char *tab = field == end ? NULL : memchr(field, '\t', (size_t)(end - field));
        char *field_end = tab != NULL ? tab : end;
        if (!read_field(field, (size_t)(field_end - field), &values[i]))
            return err_set(err, ERR_PROTOCOL, "COPY: column %u of a row ends in a lone backslash", i + 1U);
        if (tab == NULL)
            return i + 1 == column_count || wrong_count(i + 1U, column_count, err);
        if (i + 1 == column_count)
            return wrong_count(i + 2U, column_count, err);
        field = tab + 1;
    }
}
