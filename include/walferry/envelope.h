/* envelope: events as Debezium 3.6.1 writes them through Kafka Connect's JsonConverter, byte for byte.
 *
 * What is constant (field prefixes, schema text, source members) is prepared once per relation version; per
 * event only values, positions and times are appended to reused buffers. Member order, number lexemes and
 * escapes are the contract; the captured events in tests/data are its proof.
 * Source: Debezium TableSchemaBuilder, Envelope, SourceInfoStructMaker; Kafka Connect JsonConverter.
 */
#ifndef WALFERRY_ENVELOPE_H
#define WALFERRY_ENVELOPE_H

#include "walferry/conversion.h"
#include "walferry/event.h"
#include "walferry/transaction.h"

/* Slices are borrowed for the encoder's life. */
struct envelope_options {
    struct slice topic_prefix;
    struct slice topic_delimiter;   /* "." */
    struct slice transaction_topic; /* "transaction": the part behind the prefix */
    struct slice database;
    struct slice version;                 /* source.version, e.g. "3.6.1.Final" */
    struct slice run_id;                  /* header __debezium.context.runId */
    struct slice unavailable_placeholder; /* "__debezium_unavailable_value" */
    bool key_schemas, value_schemas;      /* the converters' schemas.enable */
    bool tombstones_on_delete;
    bool extended_headers;
    /* A NULL in a column with a default is written as the default, as Kafka's converter does unless told
     * otherwise (replace.null.with.default). Off: NULL stays null. See docs/COMPATIBILITY.md. */
    bool replace_null_with_default;
    /* `"snapshot":null` instead of "false" in streamed events: what the converter writes with
     * replace.null.with.default=false. */
    bool snapshot_false_as_null;
    /* Values that the chosen modes cannot carry (NaN in a Decimal, months in a number of microseconds, …) are
     * added as PostgreSQL text in the header HEADER_EXACT_COLUMNS. Off only for byte equality with Debezium.
     */
    bool exact_values;
    enum decimal_mode decimal;
    enum time_mode time;
    enum binary_mode binary;
    enum interval_mode interval;
    size_t record_bytes_max; /* ERR_LIMIT past it */
};

struct envelope;

struct envelope *envelope_new(const struct envelope_options *options);
void envelope_free(struct envelope *envelope);

/* Prepares a relation once its facts are set; stored in relation->prepared. `on_omitted` (may be NULL) is
 * told of each column that has no mapping and is left out, as Debezium leaves it out with a warning. */
MUST_CHECK bool envelope_prepare(struct envelope *envelope, struct relation *relation,
                                 void (*on_omitted)(void *data, const struct relation *,
                                                    const struct column *),
                                 void *data, struct err *err);

/* A key change: does the old row of this UPDATE show another record key than the new row? */
bool envelope_key_changed(const struct envelope *envelope, const struct event *event);

/* The records of one event: 1, 2 (delete and tombstone) or 3 (key change: delete, tombstone, create with the
 * __debezium.newkey/oldkey headers). `transaction` may be NULL: no transaction block. It is counted here,
 * once per data record. Record slices stay valid until the next call on this envelope. */
MUST_CHECK bool envelope_encode(struct envelope *envelope, const struct event *event,
                                struct transaction *transaction, struct record_set *out, struct err *err);

/* BEGIN and END on `<prefix>.transaction`. */
MUST_CHECK bool envelope_encode_begin(struct envelope *envelope, const struct transaction *transaction,
                                      struct record *out, struct err *err);
MUST_CHECK bool envelope_encode_end(struct envelope *envelope, const struct transaction *transaction,
                                    struct record *out, struct err *err);

/* Header that names columns whose value was unchanged (TOAST) but whose type has no placeholder in Debezium's
 * format (it would read as null): a comma-separated list of JSON strings in brackets. Absent otherwise. */
#define HEADER_UNCHANGED_COLUMNS "walferry.unchanged.columns"
/* PostgreSQL's text of columns of `after` (of `before` in a delete) that the event's own form loses: an
 * object {"column":"text"}. The event shows what Debezium shows. Absent where nothing is lost. */
#define HEADER_EXACT_COLUMNS "walferry.exact.columns"
/* The same of `before` in an update, by which a row without a key is found. */
#define HEADER_EXACT_BEFORE "walferry.exact.before"
#define HEADER_NEW_KEY "__debezium.newkey"
#define HEADER_OLD_KEY "__debezium.oldkey"

#endif
