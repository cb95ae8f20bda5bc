/* properties: Java .properties text, as java.util.Properties reads it.
 *
 * Comments (# and !), `=` `:` or white space between key and value, line continuation by a backslash, escapes
 * \t \n \r \f \uXXXX. Bytes beyond ASCII are taken as UTF-8. Unlike Java it refuses what can only be a
 * mistake: a broken \u escape, half of a surrogate pair, \u0000.
 */
#ifndef WALFERRY_PROPERTIES_H
#define WALFERRY_PROPERTIES_H

#include "walferry/buf.h"
#include "walferry/err.h"

struct properties_reader {
    struct slice rest;
    unsigned line; /* of the entry read last, from 1 */
    unsigned next_line;
    struct buf key, value;
    struct buf logical_line; /* natural lines joined at their trailing backslashes */
};

void properties_reader_init(struct properties_reader *reader, struct slice text);
void properties_reader_release(struct properties_reader *reader);

/* The next entry into reader->key and reader->value. An ERR_CONFIG names reader->line; the caller adds the
 * file. */
enum properties_result { PROPERTIES_ENTRY, PROPERTIES_END, PROPERTIES_ERROR };
MUST_CHECK enum properties_result properties_read(struct properties_reader *reader, struct err *err);

#endif
