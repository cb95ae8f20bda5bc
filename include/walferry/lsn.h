/* lsn: a position in the write-ahead log.
 *
 * PostgreSQL prints it as two hexadecimal halves ("16/B374D848"); events and offsets carry it as a decimal.
 * 0 is no position. Source: access/xlogdefs.h.
 */
#ifndef WALFERRY_LSN_H
#define WALFERRY_LSN_H

#include "walferry/slice.h"

#include <stdint.h>

typedef uint64_t lsn_t;

#define LSN_NONE ((lsn_t)0)

/* printf("%X/%X") of an LSN: printf(LSN_FMT, LSN_ARG(lsn)). */
#define LSN_FMT "%X/%X"
#define LSN_ARG(lsn) (unsigned)((lsn) >> 32), (unsigned)(lsn)

#define LSN_TEXT_SIZE 18 /* "FFFFFFFF/FFFFFFFF" and a NUL */

/* Writes "X/X" and a NUL; returns `text`. */
char *lsn_format(lsn_t lsn, char text[LSN_TEXT_SIZE]);

/* Reads "X/X", the whole slice; false where it is anything else. */
bool lsn_parse(struct slice text, lsn_t *lsn) __attribute__((warn_unused_result));

#endif
