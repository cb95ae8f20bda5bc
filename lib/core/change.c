#include "walferry/change.h"

#include "walferry/buf.h"
#include "walferry/envelope.h" /* names of headers */

#include "change_field.h"
#include "change_source.h"
#include "json_document.h"

#include <stdlib.h>

enum part {
    PART_KEY,
    PART_VALUE,
    PART_OLD_KEY,
    PART_NEW_KEY,
    PART_UNCHANGED,
    PART_EXACT,
    PART_EXACT_BEFORE,
    PART_COUNT
};

static const char *const part_names[PART_COUNT] = {
    [PART_KEY] = "the key",
    [PART_VALUE] = "the value",
    [PART_OLD_KEY] = "header " HEADER_OLD_KEY,
    [PART_NEW_KEY] = "header " HEADER_NEW_KEY,
    [PART_UNCHANGED] = "header " HEADER_UNCHANGED_COLUMNS,
    [PART_EXACT] = "header " HEADER_EXACT_COLUMNS,
    [PART_EXACT_BEFORE] = "header " HEADER_EXACT_BEFORE,
};

enum list { LIST_KEY, LIST_OLD_KEY, LIST_NEW_KEY, LIST_BEFORE, LIST_AFTER, LIST_UNCHANGED, LIST_COUNT };

struct change_reader {
    size_t record_bytes_max;
    yyjson_val *exact, *exact_before; /* of the record being read; NULL = it has none */
    struct json_document documents[PART_COUNT];
    struct field_array lists[LIST_COUNT];
    struct buf escaped[PART_COUNT]; /* headers only */
};

/* A parsed part without JsonConverter's wrapper. */
struct document {
    yyjson_val *schema;  /* NULL = the part has none */
    yyjson_val *payload; /* NULL = a Kafka null */
};

struct change_reader *change_reader_new(size_t record_bytes_max)
{
    struct change_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        abort(); /* out of memory: a restart is safe by design */
    reader->record_bytes_max = record_bytes_max;
    for (size_t i = 0; i < PART_COUNT; i++)
        buf_init(&reader->escaped[i], SIZE_MAX / 8);
    return reader;
}

void change_reader_free(struct change_reader *reader)
{
    if (reader == NULL)
        return;
    for (size_t i = 0; i < PART_COUNT; i++) {
        json_document_release(&reader->documents[i]);
        buf_release(&reader->escaped[i]);
    }
    for (size_t i = 0; i < LIST_COUNT; i++)
        field_array_release(&reader->lists[i]);
    free(reader);
}

/* Kafka Connect's SimpleHeaderConverter escapes quotes and backslashes of a struct's strings, but leaves
 * control characters raw, which is no JSON. */
static struct slice escape_control_characters(struct buf *out, struct slice text)
{
    bool in_string = false;
    buf_clear(out);
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.data[i];
        if (in_string && (unsigned char)byte < 0x20) {
            buf_append_text(out, (unsigned char)byte < 0x10 ? "\\u000" : "\\u001");
            buf_append_char(out, "0123456789abcdef"[byte & 0xF]);
            continue;
        }
        buf_append_char(out, byte);
        if (byte == '"')
            in_string = !in_string;
        else if (in_string && byte == '\\' && i + 1 < text.len)
            buf_append_char(out, text.data[++i]);
    }
    return buf_slice(out);
}

/* JsonConverter's wrapper has exactly the members schema and payload. A key of two columns with these names
 * is told apart by what a schema looks like. */
static struct document unwrap(yyjson_val *root)
{
    yyjson_val *schema = yyjson_obj_size(root) == 2 ? yyjson_obj_get(root, "schema") : NULL;
    yyjson_val *payload = schema != NULL ? yyjson_obj_get(root, "payload") : NULL;
    bool wrapped = payload != NULL && (yyjson_is_str(yyjson_obj_get(schema, "type")) ||
                                       (yyjson_is_null(schema) && !yyjson_is_raw(payload)));
    struct document document = {wrapped ? schema : NULL, wrapped ? payload : root};
    if (yyjson_is_null(document.payload))
        document.payload = NULL;
    return document;
}

static bool read_part(struct change_reader *reader, enum part part, struct slice text,
                      struct document *document, struct err *err)
{
    *document = (struct document){0};
    if (text.data == NULL)
        return true;
    bool header = part != PART_KEY && part != PART_VALUE;
    if (header)
        text = escape_control_characters(&reader->escaped[part], text);
    yyjson_val *root = json_document_read(&reader->documents[part], text, header, part_names[part], err);
    if (root == NULL)
        return false;
    *document = unwrap(root);
    return true;
}

static bool read_list(struct change_reader *reader, enum list list, struct document document,
                      const char *what, struct field_list *out, struct err *err)
{
    if (document.payload == NULL || yyjson_is_null(document.payload))
        return true;
    if (!yyjson_is_obj(document.payload))
        return err_set(err, ERR_EVENT, "%s is not a JSON object", what);
    if (yyjson_obj_size(document.payload) > RELATION_COLUMNS_MAX)
        return err_set(err, ERR_EVENT, "%s has more than %d members, which no table has", what,
                       RELATION_COLUMNS_MAX);
    field_list_read(out, &reader->lists[list], document.payload, document.schema);
    return true;
}

static bool read_key(struct change_reader *reader, enum part part, enum list list, struct slice text,
                     struct field_list *out, struct err *err)
{
    struct document document;
    return read_part(reader, part, text, &document, err) &&
           read_list(reader, list, document, part_names[part], out, err);
}

static bool read_unchanged(struct change_reader *reader, struct slice text, struct field_list *out,
                           struct err *err)
{
    struct document document;
    if (!read_part(reader, PART_UNCHANGED, text, &document, err))
        return false;
    size_t size = yyjson_arr_size(document.payload);
    if (!yyjson_is_arr(document.payload) || size > RELATION_COLUMNS_MAX)
        return err_set(err, ERR_EVENT, "%s is not a list of column names", part_names[PART_UNCHANGED]);
    *out = (struct field_list){field_array_reserve(&reader->lists[LIST_UNCHANGED], size), 0, true};
    size_t i, count;
    yyjson_val *name;
    yyjson_arr_foreach(document.payload, i, count, name)
    {
        if (!yyjson_is_str(name))
            return err_set(err, ERR_EVENT, "%s is not a list of column names", part_names[PART_UNCHANGED]);
        out->fields[out->count++] = (struct field){.name = json_text(name), .scale = INT32_MIN};
    }
    return true;
}

/* {"column":"text"} */
static bool read_exact(struct change_reader *reader, enum part part, struct slice text, yyjson_val **exact,
                       struct err *err)
{
    struct document document;
    if (!read_part(reader, part, text, &document, err))
        return false;
    bool ok =
        yyjson_obj_size(document.payload) > 0 && yyjson_obj_size(document.payload) <= RELATION_COLUMNS_MAX;
    yyjson_obj_iter members = yyjson_obj_iter_with(document.payload);
    for (yyjson_val *name = yyjson_obj_iter_next(&members); name != NULL;
         name = yyjson_obj_iter_next(&members))
        ok = ok && yyjson_is_str(yyjson_obj_iter_get_val(name));
    *exact = document.payload;
    return ok || err_set(err, ERR_EVENT, "%s is not an object of texts", part_names[part]);
}

static bool read_headers(struct change_reader *reader, const struct record *record, struct change *change,
                         struct err *err)
{
    for (size_t i = 0; i < record->header_count; i++) {
        const struct header *header = &record->headers[i];
        bool ok = true;
        if (header->value.data == NULL)
            continue;
        if (slice_equal(header->name, SLICE_LITERAL(HEADER_NEW_KEY)))
            ok = read_key(reader, PART_NEW_KEY, LIST_NEW_KEY, header->value, &change->new_key, err);
        else if (slice_equal(header->name, SLICE_LITERAL(HEADER_OLD_KEY)))
            ok = read_key(reader, PART_OLD_KEY, LIST_OLD_KEY, header->value, &change->old_key, err);
        else if (slice_equal(header->name, SLICE_LITERAL(HEADER_UNCHANGED_COLUMNS)))
            ok = read_unchanged(reader, header->value, &change->unchanged, err);
        else if (slice_equal(header->name, SLICE_LITERAL(HEADER_EXACT_COLUMNS)))
            ok = read_exact(reader, PART_EXACT, header->value, &reader->exact, err);
        else if (slice_equal(header->name, SLICE_LITERAL(HEADER_EXACT_BEFORE)))
            ok = read_exact(reader, PART_EXACT_BEFORE, header->value, &reader->exact_before, err);
        if (!ok)
            return false;
    }
    return true;
}

static void mark_unchanged(struct change *change)
{
    for (size_t i = 0; i < change->unchanged.count; i++) {
        for (size_t j = 0; j < change->after.count; j++) {
            if (slice_equal(change->after.fields[j].name, change->unchanged.fields[i].name))
                change->after.fields[j].unchanged = true;
        }
    }
}

static void mark_exact(struct field_list *list, struct slice name, struct slice text)
{
    for (size_t i = 0; i < list->count; i++) {
        if (slice_equal(list->fields[i].name, name))
            list->fields[i].exact = text;
    }
}

static void mark_row(yyjson_val *exact, struct field_list *row, struct field_list *key)
{
    yyjson_obj_iter members = yyjson_obj_iter_with(exact);
    for (yyjson_val *name = yyjson_obj_iter_next(&members); name != NULL;
         name = yyjson_obj_iter_next(&members)) {
        struct slice text = json_text(yyjson_obj_iter_get_val(name));
        mark_exact(row, json_text(name), text);
        if (key != NULL)
            mark_exact(key, json_text(name), text);
    }
}

/* One header is of the row that is applied, and so of the key, which is that row's; the other of the row that
 * was there before. */
static void mark_exact_columns(const struct change_reader *reader, struct change *change)
{
    bool deleted = change->op == EVENT_DELETE;
    mark_row(reader->exact, deleted ? &change->before : &change->after, &change->key);
    if (!deleted)
        mark_row(reader->exact_before, &change->before, NULL);
}

static bool read_op(yyjson_val *node, enum event_op *op)
{
    struct slice text = json_text(node);
    if (text.len != 1 || strchr("cudrtm", text.data[0]) == NULL || text.data[0] == '\0')
        return false;
    *op = (enum event_op)text.data[0];
    return true;
}

/* What each operation must show to be applied. */
static bool check_rows(const struct change *change, struct err *err)
{
    switch (change->op) {
    case EVENT_CREATE:
    case EVENT_UPDATE:
    case EVENT_READ:
        return change->after.present || err_set(err, ERR_EVENT, "op %c has no after", change->op);
    case EVENT_DELETE:
        return change->before.present || change->key.present ||
               err_set(err, ERR_EVENT, "op d has neither before nor a key");
    case EVENT_TRUNCATE:
    case EVENT_MESSAGE:
        return true;
    }
    return true;
}

static bool read_envelope(struct change_reader *reader, struct document value, struct change *change,
                          struct err *err)
{
    yyjson_obj_iter members = yyjson_obj_iter_with(value.payload);
    struct document before = {schema_field(value.schema, SLICE_LITERAL("before")),
                              yyjson_obj_iter_get(&members, "before")};
    struct document after = {schema_field(value.schema, SLICE_LITERAL("after")),
                             yyjson_obj_iter_get(&members, "after")};
    yyjson_val *source = yyjson_obj_iter_get(&members, "source");
    yyjson_val *transaction = yyjson_obj_iter_get(&members, "transaction");
    if (!read_op(yyjson_obj_iter_get(&members, "op"), &change->op))
        return err_set(err, ERR_EVENT, "op is none of c, u, d, r, t, m");
    change->kind = change->op == EVENT_MESSAGE ? CHANGE_MESSAGE : CHANGE_ROW;
    if (!change_read_source(change, source, err) ||
        !change_read_transaction_block(change, transaction, err) ||
        !read_list(reader, LIST_BEFORE, before, "before", &change->before, err) ||
        !read_list(reader, LIST_AFTER, after, "after", &change->after, err))
        return false;
    mark_unchanged(change);
    mark_exact_columns(reader, change);
    return check_rows(change, err);
}

/* {"status","id","event_count","data_collections","ts_ms"}; ts_ms is younger than the rest. */
static bool is_transaction_boundary(yyjson_val *payload)
{
    size_t known = yyjson_obj_get(payload, "ts_ms") != NULL ? 5 : 4;
    return yyjson_obj_size(payload) == known && yyjson_is_str(yyjson_obj_get(payload, "status")) &&
           yyjson_is_str(yyjson_obj_get(payload, "id")) && yyjson_obj_get(payload, "event_count") != NULL &&
           yyjson_obj_get(payload, "data_collections") != NULL;
}

static bool read_boundary(yyjson_val *payload, struct change *change, struct err *err)
{
    struct slice status = json_text(yyjson_obj_get(payload, "status"));
    yyjson_val *event_count = yyjson_obj_get(payload, "event_count");
    uint64_t time_ms = 0;
    if (slice_equal(status, SLICE_LITERAL("BEGIN")))
        change->kind = CHANGE_BEGIN;
    else if (slice_equal(status, SLICE_LITERAL("END")))
        change->kind = CHANGE_END;
    else
        return err_set(err, ERR_EVENT, "the status of a transaction is neither BEGIN nor END");
    if (!read_transaction_id(yyjson_obj_get(payload, "id"), &change->xid, &change->transaction_lsn))
        return err_set(err, ERR_EVENT, "the id of a transaction is not \"<xid>:<lsn>\"");
    if (!read_optional_number(event_count, UINT64_MAX, &change->event_count) ||
        (change->kind == CHANGE_END && yyjson_is_null(event_count)))
        return err_set(err, ERR_EVENT, "event_count is not a number");
    if (!read_optional_number(yyjson_obj_get(payload, "ts_ms"), INT64_MAX, &time_ms))
        return err_set(err, ERR_EVENT, "ts_ms is not a time in milliseconds");
    change->commit_time_ms = (int64_t)time_ms;
    return true;
}

/* Its key tells a heartbeat from a flattened row with one column ts_ms. */
static bool is_heartbeat(yyjson_val *payload, const struct change *change)
{
    return yyjson_obj_size(payload) == 1 && yyjson_obj_get(payload, "ts_ms") != NULL &&
           change->key.count == 1 && slice_equal(change->key.fields[0].name, SLICE_LITERAL("serverName"));
}

static bool read_value(struct change_reader *reader, struct document value, struct change *change,
                       struct err *err)
{
    if (value.payload == NULL) {
        change->kind = CHANGE_TOMBSTONE;
        return true;
    }
    if (!yyjson_is_obj(value.payload))
        return err_set(err, ERR_EVENT, "the value is not a JSON object");
    if (yyjson_obj_get(value.payload, "op") != NULL && yyjson_is_obj(yyjson_obj_get(value.payload, "source")))
        return read_envelope(reader, value, change, err);
    if (is_transaction_boundary(value.payload))
        return read_boundary(value.payload, change, err);
    if (is_heartbeat(value.payload, change)) {
        change->kind = CHANGE_IGNORED;
        return true;
    }
    return err_set(err, ERR_EVENT,
                   "the value is no Debezium envelope: it has no op and source (flattened by "
                   "ExtractNewRecordState, or not a topic of change events)");
}

static size_t record_bytes(const struct record *record)
{
    size_t bytes = record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++)
        bytes += record->headers[i].name.len + record->headers[i].value.len;
    return bytes;
}

bool change_read(struct change_reader *reader, const struct record *record, struct change *change,
                 struct err *err)
{
    struct document value;
    *change = (struct change){.kind = CHANGE_TOMBSTONE};
    reader->exact = reader->exact_before = NULL;
    if (record_bytes(record) > reader->record_bytes_max)
        return err_set(err, ERR_LIMIT, "the record has %zu bytes, more than the limit of %zu",
                       record_bytes(record), reader->record_bytes_max);
    return read_key(reader, PART_KEY, LIST_KEY, record->key, &change->key, err) &&
           read_headers(reader, record, change, err) &&
           read_part(reader, PART_VALUE, record->value, &value, err) &&
           read_value(reader, value, change, err);
}
