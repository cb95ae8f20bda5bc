/* pgoutput: one logical replication message, as PostgreSQL's proto.c writes it, decoded to a view.
 *
 * pgoutput_decode reads exactly one message (the payload of an XLogData) of protocol versions 1 to 4. It
 * interprets nothing and keeps nothing: every slice of the message and every value of its tuples points into
 * the input and dies with it. The tuples' value arrays belong to the decoder and are reused by the next call.
 * Any byte sequence is safe: a malformed message is an ERR_PROTOCOL that names message, field and offset.
 * Source: PostgreSQL documentation 55.9 "Logical Replication Message Formats",
 * src/backend/replication/logical/proto.c.
 */
#ifndef WALFERRY_PGOUTPUT_H
#define WALFERRY_PGOUTPUT_H

#include "walferry/lsn.h"
#include "walferry/relation.h"

enum message_kind { /* the wire bytes */
                    MESSAGE_BEGIN = 'B',
                    MESSAGE_COMMIT = 'C',
                    MESSAGE_ORIGIN = 'O',
                    MESSAGE_RELATION = 'R',
                    MESSAGE_TYPE = 'Y',
                    MESSAGE_INSERT = 'I',
                    MESSAGE_UPDATE = 'U',
                    MESSAGE_DELETE = 'D',
                    MESSAGE_TRUNCATE = 'T',
                    MESSAGE_LOGICAL = 'M', /* pg_logical_emit_message */
                    MESSAGE_STREAM_START = 'S',
                    MESSAGE_STREAM_STOP = 'E',
                    MESSAGE_STREAM_COMMIT = 'c',
                    MESSAGE_STREAM_ABORT = 'A',
                    MESSAGE_BEGIN_PREPARE = 'b',
                    MESSAGE_PREPARE = 'P',
                    MESSAGE_COMMIT_PREPARED = 'K',
                    MESSAGE_ROLLBACK_PREPARED = 'r',
                    MESSAGE_STREAM_PREPARE = 'p',
};

enum value_kind { /* the wire bytes of TupleData */
                  VALUE_NULL = 'n',
                  VALUE_UNCHANGED =
                      'u', /* an out-of-line value that the statement did not touch: not NULL, not known */
                  VALUE_TEXT = 't',
                  VALUE_BINARY = 'b',
};

struct value {
    enum value_kind kind;
    struct slice bytes; /* TEXT and BINARY only; borrowed */
};

struct tuple {
    uint16_t count;
    struct value *values;
};

enum old_tuple_kind { OLD_TUPLE_NONE = 0, OLD_TUPLE_KEY = 'K', OLD_TUPLE_FULL = 'O' };

#define TRUNCATE_CASCADE 1
#define TRUNCATE_RESTART_IDENTITY 2

/* Times are microseconds since the Unix epoch, converted from PostgreSQL's 2000-01-01. */
struct message {
    enum message_kind kind;
    uint32_t xid; /* in streamed transactions the (sub)transaction of the change; else 0, but see begin.xid */
    union {
        struct {
            lsn_t final_lsn;
            int64_t commit_time_us;
            uint32_t xid;
        } begin; /* final_lsn = LSN of the commit record */
        struct {
            uint8_t flags;
            lsn_t commit_lsn, end_lsn;
            int64_t commit_time_us;
        } commit;
        struct {
            lsn_t origin_lsn;
            struct slice name;
        } origin;
        struct relation relation; /* column slices borrowed, columns in the decoder's own array */
        struct {
            uint32_t oid;
            struct slice schema, name;
        } type;
        struct {
            uint32_t relation_oid;
            struct tuple new_tuple;
        } insert;
        struct {
            uint32_t relation_oid;
            enum old_tuple_kind old_kind;
            struct tuple old_tuple, new_tuple;
        } update;
        struct {
            uint32_t relation_oid;
            enum old_tuple_kind old_kind;
            struct tuple old_tuple;
        } delete;
        struct {
            uint32_t relation_count;
            uint8_t options;
            const uint32_t *relation_oids;
        } truncate;
        struct {
            bool transactional;
            lsn_t lsn;
            struct slice prefix, content;
        } logical;
        struct {
            uint32_t xid;
            bool first_segment;
        } stream_start;
        struct {
            uint32_t xid;
            uint8_t flags;
            lsn_t commit_lsn, end_lsn;
            int64_t commit_time_us;
        } stream_commit;
        struct {
            uint32_t xid, subxid;
            bool has_abort;
            lsn_t abort_lsn;
            int64_t abort_time_us;
        } stream_abort;
        /* BEGIN_PREPARE, PREPARE, COMMIT_PREPARED, ROLLBACK_PREPARED, STREAM_PREPARE */
        struct {
            uint8_t flags;
            lsn_t prepare_lsn; /* COMMIT_PREPARED: the commit LSN; ROLLBACK_PREPARED: end of the prepared
                                  transaction */
            lsn_t end_lsn;
            int64_t prepare_time_us;
            int64_t end_time_us; /* ROLLBACK_PREPARED only */
            uint32_t xid;
            struct slice gid;
        } prepared;
    } u;
};

struct pgoutput_decoder; /* owns the arrays that messages point to */

/* `version` is proto_version 1-4; from 2 on, messages inside a stream segment start with an xid, which the
 * decoder tracks by STREAM_START and STREAM_STOP. `streaming_parallel`: version 4 with streaming=parallel. */
struct pgoutput_decoder *pgoutput_decoder_new(int version, bool streaming_parallel);
void pgoutput_decoder_free(struct pgoutput_decoder *decoder);

/* Forgets that a stream segment is open (a new replication session begins). */
void pgoutput_decoder_reset(struct pgoutput_decoder *decoder);

MUST_CHECK bool pgoutput_decode(struct pgoutput_decoder *decoder, struct slice bytes, struct message *message,
                                struct err *err);

#endif
