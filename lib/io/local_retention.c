#include "local_store.h"

#include "walferry/clock.h"

static bool step_done(sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return rc == SQLITE_DONE;
}

bool local_delete_hidden(struct local_store *s, int64_t records, struct local_meta *meta, bool *left)
{
    (void)sqlite3_bind_int64(s->hidden_bytes, 1, meta->hidden_from);
    (void)sqlite3_bind_int64(s->hidden_bytes, 2, records);
    bool ok = sqlite3_step(s->hidden_bytes) == SQLITE_ROW;
    int64_t first = ok ? sqlite3_column_int64(s->hidden_bytes, 0) : 0;
    int64_t bytes = ok ? sqlite3_column_int64(s->hidden_bytes, 1) : 0;
    int64_t count = ok ? sqlite3_column_int64(s->hidden_bytes, 2) : 0;
    (void)sqlite3_reset(s->hidden_bytes);
    *left = count == records;
    if (!ok || count == 0)
        return ok;
    (void)sqlite3_bind_int64(s->hidden_delete, 1, first);
    meta->record_bytes -= bytes;
    return step_done(s->hidden_delete);
}

/* What every known consumer has committed; 0 where none is known, or one has committed nothing. */
static bool consumed_through(struct local_store *s, int64_t *offset)
{
    bool ok = sqlite3_step(s->consumed) == SQLITE_ROW;
    *offset = ok ? sqlite3_column_int64(s->consumed, 0) : 0; /* NULL reads as 0 */
    (void)sqlite3_reset(s->consumed);
    return ok;
}

static bool wants_gone(const struct local_store *s, const struct local_meta *meta, int64_t timestamp_ms,
                       int64_t now_ms)
{
    bool too_many =
        s->retention_bytes > 0 && meta->record_bytes > 0 && (uint64_t)meta->record_bytes > s->retention_bytes;
    bool too_old =
        s->retention_ms > 0 && now_ms > timestamp_ms && (uint64_t)(now_ms - timestamp_ms) > s->retention_ms;
    return too_many || too_old;
}

/* Steps are small, so that no batch waits long for them, and at least twice what the batch adds, so that the
 * file does not grow for ever. SQLite reuses the freed pages; the file itself never shrinks, and
 * auto_vacuum would only move pages about. */
bool local_trim(struct local_store *s, int64_t records, struct local_meta *meta)
{
    int64_t consumed = 0, through = 0;
    s->trim_more = false;
    if (s->retention_bytes == 0 && s->retention_ms == 0)
        return true;
    if (!consumed_through(s, &consumed))
        return false;
    if (consumed <= meta->trimmed_through)
        return true;
    int64_t now_ms = clock_wall_us() / 1000;
    (void)sqlite3_bind_int64(s->oldest, 1, consumed);
    int rc;
    while ((rc = sqlite3_step(s->oldest)) == SQLITE_ROW && records > 0) {
        if (!wants_gone(s, meta, sqlite3_column_int64(s->oldest, 1), now_ms))
            break;
        through = sqlite3_column_int64(s->oldest, 0);
        meta->record_bytes -=
            local_record_bytes(sqlite3_column_int64(s->oldest, 2), sqlite3_column_int64(s->oldest, 3));
        records--;
    }
    s->trim_more = rc == SQLITE_ROW && records == 0;
    (void)sqlite3_reset(s->oldest);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return false;
    if (through == 0)
        return true;
    meta->trimmed_through = through;
    (void)sqlite3_bind_int64(s->trim, 1, through);
    return step_done(s->trim);
}
