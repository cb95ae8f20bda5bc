#include "walferry/headerblob.h"

#include <assert.h>
#include <stdlib.h>

/* What is accepted must come back as the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice blob = {(const char *)data, size};
    struct err err;
    size_t count;
    if (!headerblob_count(blob, &count, &err))
        return 0;
    struct header *headers = calloc(count + 1, sizeof(*headers));
    assert(headers != NULL);
    headerblob_read(blob, headers, count);
    struct buf again;
    buf_init(&again, size);
    headerblob_append(&again, headers, count);
    assert(slice_equal(buf_slice(&again), blob));
    buf_release(&again);
    free(headers);
    return 0;
}
