#include "walferry/lsn.h"

#include <stdio.h>

char *lsn_format(lsn_t lsn, char text[LSN_TEXT_SIZE])
{
    (void)snprintf(text, LSN_TEXT_SIZE, LSN_FMT, LSN_ARG(lsn));
    return text;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* One to eight hexadecimal digits, the whole slice. */
static bool parse_half(struct slice text, uint32_t *half)
{
    if (text.len < 1 || text.len > 8)
        return false;
    uint32_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *half = value;
    return true;
}

bool lsn_parse(struct slice text, lsn_t *lsn)
{
    const char *slash = text.len == 0 ? NULL : memchr(text.data, '/', text.len);
    if (slash == NULL)
        return false;
    size_t high_len = (size_t)(slash - text.data);
    uint32_t high, low;
    if (!parse_half((struct slice){text.data, high_len}, &high) ||
        !parse_half((struct slice){slash + 1, text.len - high_len - 1}, &low))
        return false;
    *lsn = (lsn_t)high << 32 | low;
    return true;
}
