/* envelope_internal: what the files of the envelope share.
 *
 * envelope.c              which records an event becomes
 * envelope_headers.c      their headers and limits
 * envelope_new.c          the encoder itself
 * envelope_prepare.c      what is constant for a relation version
 * envelope_schema.c       Connect schema text
 * envelope_row.c          rows: `before`, `after`
 * envelope_key.c          keys, also as record header; key changes
 * envelope_source.c       `source`, `transaction`, op and times
 * envelope_message.c      logical decoding messages
 * envelope_transaction.c  BEGIN and END
 */
#ifndef WALFERRY_ENVELOPE_INTERNAL_H
#define WALFERRY_ENVELOPE_INTERNAL_H

#include "walferry/envelope.h"

/* Bytes that live as long as what they were made for. */
struct pieces {
    struct piece *first;
};
struct slice pieces_keep(struct pieces *pieces, struct slice bytes);
void *pieces_take(struct pieces *pieces, size_t len); /* zeroed, aligned */
void pieces_release(struct pieces *pieces);

/* Copies a kept piece (no other slice: it reads and writes up to PIECES_STEP bytes past the end, which a
 * piece has behind it and the caller has room for). Most pieces are shorter than one step. */
#define PIECES_STEP 32
static inline char *pieces_copy(char *to, struct slice piece)
{
    for (size_t at = 0; at < piece.len; at += PIECES_STEP)
        memcpy(to + at, piece.data + at, PIECES_STEP);
    return to + piece.len;
}

struct prepared_column {
    struct slice prefix; /* ,"name": */
    struct conversion conversion;
    struct slice null_json;   /* a NULL: null, or the default where the converter replaces */
    struct slice absent_json; /* in a partial old row */
    struct slice placeholder; /* unchanged; {NULL,0} = none: null, and the column is named in a header */
    const struct column *column;
    uint16_t index; /* in the tuple */
    bool identity;
};

/* Everything of a relation version that does not change from event to event. */
struct prepared {
    const struct relation *relation;
    struct slice topic;
    struct slice value_head;   /* up to `"before":` */
    struct slice key_head;     /* up to the key object */
    struct slice null_text;    /* null */
    struct slice source_table; /* ,"schema":"public","table":"t","txId": */
    struct prepared_column *columns, *key;
    uint16_t column_count, key_count;
    struct pieces pieces;
};

/* One row as an event shows it. */
struct image {
    const struct tuple *tuple;
    const struct tuple *other; /* where unchanged values of `tuple` may be found; NULL = nowhere */
    bool other_partial;        /* `other` has the identity columns only */
    bool partial;              /* `tuple` has */
};

struct span {
    size_t from, len;
};

/* Texts that follow from the commit time, which all events of a transaction share. */
struct commit_texts {
    int64_t time_us;
    bool valid;
    uint8_t ms_len, us_ns_len;
    char ms[24], us_ns[64]; /* us_ns: 1,"ts_ns":1000 */
};

#define SCHEMA_BYTES_MAX (16U * 1024 * 1024) /* 1664 columns of 63-byte names are below 1 MiB */
#define HEADERS_MAX 8 /* newkey or oldkey, four of the context, unchanged, exact, exact of before */

struct envelope {
    struct envelope_options options;
    struct slice source_head; /* ,"source":{"version":…,"ts_ms": */
    struct slice source_db;   /* ,"db":"d","sequence":"[ */
    struct slice message_head, message_key_head, message_topic, message_source;
    struct slice transaction_head, transaction_key_head, transaction_topic;
    struct slice value_close, key_close; /* } or }} */
    struct header context[4];
    size_t context_count;
    struct commit_texts commit;
    struct buf values[2]; /* a changed key has two */
    struct buf keys, headers, scratch;
    struct buf unchanged; /* names of unchanged columns without a placeholder, ["a","b" */
    struct buf exact;     /* values that the format cannot carry, {"a":"NaN" */
    struct header header_lists[RECORDS_PER_EVENT_MAX][HEADERS_MAX];
    struct pieces pieces;
};

/* envelope_schema.c */
void schema_append_field(struct buf *out, const struct prepared_column *column, bool optional,
                         struct slice default_json, bool first);
void schema_append_row_value(struct buf *out, struct slice topic, struct slice fields); /* the whole schema */
void schema_append_row_key(struct buf *out, struct slice topic, struct slice fields);
void schema_append_message_key(struct buf *out);
void schema_append_message_value(struct buf *out, bool content_bytes);
void schema_append_transaction_key(struct buf *out);
void schema_append_transaction_value(struct buf *out);

/* Appends ,"name": (without the comma where `first`). */
void append_member(struct buf *out, struct slice name, bool first);

/* envelope_row.c */
bool envelope_append_image(struct envelope *envelope, const struct prepared *prepared,
                           const struct image *image, struct buf *out, struct err *err);
/* The value to show for a column; *absent: the row does not show it. */
struct value image_value(const struct image *image, const struct prepared_column *column, bool *absent);
bool envelope_append_value(struct envelope *envelope, const struct prepared *prepared,
                           const struct prepared_column *column, struct value value, struct buf *out,
                           struct err *err);

/* envelope_key.c */
bool envelope_append_key(struct envelope *envelope, const struct prepared *prepared,
                         const struct image *image, struct span *span, struct err *err);
bool envelope_append_key_header(struct envelope *envelope, const struct prepared *prepared,
                                const struct image *image, struct span *span, struct err *err);

/* envelope_source.c */
/* `table` is a kept piece: source_table or message_source. */
void envelope_append_source(struct envelope *envelope, const struct event *event, struct slice table,
                            struct buf *out);
void envelope_append_block(const struct event *event, struct buf *out);
void envelope_append_tail(const struct event *event, char op, struct slice close, struct buf *out);

/* envelope_message.c */
bool envelope_encode_message(struct envelope *envelope, const struct event *event, struct record *out,
                             struct err *err);

/* envelope_headers.c: what the headers of one record are made of; empty spans are left out. */
struct header_spans {
    struct span new_key, old_key, unchanged, exact, exact_before;
};
void envelope_set_headers(struct envelope *envelope, struct record *record, size_t index,
                          const struct header_spans *spans);
/* Moves the lists of unchanged and exact columns to the headers and empties them. */
void envelope_take_lists(struct envelope *envelope, struct header_spans *spans);
/* The same for the row in `before` beside an `after`: nothing is said of its unchanged columns. */
void envelope_take_before(struct envelope *envelope, struct header_spans *spans);
void envelope_clear_lists(struct envelope *envelope);
struct slice envelope_span(const struct buf *buf, struct span span);

/* Both sides and the headers within options.record_bytes_max? */
bool envelope_check_size(const struct envelope *envelope, const struct record *record, struct slice schema,
                         struct slice name, struct err *err);

#endif
