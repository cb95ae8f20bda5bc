#include "walferry/json.h"

#include <string.h>

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EACH_BYTE(0x80)

static uint64_t zero_bytes(uint64_t word)
{
    return (word - EACH_BYTE(1)) & ~word & HIGH_BITS;
}

/* Marks the first byte of eight that needs an escape, and perhaps later ones: controls, `"`, `\` and the lead
 * bytes of four-byte sequences (0xF0 and above). 0 = none. */
static uint64_t special_bytes(uint64_t word)
{
    uint64_t control = (word - EACH_BYTE(0x20)) & ~word & HIGH_BITS;
    uint64_t quote = zero_bytes(word ^ EACH_BYTE('"'));
    uint64_t backslash = zero_bytes(word ^ EACH_BYTE('\\'));
    uint64_t wide = word & (word << 1) & (word << 2) & (word << 3) & HIGH_BITS;
    return control | quote | backslash | wide;
}

static bool is_special(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0xF0;
}

/* Copies up to the first byte that needs an escape; returns how many. */
static size_t copy_plain(char *to, struct slice text)
{
    size_t at = 0;
    for (; text.len - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, text.data + at, 8);
        memcpy(to + at, &word, 8);
        uint64_t special = special_bytes(word);
        if (special != 0)
            return at + (size_t)__builtin_ctzll(special) / 8;
    }
    for (; at < text.len && !is_special((unsigned char)text.data[at]); at++)
        to[at] = text.data[at];
    return at;
}

static char *write_unit(char *to, unsigned unit)
{
    static const char hex[] = "0123456789ABCDEF";
    *to++ = '\\';
    *to++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *to++ = hex[(unit >> shift) & 15];
    return to;
}

static bool is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/* A four-byte sequence as a surrogate pair; returns how many bytes were read. */
static size_t write_wide(char **to, struct slice text)
{
    const unsigned char *at = (const unsigned char *)text.data;
    bool whole = text.len >= 4 && is_continuation(text.data[1]) && is_continuation(text.data[2]) &&
                 is_continuation(text.data[3]);
    unsigned point = !whole ? 0
                            : (unsigned)(at[0] & 15) << 18 | (unsigned)(at[1] & 63) << 12 |
                                  (unsigned)(at[2] & 63) << 6 | (unsigned)(at[3] & 63);
    if (point < 0x10000 || point > 0x10FFFF) {
        memcpy(*to, "\xEF\xBF\xBD", 3);
        *to += 3;
        return 1;
    }
    point -= 0x10000;
    *to = write_unit(write_unit(*to, 0xD800 + (point >> 10 & 0x3FF)), 0xDC00 + (point & 0x3FF));
    return 4;
}

#define ESCAPE_SIZE_MAX 12

/* One special character; returns how many bytes were read. */
static size_t write_escape(char **to, struct slice text)
{
    static const char letters[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    unsigned char byte = (unsigned char)text.data[0];
    if (byte >= 0xF0)
        return write_wide(to, text);
    char letter = byte < 0x20 ? letters[byte] : (char)byte;
    if (letter == 0) {
        *to = write_unit(*to, byte);
        return 1;
    }
    *(*to)++ = '\\';
    *(*to)++ = letter;
    return 1;
}

void json_append_escaped(struct buf *out, struct slice text)
{
    for (;;) {
        char *to = buf_room(out, text.len + ESCAPE_SIZE_MAX);
        if (to == NULL)
            return;
        size_t plain = copy_plain(to, text);
        to += plain;
        text.data += plain;
        text.len -= plain;
        if (text.len > 0) {
            size_t read = write_escape(&to, text);
            text.data += read;
            text.len -= read;
        }
        out->len = (size_t)(to - out->data);
        if (text.len == 0)
            return;
    }
}

void json_append_string(struct buf *out, struct slice text)
{
    char *to = buf_room(out, text.len + ESCAPE_SIZE_MAX + 2);
    if (to == NULL)
        return;
    *to++ = '"';
    size_t plain = copy_plain(to, text);
    out->len += plain + 1;
    if (plain < text.len)
        json_append_escaped(out, (struct slice){text.data + plain, text.len - plain});
    buf_append_char(out, '"');
}

static const char digit_pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
    "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
    "8081828384858687888990919293949596979899";

/* The last eight digits, zeros in front: 32-bit divisions are much cheaper than 64-bit ones. */
static void write_eight(char *to, uint32_t value)
{
    uint32_t high = value / 10000, low = value % 10000;
    memcpy(to, digit_pairs + (size_t)(high / 100) * 2, 2);
    memcpy(to + 2, digit_pairs + (size_t)(high % 100) * 2, 2);
    memcpy(to + 4, digit_pairs + (size_t)(low / 100) * 2, 2);
    memcpy(to + 6, digit_pairs + (size_t)(low % 100) * 2, 2);
}

#define DIGITS_MAX (JSON_INT_SIZE - 1)

char *json_write_int(char *to, int64_t value)
{
    char digits[24 + DIGITS_MAX]; /* the spare bytes let a fixed size be copied, which is a few moves */
    size_t at = 24;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    for (; rest >= 100000000; rest /= 100000000)
        write_eight(digits + (at -= 8), (uint32_t)(rest % 100000000));
    uint32_t small = (uint32_t)rest;
    for (; small >= 100; small /= 100)
        memcpy(digits + (at -= 2), digit_pairs + (size_t)(small % 100) * 2, 2);
    if (small >= 10)
        memcpy(digits + (at -= 2), digit_pairs + (size_t)small * 2, 2);
    else
        digits[--at] = (char)('0' + small);
    if (value < 0)
        *to++ = '-';
    memcpy(to, digits + at, DIGITS_MAX);
    return to + 24 - at;
}

char *json_write_base64(char *to, struct slice bytes, bool url_safe)
{
    static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const char *letters = url_safe ? safe : standard;
    const unsigned char *from = (const unsigned char *)bytes.data;
    size_t at = 0;
    for (; bytes.len - at >= 3; at += 3) {
        unsigned group = (unsigned)from[at] << 16 | (unsigned)from[at + 1] << 8 | from[at + 2];
        *to++ = letters[group >> 18];
        *to++ = letters[group >> 12 & 63];
        *to++ = letters[group >> 6 & 63];
        *to++ = letters[group & 63];
    }
    if (at == bytes.len)
        return to;
    bool two = bytes.len - at == 2;
    unsigned group = (unsigned)from[at] << 16 | (two ? (unsigned)from[at + 1] << 8 : 0);
    *to++ = letters[group >> 18];
    *to++ = letters[group >> 12 & 63];
    *to++ = two ? letters[group >> 6 & 63] : '=';
    *to++ = '=';
    return to;
}

void json_append_base64(struct buf *out, struct slice bytes)
{
    char *to = buf_room(out, JSON_BASE64_SIZE(bytes.len) + 2);
    if (to == NULL)
        return;
    char *end = to;
    *end++ = '"';
    end = json_write_base64(end, bytes, false);
    *end++ = '"';
    out->len += (size_t)(end - to);
}
