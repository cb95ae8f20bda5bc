/* local_frame: records laid end to end in one buffer, from the loop to the worker and from the file to the
 * reader, so that no record costs an allocation. Memory of one process only: no byte order, no versions.
 * Private to lib/io. */
#ifndef LOCAL_FRAME_H
#define LOCAL_FRAME_H

#include "walferry/buf.h"

enum local_frame_kind { FRAME_RECORD, FRAME_SNAPSHOT_BEGIN, FRAME_SNAPSHOT_END };

struct local_frame {
    enum local_frame_kind kind;
    int32_t partition;
    uint32_t xid;
    int64_t offset; /* given by the file; 0 on the way there */
    int64_t timestamp_ms;
    uint64_t commit_lsn, ordinal;
    struct slice topic;
    struct slice key, value; /* data == NULL is a null */
    struct slice headers;    /* headerblob; empty = none */
};

void local_frame_append(struct buf *out, const struct local_frame *frame);

/* Takes the first frame off `rest`; false at the end. Its slices point into the buffer. */
bool local_frame_take(struct slice *rest, struct local_frame *frame);

#endif
