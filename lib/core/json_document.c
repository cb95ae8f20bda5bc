#include "json_document.h"

#include <stdint.h>
#include <stdlib.h>

/* Memory for one of these is 12 times as large at worst; of that, only what is used becomes resident. */
#define REUSED_TEXT_BYTES_MAX ((size_t)256 * 1024)

static void forget(struct json_document *document)
{
    yyjson_doc_free(document->doc);
    document->doc = NULL;
}

void json_document_release(struct json_document *document)
{
    forget(document);
    free(document->memory);
    *document = (struct json_document){0};
}

static void reserve(struct json_document *document, size_t needed)
{
    if (needed <= document->memory_bytes)
        return;
    free(document->memory);
    document->memory_bytes = needed < 16384 ? 16384 : needed + needed / 2;
    document->memory = malloc(document->memory_bytes);
    if (document->memory == NULL)
        abort(); /* out of memory: a restart is safe by design */
}

yyjson_val *json_document_read(struct json_document *document, struct slice text, bool lenient,
                               const char *what, struct err *err)
{
    yyjson_read_flag flags = YYJSON_READ_NUMBER_AS_RAW | (lenient ? YYJSON_READ_ALLOW_INF_AND_NAN : 0);
    yyjson_alc pool;
    bool reused = text.len <= REUSED_TEXT_BYTES_MAX;
    forget(document);
    if (reused) {
        reserve(document, yyjson_read_max_memory_usage(text.len, flags));
        yyjson_alc_pool_init(&pool, document->memory, document->memory_bytes);
    }
    yyjson_read_err reason;
    /* Without YYJSON_READ_INSITU the text is only read. */
    document->doc =
        yyjson_read_opts((char *)(uintptr_t)text.data, text.len, flags, reused ? &pool : NULL, &reason);
    if (document->doc != NULL)
        return yyjson_doc_get_root(document->doc);
    if (reason.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        abort();
    (void)err_set(err, ERR_EVENT, "%s is not JSON: %s at byte %zu", what, reason.msg, reason.pos);
    return NULL;
}
