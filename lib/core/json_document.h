/* json_document: one parsed JSON text whose memory serves the next one too.
 *
 * Numbers are kept as their lexemes. Small texts are parsed into one block that only grows; large ones, which
 * are rare, into memory of their own that the next read gives back, so that one large record does not stay
 * resident.
 */
#ifndef WALFERRY_CORE_JSON_DOCUMENT_H
#define WALFERRY_CORE_JSON_DOCUMENT_H

#include "walferry/err.h"
#include "walferry/slice.h"

#include <yyjson.h>

struct json_document {
    void *memory;
    size_t memory_bytes;
    yyjson_doc *doc;
};

void json_document_release(struct json_document *document);

/* The root, valid until the next read; NULL where `text` is not JSON (ERR_EVENT, starting with `what`).
 * `lenient` also takes a bare NaN and Infinity. */
MUST_CHECK yyjson_val *json_document_read(struct json_document *document, struct slice text, bool lenient,
                                          const char *what, struct err *err);

/* {NULL,0} where it is not a string. */
static inline struct slice json_text(yyjson_val *node)
{
    return yyjson_is_str(node) ? (struct slice){yyjson_get_str(node), yyjson_get_len(node)} : SLICE_NONE;
}

/* A number as it was written; {NULL,0} where it is none. */
static inline struct slice json_lexeme(yyjson_val *node)
{
    return yyjson_is_raw(node) ? (struct slice){yyjson_get_raw(node), yyjson_get_len(node)} : SLICE_NONE;
}

#endif
