#include "pgvalue_internal.h"

#include "walferry/base64.h"
#include "walferry/md5.h"

/* Longer ones given in hex are cut, and then equal nothing. */
#define PLACEHOLDER_BYTES_MAX 1024

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

static bool is_hex(struct slice placeholder)
{
    return placeholder.len >= 4 && memcmp(placeholder.data, "hex:", 4) == 0;
}

static struct slice raw_bytes(const struct pgvalue_options *options, char scratch[PLACEHOLDER_BYTES_MAX])
{
    struct slice placeholder = options->unavailable_placeholder;
    if (!is_hex(placeholder))
        return placeholder;
    size_t len = 0;
    for (size_t at = 4; at + 1 < placeholder.len && len < PLACEHOLDER_BYTES_MAX; at += 2, len++) {
        int high = hex_digit(placeholder.data[at]), low = hex_digit(placeholder.data[at + 1]);
        scratch[len] = (char)(high < 0 || low < 0 ? 0 : high << 4 | low);
    }
    return (struct slice){scratch, len};
}

/* The bytes of one UTF-8 character at the start of `bytes`; 0 where there is none. */
static size_t utf8_length(struct slice bytes)
{
    uint8_t lead = (uint8_t)bytes.data[0];
    size_t len = lead < 0x80                   ? 1
                 : lead >= 0xC2 && lead < 0xE0 ? 2
                 : lead >= 0xE0 && lead < 0xF0 ? 3
                 : lead >= 0xF0 && lead < 0xF5 ? 4
                                               : 0;
    if (len > bytes.len)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (((uint8_t)bytes.data[i] & 0xC0) != 0x80)
            return 0;
    }
    return len;
}

/* Java reads the bytes as UTF-8, with U+FFFD for what is none. */
static bool equals_decoded(struct slice text, struct slice bytes)
{
    while (bytes.len > 0) {
        size_t len = utf8_length(bytes);
        struct slice character = len > 0 ? (struct slice){bytes.data, len} : SLICE_LITERAL("\xEF\xBF\xBD");
        if (text.len < character.len || memcmp(text.data, character.data, character.len) != 0)
            return false;
        text = (struct slice){text.data + character.len, text.len - character.len};
        size_t used = len > 0 ? len : 1;
        bytes = (struct slice){bytes.data + used, bytes.len - used};
    }
    return text.len == 0;
}

bool is_placeholder_text(const struct pgvalue_options *options, struct slice text)
{
    char scratch[PLACEHOLDER_BYTES_MAX];
    if (options->unavailable_placeholder.len == 0)
        return false;
    /* As it was configured too: a producer that does not know `hex:` writes it so. */
    if (slice_equal(text, options->unavailable_placeholder))
        return true;
    return is_hex(options->unavailable_placeholder) && equals_decoded(text, raw_bytes(options, scratch));
}

bool is_placeholder_bytes(const struct pgvalue_options *options, struct slice bytes)
{
    char scratch[PLACEHOLDER_BYTES_MAX];
    return options->unavailable_placeholder.len > 0 && (slice_equal(bytes, raw_bytes(options, scratch)) ||
                                                        slice_equal(bytes, options->unavailable_placeholder));
}

bool is_placeholder_uuid(const struct pgvalue_options *options, struct slice text)
{
    char scratch[PLACEHOLDER_BYTES_MAX], uuid[37];
    uint8_t digest[MD5_BYTES];
    if (text.len != sizeof(uuid) - 1 || options->unavailable_placeholder.len == 0)
        return false;
    md5(raw_bytes(options, scratch), digest);
    digest[6] = (digest[6] & 0x0F) | 0x30; /* version 3 */
    digest[8] = (digest[8] & 0x3F) | 0x80; /* IETF variant */
    size_t at = 0;
    for (size_t i = 0; i < MD5_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            uuid[at++] = '-';
        uuid[at++] = "0123456789abcdef"[digest[i] >> 4];
        uuid[at++] = "0123456789abcdef"[digest[i] & 0xF];
    }
    return memcmp(uuid, text.data, at) == 0;
}

static bool is_placeholder_base64(const struct pgvalue_options *options, struct slice text)
{
    struct buf decoded;
    buf_init(&decoded, PLACEHOLDER_BYTES_MAX);
    bool is = base64_append_decoded(&decoded, text) && is_placeholder_bytes(options, buf_slice(&decoded));
    buf_release(&decoded);
    return is;
}

/* Java's bytes are signed. */
static bool is_code(yyjson_val *node, char byte)
{
    struct slice lexeme = json_lexeme(node);
    int value = 0, sign = 1;
    size_t at = 0;
    if (lexeme.len > 0 && lexeme.data[0] == '-') {
        sign = -1;
        at++;
    }
    if (lexeme.len == at || lexeme.len > at + 3)
        return false;
    for (; at < lexeme.len; at++)
        value = value * 10 + (lexeme.data[at] - '0');
    return sign * value == (int8_t)byte;
}

bool is_placeholder_array(const struct pgvalue_options *options, yyjson_val *array)
{
    char scratch[PLACEHOLDER_BYTES_MAX];
    struct slice only = yyjson_arr_size(array) == 1 ? json_text(yyjson_arr_get_first(array)) : SLICE_NONE;
    if (only.data != NULL)
        return is_placeholder_text(options, only) || is_placeholder_uuid(options, only) ||
               is_placeholder_base64(options, only);
    struct slice raw = raw_bytes(options, scratch);
    if (raw.len == 0 || yyjson_arr_size(array) != raw.len)
        return false;
    size_t i, count;
    yyjson_val *code;
    yyjson_arr_foreach(array, i, count, code)
    {
        if (!is_code(code, raw.data[i]))
            return false;
    }
    return true;
}
