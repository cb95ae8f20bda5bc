/* buf: a growable byte buffer with a named maximum.
 *
 * Appending never fails at the call: past the maximum the buffer becomes `overflowed`, further appends do
 * nothing, and the caller checks once at the end (as with a sticky reader). Out of memory aborts: a restart
 * is safe by design. buf_clear keeps the memory, so one buffer serves every event.
 */
#ifndef WALFERRY_BUF_H
#define WALFERRY_BUF_H

#include "walferry/slice.h"

#include <stdint.h>

struct buf {
    char *data; /* owned; NULL before the first append */
    size_t len;
    size_t capacity;
    size_t bytes_max; /* the limit */
    bool overflowed;  /* an append did not fit: the content is not to be used */
};

void buf_init(struct buf *buf, size_t bytes_max);
void buf_release(struct buf *buf);
void buf_clear(struct buf *buf);

/* Makes room for `extra` more bytes and returns where they go, or NULL past the maximum. The caller writes
 * at most `extra` bytes there and then adds what it wrote to buf->len. */
char *buf_reserve(struct buf *buf, size_t extra);

/* The same, inline where there is room already: for the data path. */
static inline char *buf_room(struct buf *buf, size_t extra)
{
    if (!buf->overflowed && buf->capacity > buf->len && extra < buf->capacity - buf->len &&
        extra <= buf->bytes_max && buf->len <= buf->bytes_max - extra)
        return buf->data + buf->len;
    return buf_reserve(buf, extra);
}

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_slice(struct buf *buf, struct slice bytes);
void buf_append_text(struct buf *buf, const char *text);
void buf_append_char(struct buf *buf, char byte);
void buf_append_int(struct buf *buf, int64_t value);   /* decimal */
void buf_append_uint(struct buf *buf, uint64_t value); /* decimal */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The content, valid until the next append, clear or release. */
static inline struct slice buf_slice(const struct buf *buf)
{
    return (struct slice){buf->data != NULL ? buf->data : "", buf->len};
}

/* The content as a C string; the terminating NUL does not count to len. */
const char *buf_text(struct buf *buf);

#endif
