#include "walferry/pgoutput.h"
#include "walferry/reader.h"

#include <assert.h>
#include <stdlib.h>

/* From PostgreSQL's epoch, 2000-01-01, to Unix': 10957 days. */
#define EPOCH_DIFFERENCE_US UINT64_C(946684800000000)

#define COLUMN_IS_IDENTITY 1
#define LOGICAL_IS_TRANSACTIONAL 1

struct pgoutput_decoder {
    int version;
    bool streaming_parallel;
    bool in_stream; /* between STREAM_START and STREAM_STOP: messages have an xid */
    struct value old_values[RELATION_COLUMNS_MAX];
    struct value new_values[RELATION_COLUMNS_MAX];
    struct column columns[RELATION_COLUMNS_MAX];
    uint32_t *relation_oids; /* of the last TRUNCATE */
    size_t relation_oids_max;
};

typedef void decode_body(struct pgoutput_decoder *decoder, struct reader *r, struct message *message);

struct pgoutput_decoder *pgoutput_decoder_new(int version, bool streaming_parallel)
{
    assert(version >= 1 && version <= 4);
    struct pgoutput_decoder *decoder = calloc(1, sizeof(*decoder));
    if (decoder == NULL)
        abort(); /* out of memory: a restart is safe by design */
    decoder->version = version;
    decoder->streaming_parallel = streaming_parallel;
    return decoder;
}

void pgoutput_decoder_free(struct pgoutput_decoder *decoder)
{
    if (decoder == NULL)
        return;
    free(decoder->relation_oids);
    free(decoder);
}

void pgoutput_decoder_reset(struct pgoutput_decoder *decoder)
{
    decoder->in_stream = false;
}

static int64_t read_time_us(struct reader *r, const char *field)
{
    return (int64_t)(reader_u64(r, field) + EPOCH_DIFFERENCE_US); /* unsigned: any 64 bits may come */
}

/* An LSN or an oid that proto.c never sends as zero. */
static lsn_t read_lsn(struct reader *r, const char *field)
{
    size_t at = r->at;
    lsn_t lsn = reader_u64(r, field);
    if (lsn == LSN_NONE)
        reader_fail_at(r, at, field, "is zero");
    return lsn;
}

static uint32_t read_oid(struct reader *r, const char *field)
{
    size_t at = r->at;
    uint32_t oid = reader_u32(r, field);
    if (oid == 0)
        reader_fail_at(r, at, field, "is zero");
    return oid;
}

/* Flags without a meaning yet: a bit that is set belongs to a protocol we do not know. */
static uint8_t read_zero_flags(struct reader *r)
{
    size_t at = r->at;
    uint8_t flags = reader_u8(r, "flags");
    if (flags != 0)
        reader_fail_at(r, at, "flags", "is not zero");
    return flags;
}

/* An empty namespace is how proto.c abbreviates pg_catalog. */
static struct slice read_schema(struct reader *r)
{
    struct slice schema = reader_text(r, "schema");
    return schema.len == 0 ? SLICE_LITERAL("pg_catalog") : schema;
}

/* B | final LSN 8 | commit time 8 | xid 4 */
static void read_begin(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->u.begin.final_lsn = read_lsn(r, "final LSN");
    message->u.begin.commit_time_us = read_time_us(r, "commit time");
    message->u.begin.xid = reader_u32(r, "xid");
}

/* C | flags 1 | commit LSN 8 | end LSN 8 | commit time 8 */
static void read_commit(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->u.commit.flags = read_zero_flags(r);
    message->u.commit.commit_lsn = read_lsn(r, "commit LSN");
    message->u.commit.end_lsn = read_lsn(r, "end LSN");
    message->u.commit.commit_time_us = read_time_us(r, "commit time");
}

/* O | LSN at the origin 8 | name text */
static void read_origin(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->u.origin.origin_lsn = reader_u64(r, "origin LSN");
    message->u.origin.name = reader_text(r, "name");
}

static bool is_replica_identity(uint8_t byte)
{
    return byte == REPLICA_IDENTITY_DEFAULT || byte == REPLICA_IDENTITY_NOTHING ||
           byte == REPLICA_IDENTITY_FULL || byte == REPLICA_IDENTITY_INDEX;
}

static uint16_t read_column_count(struct reader *r)
{
    size_t at = r->at;
    uint16_t count = reader_u16(r, "column count");
    if (count > RELATION_COLUMNS_MAX) {
        reader_fail_at(r, at, "column count", "is above 1664");
        return 0;
    }
    return count;
}

/* R | oid 4 | schema text | name text | replica identity 1 | count 2 | count x (flags 1 | name text | type 4
 * | typmod 4) */
static void read_relation(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    struct relation *relation = &message->u.relation;
    *relation = (struct relation){.oid = read_oid(r, "relation oid")};
    relation->schema = read_schema(r);
    relation->name = reader_text(r, "name");
    size_t at = r->at;
    uint8_t identity = reader_u8(r, "replica identity");
    if (!is_replica_identity(identity))
        reader_fail_at(r, at, "replica identity", "is none of d, n, f, i");
    relation->identity = (enum replica_identity)identity;
    relation->column_count = read_column_count(r);
    relation->columns = decoder->columns;
    for (uint16_t i = 0; i < relation->column_count && !r->failed; i++) {
        bool is_identity = (reader_u8(r, "column flags") & COLUMN_IS_IDENTITY) != 0;
        struct slice name = reader_text(r, "column name");
        uint32_t type_oid = reader_u32(r, "column type");
        int32_t typmod = (int32_t)reader_u32(r, "column typmod");
        decoder->columns[i] =
            (struct column){.name = name, .type_oid = type_oid, .typmod = typmod, .identity = is_identity};
    }
}

/* Y | oid 4 | schema text | name text */
static void read_type(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->u.type.oid = read_oid(r, "type oid");
    message->u.type.schema = read_schema(r);
    message->u.type.name = reader_text(r, "name");
}

/* count 2 | count x (n | u | t length 4 bytes | b length 4 bytes) */
static void read_tuple(struct reader *r, struct value *values, struct tuple *tuple)
{
    uint16_t count = read_column_count(r);
    *tuple = (struct tuple){.count = count, .values = values};
    for (uint16_t i = 0; i < count && !r->failed; i++) {
        size_t at = r->at;
        uint8_t kind = reader_u8(r, "column kind");
        struct slice bytes = SLICE_NONE;
        if (kind == VALUE_TEXT || kind == VALUE_BINARY)
            bytes = reader_bytes(r, reader_u32(r, "column length"), "column value");
        else if (kind != VALUE_NULL && kind != VALUE_UNCHANGED)
            reader_fail_at(r, at, "column kind", "is none of n, u, t, b");
        values[i].kind = (enum value_kind)kind;
        values[i].bytes = bytes;
    }
}

static void expect_new_tuple(struct reader *r, size_t at, uint8_t kind)
{
    if (kind != 'N')
        reader_fail_at(r, at, "tuple kind", "is not N");
}

/* I | relation 4 | N | tuple */
static void read_insert(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    message->u.insert.relation_oid = read_oid(r, "relation oid");
    size_t at = r->at;
    expect_new_tuple(r, at, reader_u8(r, "tuple kind"));
    read_tuple(r, decoder->new_values, &message->u.insert.new_tuple);
}

/* U | relation 4 | [K tuple | O tuple] | N tuple */
static void read_update(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    message->u.update.relation_oid = read_oid(r, "relation oid");
    message->u.update.old_kind = OLD_TUPLE_NONE;
    message->u.update.old_tuple = (struct tuple){0, NULL};
    size_t at = r->at;
    uint8_t kind = reader_u8(r, "tuple kind");
    if (kind == OLD_TUPLE_KEY || kind == OLD_TUPLE_FULL) {
        message->u.update.old_kind = (enum old_tuple_kind)kind;
        read_tuple(r, decoder->old_values, &message->u.update.old_tuple);
        at = r->at;
        kind = reader_u8(r, "tuple kind");
    }
    expect_new_tuple(r, at, kind);
    read_tuple(r, decoder->new_values, &message->u.update.new_tuple);
}

/* D | relation 4 | K tuple | O tuple */
static void read_delete(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    message->u.delete.relation_oid = read_oid(r, "relation oid");
    size_t at = r->at;
    uint8_t kind = reader_u8(r, "tuple kind");
    if (kind != OLD_TUPLE_KEY && kind != OLD_TUPLE_FULL)
        reader_fail_at(r, at, "tuple kind", "is neither K nor O");
    message->u.delete.old_kind = (enum old_tuple_kind)kind;
    read_tuple(r, decoder->old_values, &message->u.delete.old_tuple);
}

static void reserve_oids(struct pgoutput_decoder *decoder, size_t count)
{
    if (count <= decoder->relation_oids_max)
        return;
    free(decoder->relation_oids);
    decoder->relation_oids = calloc(count, sizeof(*decoder->relation_oids));
    if (decoder->relation_oids == NULL)
        abort(); /* out of memory: a restart is safe by design */
    decoder->relation_oids_max = count;
}

/* T | count 4 | options 1 | count x relation 4 */
static void read_truncate(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    size_t at = r->at;
    uint32_t count = reader_u32(r, "relation count");
    message->u.truncate.options = reader_u8(r, "options");
    if (count > reader_left(r) / sizeof(uint32_t))
        reader_fail_at(r, at, "relation count", "is above the relations that follow");
    message->u.truncate.relation_count = r->failed ? 0 : count;
    reserve_oids(decoder, message->u.truncate.relation_count);
    message->u.truncate.relation_oids = decoder->relation_oids;
    for (uint32_t i = 0; i < message->u.truncate.relation_count; i++)
        decoder->relation_oids[i] = read_oid(r, "relation oid");
}

/* M | flags 1 | LSN 8 | prefix text | length 4 | content */
static void read_logical(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->u.logical.transactional = (reader_u8(r, "flags") & LOGICAL_IS_TRANSACTIONAL) != 0;
    message->u.logical.lsn = read_lsn(r, "LSN");
    message->u.logical.prefix = reader_text(r, "prefix");
    message->u.logical.content = reader_bytes(r, reader_u32(r, "content length"), "content");
}

/* S | xid 4 | first segment 1 */
static void read_stream_start(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->xid = message->u.stream_start.xid = read_oid(r, "xid");
    message->u.stream_start.first_segment = reader_u8(r, "first segment") == 1;
}

/* E */
static void read_stream_stop(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    (void)r;
    (void)message;
}

/* c | xid 4 | flags 1 | commit LSN 8 | end LSN 8 | commit time 8 */
static void read_stream_commit(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->xid = message->u.stream_commit.xid = read_oid(r, "xid");
    message->u.stream_commit.flags = read_zero_flags(r);
    message->u.stream_commit.commit_lsn = read_lsn(r, "commit LSN");
    message->u.stream_commit.end_lsn = read_lsn(r, "end LSN");
    message->u.stream_commit.commit_time_us = read_time_us(r, "commit time");
}

/* A | xid 4 | subtransaction's xid 4 | streaming=parallel only: abort LSN 8 | abort time 8 */
static void read_stream_abort(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    message->xid = message->u.stream_abort.xid = read_oid(r, "xid");
    message->u.stream_abort.subxid = read_oid(r, "subtransaction xid");
    message->u.stream_abort.has_abort = decoder->streaming_parallel;
    message->u.stream_abort.abort_lsn = LSN_NONE;
    message->u.stream_abort.abort_time_us = 0;
    if (!decoder->streaming_parallel)
        return;
    message->u.stream_abort.abort_lsn = reader_u64(r, "abort LSN");
    message->u.stream_abort.abort_time_us = read_time_us(r, "abort time");
}

/* b | prepare LSN 8 | end LSN 8 | prepare time 8 | xid 4 | gid text
 * P, K and p have flags in front: | flags 1 | prepare or commit LSN 8 | end LSN 8 | time 8 | xid 4 | gid text
 * r has two times:                | flags 1 | prepare's end LSN 8 | end LSN 8 | time 8 | time 8 | xid 4 | gid
 */
static void read_prepared(struct pgoutput_decoder *decoder, struct reader *r, struct message *message)
{
    (void)decoder;
    message->u.prepared.flags = message->kind == MESSAGE_BEGIN_PREPARE ? 0 : read_zero_flags(r);
    message->u.prepared.prepare_lsn = read_lsn(r, "prepare LSN");
    message->u.prepared.end_lsn = read_lsn(r, "end LSN");
    message->u.prepared.prepare_time_us = read_time_us(r, "time");
    message->u.prepared.end_time_us =
        message->kind == MESSAGE_ROLLBACK_PREPARED ? read_time_us(r, "rollback time") : 0;
    message->u.prepared.xid = read_oid(r, "xid");
    message->u.prepared.gid = reader_text(r, "gid");
}

enum place {
    ALONE,     /* never inside a stream segment */
    ANYWHERE,  /* inside a segment too, without an xid */
    WITH_XID,  /* inside a segment too, and then the xid comes first */
    IN_STREAM, /* only inside */
};

/* One row per message of the protocol, by its first byte. */
static const struct message_row {
    const char *name;
    int version_min;
    enum place place;
    decode_body *read;
} rows[256] = {
    [MESSAGE_BEGIN] = {"Begin", 1, ALONE, read_begin},
    [MESSAGE_COMMIT] = {"Commit", 1, ALONE, read_commit},
    [MESSAGE_ORIGIN] = {"Origin", 1, ANYWHERE, read_origin},
    [MESSAGE_RELATION] = {"Relation", 1, WITH_XID, read_relation},
    [MESSAGE_TYPE] = {"Type", 1, WITH_XID, read_type},
    [MESSAGE_INSERT] = {"Insert", 1, WITH_XID, read_insert},
    [MESSAGE_UPDATE] = {"Update", 1, WITH_XID, read_update},
    [MESSAGE_DELETE] = {"Delete", 1, WITH_XID, read_delete},
    [MESSAGE_TRUNCATE] = {"Truncate", 1, WITH_XID, read_truncate},
    [MESSAGE_LOGICAL] = {"Message", 1, WITH_XID, read_logical},
    [MESSAGE_STREAM_START] = {"Stream Start", 2, ALONE, read_stream_start},
    [MESSAGE_STREAM_STOP] = {"Stream Stop", 2, IN_STREAM, read_stream_stop},
    [MESSAGE_STREAM_COMMIT] = {"Stream Commit", 2, ALONE, read_stream_commit},
    [MESSAGE_STREAM_ABORT] = {"Stream Abort", 2, ALONE, read_stream_abort},
    [MESSAGE_BEGIN_PREPARE] = {"Begin Prepare", 3, ALONE, read_prepared},
    [MESSAGE_PREPARE] = {"Prepare", 3, ALONE, read_prepared},
    [MESSAGE_COMMIT_PREPARED] = {"Commit Prepared", 3, ALONE, read_prepared},
    [MESSAGE_ROLLBACK_PREPARED] = {"Rollback Prepared", 3, ALONE, read_prepared},
    [MESSAGE_STREAM_PREPARE] = {"Stream Prepare", 3, ALONE, read_prepared},
};

/* Whether the message may stand here; also an unknown kind ends here. */
static bool check_place(const struct pgoutput_decoder *decoder, uint8_t kind, struct err *err)
{
    const struct message_row *row = &rows[kind];
    if (row->read == NULL)
        return err_set(err, ERR_PROTOCOL, "pgoutput: a message of unknown kind 0x%02x", kind);
    if (decoder->version < row->version_min)
        return err_set(err, ERR_PROTOCOL, "pgoutput: %s needs protocol version %d, version %d was asked for",
                       row->name, row->version_min, decoder->version);
    if (decoder->in_stream && row->place == ALONE)
        return err_set(err, ERR_PROTOCOL, "pgoutput: %s inside a stream segment", row->name);
    if (!decoder->in_stream && row->place == IN_STREAM)
        return err_set(err, ERR_PROTOCOL, "pgoutput: %s outside a stream segment", row->name);
    return true;
}

static bool fail_message(const struct reader *r, uint8_t kind, struct err *err)
{
    (void)reader_error(r, rows[kind].name, err);
    return err_prefix(err, "pgoutput");
}

bool pgoutput_decode(struct pgoutput_decoder *decoder, struct slice bytes, struct message *message,
                     struct err *err)
{
    if (bytes.len == 0)
        return err_set(err, ERR_PROTOCOL, "pgoutput: an empty message");
    struct reader r;
    reader_init(&r, bytes);
    uint8_t kind = reader_u8(&r, "kind");
    if (!check_place(decoder, kind, err))
        return false;
    const struct message_row *row = &rows[kind];
    message->kind = (enum message_kind)kind;
    message->xid = decoder->in_stream && row->place == WITH_XID ? read_oid(&r, "xid") : 0;
    row->read(decoder, &r, message);
    reader_end(&r);
    if (r.failed)
        return fail_message(&r, kind, err);
    if (kind == MESSAGE_STREAM_START || kind == MESSAGE_STREAM_STOP)
        decoder->in_stream = kind == MESSAGE_STREAM_START;
    return true;
}
