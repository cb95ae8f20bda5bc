/* envelope_fixture: relations, rows and transactions for the tests of the encoder. */
#ifndef WALFERRY_ENVELOPE_FIXTURE_H
#define WALFERRY_ENVELOPE_FIXTURE_H

#include "walferry/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct envelope *envelope;
    struct relation_cache *relations;
    struct relation *relation;
    struct transaction *transaction;
    struct record_set set;
    struct err err;
};

static inline struct envelope_options options_of(const char *prefix, const char *database, bool schemas)
{
    return (struct envelope_options){
        .topic_prefix = slice_of(prefix),
        .topic_delimiter = SLICE_LITERAL("."),
        .transaction_topic = SLICE_LITERAL("transaction"),
        .database = slice_of(database),
        .version = SLICE_LITERAL("3.6.1.Final"),
        .run_id = SLICE_LITERAL("run"),
        .unavailable_placeholder = SLICE_LITERAL("__debezium_unavailable_value"),
        .key_schemas = schemas,
        .value_schemas = schemas,
        .tombstones_on_delete = true,
        .extended_headers = true,
        .exact_values = true,
        .record_bytes_max = 4096,
    };
}

/* Columns as "name type flags" with type by oid; flags: i identity, k key, n not null. */
struct test_column {
    const char *name;
    uint32_t oid;
    const char *flags;
};

#define COLUMNS_MAX 8

static inline size_t read_columns(const struct test_column *from, struct column *columns,
                                  struct column_facts *facts)
{
    size_t count = 0, keys = 0;
    for (; from[count].name != NULL; count++) {
        const struct test_column *c = &from[count];
        columns[count] = (struct column){.name = slice_of(c->name),
                                         .type_oid = c->oid,
                                         .typmod = -1,
                                         .identity = strchr(c->flags, 'i') != NULL};
        bool key = strchr(c->flags, 'k') != NULL;
        facts[count] = (struct column_facts){.name = slice_of(c->name),
                                             .base_oid = c->oid,
                                             .base_typmod = -1,
                                             .not_null = strchr(c->flags, 'n') != NULL,
                                             .key_position = (uint16_t)(key ? ++keys : 0)};
    }
    return count;
}

static inline void put_relation(struct fixture *f, const char *name, enum replica_identity identity,
                                const struct test_column *from)
{
    struct column columns[COLUMNS_MAX];
    struct column_facts facts[COLUMNS_MAX];
    size_t count = read_columns(from, columns, facts);
    struct relation relation = {.oid = 1,
                                .schema = SLICE_LITERAL("public"),
                                .name = slice_of(name),
                                .identity = identity,
                                .column_count = (uint16_t)count,
                                .columns = columns};
    f->relation = relation_cache_put(f->relations, &relation);
    relation_set_facts(f->relation, facts, count);
}

static inline void prepare(struct fixture *f)
{
    if (!envelope_prepare(f->envelope, f->relation, NULL, NULL, &f->err))
        fail_msg("%s", f->err.text);
}

static inline void set_up(struct fixture *f, const struct envelope_options *options)
{
    *f = (struct fixture){.envelope = envelope_new(options),
                          .relations = relation_cache_new(),
                          .transaction = transaction_new()};
}

static inline void tear_down(struct fixture *f)
{
    transaction_free(f->transaction);
    relation_cache_free(f->relations);
    envelope_free(f->envelope);
}

/* A tuple of up to eight texts: NULL = null, UNCHANGED = an out-of-line value that was not sent. */
#define UNCHANGED ((const char *)1)
struct row {
    struct value values[COLUMNS_MAX];
    struct tuple tuple;
};

static inline const struct tuple *row_of(struct row *row, size_t count, const char *const *texts)
{
    for (size_t i = 0; i < count; i++) {
        row->values[i] = (struct value){.kind = VALUE_NULL};
        if (texts[i] == UNCHANGED)
            row->values[i].kind = VALUE_UNCHANGED;
        else if (texts[i] != NULL)
            row->values[i] = (struct value){VALUE_TEXT, slice_of(texts[i])};
    }
    row->tuple = (struct tuple){(uint16_t)count, row->values};
    return &row->tuple;
}

#define ROW(row, ...)                                                              \
    row_of(row, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), \
           (const char *const[]){__VA_ARGS__})

static inline void encode(struct fixture *f, const struct event *event)
{
    if (!envelope_encode(f->envelope, event, NULL, &f->set, &f->err))
        fail_msg("%s", f->err.text);
}

static inline void expect_text(struct slice got, const char *expected)
{
    if (!slice_equal(got, slice_of(expected)))
        fail_msg("expected %s\ngot      " SLICE_FMT, expected, SLICE_ARG(got));
}

/* The row part of a value begins with this. */
static inline void expect_rows(const struct record *record, const char *rows)
{
    size_t len = strlen(rows);
    if (record->value.len < len || memcmp(record->value.data, rows, len) != 0 ||
        memcmp(record->value.data + len, ",\"source\":", 10) != 0)
        fail_msg("expected %s\ngot      " SLICE_FMT, rows, SLICE_ARG(record->value));
}

static inline struct slice header_of(const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (slice_equal(record->headers[i].name, slice_of(name)))
            return record->headers[i].value;
    }
    return SLICE_NONE;
}

static inline void apply(struct fixture *f, const struct message *message, lsn_t lsn,
                         enum transaction_step expected)
{
    enum transaction_step step;
    if (!transaction_apply(f->transaction, message, lsn, f->relations, &step, &f->err))
        fail_msg("%s", f->err.text);
    assert_int_equal(step, expected);
}

static const struct test_column id_and_v[] = {{"id", 23, "ikn"}, {"v", 25, ""}, {NULL, 0, ""}};

static inline void begin(struct fixture *f, lsn_t lsn, uint32_t xid, int64_t time_us)
{
    struct message message = {.kind = MESSAGE_BEGIN};
    message.u.begin.final_lsn = lsn + 1;
    message.u.begin.xid = xid;
    message.u.begin.commit_time_us = time_us;
    apply(f, &message, lsn, TRANSACTION_BEGIN);
}

static inline void commit(struct fixture *f, lsn_t lsn, lsn_t end_lsn, int64_t time_us)
{
    struct message message = {.kind = MESSAGE_COMMIT};
    message.u.commit.commit_lsn = lsn + 1;
    message.u.commit.end_lsn = end_lsn;
    message.u.commit.commit_time_us = time_us;
    apply(f, &message, end_lsn, TRANSACTION_END);
}

#endif
