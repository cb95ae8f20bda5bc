/* json: appends JSON text to a buf, with Jackson's escapes and Java's number lexemes.
 *
 * Only values; the caller writes the punctuation it knows (a prepared `,"id":` is one append).
 */
#ifndef WALFERRY_JSON_H
#define WALFERRY_JSON_H

#include "walferry/buf.h"

/* A quoted string: `"` `\` and control characters escaped, everything else as it is. */
void json_append_string(struct buf *out, struct slice text);

/* The same without the quotes around it. */
void json_append_escaped(struct buf *out, struct slice text);

/* Standard base64 with padding, quoted. */
void json_append_base64(struct buf *out, struct slice bytes);

/* PostgreSQL's float text as Java writes it: 1.0E10, "NaN", "Infinity". `single`: a float4. */
void json_append_float(struct buf *out, struct slice text, bool single);

#endif
