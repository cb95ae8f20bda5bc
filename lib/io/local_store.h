/* local_store: the writer's connection: one SQLite transaction per batch. Used by one thread at a time, the
 * worker's while a job runs. Private to lib/io. */
#ifndef LOCAL_STORE_H
#define LOCAL_STORE_H

#include "local_file.h"
#include "local_intern.h"
#include "walferry/local_log.h"

struct local_store {
    char *path; /* owned */
    int lock_fd, wake_fd;
    sqlite3 *db;
    sqlite3_stmt *insert, *set_meta, *set_position, *begin, *commit, *rollback;
    sqlite3_stmt *hidden_bytes, *hidden_delete, *consumed, *oldest, *trim;
    struct local_intern topics, header_sets;
    struct local_meta meta; /* as committed, between batches */
    struct buf offsets_key, offsets_value;
    uint64_t retention_bytes, retention_ms;
    bool trim_more;                      /* the last step left records that retention wants gone */
    int64_t wal_pages, checkpoint_pages; /* in the WAL now; at how many to checkpoint */
};

/* What became of a batch. BUSY and DISK: rolled back, the same batch may be tried again. */
enum local_outcome { LOCAL_STORED, LOCAL_BUSY, LOCAL_DISK, LOCAL_FINAL };

MUST_CHECK bool local_store_open(const struct local_writer_options *options, struct local_store **store,
                                 struct position *position, bool *found, struct err *err);
void local_store_close(struct local_store *store);

/* Stores frames and position (NULL = none) in one transaction, and trims a little. */
enum local_outcome local_store_write(struct local_store *store, struct slice frames,
                                     const struct position *position, struct err *err);

bool local_store_wants_checkpoint(const struct local_store *store);
/* Copies the WAL into the file. A disk in trouble is no error here: the records are safe in the WAL. */
enum local_outcome local_store_checkpoint(struct local_store *store, struct err *err);

/* ---- pieces of a transaction, in local_retention.c; false: SQLite failed ---- */
bool local_trim(struct local_store *store, int64_t records, struct local_meta *meta);
/* Deletes up to `records` hidden records, the newest first; *left = false when none remain. */
bool local_delete_hidden(struct local_store *store, int64_t records, struct local_meta *meta, bool *left);
#endif
