/* copytext: rows of COPY … TO STDOUT in text format.
 *
 * A row is a line (without its newline): values parted by tabs, \N = NULL, backslash escapes. The row is
 * unescaped in place, so the tuple points into the caller's bytes and dies with them.
 * Source: PostgreSQL documentation, COPY, "Text Format".
 */
#ifndef WALFERRY_COPYTEXT_H
#define WALFERRY_COPYTEXT_H

#include "walferry/pgoutput.h"

/* `values` has room for `column_count`; false with ERR_PROTOCOL where the row has another number of columns.
 */
MUST_CHECK bool copytext_read_row(char *line, size_t len, uint16_t column_count, struct value *values,
                                  struct tuple *tuple, struct err *err);

#endif
