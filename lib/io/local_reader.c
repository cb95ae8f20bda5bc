#include "local_file.h"
#include "local_frame.h"
#include "local_names.h"
#include "local_watch.h"
#include "walferry/clock.h"
#include "walferry/headerblob.h"
#include "walferry/local_log.h"

#include <stdlib.h>
#include <sys/stat.h>

#define READ_AHEAD_BYTES (1 << 20) /* of memory per batch; one larger record is read alone */
#define COMMIT_WAIT_MS 50

struct local_reader {
    char *path, *consumer; /* owned */
    sqlite3 *db;
    sqlite3_stmt *begin, *end, *meta, *records, *newest, *oldest, *position, *set_consumer;
    struct local_names topics, header_sets;
    struct buf batch;     /* frames */
    struct slice rest;    /* of it */
    int64_t read_through; /* offset of the last record in the batch */
    int64_t committed;
    bool commit_pending;
    uint64_t log_id;
    dev_t device; /* of the open file */
    ino_t inode;
    struct header *headers; /* of the record returned last */
    size_t headers_max;
    struct local_watch watch;
    bool watching;
    void (*on_wake)(void *data);
    void *data;
};

static const char *const pragmas = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0;"
                                   "PRAGMA cache_size = -2048; PRAGMA mmap_size = 0";

static bool sql_failed(struct local_reader *r, struct err *err)
{
    return local_sqlite_err(err, r->db, r->path);
}

static bool prepare_all(struct local_reader *r, struct err *err)
{
    const struct {
        sqlite3_stmt **statement;
        const char *sql;
    } list[] = {
        {&r->begin, "BEGIN"},
        {&r->end, "COMMIT"},
        {&r->meta, local_meta_select},
        {&r->records,
         "SELECT \"offset\", topic, partition, \"key\", value, headers, timestamp, xid, commit_lsn, "
         "ordinal FROM record WHERE \"offset\" > ? AND \"offset\" < ? ORDER BY \"offset\""},
        {&r->newest, "SELECT \"offset\" FROM record WHERE \"offset\" < ? ORDER BY \"offset\" DESC LIMIT 1"},
        {&r->oldest,
         "SELECT timestamp FROM record WHERE \"offset\" > ? AND \"offset\" < ? ORDER BY \"offset\" "
         "LIMIT 1"},
        {&r->position, "SELECT value FROM offsets ORDER BY rowid DESC LIMIT 1"},
        {&r->set_consumer, "INSERT INTO consumer VALUES (?, ?, ?) ON CONFLICT(name) DO UPDATE SET "
                           "\"offset\" = excluded.\"offset\", updated = excluded.updated"},
        {&r->topics.find, "SELECT name FROM topic WHERE id = ?"},
        {&r->header_sets.find, "SELECT headers FROM header_set WHERE id = ?"},
    };
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (!local_prepare(r->db, r->path, list[i].sql, list[i].statement, err))
            return false;
    }
    return true;
}

static void end_transaction(struct local_reader *r)
{
    (void)sqlite3_step(r->end);
    (void)sqlite3_reset(r->end);
}

/* A short read transaction begins with the counters. */
static bool begin_transaction(struct local_reader *r, struct local_meta *meta, struct err *err)
{
    (void)sqlite3_step(r->begin);
    (void)sqlite3_reset(r->begin);
    if (local_meta_read(r->meta, meta))
        return true;
    (void)sql_failed(r, err);
    end_transaction(r);
    return false;
}

static int64_t visible_below(const struct local_meta *meta)
{
    return meta->hidden_from != 0 ? meta->hidden_from : INT64_MAX;
}

static struct slice column(sqlite3_stmt *statement, int index)
{
    if (sqlite3_column_type(statement, index) == SQLITE_NULL)
        return SLICE_NONE;
    const void *data = sqlite3_column_blob(statement, index);
    return (struct slice){data != NULL ? data : "", (size_t)sqlite3_column_bytes(statement, index)};
}

static bool damaged(struct local_reader *r, const char *what, int64_t offset, struct err *err)
{
    return err_set(
        err, ERR_LOG_FOREIGN,
        "local log %s is damaged: record %lld %s; restore the file, or move it away and begin anew", r->path,
        (long long)offset, what);
}

static bool copy_record(struct local_reader *r, struct err *err)
{
    sqlite3_stmt *row = r->records;
    struct local_frame frame = {
        .kind = FRAME_RECORD,
        .offset = sqlite3_column_int64(row, 0),
        .partition = sqlite3_column_int(row, 2),
        .key = column(row, 3),
        .value = column(row, 4),
        .timestamp_ms = sqlite3_column_int64(row, 6),
        .xid = (uint32_t)sqlite3_column_int64(row, 7),
        .commit_lsn = (uint64_t)sqlite3_column_int64(row, 8),
        .ordinal = (uint64_t)sqlite3_column_int64(row, 9),
    };
    if (!local_names_get(&r->topics, sqlite3_column_int64(row, 1), &frame.topic))
        return damaged(r, "has an unknown topic", frame.offset, err);
    if (sqlite3_column_type(row, 5) != SQLITE_INTEGER)
        frame.headers = column(row, 5);
    else if (!local_names_get(&r->header_sets, sqlite3_column_int64(row, 5), &frame.headers))
        return damaged(r, "has an unknown header set", frame.offset, err);
    local_frame_append(&r->batch, &frame);
    r->read_through = frame.offset;
    return true;
}

static bool trimmed(struct local_reader *r, int64_t offset, const struct local_meta *meta, struct err *err)
{
    return err_set(
        err, ERR_LOG_TRIMMED,
        "local log %s: records %lld to %lld are still needed by \"%s\" and were trimmed; begin the "
        "target anew from a snapshot, and raise the retention",
        r->path, (long long)(offset + 1), (long long)meta->trimmed_through, r->consumer);
}

static bool copy_batch(struct local_reader *r, const struct local_meta *meta, struct err *err)
{
    if (r->read_through < meta->trimmed_through)
        return trimmed(r, r->read_through, meta, err);
    bool ok = true;
    int rc = SQLITE_DONE;
    (void)sqlite3_bind_int64(r->records, 1, r->read_through);
    (void)sqlite3_bind_int64(r->records, 2, visible_below(meta));
    while (ok && r->batch.len < READ_AHEAD_BYTES && (rc = sqlite3_step(r->records)) == SQLITE_ROW)
        ok = copy_record(r, err);
    if (ok && rc != SQLITE_ROW && rc != SQLITE_DONE)
        ok = sql_failed(r, err);
    (void)sqlite3_reset(r->records);
    return ok;
}

static bool read_batch(struct local_reader *r, struct err *err)
{
    struct local_meta meta;
    if (r->batch.capacity > 4 * READ_AHEAD_BYTES)
        buf_release(&r->batch);
    buf_clear(&r->batch);
    r->rest = SLICE_NONE;
    if (!begin_transaction(r, &meta, err))
        return err->code == ERR_CONNECT; /* the file is being recovered: nothing yet */
    bool ok = copy_batch(r, &meta, err);
    end_transaction(r);
    if (ok)
        r->rest = buf_slice(&r->batch);
    return ok;
}

/* Without this a reader would wait for ever at the end of a file that was deleted. */
static bool still_there(struct local_reader *r, struct err *err)
{
    struct stat st;
    if (stat(r->path, &st) == 0 && st.st_dev == r->device && st.st_ino == r->inode)
        return true;
    return err_set(
        err, ERR_LOG_FOREIGN,
        "local log %s was removed or replaced while \"%s\" reads it; bring the file back and restart",
        r->path, r->consumer);
}

static bool fill_record(struct local_reader *r, const struct local_frame *frame, struct local_record *record,
                        struct err *err)
{
    size_t count = 0;
    if (!headerblob_count(frame->headers, &count, err))
        return damaged(r, "has broken headers", frame->offset, err);
    if (count > r->headers_max) {
        free(r->headers);
        r->headers = calloc(count, sizeof(*r->headers));
        if (r->headers == NULL)
            abort();
        r->headers_max = count;
    }
    headerblob_read(frame->headers, r->headers, count);
    record->offset = frame->offset;
    record->timestamp_ms = frame->timestamp_ms;
    record->record = (struct record){
        .topic = frame->topic,
        .key = frame->key,
        .value = frame->value,
        .headers = r->headers,
        .header_count = count,
        .partition = frame->partition,
        .xid = frame->xid,
        .commit_lsn = frame->commit_lsn,
        .ordinal = frame->ordinal,
    };
    return true;
}

enum local_read local_reader_next(struct local_reader *r, struct local_record *record, struct err *err)
{
    struct local_frame frame;
    if (r->rest.len == 0 && !read_batch(r, err))
        return LOCAL_ERROR;
    if (!local_frame_take(&r->rest, &frame))
        return still_there(r, err) ? LOCAL_NOTHING : LOCAL_ERROR;
    return fill_record(r, &frame, record, err) ? LOCAL_RECORD : LOCAL_ERROR;
}

/* Lag and retention only, so a lock or a full disk is no reason to stop: the next call tries again. */
static bool store_consumer(struct local_reader *r, struct err *err)
{
    (void)sqlite3_bind_text(r->set_consumer, 1, r->consumer, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(r->set_consumer, 2, r->committed);
    (void)sqlite3_bind_int64(r->set_consumer, 3, clock_wall_us() / 1000);
    (void)sqlite3_busy_timeout(r->db, COMMIT_WAIT_MS);
    bool ok = sqlite3_step(r->set_consumer) == SQLITE_DONE;
    (void)sqlite3_reset(r->set_consumer);
    (void)sqlite3_busy_timeout(r->db, LOCAL_BUSY_TIMEOUT_MS);
    r->commit_pending = !ok;
    if (ok)
        return true;
    (void)sql_failed(r, err);
    return err->code == ERR_CONNECT || err->code == ERR_DISK;
}

bool local_reader_commit(struct local_reader *r, int64_t offset, struct err *err)
{
    if (offset == r->committed && !r->commit_pending)
        return true;
    r->committed = offset;
    return store_consumer(r, err);
}

bool local_reader_seek(struct local_reader *r, int64_t offset, struct err *err)
{
    struct local_meta meta;
    if (!begin_transaction(r, &meta, err))
        return false;
    end_transaction(r);
    if (offset != 0 && offset < meta.trimmed_through)
        return trimmed(r, offset, &meta, err);
    if (offset >= meta.next_offset)
        return err_set(
            err, ERR_LOG_FOREIGN,
            "local log %s ends at record %lld, but \"%s\" has already read record %lld: the file was "
            "replaced or restored; bring the right one back, or begin the target anew",
            r->path, (long long)(meta.next_offset - 1), r->consumer, (long long)offset);
    r->rest = SLICE_NONE;
    r->read_through = r->committed = offset != 0 ? offset : meta.trimmed_through;
    return store_consumer(r, err);
}

static bool read_position(struct local_reader *r, struct position *position, struct err *err)
{
    bool ok = true;
    *position = (struct position){.end_lsn = LSN_NONE};
    int rc = sqlite3_step(r->position);
    if (rc == SQLITE_ROW)
        ok = position_read_value(column(r->position, 0), position, err);
    else if (rc != SQLITE_DONE)
        ok = sql_failed(r, err);
    (void)sqlite3_reset(r->position);
    return ok;
}

bool local_reader_end(struct local_reader *r, int64_t *end_offset, struct position *position, struct err *err)
{
    struct local_meta meta;
    if (!begin_transaction(r, &meta, err))
        return false;
    (void)sqlite3_bind_int64(r->newest, 1, visible_below(&meta));
    int rc = sqlite3_step(r->newest);
    *end_offset = rc == SQLITE_ROW ? sqlite3_column_int64(r->newest, 0) : meta.trimmed_through;
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || sql_failed(r, err);
    (void)sqlite3_reset(r->newest);
    ok = ok && read_position(r, position, err);
    end_transaction(r);
    return ok;
}

bool local_reader_oldest(struct local_reader *r, int64_t offset, int64_t *timestamp_ms, struct err *err)
{
    struct local_meta meta;
    if (!begin_transaction(r, &meta, err))
        return false;
    (void)sqlite3_bind_int64(r->oldest, 1, offset);
    (void)sqlite3_bind_int64(r->oldest, 2, visible_below(&meta));
    int rc = sqlite3_step(r->oldest);
    *timestamp_ms = rc == SQLITE_ROW ? sqlite3_column_int64(r->oldest, 0) : 0;
    bool ok = rc == SQLITE_ROW || rc == SQLITE_DONE || sql_failed(r, err);
    (void)sqlite3_reset(r->oldest);
    end_transaction(r);
    return ok;
}

void local_reader_watch_only(struct local_reader *r)
{
    (void)uv_timer_stop(&r->watch.timer);
}

uint64_t local_reader_log_id(const struct local_reader *r)
{
    return r->log_id;
}

static void on_watch(void *data)
{
    struct local_reader *r = data;
    struct err ignored; /* damage is met again when records are read */
    if (r->commit_pending)
        (void)!store_consumer(r, &ignored);
    r->on_wake(r->data);
}

static void release(void *data)
{
    struct local_reader *r = data;
    buf_release(&r->batch);
    free(r->headers);
    free(r->consumer);
    free(r->path);
    free(r);
}

static bool open_all(struct local_reader *r, uv_loop_t *uv, struct err *err)
{
    struct local_meta meta;
    struct stat st;
    bool exists = false;
    if (!local_file_probe(r->path, &exists, err))
        return false;
    if (!exists || stat(r->path, &st) != 0)
        return err_set(err, ERR_CONNECT, "local log %s does not exist yet; the streamer makes it", r->path);
    r->device = st.st_dev;
    r->inode = st.st_ino;
    if (!local_file_open(r->path, &r->db, err) || !local_exec(r->db, r->path, pragmas, err) ||
        !prepare_all(r, err) || !begin_transaction(r, &meta, err))
        return false;
    end_transaction(r);
    (void)sqlite3_db_config(r->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    r->log_id = (uint64_t)meta.log_id;
    r->read_through = meta.trimmed_through;
    r->watching = local_watch_start(&r->watch, uv, r->path, on_watch, r, err);
    return r->watching;
}

bool local_reader_open(uv_loop_t *uv, const struct local_reader_options *options,
                       struct local_reader **reader, struct err *err)
{
    struct local_reader *r = calloc(1, sizeof(*r));
    if (r == NULL)
        abort();
    r->path = local_file_resolve(options->path);
    r->consumer = local_file_name(options->consumer, "");
    r->on_wake = options->on_wake;
    r->data = options->data;
    buf_init(&r->batch, SIZE_MAX / 2); /* READ_AHEAD_BYTES and one record */
    if (!open_all(r, uv, err)) {
        local_reader_close(r);
        return false;
    }
    *reader = r;
    return true;
}

void local_reader_close(struct local_reader *r)
{
    sqlite3_stmt *const list[] = {r->begin,  r->end,    r->meta,     r->records,
                                  r->newest, r->oldest, r->position, r->set_consumer};
    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
        (void)sqlite3_finalize(list[i]);
    local_names_release(&r->topics);
    local_names_release(&r->header_sets);
    (void)sqlite3_close(r->db);
    if (r->watching)
        local_watch_stop(&r->watch, release, r);
    else
        release(r);
}
