#include "local_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *local_file_name(const char *path, const char *suffix)
{
    size_t size = strlen(path) + strlen(suffix) + 1;
    char *name = malloc(size);
    if (name == NULL)
        abort();
    (void)snprintf(name, size, "%s%s", path, suffix);
    return name;
}

char *local_file_resolve(const char *path)
{
    char *real = realpath(path, NULL);
    return real != NULL ? real : local_file_name(path, "");
}

bool local_sqlite_err(struct err *err, sqlite3 *db, const char *path)
{
    const char *text = sqlite3_errmsg(db);
    int code = sqlite3_extended_errcode(db);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        abort();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_CONNECT, "local log %s: another program holds it locked (%s)", path, text);
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return err_set(err, ERR_DISK, "local log %s: %s (%d); free space or repair the disk", path, text,
                       code);
    case SQLITE_TOOBIG:
        return err_set(err, ERR_LIMIT, "local log %s: a record is larger than SQLite's limit of %d bytes",
                       path, sqlite3_limit(db, SQLITE_LIMIT_LENGTH, -1));
    default:
        return err_set(err, ERR_LOG_FOREIGN,
                       "local log %s is damaged (%s, %d); restore it, or move it and %s-wal away to begin a "
                       "new one",
                       path, text, code, path);
    }
}

bool local_exec(sqlite3 *db, const char *path, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || local_sqlite_err(err, db, path);
}

bool local_prepare(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **statement, struct err *err)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) == SQLITE_OK ||
           local_sqlite_err(err, db, path);
}

const char local_meta_select[] =
    "SELECT log_id, next_offset, hidden_from, trimmed_through, record_bytes FROM meta";

bool local_meta_read(sqlite3_stmt *select, struct local_meta *meta)
{
    int rc = sqlite3_step(select);
    if (rc == SQLITE_ROW) {
        meta->log_id = sqlite3_column_int64(select, 0);
        meta->next_offset = sqlite3_column_int64(select, 1);
        meta->hidden_from = sqlite3_column_int64(select, 2);
        meta->trimmed_through = sqlite3_column_int64(select, 3);
        meta->record_bytes = sqlite3_column_int64(select, 4);
    }
    (void)sqlite3_reset(select);
    return rc == SQLITE_ROW;
}
