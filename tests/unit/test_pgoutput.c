#include "walferry/pgoutput.h"

#include "messages.h"

/* Messages made by hand after PostgreSQL's "Logical Replication Message Formats". The ones a PostgreSQL 15
 * can be asked for are in test_pgoutput_captured.c. */

static struct message decode(struct pgoutput_decoder *decoder, struct slice bytes)
{
    struct message message;
    struct err err = {.text = ""};
    if (!pgoutput_decode(decoder, bytes, &message, &err))
        fail_msg("%s", err.text);
    return message;
}

static void decodes_stream_abort_of_version_4(void **state)
{
    (void)state;
    struct slice bytes = messages_from_hex("41 00000305 00000306 000000010000abcd 00023e0786c26000");
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(4, true);
    struct message message = decode(decoder, bytes);
    assert_int_equal(message.kind, MESSAGE_STREAM_ABORT);
    assert_int_equal(message.u.stream_abort.xid, 0x305);
    assert_int_equal(message.u.stream_abort.subxid, 0x306);
    assert_true(message.u.stream_abort.has_abort);
    assert_int_equal(message.u.stream_abort.abort_lsn, 4295011277);
    assert_int_equal(message.u.stream_abort.abort_time_us, 1577836800000000); /* 2020-01-01 00:00 UTC */
    pgoutput_decoder_free(decoder);
    /* Without streaming=parallel the last two fields are not there. */
    decoder = pgoutput_decoder_new(4, false);
    struct err err;
    assert_false(pgoutput_decode(decoder, bytes, &message, &err));
    bytes.len = 9;
    message = decode(decoder, bytes);
    assert_false(message.u.stream_abort.has_abort);
    assert_int_equal(message.u.stream_abort.abort_lsn, LSN_NONE);
    messages_free_bytes(bytes);
    pgoutput_decoder_free(decoder);
}

/* An empty namespace on the wire is pg_catalog. */
static void names_the_catalogue_schema(void **state)
{
    (void)state;
    struct slice bytes = messages_from_hex("52 00000555 00 7000 64 0000");
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(1, false);
    struct message message = decode(decoder, bytes);
    assert_true(slice_equal(message.u.relation.schema, SLICE_LITERAL("pg_catalog")));
    assert_true(slice_equal(message.u.relation.name, SLICE_LITERAL("p")));
    messages_free_bytes(bytes);
    pgoutput_decoder_free(decoder);
}

static void takes_any_commit_time(void **state)
{
    (void)state;
    struct slice bytes = messages_from_hex("42 0000000000000001 7fffffffffffffff 00000001");
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(1, false);
    struct message message = decode(decoder, bytes);
    assert_int_equal(message.u.begin.xid, 1);
    messages_free_bytes(bytes);
    bytes =
        messages_from_hex("42 0000000000000001 fffcfd24f7a3a000 00000001"); /* minus the epochs' difference */
    message = decode(decoder, bytes);
    assert_int_equal(message.u.begin.commit_time_us, 946684800000000 + (int64_t)0xfffcfd24f7a3a000);
    messages_free_bytes(bytes);
    pgoutput_decoder_free(decoder);
}

/* hex, protocol version, what the error must say */
static const struct {
    const char *hex;
    int version;
    const char *text;
} refused[] = {
    {"", 1, "empty message"},
    {"5a", 1, "unknown kind 0x5a"},
    {"00", 1, "unknown kind 0x00"},
    {"42 0000000000000000 0000000000000000 00000001", 1, "Begin: final LSN is zero, at byte 1 of 21"},
    {"42 0000000000000001 0000000000000000 000001", 1, "Begin: xid is cut short, at byte 17 of 20"},
    {"42 0000000000000001 0000000000000000 00000001 00", 1,
     "Begin: end of message is followed by more bytes"},
    {"43 01 0000000000000001 0000000000000002 0000000000000000", 1, "Commit: flags is not zero"},
    {"43 00 0000000000000000 0000000000000002 0000000000000000", 1, "Commit: commit LSN is zero"},
    {"43 00 0000000000000001 0000000000000000 0000000000000000", 1, "Commit: end LSN is zero"},
    {"4f 0000000000000001 6162", 1, "Origin: name has no end"},
    {"52 00000000 00 7000 64 0000", 1, "Relation: relation oid is zero"},
    {"52 00000001 00 7000 78 0000", 1, "Relation: replica identity is none of d, n, f, i"},
    {"52 00000001 00 7000 64 0681", 1, "Relation: column count is above 1664"},
    {"52 00000001 00 7000 64 0001 00 61", 1, "Relation: column name has no end"},
    {"52 00000001 00 7000 64 0001 00 6100 00000017 0000", 1, "Relation: column typmod is cut short"},
    {"59 00000000 00 7000", 1, "Type: type oid is zero"},
    {"49 00000001 4f 0000", 1, "Insert: tuple kind is not N"},
    {"49 00000001 4e 0001 78", 1, "Insert: column kind is none of n, u, t, b"},
    {"49 00000001 4e 0001 74 00000005 61626364", 1, "Insert: column value is cut short, at byte 13 of 17"},
    {"49 00000001 4e 0001 74 ffffffff 61626364", 1, "Insert: column value is cut short"},
    {"49 00000001 4e 0001 62 80000000 61626364", 1, "Insert: column value is cut short"},
    {"49 00000001 4e ffff 6e", 1, "Insert: column count is above 1664"},
    {"49 00000001 4e 0000 6e", 1, "Insert: end of message is followed by more bytes"},
    {"55 00000001 4b 0000", 1, "Update: tuple kind is cut short"},
    {"55 00000001 4b 0000 4b 0000", 1, "Update: tuple kind is not N"},
    {"44 00000001 4e 0000", 1, "Delete: tuple kind is neither K nor O"},
    {"54 00000002 00 00000001", 1, "Truncate: relation count is above the relations that follow"},
    {"54 ffffffff 00 00000001", 1, "Truncate: relation count is above the relations that follow"},
    {"54 00000001 00 00000000", 1, "Truncate: relation oid is zero"},
    {"54 00000000 00 00000001", 1, "Truncate: end of message is followed by more bytes"},
    {"4d 01 0000000000000000 00 00000000", 1, "Message: LSN is zero"},
    {"4d 01 0000000000000001 00 00000001", 1, "Message: content is cut short"},
    {"53 00000001 01", 1, "Stream Start needs protocol version 2, version 1 was asked for"},
    {"62 0000000000000001", 2, "Begin Prepare needs protocol version 3, version 2 was asked for"},
    {"53 00000000 01", 2, "Stream Start: xid is zero"},
    {"45", 2, "Stream Stop outside a stream segment"},
    {"63 00000001 01 0000000000000001 0000000000000002 0000000000000000", 2,
     "Stream Commit: flags is not zero"},
    {"4b 01 0000000000000001 0000000000000002 0000000000000000 00000001 00", 3,
     "Commit Prepared: flags is not zero"},
    {"62 0000000000000000 0000000000000002 0000000000000000 00000001 00", 3,
     "Begin Prepare: prepare LSN is zero"},
};

static void refuses_malformed_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct pgoutput_decoder *decoder = pgoutput_decoder_new(refused[i].version, false);
        struct slice bytes = messages_from_hex(refused[i].hex);
        struct message message;
        struct err err = {.text = "untouched"};
        assert_false(pgoutput_decode(decoder, bytes, &message, &err));
        assert_int_equal(err.code, ERR_PROTOCOL);
        if (strstr(err.text, refused[i].text) == NULL)
            fail_msg("%s: \"%s\" without \"%s\"", refused[i].hex, err.text, refused[i].text);
        messages_free_bytes(bytes);
        pgoutput_decoder_free(decoder);
    }
}

/* Inside a stream segment only changes and Origin may come, and changes have an xid in front. */
static void refuses_messages_out_of_their_place(void **state)
{
    (void)state;
    static const char *const alone[] = {
        "42 0000000000000001 0000000000000000 00000001",
        "43 00 0000000000000001 0000000000000002 0000000000000000",
        "53 00000001 01",
        "63 00000001 00 0000000000000001 0000000000000002 0000000000000000",
        "41 00000001 00000001",
        "62 0000000000000001 0000000000000002 0000000000000000 00000001 00",
    };
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(3, false);
    struct slice start = messages_from_hex("53 00000001 01");
    for (size_t i = 0; i < sizeof(alone) / sizeof(alone[0]); i++) {
        struct slice bytes = messages_from_hex(alone[i]);
        struct message message;
        struct err err = {.text = ""};
        (void)decode(decoder, start);
        assert_false(pgoutput_decode(decoder, bytes, &message, &err));
        assert_non_null(strstr(err.text, "inside a stream segment"));
        pgoutput_decoder_reset(decoder);
        (void)decode(decoder, bytes);
        pgoutput_decoder_reset(decoder);
        messages_free_bytes(bytes);
    }
    messages_free_bytes(start);
    pgoutput_decoder_free(decoder);
}

static void tracks_the_stream_segment(void **state)
{
    (void)state;
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(2, false);
    struct slice start = messages_from_hex("53 00000007 00");
    struct slice stop = messages_from_hex("45");
    struct slice plain = messages_from_hex("49 00000001 4e 0000");
    struct slice streamed = messages_from_hex("49 00000008 00000001 4e 0000");
    struct slice origin = messages_from_hex("4f 0000000000000001 6100");
    assert_int_equal(decode(decoder, plain).xid, 0);
    struct message message = decode(decoder, start);
    assert_int_equal(message.xid, 7);
    assert_false(message.u.stream_start.first_segment);
    message = decode(decoder, origin);
    assert_int_equal(message.xid, 0);
    message = decode(decoder, streamed);
    assert_int_equal(message.xid, 8);
    assert_int_equal(message.u.insert.relation_oid, 1);
    assert_int_equal(decode(decoder, stop).kind, MESSAGE_STREAM_STOP);
    assert_int_equal(decode(decoder, plain).xid, 0);
    const struct slice all[] = {start, stop, plain, streamed, origin};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        messages_free_bytes(all[i]);
    pgoutput_decoder_free(decoder);
}

/* The widest row PostgreSQL can describe. */
static void decodes_as_many_columns_as_there_can_be(void **state)
{
    (void)state;
    enum { HEAD = 8 };
    char *data = malloc(HEAD + RELATION_COLUMNS_MAX);
    assert_non_null(data);
    memcpy(data, "I\0\0\0\1N\x06\x80", HEAD);
    memset(data + HEAD, 'n', RELATION_COLUMNS_MAX);
    data[HEAD + RELATION_COLUMNS_MAX - 1] = 'u';
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(1, false);
    struct message message = decode(decoder, (struct slice){data, HEAD + RELATION_COLUMNS_MAX});
    assert_int_equal(message.u.insert.new_tuple.count, RELATION_COLUMNS_MAX);
    assert_int_equal(message.u.insert.new_tuple.values[0].kind, VALUE_NULL);
    assert_int_equal(message.u.insert.new_tuple.values[RELATION_COLUMNS_MAX - 1].kind, VALUE_UNCHANGED);
    free(data);
    pgoutput_decoder_free(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_stream_abort_of_version_4),
        cmocka_unit_test(names_the_catalogue_schema),
        cmocka_unit_test(takes_any_commit_time),
        cmocka_unit_test(refuses_malformed_messages),
        cmocka_unit_test(refuses_messages_out_of_their_place),
        cmocka_unit_test(tracks_the_stream_segment),
        cmocka_unit_test(decodes_as_many_columns_as_there_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
