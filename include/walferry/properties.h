/* properties: Java .properties text, as java.util.Properties reads it.
 *
 * Comments (# and !), `=` `:` or white space between key and value, line continuation by a backslash, escapes
 * \t \n \r \f \uXXXX. Bytes beyond ASCII are taken as UTF-8.
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
};

void properties_reader_init(struct properties_reader *reader, struct slice text);
void properties_reader_release(struct properties_reader *reader);

/* The next entry into reader->key and reader->value; false at the end or on error. */
enum properties_result { PROPERTIES_ENTRY, PROPERTIES_END, PROPERTIES_ERROR };
enum properties_result properties_read(struct properties_reader *reader, struct err *err);

#endif
