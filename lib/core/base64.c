#include "walferry/base64.h"

static int digit_value(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == '+' || digit == '-')
        return 62;
    return digit == '/' || digit == '_' ? 63 : -1;
}

/* `count` digits of one group of four, as the 6 * count upper bits of 24; -1 where one is none. */
static int32_t read_group(const char *digits, size_t count)
{
    int32_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        int value = digit_value(digits[i]);
        if (value < 0)
            return -1;
        bits |= value << (18 - 6 * (int)i);
    }
    return bits;
}

bool base64_append_decoded(struct buf *out, struct slice text)
{
    size_t start = out->len, padding = 0;
    if (text.len == 0)
        return true;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=')
        padding++;
    char *to = text.len % 4 == 0 ? buf_reserve(out, text.len / 4 * 3) : NULL;
    if (to == NULL)
        return false;
    for (size_t at = 0; at < text.len; at += 4) {
        bool last = at + 4 == text.len;
        size_t bytes = last ? 3 - padding : 3;
        int32_t bits = read_group(text.data + at, bytes + 1);
        if (bits < 0 || (bits & (0xFFFFFF >> (8 * bytes))) != 0) {
            out->len = start;
            return false;
        }
        for (size_t i = 0; i < bytes; i++)
            *to++ = (char)(bits >> (16 - 8 * (int)i) & 0xFF);
        out->len += bytes;
    }
    return true;
}
