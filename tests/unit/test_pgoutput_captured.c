/* What PostgreSQL 15 sent for the statements in tests/data/pgoutput/ (each .sql), against what these say. */
#include "walferry/pgoutput.h"

#include "messages.h"

struct stream {
    struct captured *list;
    size_t count, at;
    struct pgoutput_decoder *decoder;
    struct message message;
};

static void stream_open(struct stream *s, const char *name, int version)
{
    *s = (struct stream){.decoder = pgoutput_decoder_new(version, false)};
    s->count = messages_load(name, &s->list);
}

static void stream_close(struct stream *s)
{
    assert_int_equal(s->at, s->count);
    messages_free(s->list, s->count);
    pgoutput_decoder_free(s->decoder);
}

static const struct message *next(struct stream *s, enum message_kind kind)
{
    struct err err = {.text = ""};
    assert_true(s->at < s->count);
    if (!pgoutput_decode(s->decoder, s->list[s->at].bytes, &s->message, &err))
        fail_msg("message %zu: %s", s->at, err.text);
    if (s->message.kind != kind)
        fail_msg("message %zu is '%c', expected '%c'", s->at, s->message.kind, kind);
    s->at++;
    return &s->message;
}

static void check_slice(struct slice got, const char *expected)
{
    if (!slice_equal(got, slice_of(expected)))
        fail_msg("\"%.*s\" where \"%s\" was expected", (int)got.len, got.data, expected);
}

/* Values in text form, parted by '|'; "<null>" and "<unchanged>" are what they say. */
static void check_tuple(const struct tuple *tuple, const char *expected)
{
    char text[8192] = "";
    size_t len = 0;
    for (uint16_t i = 0; i < tuple->count; i++) {
        const struct value *value = &tuple->values[i];
        struct slice shown = value->bytes;
        if (value->kind == VALUE_NULL)
            shown = SLICE_LITERAL("<null>");
        else if (value->kind == VALUE_UNCHANGED)
            shown = SLICE_LITERAL("<unchanged>");
        else
            assert_int_equal(value->kind, VALUE_TEXT);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", i > 0 ? "|" : "", (int)shown.len,
                                shown.data);
        assert_true(len < sizeof(text));
    }
    assert_string_equal(text, expected);
}

/* Columns as `name:type oid:typmod`, an asterisk behind those of the replica identity. */
static uint32_t check_relation(struct stream *s, const char *name, enum replica_identity identity,
                               const char *columns)
{
    const struct relation *relation = &next(s, MESSAGE_RELATION)->u.relation;
    char text[1024] = "";
    size_t len = 0;
    assert_int_equal(relation->identity, identity);
    check_slice(relation->name, name);
    for (uint16_t i = 0; i < relation->column_count; i++) {
        const struct column *column = &relation->columns[i];
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s:%u:%d%s", i > 0 ? " " : "",
                                (int)column->name.len, column->name.data, column->type_oid, column->typmod,
                                column->identity ? "*" : "");
        assert_true(len < sizeof(text));
    }
    assert_string_equal(text, columns);
    return relation->oid;
}

static lsn_t begin(struct stream *s)
{
    const struct message *message = next(s, MESSAGE_BEGIN);
    assert_true(message->u.begin.xid > 0);
    /* Captured in 2026, so that a wrong epoch shows. */
    assert_true(message->u.begin.commit_time_us > 1767225600000000);
    assert_true(message->u.begin.commit_time_us < 1798761600000000);
    assert_true(message->u.begin.final_lsn >= s->list[s->at - 1].lsn);
    return message->u.begin.final_lsn;
}

static void commit(struct stream *s, lsn_t final_lsn)
{
    const struct message *message = next(s, MESSAGE_COMMIT);
    assert_int_equal(message->u.commit.commit_lsn, final_lsn);
    assert_true(message->u.commit.end_lsn > final_lsn);
    assert_int_equal(message->u.commit.end_lsn, s->list[s->at - 1].lsn);
}

static void check_insert(struct stream *s, uint32_t oid, const char *row)
{
    const struct message *message = next(s, MESSAGE_INSERT);
    assert_int_equal(message->u.insert.relation_oid, oid);
    check_tuple(&message->u.insert.new_tuple, row);
}

static void check_update(struct stream *s, uint32_t oid, enum old_tuple_kind kind, const char *old_row,
                         const char *row)
{
    const struct message *message = next(s, MESSAGE_UPDATE);
    assert_int_equal(message->u.update.relation_oid, oid);
    assert_int_equal(message->u.update.old_kind, kind);
    if (kind != OLD_TUPLE_NONE)
        check_tuple(&message->u.update.old_tuple, old_row);
    check_tuple(&message->u.update.new_tuple, row);
}

static void check_delete(struct stream *s, uint32_t oid, enum old_tuple_kind kind, const char *old_row)
{
    const struct message *message = next(s, MESSAGE_DELETE);
    assert_int_equal(message->u.delete.relation_oid, oid);
    assert_int_equal(message->u.delete.old_kind, kind);
    check_tuple(&message->u.delete.old_tuple, old_row);
}

/* A transaction of one INSERT, with the Relation message before it. */
static uint32_t check_first_insert(struct stream *s, const char *name, enum replica_identity identity,
                                   const char *columns, const char *row)
{
    lsn_t lsn = begin(s);
    uint32_t oid = check_relation(s, name, identity, columns);
    check_insert(s, oid, row);
    commit(s, lsn);
    return oid;
}

#define PLAIN_COLUMNS "id:23:-1* name:25:-1 price:1700:655366" /* ((10 << 16) | 2) + 4 */

static uint32_t check_plain(struct stream *s)
{
    lsn_t lsn = begin(s);
    uint32_t plain = check_relation(s, "plain", REPLICA_IDENTITY_DEFAULT, PLAIN_COLUMNS);
    check_insert(s, plain, "1|one é|1.50");
    check_insert(s, plain, "2|<null>|<null>");
    check_insert(s, plain, "3||-0.01");
    commit(s, lsn);
    lsn = begin(s);
    check_update(s, plain, OLD_TUPLE_NONE, NULL, "2|zwei|<null>");
    commit(s, lsn);
    lsn = begin(s);
    check_update(s, plain, OLD_TUPLE_KEY, "3|<null>|<null>", "30||-0.01");
    commit(s, lsn);
    lsn = begin(s);
    check_delete(s, plain, OLD_TUPLE_KEY, "2|<null>|<null>");
    commit(s, lsn);
    return plain;
}

static uint32_t check_identities(struct stream *s, uint32_t *nothing)
{
    uint32_t full = check_first_insert(s, "full_row", REPLICA_IDENTITY_FULL, "a:23:-1* b:25:-1*", "1|<null>");
    lsn_t lsn = begin(s);
    check_update(s, full, OLD_TUPLE_FULL, "1|<null>", "1|x");
    commit(s, lsn);
    lsn = begin(s);
    check_delete(s, full, OLD_TUPLE_FULL, "1|x");
    commit(s, lsn);
    uint32_t by_index =
        check_first_insert(s, "by_index", REPLICA_IDENTITY_INDEX, "a:23:-1 b:23:-1* c:25:-1", "1|2|c");
    lsn = begin(s);
    check_update(s, by_index, OLD_TUPLE_KEY, "<null>|2|<null>", "1|3|c");
    commit(s, lsn);
    lsn = begin(s);
    check_delete(s, by_index, OLD_TUPLE_KEY, "<null>|3|<null>");
    commit(s, lsn);
    *nothing = check_first_insert(s, "nothing", REPLICA_IDENTITY_NOTHING, "a:23:-1", "7");
    return full;
}

static void check_toast(struct stream *s)
{
    char row[3000] = "1|";
    memset(row + 2, 't', 2500);
    memcpy(row + 2502, "|s", 3);
    uint32_t oid =
        check_first_insert(s, "toasted", REPLICA_IDENTITY_DEFAULT, "id:23:-1* big:25:-1 small:25:-1", row);
    lsn_t lsn = begin(s);
    check_update(s, oid, OLD_TUPLE_NONE, NULL, "1|<unchanged>|changed");
    commit(s, lsn);
    lsn = begin(s);
    check_update(s, oid, OLD_TUPLE_KEY, "1|<null>|<null>", "2|<unchanged>|changed");
    commit(s, lsn);
}

static void check_types_and_names(struct stream *s)
{
    lsn_t lsn = begin(s);
    const struct message *message = next(s, MESSAGE_TYPE);
    uint32_t mood = message->u.type.oid;
    check_slice(message->u.type.schema, "public");
    check_slice(message->u.type.name, "mood");
    char columns[100];
    (void)snprintf(columns, sizeof(columns), "id:23:-1* m:%u:-1 v:1043:16", mood);
    uint32_t oid = check_relation(s, "typed", REPLICA_IDENTITY_DEFAULT, columns);
    check_insert(s, oid, "1|ok|twelve");
    commit(s, lsn);
    lsn = begin(s);
    oid = check_relation(s, "Tab\tle", REPLICA_IDENTITY_DEFAULT, "Key:20:-1*");
    check_slice(s->message.u.relation.schema, "Odd \" name");
    check_insert(s, oid, "-9223372036854775808");
    commit(s, lsn);
    check_first_insert(s, "no_columns", REPLICA_IDENTITY_DEFAULT, "", "");
}

static void check_message(struct stream *s, bool transactional, const char *prefix, struct slice content)
{
    const struct message *message = next(s, MESSAGE_LOGICAL);
    assert_int_equal(message->u.logical.transactional, transactional);
    assert_int_equal(message->u.logical.lsn, s->list[s->at - 1].lsn);
    check_slice(message->u.logical.prefix, prefix);
    assert_true(slice_equal(message->u.logical.content, content));
}

static void check_messages(struct stream *s)
{
    lsn_t lsn = begin(s);
    check_message(s, true, "alpha", SLICE_LITERAL("in a transaction"));
    commit(s, lsn);
    check_message(s, false, "beta", (struct slice){"\0\xff\x10", 3});
    lsn = begin(s);
    check_message(s, true, "", SLICE_LITERAL(""));
    commit(s, lsn);
}

static void check_truncates(struct stream *s, uint32_t full, uint32_t plain)
{
    lsn_t lsn = begin(s);
    check_relation(s, "full_row", REPLICA_IDENTITY_FULL, "a:23:-1* b:25:-1*");
    const struct message *message = next(s, MESSAGE_TRUNCATE);
    assert_int_equal(message->u.truncate.relation_count, 1);
    assert_int_equal(message->u.truncate.options, TRUNCATE_RESTART_IDENTITY);
    assert_int_equal(message->u.truncate.relation_oids[0], full);
    commit(s, lsn);
    lsn = begin(s);
    check_relation(s, "plain", REPLICA_IDENTITY_DEFAULT, PLAIN_COLUMNS);
    uint32_t child = check_relation(s, "child", REPLICA_IDENTITY_DEFAULT, "id:23:-1*");
    message = next(s, MESSAGE_TRUNCATE);
    assert_int_equal(message->u.truncate.relation_count, 2);
    assert_int_equal(message->u.truncate.options, TRUNCATE_CASCADE);
    assert_int_equal(message->u.truncate.relation_oids[0], plain);
    assert_int_equal(message->u.truncate.relation_oids[1], child);
    commit(s, lsn);
}

static void check_ddl_and_origin(struct stream *s, uint32_t plain, uint32_t nothing)
{
    lsn_t lsn = begin(s);
    check_relation(s, "plain", REPLICA_IDENTITY_DEFAULT, PLAIN_COLUMNS " extra:16:-1");
    check_insert(s, plain, "4|four|4.00|t");
    check_relation(s, "plain", REPLICA_IDENTITY_DEFAULT, "id:23:-1* price:1700:655366 extra:16:-1");
    check_insert(s, plain, "5|5.00|f");
    commit(s, lsn);
    lsn = next(s, MESSAGE_BEGIN)->u.begin.final_lsn;
    assert_int_equal(s->message.u.begin.commit_time_us, 1577836800000000); /* 2020-01-01, as set */
    const struct message *message = next(s, MESSAGE_ORIGIN);
    assert_int_equal(message->u.origin.origin_lsn, 4295011277); /* 1/ABCD */
    check_slice(message->u.origin.name, "elsewhere");
    check_insert(s, nothing, "8");
    commit(s, lsn);
    lsn = begin(s);
    check_insert(s, nothing, "10");
    check_insert(s, nothing, "11");
    check_insert(s, nothing, "12");
    commit(s, lsn);
}

static void decodes_version_1(void **state)
{
    (void)state;
    struct stream s;
    stream_open(&s, "v1_text.txt", 1);
    uint32_t plain = check_plain(&s);
    uint32_t nothing;
    uint32_t full = check_identities(&s, &nothing);
    check_toast(&s);
    check_types_and_names(&s);
    check_messages(&s);
    check_truncates(&s, full, plain);
    check_ddl_and_origin(&s, plain, nothing);
    stream_close(&s);
}

static void check_binary(const struct value *value, const char *bytes, size_t len)
{
    assert_int_equal(value->kind, VALUE_BINARY);
    assert_true(slice_equal(value->bytes, (struct slice){bytes, len}));
}

/* The first rows in the send functions' form: int4, text, numeric (digits, weight, sign, scale, base 10000).
 */
static void decodes_binary_tuples(void **state)
{
    (void)state;
    struct stream s;
    stream_open(&s, "v1_binary.txt", 1);
    (void)begin(&s);
    (void)next(&s, MESSAGE_RELATION);
    const struct tuple *row = &next(&s, MESSAGE_INSERT)->u.insert.new_tuple;
    assert_int_equal(row->count, 3);
    check_binary(&row->values[0], "\0\0\0\1", 4);
    check_binary(&row->values[1], "one \xc3\xa9", 6);
    check_binary(&row->values[2], "\0\2\0\0\0\0\0\2\0\1\x13\x88", 12); /* 1, 5000: 1.50 */
    row = &next(&s, MESSAGE_INSERT)->u.insert.new_tuple;
    check_binary(&row->values[0], "\0\0\0\2", 4);
    assert_int_equal(row->values[1].kind, VALUE_NULL);
    assert_int_equal(row->values[2].kind, VALUE_NULL);
    row = &next(&s, MESSAGE_INSERT)->u.insert.new_tuple;
    check_binary(&row->values[1], "", 0);
    for (; s.at < s.count; s.at++) {
        struct err err = {.text = ""};
        if (!pgoutput_decode(s.decoder, s.list[s.at].bytes, &s.message, &err))
            fail_msg("message %zu: %s", s.at, err.text);
    }
    stream_close(&s);
}

/* `xid` of a message inside a segment; 0 sets it from the first segment. */
static void segment(struct stream *s, uint32_t *xid, bool first)
{
    const struct message *message = next(s, MESSAGE_STREAM_START);
    assert_int_equal(message->u.stream_start.first_segment, first);
    if (first)
        *xid = message->u.stream_start.xid;
    assert_int_equal(message->u.stream_start.xid, *xid);
}

static void check_streamed_changes(struct stream *s, uint32_t *xid)
{
    segment(s, xid, true);
    uint32_t t = check_relation(s, "t", REPLICA_IDENTITY_DEFAULT, "id:23:-1* v:25:-1");
    assert_int_equal(s->message.xid, *xid);
    check_insert(s, t, "1|first");
    assert_int_equal(s->message.xid, *xid);
    (void)next(s, MESSAGE_STREAM_STOP);
    segment(s, xid, false);
    check_insert(s, t, "2|second");
    check_update(s, t, OLD_TUPLE_KEY, "2|<null>", "20|second");
    check_delete(s, t, OLD_TUPLE_KEY, "20|<null>");
    check_slice(next(s, MESSAGE_TYPE)->u.type.name, "mood");
    (void)next(s, MESSAGE_RELATION);
    uint32_t typed = s->message.u.relation.oid;
    check_insert(s, typed, "1|ok");
    check_message(s, true, "alpha", SLICE_LITERAL("streamed"));
    assert_int_equal(s->message.xid, *xid);
    (void)next(s, MESSAGE_TYPE);
    (void)next(s, MESSAGE_RELATION);
    assert_int_equal(next(s, MESSAGE_TRUNCATE)->u.truncate.relation_oids[0], typed);
    assert_int_equal(s->message.xid, *xid);
    (void)next(s, MESSAGE_STREAM_STOP);
}

static void check_abort(struct stream *s, uint32_t xid, uint32_t subxid)
{
    const struct message *message = next(s, MESSAGE_STREAM_ABORT);
    assert_int_equal(message->u.stream_abort.xid, xid);
    assert_int_equal(message->u.stream_abort.subxid, subxid);
    assert_false(message->u.stream_abort.has_abort);
}

/* A savepoint's rows stand under its own xid and are taken back by Stream Abort. */
static void check_savepoint(struct stream *s, uint32_t xid)
{
    segment(s, &xid, false);
    (void)next(s, MESSAGE_STREAM_STOP);
    segment(s, &xid, false);
    check_tuple(&next(s, MESSAGE_INSERT)->u.insert.new_tuple, "3|rolled back");
    uint32_t subxid = s->message.xid;
    assert_true(subxid > xid);
    (void)next(s, MESSAGE_STREAM_STOP);
    segment(s, &xid, false);
    (void)next(s, MESSAGE_STREAM_STOP);
    check_abort(s, xid, subxid);
    segment(s, &xid, false);
    (void)next(s, MESSAGE_RELATION);
    check_tuple(&next(s, MESSAGE_INSERT)->u.insert.new_tuple, "4|last");
    (void)next(s, MESSAGE_STREAM_STOP);
    const struct message *message = next(s, MESSAGE_STREAM_COMMIT);
    assert_int_equal(message->u.stream_commit.xid, xid);
    assert_true(message->u.stream_commit.end_lsn > message->u.stream_commit.commit_lsn);
    assert_int_equal(message->u.stream_commit.end_lsn, s->list[s->at - 1].lsn);
}

static void decodes_streamed_transactions(void **state)
{
    (void)state;
    struct stream s;
    uint32_t xid;
    stream_open(&s, "v2_streaming.txt", 2);
    check_streamed_changes(&s, &xid);
    check_savepoint(&s, xid);
    segment(&s, &xid, true);
    (void)next(&s, MESSAGE_RELATION);
    check_tuple(&next(&s, MESSAGE_INSERT)->u.insert.new_tuple, "5|all rolled back");
    (void)next(&s, MESSAGE_STREAM_STOP);
    check_abort(&s, xid, xid);
    lsn_t lsn = begin(&s);
    check_tuple(&next(&s, MESSAGE_INSERT)->u.insert.new_tuple, "6|not streamed");
    assert_int_equal(s.message.xid, 0);
    commit(&s, lsn);
    stream_close(&s);
}

static uint32_t check_prepared(struct stream *s, enum message_kind kind, const char *gid)
{
    const struct message *message = next(s, kind);
    check_slice(message->u.prepared.gid, gid);
    assert_true(message->u.prepared.xid > 0);
    assert_true(message->u.prepared.end_lsn > message->u.prepared.prepare_lsn);
    assert_true(message->u.prepared.prepare_time_us > 1767225600000000);
    if (kind == MESSAGE_ROLLBACK_PREPARED)
        assert_true(message->u.prepared.end_time_us >= message->u.prepared.prepare_time_us);
    else
        assert_int_equal(message->u.prepared.end_time_us, 0);
    return message->u.prepared.xid;
}

static void decodes_prepared_transactions(void **state)
{
    (void)state;
    struct stream s;
    stream_open(&s, "v3_two_phase.txt", 3);
    uint32_t xid = check_prepared(&s, MESSAGE_BEGIN_PREPARE, "kept one");
    (void)next(&s, MESSAGE_RELATION);
    check_tuple(&next(&s, MESSAGE_INSERT)->u.insert.new_tuple, "1|kept");
    assert_int_equal(check_prepared(&s, MESSAGE_PREPARE, "kept one"), xid);
    assert_int_equal(check_prepared(&s, MESSAGE_COMMIT_PREPARED, "kept one"), xid);
    xid = check_prepared(&s, MESSAGE_BEGIN_PREPARE, "lost one");
    check_tuple(&next(&s, MESSAGE_INSERT)->u.insert.new_tuple, "2|lost");
    assert_int_equal(check_prepared(&s, MESSAGE_PREPARE, "lost one"), xid);
    assert_int_equal(check_prepared(&s, MESSAGE_ROLLBACK_PREPARED, "lost one"), xid);
    segment(&s, &xid, true);
    (void)next(&s, MESSAGE_RELATION);
    check_tuple(&next(&s, MESSAGE_INSERT)->u.insert.new_tuple, "3|streamed");
    (void)next(&s, MESSAGE_STREAM_STOP);
    segment(&s, &xid, false);
    (void)next(&s, MESSAGE_STREAM_STOP);
    assert_int_equal(check_prepared(&s, MESSAGE_STREAM_PREPARE, "streamed one"), xid);
    assert_int_equal(check_prepared(&s, MESSAGE_COMMIT_PREPARED, "streamed one"), xid);
    stream_close(&s);
}

/* Cut at every length, and with one byte more: no shorter or longer form of a message is a message. */
static void refuses_every_other_length(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int version;
    } files[] = {{"v1_text.txt", 1}, {"v1_binary.txt", 1}, {"v2_streaming.txt", 2}, {"v3_two_phase.txt", 3}};
    for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
        struct stream s;
        stream_open(&s, files[f].name, files[f].version);
        for (; s.at < s.count; s.at++) {
            struct slice bytes = s.list[s.at].bytes;
            char *copy = malloc(bytes.len + 1);
            struct err err;
            assert_non_null(copy);
            memcpy(copy, bytes.data, bytes.len);
            copy[bytes.len] = '\0';
            /* At the end of the allocation, so that the sanitizer sees a read past the cut. */
            for (size_t len = 0; len < bytes.len; len++) {
                char *cut = copy + bytes.len + 1 - len;
                memmove(cut, bytes.data, len);
                assert_false(pgoutput_decode(s.decoder, (struct slice){cut, len}, &s.message, &err));
                assert_int_equal(err.code, ERR_PROTOCOL);
            }
            memcpy(copy, bytes.data, bytes.len);
            copy[bytes.len] = '\0';
            assert_false(pgoutput_decode(s.decoder, (struct slice){copy, bytes.len + 1}, &s.message, &err));
            assert_true(pgoutput_decode(s.decoder, bytes, &s.message, &err));
            free(copy);
        }
        stream_close(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_version_1),
        cmocka_unit_test(decodes_binary_tuples),
        cmocka_unit_test(decodes_streamed_transactions),
        cmocka_unit_test(decodes_prepared_transactions),
        cmocka_unit_test(refuses_every_other_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
