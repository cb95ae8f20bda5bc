/* How long the encoder takes for an update of eight columns whose event has about 650 bytes (and with
 * schemas). Prints processor nanoseconds per event and bytes per second; asserts nothing.  bench_envelope
 * [EVENTS] */
#include "walferry/envelope.h"
#include "walferry/pgtype.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define COLUMNS 8
#define EVENTS_DEFAULT 2000000

static struct column columns[COLUMNS] = {
    {.name = SLICE_LITERAL("id"), .type_oid = PGTYPE_INT8, .typmod = -1, .identity = true},
    {.name = SLICE_LITERAL("account"), .type_oid = PGTYPE_INT4, .typmod = -1},
    {.name = SLICE_LITERAL("active"), .type_oid = PGTYPE_BOOL, .typmod = -1},
    {.name = SLICE_LITERAL("balance"), .type_oid = PGTYPE_NUMERIC, .typmod = ((12 << 16) | 2) + 4},
    {.name = SLICE_LITERAL("created_at"), .type_oid = PGTYPE_TIMESTAMPTZ, .typmod = -1},
    {.name = SLICE_LITERAL("changed"), .type_oid = PGTYPE_TIMESTAMP, .typmod = -1},
    {.name = SLICE_LITERAL("name"), .type_oid = PGTYPE_TEXT, .typmod = -1},
    {.name = SLICE_LITERAL("note"), .type_oid = PGTYPE_VARCHAR, .typmod = -1},
};

static struct value values[COLUMNS] = {
    {VALUE_TEXT, SLICE_LITERAL("1234567890")},
    {VALUE_TEXT, SLICE_LITERAL("42")},
    {VALUE_TEXT, SLICE_LITERAL("t")},
    {VALUE_TEXT, SLICE_LITERAL("1234567.89")},
    {VALUE_TEXT, SLICE_LITERAL("2026-11-04 13:51:30.123456+00")},
    {VALUE_TEXT, SLICE_LITERAL("2026-11-04 13:51:30.123456")},
    {VALUE_TEXT, SLICE_LITERAL("Maria Musterfrau")},
    {VALUE_TEXT, SLICE_LITERAL("a note of some length, as people write them")},
};

static struct envelope *encoder(bool schemas)
{
    struct envelope_options options = {
        .topic_prefix = SLICE_LITERAL("bench"),
        .topic_delimiter = SLICE_LITERAL("."),
        .transaction_topic = SLICE_LITERAL("transaction"),
        .database = SLICE_LITERAL("postgres"),
        .version = SLICE_LITERAL("3.6.1.Final"),
        .run_id = SLICE_LITERAL("01a1fd34-1aae-761a-a559-25ec7e0ccbcd"),
        .unavailable_placeholder = SLICE_LITERAL("__debezium_unavailable_value"),
        .key_schemas = schemas,
        .value_schemas = schemas,
        .tombstones_on_delete = true,
        .extended_headers = true,
        .exact_values = true,
        .record_bytes_max = (size_t)1 << 20,
    };
    return envelope_new(&options);
}

static struct relation *prepare(struct envelope *envelope, struct relation_cache *cache)
{
    struct column_facts facts[COLUMNS];
    const struct relation relation = {.oid = 1,
                                      .schema = SLICE_LITERAL("public"),
                                      .name = SLICE_LITERAL("accounts"),
                                      .identity = REPLICA_IDENTITY_DEFAULT,
                                      .column_count = COLUMNS,
                                      .columns = columns};
    for (size_t i = 0; i < COLUMNS; i++)
        facts[i] = (struct column_facts){.name = columns[i].name,
                                         .base_oid = columns[i].type_oid,
                                         .base_typmod = columns[i].typmod,
                                         .key_position = i == 0 ? 1 : 0};
    struct relation *cached = relation_cache_put(cache, &relation);
    struct err err;
    relation_set_facts(cached, facts, COLUMNS);
    if (!envelope_prepare(envelope, cached, NULL, NULL, &err)) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return cached;
}

static void run(bool schemas, uint64_t events)
{
    struct envelope *envelope = encoder(schemas);
    struct relation_cache *cache = relation_cache_new();
    const struct tuple after = {COLUMNS, values};
    struct event event = {.op = EVENT_UPDATE,
                          .relation = prepare(envelope, cache),
                          .after = &after,
                          .xid = 301791,
                          .lsn = 2505499160,
                          .last_end_lsn = 2505499000,
                          .commit_time_us = 1795249413333707,
                          .event_time_ns = 1795249413407659100,
                          .total_order = 1,
                          .collection_order = 1};
    struct record_set set;
    struct err err;
    uint64_t bytes = 0;
    clock_t start = clock(); /* processor time: others on the machine do not count */
    for (uint64_t i = 0; i < events; i++) {
        event.lsn += 160;
        event.total_order++;
        event.event_time_ns += 700;
        if (!envelope_encode(envelope, &event, NULL, &set, &err)) {
            (void)fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        bytes += set.records[0].value.len + set.records[0].key.len;
    }
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    printf("%-16s %7.0f ns/event  %5.0f bytes/event  %6.2f GB/s\n",
           schemas ? "with schemas" : "without schemas", seconds * 1e9 / (double)events,
           (double)bytes / (double)events, (double)bytes / seconds / 1e9);
    relation_cache_free(cache);
    envelope_free(envelope);
}

int main(int argc, char **argv)
{
    uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : EVENTS_DEFAULT;
    run(false, events);
    run(true, events);
    return 0;
}
