#include "local_store.h"

#include "local_frame.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADER_SETS_MAX 256       /* interned header sets of one file; others are stored with their record */
#define HEADER_SET_WORTH 64       /* sightings before a set counts as constant */
#define HEADER_SET_BYTES_MAX 1024 /* a larger one is never constant */
#define CHECKPOINT_WAL_BYTES (32 << 20)
#define CHECKPOINT_INSIST 4 /* times the above: wait for readers, so that the WAL begins anew */
#define CHECKPOINT_WAIT_MS 200
#define DELETE_STEP_RECORDS 20000 /* of an interrupted snapshot, per transaction */
#define TRIM_STEP_RECORDS 1000    /* per batch, besides twice what the batch adds */

static const char *const pragmas = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;"
                                   "PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -4096;"
                                   "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY";

static int on_wal(void *data, sqlite3 *db, const char *name, int pages)
{
    (void)db;
    (void)name;
    struct local_store *store = data;
    /* Fewer than before: readers were done, the WAL began anew. */
    if (pages < store->wal_pages)
        store->checkpoint_pages = CHECKPOINT_WAL_BYTES / LOCAL_PAGE_BYTES;
    store->wal_pages = pages;
    return SQLITE_OK;
}

static bool prepare_all(struct local_store *s, struct err *err)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } list[] = {
        {&s->begin, "BEGIN IMMEDIATE"},
        {&s->commit, "COMMIT"},
        {&s->rollback, "ROLLBACK"},
        {&s->insert, "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
        {&s->set_meta,
         "UPDATE meta SET next_offset = ?, hidden_from = ?, trimmed_through = ?, record_bytes = ?"},
        /* REPLACE gives a new rowid, so the highest rowid is the newest position. */
        {&s->set_position, "INSERT OR REPLACE INTO offsets VALUES (?, ?)"},
        {&s->hidden_bytes, "SELECT min(\"offset\"), sum(bytes), count(*) FROM (SELECT \"offset\", 64 + "
                           "coalesce(length(\"key\"), 0) + coalesce(length(value), 0) AS bytes FROM record "
                           "WHERE \"offset\" >= ? ORDER BY \"offset\" DESC LIMIT ?)"},
        {&s->hidden_delete, "DELETE FROM record WHERE \"offset\" >= ?"},
        {&s->consumed, "SELECT min(\"offset\") FROM consumer"},
        {&s->oldest, "SELECT \"offset\", timestamp, coalesce(length(\"key\"), 0), coalesce(length(value), 0) "
                     "FROM record WHERE \"offset\" <= ? ORDER BY \"offset\""},
        {&s->trim, "DELETE FROM record WHERE \"offset\" <= ?"},
        {&s->topics.find, "SELECT id FROM topic WHERE name = ?"},
        {&s->topics.add, "INSERT INTO topic(name) VALUES (?)"},
        {&s->header_sets.find, "SELECT id FROM header_set WHERE headers = ?"},
        {&s->header_sets.add, "INSERT INTO header_set(headers) VALUES (?)"},
    };
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (!local_prepare(s->db, s->path, list[i].sql, list[i].statement, err))
            return false;
    }
    return true;
}

/* One row of one number or text; NULL where there is none. */
static bool query_number(struct local_store *s, const char *sql, int64_t *number, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = local_prepare(s->db, s->path, sql, &statement, err);
    if (ok && sqlite3_step(statement) == SQLITE_ROW)
        *number = sqlite3_column_int64(statement, 0);
    else if (ok)
        ok = local_sqlite_err(err, s->db, s->path);
    (void)sqlite3_finalize(statement);
    return ok;
}

static bool load_meta(struct local_store *s, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = local_prepare(s->db, s->path, local_meta_select, &statement, err);
    if (ok && !local_meta_read(statement, &s->meta))
        ok = local_sqlite_err(err, s->db, s->path);
    (void)sqlite3_finalize(statement);
    return ok;
}

static bool load_position(struct local_store *s, struct position *position, bool *found, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    bool ok = local_prepare(s->db, s->path, "SELECT value FROM offsets WHERE \"key\" = ?", &statement, err);
    if (ok) {
        (void)sqlite3_bind_text64(statement, 1, s->offsets_key.data, s->offsets_key.len, SQLITE_STATIC,
                                  SQLITE_UTF8);
        int rc = sqlite3_step(statement);
        *found = rc == SQLITE_ROW;
        if (*found) {
            struct slice json = {(const char *)sqlite3_column_text(statement, 0),
                                 (size_t)sqlite3_column_bytes(statement, 0)};
            ok = position_read_value(json, position, err) ||
                 err_prefix(err, "local log %s: its stored offsets", s->path);
        } else if (rc != SQLITE_DONE) {
            ok = local_sqlite_err(err, s->db, s->path);
        }
    }
    (void)sqlite3_finalize(statement);
    return ok;
}

static bool open_all(struct local_store *s, struct position *position, bool *found, struct err *err)
{
    bool exists = false;
    if (!local_file_probe(s->path, &exists, err) || !local_lock_take(s->path, &s->lock_fd, err))
        return false;
    /* Again under the lock: another writer may have made it meanwhile. */
    if (!local_file_probe(s->path, &exists, err))
        return false;
    if (!exists && !local_file_create(s->path, err))
        return false;
    if (!local_file_open(s->path, &s->db, err) || !local_exec(s->db, s->path, pragmas, err))
        return false;
    (void)sqlite3_wal_hook(s->db, on_wal, s);
    int64_t sets = 0;
    if (!prepare_all(s, err) || !query_number(s, "SELECT count(*) FROM header_set", &sets, err))
        return false;
    s->header_sets.room = HEADER_SETS_MAX - sets;
    return load_meta(s, err) && load_position(s, position, found, err) &&
           local_wake_open(s->path, &s->wake_fd, err);
}

bool local_store_open(const struct local_writer_options *options, struct local_store **store,
                      struct position *position, bool *found, struct err *err)
{
    struct local_store *s = calloc(1, sizeof(*s));
    if (s == NULL)
        abort();
    s->path = local_file_resolve(options->path);
    s->lock_fd = s->wake_fd = -1;
    s->retention_bytes = options->retention_bytes;
    s->retention_ms = options->retention_ms;
    s->topics.room = INT64_MAX;
    s->topics.worth = 1;
    s->header_sets.is_blob = true;
    s->header_sets.worth = HEADER_SET_WORTH;
    s->checkpoint_pages = CHECKPOINT_WAL_BYTES / LOCAL_PAGE_BYTES;
    buf_init(&s->offsets_key, 1 << 20);
    buf_init(&s->offsets_value, 1 << 20);
    position_write_key(&s->offsets_key, options->connector, options->server);
    if (!open_all(s, position, found, err)) {
        local_store_close(s);
        return false;
    }
    *store = s;
    return true;
}

void local_store_close(struct local_store *s)
{
    sqlite3_stmt *const list[] = {s->insert,   s->set_meta, s->set_position, s->begin,
                                  s->commit,   s->rollback, s->hidden_bytes, s->hidden_delete,
                                  s->consumed, s->oldest,   s->trim};
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        (void)sqlite3_finalize(list[i]);
    local_intern_release(&s->topics);
    local_intern_release(&s->header_sets);
    (void)sqlite3_close(s->db);
    if (s->wake_fd >= 0)
        (void)close(s->wake_fd);
    if (s->lock_fd >= 0)
        (void)close(s->lock_fd); /* last: it frees the lock */
    buf_release(&s->offsets_key);
    buf_release(&s->offsets_value);
    free(s->path);
    free(s);
}

static bool run(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return rc == SQLITE_DONE;
}

static void bind_bytes(sqlite3_stmt *statement, int index, struct slice bytes)
{
    if (bytes.data == NULL)
        (void)sqlite3_bind_null(statement, index);
    else
        (void)sqlite3_bind_blob64(statement, index, bytes.data, bytes.len, SQLITE_STATIC);
}

static bool bind_headers(struct local_store *s, struct slice headers)
{
    int64_t id = 0;
    if (headers.len > 0 && headers.len <= HEADER_SET_BYTES_MAX)
        id = local_intern_id(&s->header_sets, headers);
    if (id > 0)
        (void)sqlite3_bind_int64(s->insert, 6, id);
    else
        bind_bytes(s->insert, 6, headers.len > 0 ? headers : SLICE_NONE);
    return id >= 0;
}

static bool insert_record(struct local_store *s, const struct local_frame *frame, struct local_meta *meta)
{
    int64_t topic = local_intern_id(&s->topics, frame->topic);
    if (topic < 0 || !bind_headers(s, frame->headers))
        return false;
    (void)sqlite3_bind_int64(s->insert, 1, meta->next_offset);
    (void)sqlite3_bind_int64(s->insert, 2, topic);
    (void)sqlite3_bind_int(s->insert, 3, frame->partition);
    bind_bytes(s->insert, 4, frame->key);
    bind_bytes(s->insert, 5, frame->value);
    (void)sqlite3_bind_int64(s->insert, 7, frame->timestamp_ms);
    (void)sqlite3_bind_int64(s->insert, 8, frame->xid);
    (void)sqlite3_bind_int64(s->insert, 9, (int64_t)frame->commit_lsn);
    (void)sqlite3_bind_int64(s->insert, 10, (int64_t)frame->ordinal);
    if (!run(s->insert))
        return false;
    meta->next_offset++;
    meta->record_bytes += local_record_bytes((int64_t)frame->key.len, (int64_t)frame->value.len);
    return true;
}

static bool begin_snapshot(struct local_store *s, struct local_meta *meta)
{
    bool left = meta->hidden_from != 0;
    while (left) {
        if (!local_delete_hidden(s, DELETE_STEP_RECORDS, meta, &left))
            return false;
    }
    meta->hidden_from = meta->next_offset;
    return true;
}

static bool apply_frame(struct local_store *s, const struct local_frame *frame, struct local_meta *meta)
{
    switch (frame->kind) {
    case FRAME_RECORD:
        return insert_record(s, frame, meta);
    case FRAME_SNAPSHOT_BEGIN:
        return begin_snapshot(s, meta);
    case FRAME_SNAPSHOT_END:
        meta->hidden_from = 0;
        return true;
    default:
        abort();
    }
}

static bool store_position(struct local_store *s, const struct position *position)
{
    buf_clear(&s->offsets_value);
    position_write_value(&s->offsets_value, position);
    assert(!s->offsets_value.overflowed && !s->offsets_key.overflowed);
    (void)sqlite3_bind_text64(s->set_position, 1, s->offsets_key.data, s->offsets_key.len, SQLITE_STATIC,
                              SQLITE_UTF8);
    (void)sqlite3_bind_text64(s->set_position, 2, s->offsets_value.data, s->offsets_value.len, SQLITE_STATIC,
                              SQLITE_UTF8);
    return run(s->set_position);
}

static bool store_meta(struct local_store *s, const struct local_meta *meta)
{
    if (memcmp(meta, &s->meta, sizeof(*meta)) == 0)
        return true;
    (void)sqlite3_bind_int64(s->set_meta, 1, meta->next_offset);
    (void)sqlite3_bind_int64(s->set_meta, 2, meta->hidden_from);
    (void)sqlite3_bind_int64(s->set_meta, 3, meta->trimmed_through);
    (void)sqlite3_bind_int64(s->set_meta, 4, meta->record_bytes);
    return run(s->set_meta) && sqlite3_changes(s->db) == 1;
}

static enum local_outcome failure(struct local_store *s, struct err *err)
{
    (void)local_sqlite_err(err, s->db, s->path);
    if (!sqlite3_get_autocommit(s->db))
        (void)run(s->rollback);
    local_intern_clear(&s->topics);
    local_intern_clear(&s->header_sets);
    return err->code == ERR_CONNECT ? LOCAL_BUSY : err->code == ERR_DISK ? LOCAL_DISK : LOCAL_FINAL;
}

/* An interrupted snapshot may be most of the file. All but its last records go in transactions of their own,
 * so that the WAL stays small; they are hidden all the while, and a kill in between changes nothing. */
static enum local_outcome delete_interrupted(struct local_store *s, struct err *err)
{
    bool left = s->meta.hidden_from != 0;
    while (left) {
        struct local_meta meta = s->meta;
        if (!run(s->begin) || !local_delete_hidden(s, DELETE_STEP_RECORDS, &meta, &left) ||
            !store_meta(s, &meta) || !run(s->commit))
            return failure(s, err);
        s->meta = meta;
        if (local_store_wants_checkpoint(s) && local_store_checkpoint(s, err) == LOCAL_FINAL)
            return LOCAL_FINAL;
    }
    return LOCAL_STORED;
}

static bool apply_frames(struct local_store *s, struct slice frames, struct local_meta *meta)
{
    struct local_frame frame;
    while (local_frame_take(&frames, &frame)) {
        if (!apply_frame(s, &frame, meta))
            return false;
    }
    return true;
}

static bool begins_snapshot(struct slice frames)
{
    struct local_frame frame;
    while (local_frame_take(&frames, &frame)) {
        if (frame.kind == FRAME_SNAPSHOT_BEGIN)
            return true;
    }
    return false;
}

enum local_outcome local_store_write(struct local_store *s, struct slice frames,
                                     const struct position *position, struct err *err)
{
    if (s->meta.hidden_from != 0 && begins_snapshot(frames)) {
        enum local_outcome outcome = delete_interrupted(s, err);
        if (outcome != LOCAL_STORED)
            return outcome;
    }
    struct local_meta meta = s->meta;
    int64_t first = meta.next_offset;
    if (!run(s->begin) || !apply_frames(s, frames, &meta))
        return failure(s, err);
    if (!local_trim(s, TRIM_STEP_RECORDS + 2 * (meta.next_offset - first), &meta))
        return failure(s, err);
    if ((position != NULL && !store_position(s, position)) || !store_meta(s, &meta) || !run(s->commit))
        return failure(s, err);
    s->meta = meta;
    /* A hint to readers; they look by themselves each second too. */
    if (frames.len > 0 || position != NULL)
        (void)!pwrite(s->wake_fd, "", 1, 0);
    return LOCAL_STORED;
}

bool local_store_wants_checkpoint(const struct local_store *s)
{
    return s->wal_pages >= s->checkpoint_pages;
}

enum local_outcome local_store_checkpoint(struct local_store *s, struct err *err)
{
    int64_t step = CHECKPOINT_WAL_BYTES / LOCAL_PAGE_BYTES;
    bool insist = s->wal_pages >= CHECKPOINT_INSIST * step;
    if (insist)
        (void)sqlite3_busy_timeout(s->db, CHECKPOINT_WAIT_MS);
    int rc = sqlite3_wal_checkpoint_v2(
        s->db, NULL, insist ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (insist)
        (void)sqlite3_busy_timeout(s->db, LOCAL_BUSY_TIMEOUT_MS);
    s->checkpoint_pages = s->wal_pages + step;
    if (rc == SQLITE_OK)
        return LOCAL_STORED;
    enum local_outcome outcome = failure(s, err);
    return outcome == LOCAL_FINAL ? LOCAL_FINAL : LOCAL_STORED;
}
