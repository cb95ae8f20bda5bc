/* local_log: the embedded transport, one SQLite file with every record in one total order.
 *
 * One writer process (a lock file names its pid), any number of readers. The writer collects records in
 * memory and hands a batch to one worker thread, which inserts and commits it (WAL mode, synchronous=FULL);
 * the commit is the acknowledgement, and the source's offsets record is stored in the same SQLite
 * transaction, so a record is in the file exactly once through any kill. The worker exists because an fsync
 * can block for seconds, while status updates to the source must go out in time. Snapshot rows stay hidden
 * from readers until the snapshot is complete: an interrupted one is deleted and read again, and no reader
 * ever saw a part of it. Readers never keep a read transaction open. After each commit the writer touches
 * PATH.wake, which readers watch. Consumed records are trimmed by a retention rule. A damaged or foreign file
 * is refused (ERR_LOG_FOREIGN) untouched.
 */
#ifndef WALFERRY_LOCAL_LOG_H
#define WALFERRY_LOCAL_LOG_H

#include "walferry/event.h"
#include "walferry/position.h"

#include <uv.h>

/* ---- writer: used by the loop's thread only ---- */
struct local_writer;

struct local_writer_options {
    const char *path;
    size_t batch_bytes_max;   /* a batch is handed over at this size */
    size_t queue_bytes_max;   /* collected and not yet committed: at it, local_writer_has_room is false */
    uint32_t linger_ms;       /* a smaller batch waits this long at most */
    uint64_t retention_bytes; /* consumed records beyond it are trimmed; 0 = keep all */
    uint64_t retention_ms;    /* consumed records older than it are trimmed; 0 = by bytes only */
    struct slice connector, server; /* of the offsets record's key; borrowed */
    /* On the loop's thread. `stored`: every record up to ack_seq, and the position, are durable. */
    void (*on_stored)(void *data, uint64_t ack_seq, const struct position *position);
    /* ERR_DISK: tried again by the writer itself until it works, told once per change of state (err NULL =
     * works again). Anything else is final. */
    void (*on_trouble)(void *data, const struct err *err);
    void *data;
};

MUST_CHECK bool local_writer_open(uv_loop_t *uv, const struct local_writer_options *options,
                                  struct local_writer **writer, struct err *err);
/* The stored position; *found = false in a new file. */
MUST_CHECK bool local_writer_position(struct local_writer *writer, struct position *position, bool *found,
                                      struct err *err);
/* False at queue_bytes_max, and for good after a final trouble. */
bool local_writer_has_room(const struct local_writer *writer);
/* Copies the record into the current batch. */
void local_writer_append(struct local_writer *writer, const struct record *record);
/* Everything appended so far belongs to `position`: a batch may end here and nowhere else. Also without
 * records (a keepalive advance), then rate-limited by the caller. */
void local_writer_mark(struct local_writer *writer, const struct position *position);
/* Hand over now what is marked, without lingering. */
void local_writer_flush(struct local_writer *writer);
/* Records appended after begin are hidden until end is stored; begin deletes those of an interrupted
 * snapshot. Both take part in the batch like records, so a mark must follow. Begin and end with nothing in
 * between drop an interrupted snapshot for good; until then nothing that follows it is visible. */
void local_writer_snapshot_begin(struct local_writer *writer);
void local_writer_snapshot_end(struct local_writer *writer);
bool local_writer_idle(const struct local_writer *writer); /* nothing collected, nothing in flight */
/* Drops what is not marked (a lost source connection: it will come again). */
void local_writer_discard_unmarked(struct local_writer *writer);
uint64_t local_writer_queue_bytes(const struct local_writer *writer);
/* Waits for the batch in flight, writes nothing more, calls back no more, releases the lock. The memory goes
 * on the loop's next turn. */
void local_writer_close(struct local_writer *writer);
/* ERR_LOG_LOCKED where a process writes the log now; nothing is created or kept. */
MUST_CHECK bool local_writer_check(const char *path, struct err *err);

/* ---- reader ---- */
struct local_reader;

struct local_record {
    int64_t offset;
    struct record record; /* borrowed until the next local_reader_next or close */
    int64_t timestamp_ms;
};

struct local_reader_options { /* the texts are copied */
    const char *path;
    const char *consumer;        /* names this reader's position in the file */
    void (*on_wake)(void *data); /* on the loop's thread, whenever the writer committed, and each second */
    void *data;
};

/* A file that does not exist yet is waited for by the caller (ERR_CONNECT). */
MUST_CHECK bool local_reader_open(uv_loop_t *uv, const struct local_reader_options *options,
                                  struct local_reader **reader, struct err *err);
/* Start behind `offset` (0 = from the first kept record). ERR_LOG_TRIMMED where the next record is gone,
 * ERR_LOG_FOREIGN where `offset` was never written: another file than the one it came from. The offset
 * becomes the consumer's position: from here on retention keeps what lies behind it. */
MUST_CHECK bool local_reader_seek(struct local_reader *reader, int64_t offset, struct err *err);

enum local_read { LOCAL_RECORD, LOCAL_NOTHING, LOCAL_ERROR };
/* The next visible record; batches are read ahead, at most `bytes_max` of memory. */
enum local_read local_reader_next(struct local_reader *reader, struct local_record *record, struct err *err);
/* How much lies behind the record returned last: the newest visible record's offset and the newest stored
 * position, all zero where there is none (for lag and --drain). */
MUST_CHECK bool local_reader_end(struct local_reader *reader, int64_t *end_offset, struct position *position,
                                 struct err *err);
/* When the first visible record behind `offset` was stored; 0 where there is none (for lag). */
MUST_CHECK bool local_reader_oldest(struct local_reader *reader, int64_t offset, int64_t *timestamp_ms,
                                    struct err *err);
/* The consumer's position, for retention and lag; not the applier's truth, which is in the target. Where the
 * writer is in the middle of a batch or the disk is full it is left for the next call, which is no error. */
MUST_CHECK bool local_reader_commit(struct local_reader *reader, int64_t offset, struct err *err);
/* A random number made with the file: tells a file from its successor at the same path. */
uint64_t local_reader_log_id(const struct local_reader *reader);
/* Stops the look each second that stands in where the file watch does not work: for tests of the watch. */
void local_reader_watch_only(struct local_reader *reader);
void local_reader_close(struct local_reader *reader);

#endif
