#include "walferry/position.h"
#include "walferry/json.h"

#include <yyjson.h>

void position_write_key(struct buf *out, struct slice connector, struct slice server)
{
    buf_append_char(out, '[');
    json_append_string(out, connector);
    buf_append_text(out, ",{\"server\":");
    json_append_string(out, server);
    buf_append_text(out, "}]");
}

static void append_member(struct buf *out, const char *name, uint64_t value)
{
    buf_printf(out, ",\"%s\":", name);
    buf_append_uint(out, value);
}

static void append_member_where_set(struct buf *out, const char *name, uint64_t value)
{
    if (value != 0)
        append_member(out, name, value);
}

/* Debezium's names for what the last stored record was. It treats all row operations alike. */
static const char *message_type(const struct position *position)
{
    return position->commit_lsn != LSN_NONE ? "INSERT" : "COMMIT";
}

/* Debezium drops these members with the first change behind the snapshot. */
static void append_snapshot(struct buf *out, const struct position *position)
{
    bool complete = position->snapshot == SNAPSHOT_COMPLETE;
    if (position->snapshot == SNAPSHOT_NONE || (complete && position->xid != 0))
        return;
    buf_printf(out, ",\"snapshot\":\"INITIAL\",\"snapshot_completed\":%s", complete ? "true" : "false");
}

static const char *const snapshot_names[] = {
    [SNAPSHOT_NONE] = "none", [SNAPSHOT_RUNNING] = "running", [SNAPSHOT_COMPLETE] = "complete"};

/* The first member is always there, so that each other one begins with a comma. */
void position_write_value(struct buf *out, const struct position *position)
{
    bool inside = position->commit_lsn != LSN_NONE;
    lsn_t lsn = inside || position->end_lsn == LSN_NONE ? position->lsn : position->end_lsn;
    buf_append_text(out, "{\"ts_usec\":");
    buf_append_int(out, position->commit_time_us);
    append_member_where_set(out, "lsn", lsn);
    append_member_where_set(out, "lsn_proc", lsn);
    append_member_where_set(out, "lsn_commit", position->end_lsn);
    append_member_where_set(out, "txId", position->xid);
    if (position->xid != 0)
        buf_printf(out, ",\"messageType\":\"%s\"", message_type(position));
    append_snapshot(out, position);
    append_member_where_set(out, "walferry_commit_lsn", position->commit_lsn);
    if (inside) /* 0: only its BEGIN is stored */
        append_member(out, "walferry_ordinal", position->ordinal);
    append_member(out, "walferry_last_end_lsn", position->last_end_lsn);
    buf_printf(out, ",\"walferry_snapshot\":\"%s\"", snapshot_names[position->snapshot]);
    if (position->system_identifier != 0) {
        buf_append_text(out, ",\"walferry_system_identifier\":\"");
        buf_append_uint(out, position->system_identifier);
        buf_append_char(out, '"');
    }
    append_member_where_set(out, "walferry_timeline", position->timeline);
    buf_append_char(out, '}');
}

/* Everything the two programs write, before it is put together. Texts point into the document. */
struct members {
    bool has_lsn, has_last_end_lsn;
    uint64_t lsn, lsn_commit, xid, commit_time_us;
    uint64_t commit_lsn, ordinal, last_end_lsn, system_identifier, timeline;
    const char *snapshot;          /* Debezium's, "INITIAL" where an old version wrote true */
    const char *walferry_snapshot; /* ours */
    bool snapshot_completed;
};

typedef bool read_member(yyjson_val *value, void *to);

static bool read_uint(yyjson_val *value, void *to)
{
    /* Numbers come raw, as their lexeme; the system identifier is a string. */
    const char *digits = yyjson_is_str(value) ? yyjson_get_str(value) : yyjson_get_raw(value);
    size_t len = digits == NULL ? 0 : yyjson_get_len(value);
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        uint64_t digit = (uint64_t)(uint8_t)digits[i] - '0';
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *(uint64_t *)to = number;
    return len > 0;
}

/* A time may lie before 1970: kept as two's complement. */
static bool read_time(yyjson_val *value, void *to)
{
    const char *text = yyjson_get_raw(value);
    size_t len = text == NULL ? 0 : yyjson_get_len(value);
    bool negative = len > 1 && text[0] == '-';
    uint64_t number = 0;
    for (size_t i = negative ? 1 : 0; i < len; i++) {
        uint64_t digit = (uint64_t)(uint8_t)text[i] - '0';
        if (digit > 9 || number > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *(uint64_t *)to = negative ? 0 - number : number;
    return len > 0;
}

static bool read_text(yyjson_val *value, void *to)
{
    *(const char **)to = yyjson_get_str(value);
    return yyjson_is_str(value);
}

/* Debezium 3: "INITIAL", "BLOCKING"; before: true. */
static bool read_snapshot(yyjson_val *value, void *to)
{
    if (!yyjson_is_bool(value))
        return read_text(value, to);
    *(const char **)to = yyjson_get_bool(value) ? "INITIAL" : NULL;
    return true;
}

/* Two members may say so: one that says it is enough. */
static bool read_completed(yyjson_val *value, void *to)
{
    *(bool *)to |= yyjson_get_bool(value);
    return yyjson_is_bool(value);
}

static const struct member_row {
    const char *name;
    size_t offset;
    read_member *read;
    const char *form;
} rows[] = {
#define ROW(name, field, read, form)                      \
    {                                                     \
        name, offsetof(struct members, field), read, form \
    }
    ROW("lsn", lsn, read_uint, "a decimal number"),
    ROW("lsn_commit", lsn_commit, read_uint, "a decimal number"),
    ROW("txId", xid, read_uint, "a decimal number"),
    ROW("ts_usec", commit_time_us, read_time, "a decimal number"),
    ROW("snapshot", snapshot, read_snapshot, "a text or a boolean"),
    ROW("snapshot_completed", snapshot_completed, read_completed, "a boolean"),
    ROW("last_snapshot_record", snapshot_completed, read_completed, "a boolean"),
    ROW("walferry_commit_lsn", commit_lsn, read_uint, "a decimal number"),
    ROW("walferry_ordinal", ordinal, read_uint, "a decimal number"),
    ROW("walferry_last_end_lsn", last_end_lsn, read_uint, "a decimal number"),
    ROW("walferry_snapshot", walferry_snapshot, read_text, "a text"),
    ROW("walferry_system_identifier", system_identifier, read_uint, "a decimal number"),
    ROW("walferry_timeline", timeline, read_uint, "a decimal number"),
#undef ROW
};

static const struct member_row *find_row(yyjson_val *name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (yyjson_equals_str(name, rows[i].name))
            return &rows[i];
    }
    return NULL;
}

static bool read_members(yyjson_val *object, struct members *members, struct err *err)
{
    size_t index, count;
    yyjson_val *name, *value;
    yyjson_obj_foreach(object, index, count, name, value)
    {
        const struct member_row *row = find_row(name);
        if (row == NULL || yyjson_is_null(value))
            continue;
        if (!row->read(value, (char *)members + row->offset))
            return err_set(err, ERR_EVENT, "offset: member \"%s\" is not %s", row->name, row->form);
        members->has_lsn |= row->offset == offsetof(struct members, lsn);
        members->has_last_end_lsn |= row->offset == offsetof(struct members, last_end_lsn);
    }
    return true;
}

/* A blocking snapshot is an extra one on a running stream; the initial one was complete before it. */
static enum snapshot_state debezium_snapshot(const struct members *members)
{
    if (members->snapshot == NULL)
        return SNAPSHOT_NONE;
    bool complete = members->snapshot_completed || strcmp(members->snapshot, "BLOCKING") == 0;
    return complete ? SNAPSHOT_COMPLETE : SNAPSHOT_RUNNING;
}

static bool snapshot_of(const struct members *members, enum snapshot_state *state, struct err *err)
{
    *state = debezium_snapshot(members);
    if (members->walferry_snapshot == NULL)
        return true;
    for (size_t i = 0; i < sizeof(snapshot_names) / sizeof(snapshot_names[0]); i++) {
        if (strcmp(members->walferry_snapshot, snapshot_names[i]) == 0) {
            *state = (enum snapshot_state)i;
            return true;
        }
    }
    return err_set(err, ERR_EVENT, "offset: member \"walferry_snapshot\" is none of none, running, complete");
}

static bool put_together(const struct members *members, struct position *position, struct err *err)
{
    enum snapshot_state snapshot;
    if (!members->has_lsn && members->walferry_snapshot == NULL)
        return err_set(err, ERR_EVENT, "offset: no member \"lsn\": it is not of a PostgreSQL connector");
    if (members->xid > UINT32_MAX || members->timeline > UINT32_MAX)
        return err_set(err, ERR_EVENT, "offset: member \"%s\" is above 4294967295",
                       members->xid > UINT32_MAX ? "txId" : "walferry_timeline");
    if (members->commit_lsn == LSN_NONE && members->ordinal != 0)
        return err_set(err, ERR_EVENT, "offset: \"walferry_ordinal\" without \"walferry_commit_lsn\"");
    if (!snapshot_of(members, &snapshot, err))
        return false;
    *position = (struct position){
        .end_lsn = members->lsn_commit,
        .commit_lsn = members->commit_lsn,
        .ordinal = members->ordinal,
        .last_end_lsn = members->has_last_end_lsn ? members->last_end_lsn : members->lsn_commit,
        .lsn = members->lsn,
        .xid = (uint32_t)members->xid,
        .commit_time_us = (int64_t)members->commit_time_us,
        .snapshot = snapshot,
        .system_identifier = members->system_identifier,
        .timeline = (uint32_t)members->timeline,
    };
    return true;
}

bool position_read_value(struct slice json, struct position *position, struct err *err)
{
    struct members members = {0};
    bool ok = false;
    yyjson_read_err problem;
    char *text = (char *)(size_t)(const void *)json.data; /* not written to without YYJSON_READ_INSITU */
    yyjson_doc *doc = yyjson_read_opts(text, json.len, YYJSON_READ_NUMBER_AS_RAW, NULL, &problem);
    if (doc == NULL) {
        (void)err_set(err, ERR_EVENT, "offset: not JSON: %s at byte %zu", problem.msg, problem.pos);
        goto done;
    }
    if (!yyjson_is_obj(yyjson_doc_get_root(doc))) {
        (void)err_set(err, ERR_EVENT, "offset: not a JSON object");
        goto done;
    }
    ok = read_members(yyjson_doc_get_root(doc), &members, err) && put_together(&members, position, err);
done:
    yyjson_doc_free(doc);
    return ok;
}
