#include "local_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define SQLITE_HEADER_BYTES 100

/* Compared with sqlite_master word for word: a file with other tables is not ours. */
static const char *const schema[] = {
    "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK (id = 1), log_id INTEGER NOT NULL, "
    "next_offset INTEGER NOT NULL, hidden_from INTEGER NOT NULL, trimmed_through INTEGER NOT NULL, "
    "record_bytes INTEGER NOT NULL)",
    "CREATE TABLE topic(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE header_set(id INTEGER PRIMARY KEY, headers BLOB NOT NULL UNIQUE)",
    "CREATE TABLE record(\"offset\" INTEGER PRIMARY KEY, topic INTEGER NOT NULL, partition INTEGER NOT NULL, "
    "\"key\" BLOB, value BLOB, headers, timestamp INTEGER NOT NULL, xid INTEGER NOT NULL, "
    "commit_lsn INTEGER NOT NULL, ordinal INTEGER NOT NULL)",
    "CREATE TABLE consumer(name TEXT PRIMARY KEY, \"offset\" INTEGER NOT NULL, updated INTEGER NOT NULL)",
    "CREATE TABLE offsets(\"key\" TEXT PRIMARY KEY, value TEXT NOT NULL)",
};
#define SCHEMA_TABLES (sizeof(schema) / sizeof(schema[0]))

static uint32_t header_u32(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* SQLite's file header: text at 0, user_version at 60, application_id at 68. */
static bool check_header(const char *path, const unsigned char *header, struct err *err)
{
    if (memcmp(header, "SQLite format 3", 16) != 0)
        return err_set(err, ERR_LOG_FOREIGN,
                       "local log %s is not an SQLite file; it was left alone: choose another "
                       "walferry.local.path, or move it away",
                       path);
    if (header_u32(header + 68) != LOCAL_APPLICATION_ID)
        return err_set(err, ERR_LOG_FOREIGN,
                       "local log %s is another application's database (application_id %u); it was left "
                       "alone: choose another walferry.local.path",
                       path, header_u32(header + 68));
    uint32_t version = header_u32(header + 60);
    if (version != LOCAL_SCHEMA_VERSION)
        return err_set(err, ERR_LOG_FOREIGN,
                       "local log %s has schema version %u, this program knows %d; it was left alone: use "
                       "the version of walferry that wrote it",
                       path, version, LOCAL_SCHEMA_VERSION);
    return true;
}

/* Through SQLite's VFS, because a plain open and close here would drop the POSIX locks that another
 * connection of this process holds on the same file. Bytes beyond the end of a short file read as zeroes. */
static bool read_header(const char *path, unsigned char *header, struct err *err)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
    const char *name = sqlite3_create_filename(path, "", "", 0, NULL);
    if (file == NULL || name == NULL)
        abort();
    int rc = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB, NULL);
    if (rc == SQLITE_OK)
        rc = file->pMethods->xRead(file, header, SQLITE_HEADER_BYTES, 0);
    if (file->pMethods != NULL)
        (void)file->pMethods->xClose(file);
    sqlite3_free_filename(name);
    free(file);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return err_set(err, ERR_SYSTEM, "local log %s: cannot read its header: %s (%d)", path,
                       sqlite3_errstr(rc), rc);
    return true;
}

/* No log, but the tail of one: beginning a new one would destroy records or mix two logs. */
static bool check_no_orphan(const char *path, struct err *err)
{
    struct stat st;
    char *wal = local_file_name(path, "-wal");
    bool orphan = stat(wal, &st) == 0 && st.st_size > 0;
    free(wal);
    if (orphan)
        return err_set(err, ERR_LOG_FOREIGN,
                       "local log %s is missing or empty, but %s-wal has records of it; bring the file back, "
                       "or remove %s-wal to begin a new log",
                       path, path, path);
    return true;
}

/* Why a new file cannot be made at `path`, in one line. */
static bool check_directory(const char *path, struct err *err)
{
    char *copy = local_file_name(path, "");
    const char *directory = dirname(copy);
    struct stat st;
    bool ok = true;
    if (stat(directory, &st) != 0)
        ok = err_set(err, ERR_SYSTEM, "local log %s: directory %s: %s; create it or set walferry.local.path",
                     path, directory, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        ok = err_set(err, ERR_SYSTEM, "local log %s: %s is not a directory; set walferry.local.path", path,
                     directory);
    else if (access(directory, W_OK | X_OK) != 0)
        ok = err_set(err, ERR_SYSTEM,
                     "local log %s: directory %s: %s; allow this user to write there or set "
                     "walferry.local.path",
                     path, directory, strerror(errno));
    free(copy);
    return ok;
}

bool local_file_probe(const char *path, bool *exists, struct err *err)
{
    unsigned char header[SQLITE_HEADER_BYTES];
    struct stat st;
    *exists = stat(path, &st) == 0 && (!S_ISREG(st.st_mode) || st.st_size > 0);
    if (!check_directory(path, err))
        return false;
    if (*exists && !S_ISREG(st.st_mode))
        return err_set(err, ERR_SYSTEM, "local log %s is %s; walferry.local.path must name a file", path,
                       S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
    if (!*exists)
        return check_no_orphan(path, err);
    if (access(path, R_OK | W_OK) != 0)
        return err_set(err, ERR_SYSTEM, "local log %s: %s; allow this user to read and write it", path,
                       strerror(errno));
    memset(header, 0, sizeof(header));
    if (!read_header(path, header, err))
        return false;
    return check_header(path, header, err);
}

static bool open_database(const char *path, int flags, sqlite3 **db, struct err *err)
{
    /* One thread at a time uses a connection, so SQLite needs no mutexes of its own. */
    if (sqlite3_open_v2(path, db, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        return local_sqlite_err(err, *db, path);
    (void)sqlite3_extended_result_codes(*db, 1);
    (void)sqlite3_busy_timeout(*db, LOCAL_BUSY_TIMEOUT_MS);
    return true;
}

static bool write_schema(sqlite3 *db, const char *path, struct err *err)
{
    char sql[512];
    int64_t log_id = 0;
    if (getrandom(&log_id, sizeof(log_id), 0) != (ssize_t)sizeof(log_id))
        return err_set(err, ERR_SYSTEM, "local log %s: getrandom: %s", path, strerror(errno));
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA page_size = %d; PRAGMA synchronous = FULL; BEGIN;"
                   "PRAGMA application_id = %d; PRAGMA user_version = %d",
                   LOCAL_PAGE_BYTES, LOCAL_APPLICATION_ID, LOCAL_SCHEMA_VERSION);
    if (!local_exec(db, path, sql, err))
        return false;
    for (size_t i = 0; i < SCHEMA_TABLES; i++) {
        if (!local_exec(db, path, schema[i], err))
            return false;
    }
    (void)snprintf(sql, sizeof(sql), "INSERT INTO meta VALUES (1, %lld, 1, 0, 0, 0); COMMIT",
                   (long long)(log_id & INT64_MAX));
    return local_exec(db, path, sql, err);
}

static bool journal_is_wal(sqlite3 *db, const char *path, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = local_prepare(db, path, "PRAGMA journal_mode = WAL", &statement, err);
    if (ok && sqlite3_step(statement) != SQLITE_ROW)
        ok = local_sqlite_err(err, db, path);
    else if (ok && strcmp((const char *)sqlite3_column_text(statement, 0), "wal") != 0)
        ok = err_set(err, ERR_SYSTEM,
                     "local log %s: this file system has no shared memory for SQLite's WAL (a network file "
                     "system?); put walferry.local.path on a local disk",
                     path);
    (void)sqlite3_finalize(statement);
    return ok;
}

static bool sync_directory(const char *path, struct err *err)
{
    char *copy = local_file_name(path, "");
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (!ok)
        (void)err_set(err, ERR_DISK, "local log %s: its directory: %s", path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    free(copy);
    return ok;
}

/* The log holds rows: never for everyone to read. SQLite gives -wal and -shm the mode of the file. */
static bool make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0660);
    if (fd < 0)
        return err_set(err, ERR_SYSTEM, "local log: cannot create %s: %s", path, strerror(errno));
    (void)close(fd);
    return true;
}

static bool build_new(const char *new_path, struct err *err)
{
    sqlite3 *db = NULL;
    bool ok = make_file(new_path, err) && open_database(new_path, SQLITE_OPEN_CREATE, &db, err) &&
              write_schema(db, new_path, err) && journal_is_wal(db, new_path, err);
    if (sqlite3_close(db) != SQLITE_OK && ok)
        ok = local_sqlite_err(err, db, new_path);
    return ok;
}

static void remove_file(const char *path, const char *suffix)
{
    char *name = local_file_name(path, suffix);
    (void)unlink(name);
    free(name);
}

bool local_file_create(const char *path, struct err *err)
{
    static const char *const leftovers[] = {"", "-journal", "-wal", "-shm"};
    char *new_path = local_file_name(path, ".new");
    for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++)
        remove_file(new_path, leftovers[i]); /* of a creation that was killed */
    bool ok = build_new(new_path, err);
    if (ok && rename(new_path, path) != 0)
        ok = err_set(err, ERR_SYSTEM, "local log %s: rename: %s", path, strerror(errno));
    if (ok)
        remove_file(path, "-shm"); /* of a log that was deleted by hand */
    else
        remove_file(new_path, "");
    free(new_path);
    return ok && sync_directory(path, err);
}

static bool check_schema(sqlite3 *db, const char *path, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = local_prepare(db, path, "SELECT 1 FROM sqlite_master WHERE sql = ?", &statement, err);
    for (size_t i = 0; ok && i < SCHEMA_TABLES; i++) {
        (void)sqlite3_bind_text(statement, 1, schema[i], -1, SQLITE_STATIC);
        int rc = sqlite3_step(statement);
        if (rc == SQLITE_DONE)
            ok = err_set(err, ERR_LOG_FOREIGN,
                         "local log %s lacks a table of walferry or has it in another form; it was left "
                         "alone: restore it or choose another walferry.local.path",
                         path);
        else if (rc != SQLITE_ROW)
            ok = local_sqlite_err(err, db, path);
        (void)sqlite3_reset(statement);
    }
    (void)sqlite3_finalize(statement);
    return ok;
}

/* A full check would read the whole file at each start; both ends of the tree and the counters show most
 * truncations. Damage in between is met when it is read, and is as final then. */
static bool check_ends(sqlite3 *db, const char *path, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = local_prepare(db, path,
                            "SELECT next_offset, trimmed_through, (SELECT min(\"offset\") FROM record), "
                            "(SELECT max(\"offset\") FROM record) FROM meta WHERE hidden_from <= next_offset",
                            &statement, err);
    int rc = ok ? sqlite3_step(statement) : SQLITE_DONE;
    if (rc == SQLITE_ROW) {
        bool some = sqlite3_column_type(statement, 2) != SQLITE_NULL;
        if (some && (sqlite3_column_int64(statement, 2) <= sqlite3_column_int64(statement, 1) ||
                     sqlite3_column_int64(statement, 3) >= sqlite3_column_int64(statement, 0)))
            rc = SQLITE_DONE;
    }
    if (ok && rc == SQLITE_DONE)
        ok = err_set(err, ERR_LOG_FOREIGN,
                     "local log %s is damaged (its counters do not fit its records); restore it, or move it "
                     "and %s-wal away to begin a new one",
                     path, path);
    else if (ok && rc != SQLITE_ROW)
        ok = local_sqlite_err(err, db, path);
    (void)sqlite3_finalize(statement);
    return ok;
}

void local_file_close_untouched(sqlite3 *db)
{
    if (db == NULL)
        return;
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_close(db);
}

bool local_file_open(const char *path, sqlite3 **db, struct err *err)
{
    bool ok = open_database(path, 0, db, err) && check_schema(*db, path, err) && check_ends(*db, path, err) &&
              journal_is_wal(*db, path, err);
    if (!ok) {
        local_file_close_untouched(*db);
        *db = NULL;
    }
    return ok;
}
