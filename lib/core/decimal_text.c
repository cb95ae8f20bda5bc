#include "walferry/decimal_text.h"

#define LIMB_BASE 1000000000U
/* 9 digits per limb, 2.408 digits per byte; and the start of one more. */
#define LIMBS_MAX (DECIMAL_BYTES_MAX * 2409 / 9000 + 2)

/* A natural number, the least limb of nine digits first. */
struct natural {
    size_t count;
    uint32_t limbs[LIMBS_MAX];
};

/* number = number * factor + summand */
static void multiply_add(struct natural *number, uint64_t factor, uint64_t summand)
{
    uint64_t carry = summand;
    for (size_t i = 0; i < number->count; i++) {
        uint64_t value = number->limbs[i] * factor + carry;
        number->limbs[i] = (uint32_t)(value % LIMB_BASE);
        carry = value / LIMB_BASE;
    }
    for (; carry > 0; carry /= LIMB_BASE)
        number->limbs[number->count++] = (uint32_t)(carry % LIMB_BASE);
}

/* Up to four bytes at a time; a negative number's bytes are inverted and one is added at the end. */
static void read_magnitude(struct natural *number, struct slice bytes, bool negative)
{
    size_t at = 0, take = bytes.len % 4 > 0 ? bytes.len % 4 : 4;
    number->count = 0;
    while (at < bytes.len) {
        uint32_t word = 0;
        for (size_t i = 0; i < take; i++, at++)
            word = word << 8 | (uint8_t)(negative ? ~bytes.data[at] : bytes.data[at]);
        multiply_add(number, (uint64_t)1 << (8 * take), word);
        take = 4;
    }
    if (negative)
        multiply_add(number, 1, 1);
}

static void append_natural(struct buf *out, const struct natural *number)
{
    if (number->count == 0) {
        buf_append_char(out, '0');
        return;
    }
    buf_append_uint(out, number->limbs[number->count - 1]);
    for (size_t i = number->count - 1; i > 0; i--) {
        uint32_t limb = number->limbs[i - 1];
        char digits[9];
        for (size_t d = sizeof(digits); d > 0; d--, limb /= 10)
            digits[d - 1] = (char)('0' + limb % 10);
        buf_append(out, digits, sizeof(digits));
    }
}

static void append_digits(struct buf *out, struct slice bytes, bool negative)
{
    if (bytes.len <= 8) {
        uint64_t value = negative ? UINT64_MAX : 0;
        for (size_t i = 0; i < bytes.len; i++)
            value = value << 8 | (uint8_t)bytes.data[i];
        buf_append_uint(out, negative ? 0 - value : value);
        return;
    }
    struct natural number;
    read_magnitude(&number, bytes, negative);
    append_natural(out, &number);
}

/* Puts the point before the last `scale` digits of what follows `start`, with zeros before it where they
 * lack. */
static void insert_point(struct buf *out, size_t start, size_t scale)
{
    size_t digits = out->len - start;
    size_t zeros = digits <= scale ? scale - digits + 1 : 0;
    if (buf_reserve(out, zeros + 1) == NULL)
        return;
    char *first = out->data + start;
    memmove(first + zeros, first, digits);
    memset(first, '0', zeros);
    char *point = first + zeros + digits - scale;
    memmove(point + 1, point, scale);
    *point = '.';
    out->len += zeros + 1;
}

bool decimal_append(struct buf *out, struct slice bytes, int32_t scale)
{
    if (bytes.len == 0 || bytes.len > DECIMAL_BYTES_MAX || scale < -DECIMAL_SCALE_MAX ||
        scale > DECIMAL_SCALE_MAX)
        return false;
    bool negative = (bytes.data[0] & 0x80) != 0;
    if (negative)
        buf_append_char(out, '-');
    size_t start = out->len;
    append_digits(out, bytes, negative);
    if (out->overflowed)
        return true;
    bool zero = out->data[start] == '0';
    for (int32_t i = scale; i < 0 && !zero; i++)
        buf_append_char(out, '0');
    if (scale > 0)
        insert_point(out, start, (size_t)scale);
    return true;
}
