/* reader: big-endian fields out of borrowed bytes, with one check per message.
 *
 * The first field that does not fit fails the reader: it remembers which field, where and why, and every
 * later read returns zero or an empty slice and moves nothing. So a decoder reads all fields in a row and
 * asks `failed` once, before it believes any of them. A loop over a count from outside must ask inside the
 * loop.
 *
 *     struct reader r;
 *     reader_init(&r, bytes);
 *     lsn_t lsn = reader_u64(&r, "final LSN");
 *     struct slice gid = reader_text(&r, "gid");
 *     reader_end(&r);
 *     if (r.failed)
 *         return reader_error(&r, "Begin Prepare", err);
 */
#ifndef WALFERRY_READER_H
#define WALFERRY_READER_H

#include "walferry/err.h"
#include "walferry/slice.h"

#include <stdint.h>

struct reader {
    const char *data; /* borrowed */
    size_t len;
    size_t at; /* bytes read so far */
    bool failed;
    const char *field; /* of the first failure; a string literal */
    const char *problem;
    size_t failed_at;
};

static inline void reader_init(struct reader *r, struct slice bytes)
{
    *r = (struct reader){.data = bytes.data, .len = bytes.len};
}

/* Fails the reader at `at`, unless it failed before. `problem` reads on after the field's name. */
void reader_fail_at(struct reader *r, size_t at, const char *field, const char *problem);

/* Sets ERR_PROTOCOL from the failure; `what` names the message. Returns false. */
bool reader_error(const struct reader *r, const char *what, struct err *err);

static inline size_t reader_left(const struct reader *r)
{
    return r->len - r->at;
}

/* The next `len` bytes, or NULL where there are fewer or the reader failed before. */
static inline const char *reader_take(struct reader *r, size_t len, const char *field)
{
    if (__builtin_expect(r->failed || len > r->len - r->at, 0)) {
        reader_fail_at(r, r->at, field, "is cut short");
        return NULL;
    }
    const char *bytes = r->data + r->at;
    r->at += len;
    return bytes;
}

static inline uint8_t reader_u8(struct reader *r, const char *field)
{
    const char *bytes = reader_take(r, 1, field);
    return bytes == NULL ? 0 : (uint8_t)*bytes;
}

static inline uint16_t reader_u16(struct reader *r, const char *field)
{
    uint16_t value;
    const char *bytes = reader_take(r, sizeof(value), field);
    if (bytes == NULL)
        return 0;
    memcpy(&value, bytes, sizeof(value));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(value) : value;
}

static inline uint32_t reader_u32(struct reader *r, const char *field)
{
    uint32_t value;
    const char *bytes = reader_take(r, sizeof(value), field);
    if (bytes == NULL)
        return 0;
    memcpy(&value, bytes, sizeof(value));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(value) : value;
}

static inline uint64_t reader_u64(struct reader *r, const char *field)
{
    uint64_t value;
    const char *bytes = reader_take(r, sizeof(value), field);
    if (bytes == NULL)
        return 0;
    memcpy(&value, bytes, sizeof(value));
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(value) : value;
}

/* `len` bytes; {NULL, 0} after a failure. */
static inline struct slice reader_bytes(struct reader *r, size_t len, const char *field)
{
    const char *bytes = reader_take(r, len, field);
    return (struct slice){bytes, bytes == NULL ? 0 : len};
}

/* A NUL-terminated text, without its NUL; {NULL, 0} after a failure. */
struct slice reader_text(struct reader *r, const char *field);

/* Fails where bytes are left: a message that is longer than its fields is not the message we know. */
static inline void reader_end(struct reader *r)
{
    if (r->at < r->len)
        reader_fail_at(r, r->at, "end of message", "is followed by more bytes");
}

#endif
