/* change: what an applier reads out of one Debezium record.
 *
 * Reads walferry's and Debezium's JSON, with or without schemas, members by name, unknown ones skipped.
 * Numbers stay text. All slices point into the input or into the reader's own memory and die with the next
 * read.
 */
#ifndef WALFERRY_CHANGE_H
#define WALFERRY_CHANGE_H

#include "walferry/event.h"

enum change_kind {
    CHANGE_ROW,       /* c u d r t */
    CHANGE_MESSAGE,   /* m */
    CHANGE_TOMBSTONE, /* value null */
    CHANGE_BEGIN,     /* transaction topic */
    CHANGE_END,
    CHANGE_IGNORED, /* heartbeat and the like */
};

enum field_kind { FIELD_NULL, FIELD_BOOL, FIELD_NUMBER, FIELD_STRING, FIELD_STRUCT, FIELD_ARRAY };

struct yyjson_val;

/* One member of a row. `json` is the number's lexeme for NUMBER, the unescaped text for STRING (which may
 * hold any byte), else empty; STRUCT and ARRAY are read through `node`. Schema members are {NULL,0} where the
 * event has no schema or the schema no such member. */
struct field {
    struct slice name;
    enum field_kind kind;
    bool boolean;   /* BOOL */
    bool unchanged; /* named by walferry.unchanged.columns: whatever else is here is no data */
    struct slice json;
    struct slice exact; /* PostgreSQL's text, from walferry.exact.*; {NULL,0} = `json` says it all */
    const struct yyjson_val *node;
    struct slice schema_type; /* "int32", "bytes", "array", … */
    struct slice schema_name; /* "io.debezium.time.Date", …; of an array: its items' name */
    struct slice item_type;   /* of an array: its items' type */
    int32_t scale;            /* parameter `scale` of a Decimal (of an array: its items'); INT32_MIN = none */
};

struct field_list {
    struct field *fields;
    size_t count;
    bool present; /* false: null or absent */
};

struct change {
    enum change_kind kind;
    enum event_op op;
    struct slice database, schema, table; /* of source */
    struct slice server;                  /* source.name: the topic prefix */
    struct field_list before, after, key; /* key: the record key's members, in key order */
    struct field_list old_key, new_key;   /* from the __debezium.oldkey/newkey headers */
    struct field_list unchanged;          /* names only: walferry.unchanged.columns */
    enum snapshot_marker marker;
    uint32_t xid;                           /* source.txId or the id's part before the colon; 0 = null */
    lsn_t lsn;                              /* source.lsn */
    lsn_t last_end_lsn;                     /* source.sequence[0]; 0 = null */
    int64_t commit_time_ms;                 /* source.ts_ms; BEGIN/END: ts_ms */
    uint64_t total_order, collection_order; /* 0 = no transaction block */
    lsn_t transaction_lsn; /* BEGIN/END: the id's part behind the colon; END: the commit's end LSN */
    uint64_t event_count;  /* END */
};

struct change_reader;

/* Memory is kept between reads and grows to what the largest usual record needs. */
struct change_reader *change_reader_new(size_t record_bytes_max);
void change_reader_free(struct change_reader *reader);

/* ERR_EVENT names what is wrong (ERR_LIMIT: key, value and headers are larger than record_bytes_max); the
 * caller adds topic and offset. A tombstone has key and headers. A record of a topic that was flattened by
 * ExtractNewRecordState has no source and op, and is an ERR_EVENT. BEGIN and END are known by their members,
 * not by the topic's name. */
MUST_CHECK bool change_read(struct change_reader *reader, const struct record *record, struct change *change,
                            struct err *err);

#endif
