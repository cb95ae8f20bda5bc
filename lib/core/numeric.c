#include "walferry/numeric.h"

#include "walferry/json.h"

#include <string.h>

static size_t count_digits(const char *at, const char *end)
{
    size_t count = 0;
    while (at + count < end && at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

static bool parse_special(struct slice text, struct numeric *numeric)
{
    if (slice_equal(text, SLICE_LITERAL("NaN")))
        numeric->kind = NUMERIC_NAN;
    else if (slice_equal(text, SLICE_LITERAL("Infinity")))
        numeric->kind = NUMERIC_INFINITY;
    else if (slice_equal(text, SLICE_LITERAL("-Infinity")))
        numeric->kind = NUMERIC_MINUS_INFINITY;
    else
        return false;
    return true;
}

bool numeric_parse(struct slice text, struct numeric *numeric)
{
    *numeric = (struct numeric){.kind = NUMERIC_FINITE};
    const char *at = text.data, *end = text.data + text.len;
    if (at < end && *at == '-') {
        numeric->negative = true;
        at++;
    }
    numeric->integer = (struct slice){at, count_digits(at, end)};
    at += numeric->integer.len;
    if (numeric->integer.len == 0)
        return parse_special(text, numeric);
    if (at == end) {
        numeric->fraction = (struct slice){at, 0};
        return true;
    }
    if (*at++ != '.')
        return false;
    numeric->fraction = (struct slice){at, count_digits(at, end)};
    return numeric->fraction.len > 0 && at + numeric->fraction.len == end;
}

/* The unscaled integer, digit by digit: integer part, fraction, zeros up to the scale. */
struct unscaled {
    const struct numeric *numeric;
    size_t fraction_digits, zeros;
};

static size_t unscaled_len(const struct unscaled *unscaled)
{
    return unscaled->numeric->integer.len + unscaled->fraction_digits + unscaled->zeros;
}

static unsigned unscaled_digit(const struct unscaled *unscaled, size_t at)
{
    const struct numeric *numeric = unscaled->numeric;
    if (at < numeric->integer.len)
        return (unsigned)(numeric->integer.data[at] - '0');
    at -= numeric->integer.len;
    return at < unscaled->fraction_digits ? (unsigned)(numeric->fraction.data[at] - '0') : 0;
}

/* limbs = limbs * factor + add; returns the new count. Limbs are little-endian and may be unaligned. */
static size_t multiply_add(char *limbs, size_t count, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    uint32_t limb;
    for (size_t i = 0; i < count; i++) {
        memcpy(&limb, limbs + i * 4, 4);
        carry += (uint64_t)limb * factor;
        limb = (uint32_t)carry;
        memcpy(limbs + i * 4, &limb, 4);
        carry >>= 32;
    }
    if (carry == 0)
        return count;
    limb = (uint32_t)carry;
    memcpy(limbs + count * 4, &limb, 4);
    return count + 1;
}

/* The magnitude as little-endian limbs at `limbs`, nine digits at a time; returns how many. */
static size_t write_limbs(char *limbs, const struct unscaled *unscaled)
{
    size_t count = 0, len = unscaled_len(unscaled);
    for (size_t at = 0; at < len;) {
        uint32_t factor = 1, chunk = 0;
        for (int i = 0; i < 9 && at < len; i++, at++) {
            chunk = chunk * 10 + unscaled_digit(unscaled, at);
            factor *= 10;
        }
        count = multiply_add(limbs, count, factor, chunk);
    }
    return count;
}

/* Little-endian limbs to minimal big-endian two's complement at `bytes`; returns the length. */
static size_t write_twos_complement(unsigned char *bytes, const unsigned char *limbs, size_t count,
                                    bool negative)
{
    size_t len = count * 4;
    while (len > 0 && limbs[len - 1] == 0)
        len--;
    size_t at = 0;
    bytes[at++] = 0; /* room for the sign */
    for (size_t i = len; i > 0; i--)
        bytes[at++] = limbs[i - 1];
    unsigned carry = 1;
    for (size_t i = at; negative && i > 0; i--) {
        carry += (unsigned char)~bytes[i - 1];
        bytes[i - 1] = (unsigned char)carry;
        carry >>= 8;
    }
    size_t from = 0;
    while (from + 1 < at && bytes[from] == (bytes[from + 1] & 0x80 ? 0xFF : 0))
        from++;
    memmove(bytes, bytes + from, at - from);
    return at - from;
}

static void append_small(struct buf *out, const struct unscaled *unscaled)
{
    int64_t value = 0;
    size_t len = unscaled_len(unscaled);
    for (size_t at = 0; at < len; at++)
        value = value * 10 + unscaled_digit(unscaled, at);
    if (unscaled->numeric->negative)
        value = -value;
    unsigned char bytes[9];
    size_t count = 8;
    for (size_t i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)value >> (56 - 8 * i));
    size_t from = 0;
    while (from + 1 < count && bytes[from] == (bytes[from + 1] & 0x80 ? 0xFF : 0))
        from++;
    json_append_base64(out, (struct slice){(const char *)bytes + from, count - from});
}

/* Layout of the room behind out->len: the quoted base64 first, then the two's complement, then the limbs. */
static void append_large(struct buf *out, const struct unscaled *unscaled)
{
    size_t limbs_size = (unscaled_len(unscaled) / 9 + 1) * 4 + 4;
    size_t text_size = JSON_BASE64_SIZE(limbs_size + 1) + 2;
    char *to = buf_reserve(out, text_size + limbs_size + 1 + limbs_size);
    if (to == NULL)
        return;
    unsigned char *bytes = (unsigned char *)to + text_size;
    char *limbs = to + text_size + limbs_size + 1;
    size_t count = write_limbs(limbs, unscaled);
    size_t len =
        write_twos_complement(bytes, (const unsigned char *)limbs, count, unscaled->numeric->negative);
    char *end = to;
    *end++ = '"';
    end = json_write_base64(end, (struct slice){(const char *)bytes, len}, false);
    *end++ = '"';
    out->len += (size_t)(end - to);
}

static void append_unscaled(struct buf *out, const struct unscaled *unscaled)
{
    if (unscaled_len(unscaled) <= 18)
        append_small(out, unscaled);
    else
        append_large(out, unscaled);
}

bool numeric_append_decimal(struct buf *out, const struct numeric *numeric, int32_t scale)
{
    if (scale < 0 || numeric->fraction.len > (size_t)scale)
        return false;
    struct unscaled unscaled = {numeric, numeric->fraction.len, (size_t)scale - numeric->fraction.len};
    append_unscaled(out, &unscaled);
    return true;
}

void numeric_append_variable(struct buf *out, const struct numeric *numeric)
{
    size_t digits = numeric->fraction.len;
    while (digits > 0 && numeric->fraction.data[digits - 1] == '0')
        digits--;
    buf_append_text(out, "{\"scale\":");
    buf_append_uint(out, digits);
    buf_append_text(out, ",\"value\":");
    struct unscaled unscaled = {numeric, digits, 0};
    append_unscaled(out, &unscaled);
    buf_append_char(out, '}');
}

void numeric_append_plain(struct buf *out, const struct numeric *numeric, int32_t scale)
{
    if (numeric->negative)
        buf_append_char(out, '-');
    buf_append_slice(out, numeric->integer);
    size_t digits = numeric->fraction.len;
    size_t padded = scale > 0 && (size_t)scale > digits ? (size_t)scale : digits;
    if (padded > 0)
        buf_append_char(out, '.');
    buf_append_slice(out, numeric->fraction);
    for (size_t i = digits; i < padded; i++)
        buf_append_char(out, '0');
}
