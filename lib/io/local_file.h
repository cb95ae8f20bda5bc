/* local_file: the local log as a file: what it is, whether it is ours, how it is opened. Private to lib/io.
 *
 * PATH, PATH-wal and PATH-shm are SQLite's; PATH.lock is held by the one writer; PATH.wake is touched after
 * each commit. A new file is built as PATH.new and renamed, so nobody ever sees half a schema.
 */
#ifndef LOCAL_FILE_H
#define LOCAL_FILE_H

#include "walferry/err.h"

#include <sqlite3.h>
#include <stdint.h>

#define LOCAL_APPLICATION_ID 0x77466C67 /* "wFlg", in SQLite's header */
#define LOCAL_SCHEMA_VERSION 1          /* user_version there */

#define LOCAL_PAGE_BYTES 16384
#define LOCAL_BUSY_TIMEOUT_MS 1000 /* of one attempt; the writer tries again after it */

/* The one row of table meta. */
struct local_meta {
    int64_t log_id;          /* random, of this file */
    int64_t next_offset;     /* of the next record; a number is never used again */
    int64_t hidden_from;     /* readers see only offsets below it; 0 = all */
    int64_t trimmed_through; /* the newest offset that retention removed; 0 = none */
    int64_t record_bytes;    /* of the kept records, see local_record_bytes */
};

/* What a record counts for in retention and limits. */
static inline int64_t local_record_bytes(int64_t key_len, int64_t value_len)
{
    return 64 + key_len + value_len;
}

/* path + suffix; owned by the caller. */
char *local_file_name(const char *path, const char *suffix);

/* Where symbolic links lead, so that two names of one file have one lock; `path` where nothing is there.
 * Owned by the caller. */
char *local_file_resolve(const char *path);

/* What lies at `path`, judged by its first bytes and without opening it as a database: *exists = false where
 * a new log may be made; false with ERR_LOG_FOREIGN, ERR_SYSTEM where it may not be touched. */
MUST_CHECK bool local_file_probe(const char *path, bool *exists, struct err *err);

MUST_CHECK bool local_file_create(const char *path, struct err *err);

/* Opens an existing log that local_file_probe accepted and checks its schema and both ends of its records. */
MUST_CHECK bool local_file_open(const char *path, sqlite3 **db, struct err *err);

/* Gives up a file that is not to be changed any further. */
void local_file_close_untouched(sqlite3 *db);

/* Opens or makes PATH.lock, takes it and writes the pid; the lock lives as long as *fd. */
MUST_CHECK bool local_lock_take(const char *path, int *fd, struct err *err);

/* Opens or makes PATH.wake with its one byte. */
MUST_CHECK bool local_wake_open(const char *path, int *fd, struct err *err);

MUST_CHECK bool local_meta_read(sqlite3_stmt *select, struct local_meta *meta);
extern const char local_meta_select[];

/* Sets err from the connection's last failure; returns false. */
bool local_sqlite_err(struct err *err, sqlite3 *db, const char *path);
MUST_CHECK bool local_exec(sqlite3 *db, const char *path, const char *sql, struct err *err);
MUST_CHECK bool local_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **statement,
                              struct err *err);
#endif
