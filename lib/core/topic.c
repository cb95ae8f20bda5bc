#include "walferry/topic.h"

#include <assert.h>

static bool is_legal(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

/* How many chars Java counts for the character this UTF-8 byte is part of: the lead byte stands for all of
 * it, two where the character lies beyond the BMP; a continuation byte for none. */
static size_t java_chars(char byte)
{
    uint8_t b = (uint8_t)byte;
    if (b >= 0x80 && b < 0xC0)
        return 0;
    return b >= 0xF0 ? 2 : 1;
}

/* Appends `part` until the topic that began at `start` is full. */
static void append_sanitised(struct buf *out, size_t start, struct slice part)
{
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        size_t count = is_legal(c) ? 1 : java_chars(c);
        for (; count > 0 && out->len - start < TOPIC_LENGTH_MAX && !out->overflowed; count--)
            buf_append_char(out, is_legal(c) ? c : '_');
    }
}

/* Kafka takes "." and ".." for directories. */
static void replace_dots(struct buf *out, size_t start)
{
    size_t len = out->len - start;
    if (len >= 1 && len <= 2 && memcmp(out->data + start, "..", len) == 0)
        memset(out->data + start, '_', len);
}

static void append_topic(struct buf *out, const struct slice *parts, size_t count)
{
    size_t start = out->len;
    for (size_t i = 0; i < count; i++)
        append_sanitised(out, start, parts[i]);
    replace_dots(out, start);
}

void topic_append_table(struct buf *out, struct slice prefix, struct slice delimiter, struct slice schema,
                        struct slice table)
{
    append_topic(out, (struct slice[]){prefix, delimiter, schema, delimiter, table}, 5);
}

void topic_append_named(struct buf *out, struct slice prefix, struct slice delimiter, struct slice suffix)
{
    append_topic(out, (struct slice[]){prefix, delimiter, suffix}, 3);
}

/* org.apache.kafka.common.utils.Utils.murmur2: little-endian words, the rest by fall-through. */
static uint32_t murmur2(struct slice bytes)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28cU ^ (uint32_t)bytes.len;
    const uint8_t *at = (const uint8_t *)bytes.data;
    size_t left = bytes.len;
    for (; left >= 4; at += 4, left -= 4) {
        uint32_t k = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    if (left == 3)
        h ^= (uint32_t)at[2] << 16;
    if (left >= 2)
        h ^= (uint32_t)at[1] << 8;
    if (left >= 1)
        h = (h ^ at[0]) * m;
    h ^= h >> 13;
    h *= m;
    return h ^ h >> 15;
}

int32_t topic_partition_of_key(struct slice key, int32_t partition_count)
{
    assert(partition_count > 0);
    return (int32_t)(murmur2(key) & 0x7fffffff) % partition_count;
}
