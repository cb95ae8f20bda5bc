/* event: what a change means, apart from how it was decoded and how it will be written.
 *
 * The message is pgoutput's sentence, the event is its meaning: a new protocol version touches only the
 * first, a new output format only the second. Everything in an event is borrowed: it dies with the message
 * (or the snapshot row) that it was made from.
 */
#ifndef WALFERRY_EVENT_H
#define WALFERRY_EVENT_H

#include "walferry/pgoutput.h"

enum event_op { /* Debezium's letters */
                EVENT_CREATE = 'c',
                EVENT_UPDATE = 'u',
                EVENT_DELETE = 'd',
                EVENT_READ = 'r',
                EVENT_TRUNCATE = 't',
                EVENT_MESSAGE = 'm',
};

enum snapshot_marker { /* source.snapshot; the texts are in the encoder */
                       MARKER_FALSE = 0,
                       MARKER_TRUE,
                       MARKER_FIRST,
                       MARKER_FIRST_IN_DATA_COLLECTION,
                       MARKER_LAST_IN_DATA_COLLECTION,
                       MARKER_LAST,
                       MARKER_INCREMENTAL,
};

struct event {
    enum event_op op;
    struct relation *relation;    /* NULL for MESSAGE */
    const struct tuple *before;   /* NULL = no old row */
    const struct tuple *after;    /* NULL = no new row */
    enum old_tuple_kind old_kind; /* KEY: only the identity columns of `before` are real */
    enum snapshot_marker marker;
    uint32_t xid;           /* 0 = none (a message outside a transaction) */
    lsn_t lsn;              /* of the change itself (XLogData's start) */
    lsn_t commit_lsn;       /* Begin's final LSN; 0 outside a transaction */
    uint64_t ordinal;       /* decoded change within the transaction, from 1, before filters */
    lsn_t last_end_lsn;     /* `sequence[0]`; 0 = null */
    int64_t commit_time_us; /* `source.ts_*`, Unix epoch */
    int64_t event_time_ns;  /* the envelope's own ts_*, Unix epoch: when the event was built */
    struct slice origin;    /* replication origin; {NULL,0} = none */
    lsn_t origin_lsn;
    uint64_t total_order;         /* 1.. in the transaction block; 0 = no block */
    uint64_t collection_order;    /* 1.. per table */
    struct slice prefix, content; /* MESSAGE only */
};

/* A record header; a NULL value pointer is a null. */
struct header {
    struct slice name, value;
};

#define RECORD_PARTITION_BY_KEY (-1)

/* What a sink publishes. Slices are borrowed for the publish call; key or value with data == NULL is a Kafka
 * null (a tombstone has one), which is not the same as zero bytes. */
struct record {
    struct slice topic, key, value;
    const struct header *headers;
    size_t header_count;
    int32_t partition; /* RECORD_PARTITION_BY_KEY or a number */
    uint64_t ack_seq;  /* from ack_window_add */
    uint32_t xid;      /* 0 outside a transaction */
    lsn_t commit_lsn;  /* 0 outside a transaction (snapshot rows, heartbeats) */
    uint64_t ordinal;  /* of the change; BEGIN 0, END one past the last */
};

/* The records one event becomes: one, two with a tombstone, three for a changed key. */
#define RECORDS_PER_EVENT_MAX 3
struct record_set {
    struct record records[RECORDS_PER_EVENT_MAX];
    size_t count;
};

#endif
