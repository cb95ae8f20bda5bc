/* json: appends JSON text to a buf, with Jackson's escapes and Java's number lexemes.
 *
 * Only values; the caller writes the punctuation it knows (a prepared `,"id":` is one append).
 *
 * Escapes are those of Jackson's writer under Kafka Connect's JsonConverter: \" \\ \b \t \n \f \r, other
 * control characters as \u001F (upper case), characters beyond the BMP as a surrogate pair \uD83D\uDE00.
 * Everything else, DEL included, stays as it is. Bytes that are no UTF-8 (a SQL_ASCII database) pass through
 * unless they look like the start of four-byte sequence: such a one is written as U+FFFD.
 */
#ifndef WALFERRY_JSON_H
#define WALFERRY_JSON_H

#include "walferry/buf.h"

/* A quoted string. */
void json_append_string(struct buf *out, struct slice text);

/* The same without the quotes around it. */
void json_append_escaped(struct buf *out, struct slice text);

/* Standard base64 with padding, quoted. */
void json_append_base64(struct buf *out, struct slice bytes);

/* PostgreSQL's float text as Java writes it: 1.0E10, "NaN", "Infinity". `single`: a float4. Appends nothing
 * and returns false where the text is no number. */
bool json_append_float(struct buf *out, struct slice text, bool single);

/* Decimal digits of `value` at `to`; returns the end. All of JSON_INT_SIZE bytes may be written. */
#define JSON_INT_SIZE 20
char *json_write_int(char *to, int64_t value);

/* Standard base64 with padding at `to`, which has room for JSON_BASE64_SIZE(bytes.len); returns the end.
 * `url_safe`: `-` and `_` for `+` and `/`. */
#define JSON_BASE64_SIZE(len) (((len) + 2) / 3 * 4)
char *json_write_base64(char *to, struct slice bytes, bool url_safe);

#endif
