#include "walferry/properties.h"

void properties_reader_init(struct properties_reader *reader, struct slice text)
{
    *reader = (struct properties_reader){.rest = text, .next_line = 1};
    /* No escape is shorter than the bytes it stands for, so the text's own length is limit enough. */
    buf_init(&reader->key, text.len);
    buf_init(&reader->value, text.len);
    buf_init(&reader->logical_line, text.len);
}

void properties_reader_release(struct properties_reader *reader)
{
    buf_release(&reader->key);
    buf_release(&reader->value);
    buf_release(&reader->logical_line);
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\f';
}

/* Takes the line up to \n, \r or \r\n off the rest, without its end and its leading white space. */
static struct slice take_natural_line(struct properties_reader *reader)
{
    struct slice rest = reader->rest;
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '\n' && rest.data[end] != '\r')
        end++;
    size_t next = end;
    if (next < rest.len)
        next += rest.data[next] == '\r' && next + 1 < rest.len && rest.data[next + 1] == '\n' ? 2 : 1;
    reader->rest = (struct slice){rest.data + next, rest.len - next};
    reader->next_line++;
    size_t start = 0;
    while (start < end && is_space(rest.data[start]))
        start++;
    return (struct slice){rest.data + start, end - start};
}

/* An odd number of trailing backslashes continues the line; an even one is escaped backslashes. */
static bool is_continued(struct slice line)
{
    size_t backslashes = 0;
    while (backslashes < line.len && line.data[line.len - 1 - backslashes] == '\\')
        backslashes++;
    return backslashes % 2 == 1;
}

/* False at the end of the text. A comment cannot be continued, and a continuation cannot be a comment. */
static bool next_logical_line(struct properties_reader *reader)
{
    struct buf *joined = &reader->logical_line;
    buf_clear(joined);
    while (reader->rest.len > 0) {
        unsigned number = reader->next_line;
        struct slice line = take_natural_line(reader);
        if (joined->len == 0 && (line.len == 0 || line.data[0] == '#' || line.data[0] == '!'))
            continue;
        if (joined->len == 0)
            reader->line = number;
        bool continued = is_continued(line);
        buf_append(joined, line.data, line.len - (continued ? 1 : 0));
        if (!continued && joined->len > 0)
            return true;
    }
    return joined->len > 0;
}

static int hex_digit(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    return byte >= 'A' && byte <= 'F' ? byte - 'A' + 10 : -1;
}

/* The four digits at the start of `text`, or -1. */
static int32_t read_utf16_unit(struct slice text)
{
    int32_t unit = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = i < text.len ? hex_digit(text.data[i]) : -1;
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static void append_utf8(struct buf *out, int32_t point)
{
    if (point < 0x80) {
        buf_append_char(out, (char)point);
        return;
    }
    if (point < 0x800) {
        buf_append_char(out, (char)(0xC0 | point >> 6));
    } else {
        if (point < 0x10000) {
            buf_append_char(out, (char)(0xE0 | point >> 12));
        } else {
            buf_append_char(out, (char)(0xF0 | point >> 18));
            buf_append_char(out, (char)(0x80 | (point >> 12 & 0x3F)));
        }
        buf_append_char(out, (char)(0x80 | (point >> 6 & 0x3F)));
    }
    buf_append_char(out, (char)(0x80 | (point & 0x3F)));
}

/* `text` starts behind "\u". Returns how many bytes belong to the escape, or 0 where it is broken. */
static size_t append_unicode_escape(struct buf *out, struct slice text)
{
    int32_t unit = read_utf16_unit(text);
    if (unit <= 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
        return 0;
    if (unit < 0xD800 || unit > 0xDFFF) {
        append_utf8(out, unit);
        return 4;
    }
    if (text.len < 10 || text.data[4] != '\\' || text.data[5] != 'u')
        return 0;
    int32_t low = read_utf16_unit((struct slice){text.data + 6, text.len - 6});
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    append_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
    return 10;
}

static char unescape(char byte)
{
    switch (byte) {
    case 't':
        return '\t';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 'f':
        return '\f';
    default:
        return byte;
    }
}

static bool append_unescaped(struct buf *out, struct slice text, unsigned line, struct err *err)
{
    for (size_t at = 0; at < text.len; at++) {
        if (text.data[at] != '\\' || at + 1 == text.len) {
            buf_append_char(out, text.data[at]);
            continue;
        }
        at++;
        if (text.data[at] != 'u') {
            buf_append_char(out, unescape(text.data[at]));
            continue;
        }
        size_t used = append_unicode_escape(out, (struct slice){text.data + at + 1, text.len - at - 1});
        if (used == 0)
            return err_set(
                err, ERR_CONFIG,
                "line %u: a \\u escape needs four hexadecimal digits, not 0000, and both halves of a "
                "surrogate pair",
                line);
        at += used;
    }
    return true;
}

/* The key ends at the first unescaped separator; white space around one `=` or `:` belongs to neither side.
 */
static size_t key_length(struct slice line)
{
    size_t at = 0;
    while (at < line.len && line.data[at] != '=' && line.data[at] != ':' && !is_space(line.data[at]))
        at += line.data[at] == '\\' && at + 1 < line.len ? 2 : 1;
    return at;
}

static size_t value_start(struct slice line, size_t at)
{
    while (at < line.len && is_space(line.data[at]))
        at++;
    if (at < line.len && (line.data[at] == '=' || line.data[at] == ':'))
        at++;
    while (at < line.len && is_space(line.data[at]))
        at++;
    return at;
}

enum properties_result properties_read(struct properties_reader *reader, struct err *err)
{
    buf_clear(&reader->key);
    buf_clear(&reader->value);
    if (!next_logical_line(reader))
        return PROPERTIES_END;
    struct slice line = buf_slice(&reader->logical_line);
    struct slice key = {line.data, key_length(line)};
    size_t start = value_start(line, key.len);
    struct slice value = {line.data + start, line.len - start};
    if (!append_unescaped(&reader->key, key, reader->line, err) ||
        !append_unescaped(&reader->value, value, reader->line, err))
        return PROPERTIES_ERROR;
    return PROPERTIES_ENTRY;
}
