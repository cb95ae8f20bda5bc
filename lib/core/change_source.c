#include "change_source.h"

bool read_unsigned(struct slice digits, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;
    if (digits.len == 0 || digits.len > 20)
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(digits.data[i] - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (sum > max)
        return false;
    *value = sum;
    return true;
}

bool read_optional_number(yyjson_val *node, uint64_t max, uint64_t *value)
{
    if (node == NULL || yyjson_is_null(node))
        return true;
    return read_unsigned(json_lexeme(node), max, value);
}

bool read_transaction_id(yyjson_val *node, uint32_t *xid, lsn_t *lsn)
{
    struct slice id = json_text(node);
    const char *colon = id.len > 0 ? memchr(id.data, ':', id.len) : NULL;
    uint64_t number;
    if (colon == NULL)
        return false;
    size_t before = (size_t)(colon - id.data);
    if (!read_unsigned((struct slice){id.data, before}, UINT32_MAX, &number) ||
        !read_unsigned((struct slice){colon + 1, id.len - before - 1}, UINT64_MAX, lsn))
        return false;
    *xid = (uint32_t)number;
    return true;
}

static void skip_blanks(struct slice *text)
{
    while (text->len > 0 && text->data[0] == ' ')
        *text = (struct slice){text->data + 1, text->len - 1};
}

static bool skip_text(struct slice *text, struct slice expected)
{
    skip_blanks(text);
    if (text->len < expected.len || memcmp(text->data, expected.data, expected.len) != 0)
        return false;
    *text = (struct slice){text->data + expected.len, text->len - expected.len};
    return true;
}

/* null or "<lsn>" */
static bool take_sequence_member(struct slice *text, lsn_t *lsn)
{
    *lsn = LSN_NONE;
    if (skip_text(text, SLICE_LITERAL("null")))
        return true;
    if (!skip_text(text, SLICE_LITERAL("\"")))
        return false;
    const char *quote = memchr(text->data, '"', text->len);
    if (quote == NULL)
        return false;
    struct slice digits = {text->data, (size_t)(quote - text->data)};
    *text = (struct slice){quote + 1, text->len - digits.len - 1};
    return read_unsigned(digits, UINT64_MAX, lsn);
}

/* source.sequence is JSON text in a string: ["<end of the last transaction>"|null,"<lsn>"|null] */
static bool read_sequence(yyjson_val *node, lsn_t *last_end_lsn)
{
    if (node == NULL || yyjson_is_null(node))
        return true;
    struct slice text = json_text(node);
    lsn_t last, own;
    if (text.data == NULL || !skip_text(&text, SLICE_LITERAL("[")) || !take_sequence_member(&text, &last) ||
        !skip_text(&text, SLICE_LITERAL(",")) || !take_sequence_member(&text, &own) ||
        !skip_text(&text, SLICE_LITERAL("]")))
        return false;
    skip_blanks(&text);
    *last_end_lsn = last;
    return text.len == 0;
}

/* A text; a boolean up to Debezium 1.x; null, absent and "false" are the same. */
static bool read_marker(yyjson_val *node, enum snapshot_marker *marker)
{
    static const struct slice texts[] = {
        [MARKER_FALSE] = SLICE_LITERAL("false"),
        [MARKER_TRUE] = SLICE_LITERAL("true"),
        [MARKER_FIRST] = SLICE_LITERAL("first"),
        [MARKER_FIRST_IN_DATA_COLLECTION] = SLICE_LITERAL("first_in_data_collection"),
        [MARKER_LAST_IN_DATA_COLLECTION] = SLICE_LITERAL("last_in_data_collection"),
        [MARKER_LAST] = SLICE_LITERAL("last"),
        [MARKER_INCREMENTAL] = SLICE_LITERAL("incremental"),
    };
    *marker = MARKER_FALSE;
    if (node == NULL || yyjson_is_null(node))
        return true;
    if (yyjson_is_bool(node)) {
        *marker = yyjson_is_true(node) ? MARKER_TRUE : MARKER_FALSE;
        return true;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (slice_equal(texts[i], json_text(node))) {
            *marker = (enum snapshot_marker)i;
            return true;
        }
    }
    return false;
}

static bool refused(struct err *err, const char *member, const char *allowed)
{
    return err_set(err, ERR_EVENT, "source.%s is not %s", member, allowed);
}

/* The iterator looks for each member behind the one before, so asking in Debezium's order is one pass. */
bool change_read_source(struct change *change, yyjson_val *source, struct err *err)
{
    yyjson_obj_iter members = yyjson_obj_iter_with(source);
    uint64_t time_ms = 0, xid = 0;
    change->server = json_text(yyjson_obj_iter_get(&members, "name"));
    if (!read_optional_number(yyjson_obj_iter_get(&members, "ts_ms"), INT64_MAX, &time_ms))
        return refused(err, "ts_ms", "a time in milliseconds");
    change->commit_time_ms = (int64_t)time_ms;
    if (!read_marker(yyjson_obj_iter_get(&members, "snapshot"), &change->marker))
        return refused(err, "snapshot", "one of Debezium's snapshot markers");
    change->database = json_text(yyjson_obj_iter_get(&members, "db"));
    if (!read_sequence(yyjson_obj_iter_get(&members, "sequence"), &change->last_end_lsn))
        return refused(err, "sequence", "a pair of log positions");
    change->schema = json_text(yyjson_obj_iter_get(&members, "schema"));
    change->table = json_text(yyjson_obj_iter_get(&members, "table"));
    if (change->schema.data == NULL || change->table.data == NULL)
        return refused(err, change->schema.data == NULL ? "schema" : "table", "a text");
    if (!read_optional_number(yyjson_obj_iter_get(&members, "txId"), UINT32_MAX, &xid))
        return refused(err, "txId", "a transaction id");
    change->xid = (uint32_t)xid;
    if (!read_optional_number(yyjson_obj_iter_get(&members, "lsn"), UINT64_MAX, &change->lsn))
        return refused(err, "lsn", "a log position");
    return true;
}

bool change_read_transaction_block(struct change *change, yyjson_val *block, struct err *err)
{
    uint32_t xid;
    lsn_t lsn;
    if (block == NULL || yyjson_is_null(block))
        return true;
    if (!read_transaction_id(yyjson_obj_get(block, "id"), &xid, &lsn))
        return err_set(err, ERR_EVENT, "transaction.id is not \"<xid>:<lsn>\"");
    if (change->xid != 0 && change->xid != xid)
        return err_set(err, ERR_EVENT, "transaction.id and source.txId name different transactions");
    change->xid = xid;
    if (!read_optional_number(yyjson_obj_get(block, "total_order"), UINT64_MAX, &change->total_order) ||
        !read_optional_number(yyjson_obj_get(block, "data_collection_order"), UINT64_MAX,
                              &change->collection_order) ||
        change->total_order == 0 || change->collection_order == 0)
        return err_set(err, ERR_EVENT, "the transaction block has no order numbers from 1 on");
    return true;
}
