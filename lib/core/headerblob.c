#include "walferry/headerblob.h"

#include "walferry/reader.h"

#include <assert.h>

#define NULL_VALUE UINT32_MAX

static void append_u32(struct buf *out, uint32_t value)
{
    const char bytes[4] = {(char)(value >> 24), (char)(value >> 16), (char)(value >> 8), (char)value};
    buf_append(out, bytes, sizeof(bytes));
}

void headerblob_append(struct buf *out, const struct header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct header *header = &headers[i];
        assert(header->name.len < NULL_VALUE && header->value.len < NULL_VALUE);
        append_u32(out, (uint32_t)header->name.len);
        buf_append_slice(out, header->name);
        append_u32(out, header->value.data == NULL ? NULL_VALUE : (uint32_t)header->value.len);
        if (header->value.data != NULL)
            buf_append_slice(out, header->value);
    }
}

static struct header read_header(struct reader *r)
{
    struct header header;
    header.name = reader_bytes(r, reader_u32(r, "name length"), "name");
    uint32_t len = reader_u32(r, "value length");
    header.value = len == NULL_VALUE ? SLICE_NONE : reader_bytes(r, len, "value");
    return header;
}

bool headerblob_count(struct slice blob, size_t *count, struct err *err)
{
    struct reader r;
    size_t found = 0;
    reader_init(&r, blob);
    for (; reader_left(&r) > 0 && !r.failed; found++)
        (void)read_header(&r);
    if (r.failed)
        return err_set(err, ERR_EVENT, "record headers: %s %s, at byte %zu of %zu", r.field, r.problem,
                       r.failed_at, r.len);
    *count = found;
    return true;
}

void headerblob_read(struct slice blob, struct header *headers, size_t count)
{
    struct reader r;
    reader_init(&r, blob);
    for (size_t i = 0; i < count; i++)
        headers[i] = read_header(&r);
    assert(!r.failed && reader_left(&r) == 0);
}
