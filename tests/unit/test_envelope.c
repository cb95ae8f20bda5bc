/* The encoder where one event is not one captured record: transactions, messages, snapshots, what differs
 * from Debezium on purpose, and what is refused. Expected texts come from captures (records.jsonl) or are
 * said. */
#include "walferry/envelope.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <yyjson.h>

struct fixture {
    struct envelope *envelope;
    struct relation_cache *relations;
    struct relation *relation;
    struct transaction *transaction;
    struct record_set set;
    struct err err;
};

static struct envelope_options options_of(const char *prefix, const char *database, bool schemas)
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

static size_t read_columns(const struct test_column *from, struct column *columns, struct column_facts *facts)
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

static void put_relation(struct fixture *f, const char *name, enum replica_identity identity,
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

static void prepare(struct fixture *f)
{
    if (!envelope_prepare(f->envelope, f->relation, NULL, NULL, &f->err))
        fail_msg("%s", f->err.text);
}

static void set_up(struct fixture *f, const struct envelope_options *options)
{
    *f = (struct fixture){.envelope = envelope_new(options),
                          .relations = relation_cache_new(),
                          .transaction = transaction_new()};
}

static void tear_down(struct fixture *f)
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

static const struct tuple *row_of(struct row *row, size_t count, const char *const *texts)
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

static void encode(struct fixture *f, const struct event *event)
{
    if (!envelope_encode(f->envelope, event, NULL, &f->set, &f->err))
        fail_msg("%s", f->err.text);
}

static void expect_text(struct slice got, const char *expected)
{
    if (!slice_equal(got, slice_of(expected)))
        fail_msg("expected %s\ngot      " SLICE_FMT, expected, SLICE_ARG(got));
}

/* The row part of a value begins with this. */
static void expect_rows(const struct record *record, const char *rows)
{
    size_t len = strlen(rows);
    if (record->value.len < len || memcmp(record->value.data, rows, len) != 0 ||
        memcmp(record->value.data + len, ",\"source\":", 10) != 0)
        fail_msg("expected %s\ngot      " SLICE_FMT, rows, SLICE_ARG(record->value));
}

static struct slice header_of(const struct record *record, const char *name)
{
    for (size_t i = 0; i < record->header_count; i++) {
        if (slice_equal(record->headers[i].name, slice_of(name)))
            return record->headers[i].value;
    }
    return SLICE_NONE;
}

/* ---- against captured records ---- */

struct captured {
    yyjson_doc *docs[16];
    size_t count;
};

static void load_captured(struct captured *captured)
{
    char *line = NULL;
    size_t size = 0;
    FILE *file = fopen(TEST_DATA "/envelope/records.jsonl", "r");
    assert_non_null(file);
    captured->count = 0;
    for (ssize_t len; (len = getline(&line, &size, file)) > 0; captured->count++)
        captured->docs[captured->count] = yyjson_read(line, (size_t)len, 0);
    free(line);
    assert_int_equal(fclose(file), 0);
}

static void free_captured(struct captured *captured)
{
    for (size_t i = 0; i < captured->count; i++)
        yyjson_doc_free(captured->docs[i]);
}

static void expect_captured(const struct captured *captured, size_t index, const struct record *record)
{
    yyjson_val *root = yyjson_doc_get_root(captured->docs[index]);
    expect_text(record->topic, yyjson_get_str(yyjson_obj_get(root, "topic")));
    expect_text(record->key, yyjson_get_str(yyjson_obj_get(root, "key")));
    expect_text(record->value, yyjson_get_str(yyjson_obj_get(root, "value")));
}

static void apply(struct fixture *f, const struct message *message, lsn_t lsn, enum transaction_step expected)
{
    enum transaction_step step;
    if (!transaction_apply(f->transaction, message, lsn, f->relations, &step, &f->err))
        fail_msg("%s", f->err.text);
    assert_int_equal(step, expected);
}

static const struct test_column id_and_v[] = {{"id", 23, "ikn"}, {"v", 25, ""}, {NULL, 0, ""}};

static void begin(struct fixture *f, lsn_t lsn, uint32_t xid, int64_t time_us)
{
    struct message message = {.kind = MESSAGE_BEGIN};
    message.u.begin.final_lsn = lsn + 1;
    message.u.begin.xid = xid;
    message.u.begin.commit_time_us = time_us;
    apply(f, &message, lsn, TRANSACTION_BEGIN);
}

static void commit(struct fixture *f, lsn_t lsn, lsn_t end_lsn, int64_t time_us)
{
    struct message message = {.kind = MESSAGE_COMMIT};
    message.u.commit.commit_lsn = lsn + 1;
    message.u.commit.end_lsn = end_lsn;
    message.u.commit.commit_time_us = time_us;
    apply(f, &message, end_lsn, TRANSACTION_END);
}

static void transaction_topic_and_counted_key_change(void **state)
{
    (void)state;
    const lsn_t lsn = 2714634584;
    const int64_t time_us = 1795249929819588;
    struct envelope_options options = options_of("parity42", "parity_42", true);
    options.record_bytes_max = 1 << 20;
    struct fixture f;
    struct captured captured;
    load_captured(&captured);
    set_up(&f, &options);
    put_relation(&f, "a", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    yyjson_val *create = yyjson_doc_get_root(captured.docs[1]);
    const char *text = yyjson_get_str(yyjson_obj_get(create, "value"));
    int64_t commit_us = strtoll(strstr(text, "\"ts_us\":1") + 8, NULL, 10);
    assert_int_equal(commit_us / 1000, time_us / 1000);

    struct record record;
    begin(&f, lsn, 302517, commit_us);
    assert_true(envelope_encode_begin(f.envelope, f.transaction, &record, &f.err));
    expect_captured(&captured, 2, &record);
    assert_int_equal(record.ordinal, 0);

    struct row old_row, new_row;
    struct message update = {.kind = MESSAGE_UPDATE};
    update.u.update.relation_oid = 1;
    update.u.update.old_kind = OLD_TUPLE_KEY;
    update.u.update.old_tuple = *ROW(&old_row, "2", NULL);
    update.u.update.new_tuple = *ROW(&new_row, "20", "single");
    apply(&f, &update, lsn, TRANSACTION_EVENTS);
    struct event event;
    transaction_event(f.transaction, 0, &event);
    event.last_end_lsn = (lsn_t)strtoull(strstr(text, "\"sequence\":\"[\\\"") + 15, NULL, 10);
    event.event_time_ns = 1795249929889299731;
    assert_true(envelope_key_changed(f.envelope, &event));
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    assert_int_equal(f.set.count, 3);
    expect_captured(&captured, 0, &f.set.records[0]);
    assert_null(f.set.records[1].value.data);
    expect_text(header_of(&f.set.records[0], HEADER_NEW_KEY), "{\"id\":20}");
    expect_text(header_of(&f.set.records[1], HEADER_NEW_KEY), "{\"id\":20}");
    expect_text(header_of(&f.set.records[2], HEADER_OLD_KEY), "{\"id\":2}");
    event.event_time_ns = 1795249929889851049; /* the create was built a moment later */
    transaction_reset(f.transaction, LSN_NONE);
    begin(&f, lsn, 302517, commit_us);
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    expect_captured(&captured, 1, &f.set.records[2]);

    commit(&f, lsn, 2714634784, commit_us);
    assert_true(envelope_encode_end(f.envelope, f.transaction, &record, &f.err));
    expect_captured(&captured, 3, &record);
    tear_down(&f);
    free_captured(&captured);
}

static void messages_as_captured(void **state)
{
    (void)state;
    struct envelope_options options = options_of("parity46", "parity_46", true);
    options.record_bytes_max = 1 << 20;
    struct fixture f;
    struct captured captured;
    load_captured(&captured);
    set_up(&f, &options);
    struct event event = {.op = EVENT_MESSAGE,
                          .xid = 302572,
                          .lsn = 2732947000,
                          .commit_time_us = 1795249939922637,
                          .event_time_ns = 1795249939967000000,
                          .total_order = 1,
                          .collection_order = 1,
                          .prefix = SLICE_LITERAL("alpha"),
                          .content = SLICE_LITERAL("transactional é")};
    encode(&f, &event);
    expect_captured(&captured, 4, &f.set.records[0]);
    assert_int_equal(f.set.records[0].header_count, 0);
    event = (struct event){.op = EVENT_MESSAGE,
                           .lsn = 2732947120,
                           .last_end_lsn = 2732947120,
                           .prefix = SLICE_LITERAL("beta"),
                           .content = SLICE_LITERAL("not transactional")};
    yyjson_val *root = yyjson_doc_get_root(captured.docs[5]);
    const char *text = yyjson_get_str(yyjson_obj_get(root, "value"));
    event.commit_time_us = strtoll(strstr(text, "\"ts_us\":1") + 8, NULL, 10);
    event.event_time_ns = strtoll(strstr(text, "\"op\":\"m\",\"ts_ms\":") + 17, NULL, 10) * 1000000;
    begin(&f, 5, 7, 9); /* it may stand between the rows of a transaction, and is not counted there */
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    expect_captured(&captured, 5, &f.set.records[0]);
    assert_int_equal(transaction_total(f.transaction), 0);
    tear_down(&f);
    free_captured(&captured);
}

static void snapshot_rows_as_captured(void **state)
{
    (void)state;
    struct envelope_options options = options_of("parity50", "parity_50", false);
    struct fixture f;
    struct captured captured;
    struct row row;
    load_captured(&captured);
    set_up(&f, &options);
    put_relation(&f, "b", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    struct event event = {.op = EVENT_READ,
                          .relation = f.relation,
                          .after = ROW(&row, "1", "b1"),
                          .marker = MARKER_FIRST_IN_DATA_COLLECTION,
                          .xid = 302614,
                          .lsn = 2750706152,
                          .commit_time_us = 1795249948991906,
                          .event_time_ns = 1795249949097744525};
    encode(&f, &event);
    expect_captured(&captured, 6, &f.set.records[0]);
    event.marker = MARKER_LAST_IN_DATA_COLLECTION;
    event.event_time_ns = 1795249949097979638;
    event.after = ROW(&row, "2", NULL);
    encode(&f, &event);
    expect_captured(&captured, 7, &f.set.records[0]);
    static const struct test_column id[] = {{"id", 23, "ikn"}, {NULL, 0, ""}};
    put_relation(&f, "one", REPLICA_IDENTITY_DEFAULT, id);
    prepare(&f);
    event.relation = f.relation;
    event.marker = MARKER_LAST;
    event.event_time_ns = 1795249949103211618;
    event.after = ROW(&row, "1");
    encode(&f, &event);
    expect_captured(&captured, 8, &f.set.records[0]);
    tear_down(&f);
    free_captured(&captured);
}

/* ---- rules ---- */

static const struct test_column toast[] = {{"id", 23, "ikn"}, {"t", 25, ""},   {"n", 1700, ""},
                                           {"b", 17, ""},     {"v", 1562, ""}, {NULL, 0, ""}};

static struct event update_of(const struct fixture *f, enum old_tuple_kind kind, const struct tuple *before,
                              const struct tuple *after)
{
    return (struct event){.op = EVENT_UPDATE,
                          .relation = f->relation,
                          .old_kind = kind,
                          .before = before,
                          .after = after,
                          .xid = 1,
                          .lsn = 2};
}

static void unchanged_is_a_placeholder_or_named_in_a_header(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    set_up(&f, &options);
    put_relation(&f, "toast", REPLICA_IDENTITY_DEFAULT, toast);
    prepare(&f);
    struct event event =
        update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED));
    encode(&f, &event);
    expect_rows(&f.set.records[0],
                "{\"before\":null,\"after\":{\"id\":1,\"t\":\"__debezium_unavailable_value\",\"n\":null,"
                "\"b\":\"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==\",\"v\":null}");
    expect_text(header_of(&f.set.records[0], HEADER_UNCHANGED_COLUMNS), "[\"n\",\"v\"]");
    event.after = ROW(&row, "1", "x", NULL, "\\x01", NULL); /* a NULL is not unchanged */
    encode(&f, &event);
    assert_null(header_of(&f.set.records[0], HEADER_UNCHANGED_COLUMNS).data);
    tear_down(&f);
}

static void unchanged_is_copied_from_a_full_old_row(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row old_row, new_row;
    set_up(&f, &options);
    put_relation(&f, "toast", REPLICA_IDENTITY_FULL, toast);
    prepare(&f);
    const struct tuple *before = ROW(&old_row, "1", "old", "5", "\\x01", "1");
    struct event event =
        update_of(&f, OLD_TUPLE_FULL, before, ROW(&new_row, "1", UNCHANGED, UNCHANGED, "\\x02", UNCHANGED));
    encode(&f, &event);
    expect_rows(&f.set.records[0], "{\"before\":{\"id\":1,\"t\":\"old\",\"n\":{\"scale\":0,\"value\":\"BQ=="
                                   "\"},\"b\":\"AQ==\",\"v\":\"AQ==\"},"
                                   "\"after\":{\"id\":1,\"t\":\"old\",\"n\":{\"scale\":0,\"value\":\"BQ==\"},"
                                   "\"b\":\"Ag==\",\"v\":\"AQ==\"}");
    assert_null(header_of(&f.set.records[0], HEADER_UNCHANGED_COLUMNS).data);
    event.after =
        ROW(&new_row, "2", UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED); /* with a changed key, too */
    encode(&f, &event);
    assert_int_equal(f.set.count, 3);
    expect_rows(&f.set.records[2],
                "{\"before\":null,\"after\":{\"id\":2,\"t\":\"old\",\"n\":{\"scale\":0,\"value\":\"BQ==\"},"
                "\"b\":\"AQ==\",\"v\":\"AQ==\"}");
    tear_down(&f);
}

/* A long key is stored out of line: the new row may show it as unchanged, the old one carries it. */
static void unchanged_key_comes_from_the_old_row(void **state)
{
    (void)state;
    static const struct test_column columns[] = {{"k", 25, "ikn"}, {"v", 25, ""}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row old_row, new_row;
    set_up(&f, &options);
    put_relation(&f, "longkey", REPLICA_IDENTITY_DEFAULT, columns);
    prepare(&f);
    struct event event =
        update_of(&f, OLD_TUPLE_KEY, ROW(&old_row, "key", NULL), ROW(&new_row, UNCHANGED, "x"));
    assert_false(envelope_key_changed(f.envelope, &event));
    encode(&f, &event);
    assert_int_equal(f.set.count, 1);
    expect_text(f.set.records[0].key, "{\"k\":\"key\"}");
    expect_rows(&f.set.records[0],
                "{\"before\":{\"k\":\"key\",\"v\":null},\"after\":{\"k\":\"key\",\"v\":\"x\"}");
    event.before = NULL;
    event.old_kind = OLD_TUPLE_NONE;
    assert_false(envelope_encode(f.envelope, &event, NULL, &f.set, &f.err));
    assert_int_equal(f.err.code, ERR_REPLICA_IDENTITY);
    assert_non_null(strstr(f.err.text, "\"public.longkey.k\""));
    tear_down(&f);
}

/* Debezium keys such a delete {"id":0}; the applier would delete another row. */
static void index_identity_beside_a_primary_key_is_the_key(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {"id", 23, "kn"}, {"k", 23, "in"}, {"v", 25, ""}, {"w", 23, "n"}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row old_row, new_row;
    set_up(&f, &options);
    put_relation(&f, "ri_index", REPLICA_IDENTITY_INDEX, columns);
    prepare(&f);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&new_row, "2", "10", "y", "7"));
    encode(&f, &event);
    expect_text(f.set.records[0].key, "{\"k\":10}");
    event = update_of(&f, OLD_TUPLE_KEY, ROW(&old_row, NULL, "10", NULL, NULL),
                      ROW(&new_row, "2", "11", "y", "7"));
    encode(&f, &event);
    assert_int_equal(f.set.count, 3);
    expect_text(f.set.records[0].key, "{\"k\":10}");
    expect_rows(&f.set.records[0], "{\"before\":{\"id\":0,\"k\":10,\"v\":null,\"w\":0},\"after\":null");
    expect_text(header_of(&f.set.records[0], HEADER_NEW_KEY), "{\"k\":11}");
    expect_text(f.set.records[2].key, "{\"k\":11}");
    tear_down(&f);
}

static void lost_values_are_kept_in_a_header(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {"id", 23, "ikn"}, {"n", 1700, ""}, {"i", 1186, ""}, {"z", 1266, ""}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    set_up(&f, &options);
    put_relation(&f, "lost", REPLICA_IDENTITY_DEFAULT, columns);
    prepare(&f);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "NaN", "1 mon", "12:00:00+02"));
    encode(&f, &event);
    expect_rows(&f.set.records[0],
                "{\"before\":null,\"after\":{\"id\":1,\"n\":null,\"i\":2629800000000,\"z\":\"10:00:00Z\"}");
    expect_text(header_of(&f.set.records[0], HEADER_EXACT_COLUMNS),
                "{\"n\":\"NaN\",\"i\":\"1 mon\",\"z\":\"12:00:00+02\"}");
    event.after = ROW(&row, "1", "1.5", "01:00:00", "12:00:00+00");
    encode(&f, &event);
    assert_null(header_of(&f.set.records[0], HEADER_EXACT_COLUMNS).data);
    tear_down(&f);
}

static void columns_without_mapping_are_left_out_and_told(void *data, const struct relation *relation,
                                                          const struct column *column)
{
    assert_true(slice_equal(relation->name, SLICE_LITERAL("odd")));
    expect_text(column->name, "p");
    ++*(int *)data;
}

static void omitted_columns(void **state)
{
    (void)state;
    static const struct test_column columns[] = {
        {"p", 600, ""}, {"id", 23, "ikn"}, {"v", 25, ""}, {NULL, 0, ""}};
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    int told = 0;
    set_up(&f, &options);
    put_relation(&f, "odd", REPLICA_IDENTITY_DEFAULT, columns);
    assert_true(envelope_prepare(f.envelope, f.relation, columns_without_mapping_are_left_out_and_told, &told,
                                 &f.err));
    assert_int_equal(told, 1);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "(1,2)", "1", "x"));
    encode(&f, &event);
    expect_rows(&f.set.records[0], "{\"before\":null,\"after\":{\"id\":1,\"v\":\"x\"}");
    static const struct test_column key[] = {{"p", 600, "ikn"}, {"id", 23, "ikn"}, {NULL, 0, ""}};
    put_relation(&f, "odd", REPLICA_IDENTITY_DEFAULT, key);
    assert_false(envelope_prepare(f.envelope, f.relation, NULL, NULL, &f.err));
    assert_int_equal(f.err.code, ERR_TYPE);
    tear_down(&f);
}

static void refused(struct fixture *f, const struct tuple *after, enum err_code code, const char *text)
{
    struct event event = update_of(f, OLD_TUPLE_NONE, NULL, after);
    assert_false(envelope_encode(f->envelope, &event, NULL, &f->set, &f->err));
    assert_int_equal(f->err.code, code);
    if (strstr(f->err.text, text) == NULL)
        fail_msg("\"%s\" without \"%s\"", f->err.text, text);
}

static void bad_rows_are_refused_and_the_next_one_is_fine(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    static char huge[8192];
    memset(huge, 'x', sizeof(huge) - 1);
    set_up(&f, &options);
    put_relation(&f, "t", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    refused(&f, ROW(&row, "secret", "v"), ERR_TYPE, "\"public.t.id\"");
    assert_null(strstr(f.err.text, "secret"));
    refused(&f, ROW(&row, "1"), ERR_PROTOCOL, "public.t");
    refused(&f, ROW(&row, "1", huge), ERR_LIMIT, "\"public.t\" exceeds 4096 bytes");
    (void)ROW(&row, "1", "x");
    row.values[1].kind = VALUE_BINARY;
    refused(&f, &row.tuple, ERR_TYPE, "\"public.t.v\"");
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "x"));
    encode(&f, &event);
    expect_rows(&f.set.records[0], "{\"before\":null,\"after\":{\"id\":1,\"v\":\"x\"}");
    tear_down(&f);
}

static void origin_is_shown(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    set_up(&f, &options);
    put_relation(&f, "t", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "x"));
    event.origin = SLICE_LITERAL("node\"a");
    event.origin_lsn = 77;
    encode(&f, &event);
    struct slice value = f.set.records[0].value;
    char text[1024];
    assert_true(value.len < sizeof(text));
    memcpy(text, value.data, value.len);
    text[value.len] = '\0';
    assert_non_null(
        strstr(text, "\"xmin\":null,\"origin\":\"node\\\"a\",\"origin_lsn\":77},\"transaction\":null"));
    tear_down(&f);
}

/* Of several collections the order is that of the first event of each; messages count under their topic. */
static void end_lists_collections_in_event_order(void **state)
{
    (void)state;
    struct envelope_options options = options_of("p", "d", false);
    struct fixture f;
    struct row row;
    struct record record;
    set_up(&f, &options);
    put_relation(&f, "z\"t", REPLICA_IDENTITY_DEFAULT, id_and_v);
    prepare(&f);
    begin(&f, 100, 7, 1500000);
    struct event event = update_of(&f, OLD_TUPLE_NONE, NULL, ROW(&row, "1", "x"));
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    struct event message = {
        .op = EVENT_MESSAGE, .xid = 7, .lsn = 3, .prefix = SLICE_LITERAL(""), .content = SLICE_LITERAL("")};
    assert_true(envelope_encode(f.envelope, &message, f.transaction, &f.set, &f.err));
    assert_true(envelope_encode(f.envelope, &event, f.transaction, &f.set, &f.err));
    commit(&f, 100, 200, 1500000);
    assert_true(envelope_encode_end(f.envelope, f.transaction, &record, &f.err));
    expect_text(record.topic, "p.transaction");
    expect_text(record.key, "{\"id\":\"7:200\"}");
    expect_text(record.value, "{\"status\":\"END\",\"id\":\"7:200\",\"event_count\":3,\"data_collections\":["
                              "{\"data_collection\":\"public.z\\\"t\",\"event_count\":2},"
                              "{\"data_collection\":\"p.message\",\"event_count\":1}],\"ts_ms\":1500}");
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transaction_topic_and_counted_key_change),
        cmocka_unit_test(messages_as_captured),
        cmocka_unit_test(snapshot_rows_as_captured),
        cmocka_unit_test(unchanged_is_a_placeholder_or_named_in_a_header),
        cmocka_unit_test(unchanged_is_copied_from_a_full_old_row),
        cmocka_unit_test(unchanged_key_comes_from_the_old_row),
        cmocka_unit_test(index_identity_beside_a_primary_key_is_the_key),
        cmocka_unit_test(lost_values_are_kept_in_a_header),
        cmocka_unit_test(omitted_columns),
        cmocka_unit_test(bad_rows_are_refused_and_the_next_one_is_fine),
        cmocka_unit_test(origin_is_shown),
        cmocka_unit_test(end_lists_collections_in_event_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
