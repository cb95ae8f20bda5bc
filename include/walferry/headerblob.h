/* headerblob: a record's headers as one small blob, for the local log.
 *
 *     per header:  name length u32 | name | value length u32, 0xFFFFFFFF = null | value
 *
 * Numbers are big-endian. The blob ends where the last header ends; no headers are zero bytes. The order is
 * kept, names may repeat, a null value and an empty one stay apart, as in Kafka.
 */
#ifndef WALFERRY_HEADERBLOB_H
#define WALFERRY_HEADERBLOB_H

#include "walferry/buf.h"
#include "walferry/err.h"
#include "walferry/event.h"

void headerblob_append(struct buf *out, const struct header *headers, size_t count);

/* How many headers the blob has; false (ERR_EVENT) where it is not one, nothing of it may be used then. */
MUST_CHECK bool headerblob_count(struct slice blob, size_t *count, struct err *err);

/* The headers of a blob that headerblob_count accepted; `count` is what it said. They borrow from the blob.
 */
void headerblob_read(struct slice blob, struct header *headers, size_t count);

#endif
