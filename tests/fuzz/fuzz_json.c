/* A string as JSON: yyjson must read back exactly what went in, where it was UTF-8. */
#define _GNU_SOURCE /* memmem */
#include "walferry/json.h"

#include <stdlib.h>
#include <yyjson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out;
    buf_init(&out, (size_t)1 << 20);
    const struct slice text = {(const char *)data, size};
    json_append_string(&out, text);
    yyjson_doc *doc = yyjson_read(out.data, out.len, 0);
    if (doc != NULL && memchr(data, 0xEF, size) == NULL) { /* U+FFFD may stand for broken sequences */
        yyjson_val *root = yyjson_doc_get_root(doc);
        const struct slice again = {yyjson_get_str(root), yyjson_get_len(root)};
        if (!slice_equal(again, text) && memmem(again.data, again.len, "\xEF\xBF\xBD", 3) == NULL)
            abort();
    }
    yyjson_doc_free(doc);
    (void)json_append_float(&out, text, (size & 1) != 0);
    buf_release(&out);
    return 0;
}
