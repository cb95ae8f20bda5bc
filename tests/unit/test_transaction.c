#include "walferry/transaction.h"

#include "messages.h"

/* Messages as the decoder would make them, with the positions of events that Debezium published (the topics
 * and the transaction topic of the same statements): what it printed is what is expected here. */

enum { TABLE_A = 1, TABLE_B, TABLE_C, TABLE_T };

struct fixture {
    struct transaction *transaction;
    struct relation_cache *relations;
    enum transaction_step step;
    struct err err;
    struct event event; /* the last one that `change` made */
};

static struct value no_values[1] = {{.kind = VALUE_NULL}};
static const struct tuple one_column = {1, no_values};

static bool apply(struct fixture *f, const struct message *message, lsn_t lsn)
{
    f->err = (struct err){.text = "untouched"};
    return transaction_apply(f->transaction, message, lsn, f->relations, &f->step, &f->err);
}

static void must(struct fixture *f, const struct message *message, lsn_t lsn, enum transaction_step step)
{
    if (!apply(f, message, lsn))
        fail_msg("%s", f->err.text);
    assert_string_equal(f->err.text, "untouched");
    assert_int_equal(f->step, step);
}

static void must_fail(struct fixture *f, const struct message *message, lsn_t lsn, const char *text)
{
    assert_false(apply(f, message, lsn));
    assert_int_equal(f->err.code, ERR_PROTOCOL);
    if (strstr(f->err.text, text) == NULL)
        fail_msg("\"%s\" without \"%s\"", f->err.text, text);
}

static struct message relation_message(uint32_t oid, const char *schema, const char *name)
{
    static struct column column = {.name = {"id", 2}, .type_oid = 23, .typmod = -1, .identity = true};
    struct message message = {.kind = MESSAGE_RELATION};
    message.u.relation = (struct relation){.oid = oid,
                                           .schema = slice_of(schema),
                                           .name = slice_of(name),
                                           .identity = REPLICA_IDENTITY_DEFAULT,
                                           .column_count = 1,
                                           .columns = &column};
    return message;
}

static void describe(struct fixture *f, uint32_t oid, const char *schema, const char *name)
{
    struct message message = relation_message(oid, schema, name);
    must(f, &message, 1, TRANSACTION_RELATION);
    assert_ptr_equal(transaction_relation(f->transaction), relation_cache_get(f->relations, oid));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->transaction = transaction_new();
    f->relations = relation_cache_new();
    describe(f, TABLE_A, "public", "a");
    describe(f, TABLE_B, "public", "b");
    describe(f, TABLE_C, "s", "c");
    describe(f, TABLE_T, "public", "t");
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    transaction_free(f->transaction);
    relation_cache_free(f->relations);
    free(f);
    return 0;
}

static struct message begin_message(lsn_t final_lsn, uint32_t xid)
{
    struct message message = {.kind = MESSAGE_BEGIN};
    message.u.begin.final_lsn = final_lsn;
    message.u.begin.xid = xid;
    message.u.begin.commit_time_us = (int64_t)xid * 1000;
    return message;
}

static struct message commit_message(lsn_t commit_lsn, lsn_t end_lsn)
{
    struct message message = {.kind = MESSAGE_COMMIT};
    message.u.commit.commit_lsn = commit_lsn;
    message.u.commit.end_lsn = end_lsn;
    return message;
}

/* A commit record of the smallest kind has 48 bytes with its alignment. */
static void begin(struct fixture *f, uint32_t xid, lsn_t first_lsn, lsn_t end_lsn)
{
    struct message message = begin_message(end_lsn - 48, xid);
    must(f, &message, first_lsn, TRANSACTION_BEGIN);
    assert_true(transaction_is_open(f->transaction));
    assert_int_equal(transaction_xid(f->transaction), xid);
    assert_int_equal(transaction_first_lsn(f->transaction), first_lsn);
    assert_int_equal(transaction_commit_lsn(f->transaction), end_lsn - 48);
    assert_int_equal(transaction_commit_time_us(f->transaction), (int64_t)xid * 1000);
    assert_int_equal(transaction_ordinal(f->transaction), 0);
    assert_int_equal(transaction_total(f->transaction), 0);
}

static void end(struct fixture *f, lsn_t end_lsn, uint64_t total)
{
    uint32_t xid = transaction_xid(f->transaction);
    struct message message = commit_message(end_lsn - 48, end_lsn);
    must(f, &message, end_lsn, TRANSACTION_END);
    assert_false(transaction_is_open(f->transaction));
    assert_int_equal(transaction_xid(f->transaction), xid);
    assert_int_equal(transaction_end_lsn(f->transaction), end_lsn);
    assert_int_equal(transaction_last_end_lsn(f->transaction), end_lsn);
    assert_int_equal(transaction_total(f->transaction), total);
}

static void check_collections(const struct fixture *f, const char *expected)
{
    char text[1024] = "";
    size_t len = 0, count;
    const struct collection_count *counts = transaction_collections(f->transaction, &count);
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(
            text + len, sizeof(text) - len, "%s%.*s.%.*s=%llu", i > 0 ? " " : "", (int)counts[i].schema.len,
            counts[i].schema.len > 0 ? counts[i].schema.data : "", (int)counts[i].table.len,
            counts[i].table.len > 0 ? counts[i].table.data : "", (unsigned long long)counts[i].events);
    }
    assert_string_equal(text, expected);
}

/* Applies a change and takes its only event. */
static void change(struct fixture *f, const struct message *message, lsn_t lsn, enum event_op op)
{
    must(f, message, lsn, TRANSACTION_EVENTS);
    assert_int_equal(transaction_event_count(f->transaction), 1);
    transaction_event(f->transaction, 0, &f->event);
    assert_int_equal(f->event.op, op);
    assert_int_equal(f->event.lsn, lsn);
    assert_int_equal(f->event.xid, transaction_is_open(f->transaction) ? transaction_xid(f->transaction) : 0);
    assert_int_equal(f->event.total_order, 0);
}

static void check_count(struct fixture *f, uint64_t total_order, uint64_t collection_order)
{
    transaction_count(f->transaction, &f->event);
    assert_int_equal(f->event.total_order, total_order);
    assert_int_equal(f->event.collection_order, collection_order);
}

static struct message insert_message(uint32_t oid)
{
    struct message message = {.kind = MESSAGE_INSERT};
    message.u.insert.relation_oid = oid;
    message.u.insert.new_tuple = one_column;
    return message;
}

static struct message update_message(uint32_t oid, enum old_tuple_kind kind)
{
    struct message message = {.kind = MESSAGE_UPDATE};
    message.u.update.relation_oid = oid;
    message.u.update.old_kind = kind;
    if (kind != OLD_TUPLE_NONE)
        message.u.update.old_tuple = one_column;
    message.u.update.new_tuple = one_column;
    return message;
}

static struct message delete_message(uint32_t oid)
{
    struct message message = {.kind = MESSAGE_DELETE};
    message.u.delete.relation_oid = oid;
    message.u.delete.old_kind = OLD_TUPLE_KEY;
    message.u.delete.old_tuple = one_column;
    return message;
}

static void insert(struct fixture *f, uint32_t oid, lsn_t lsn, uint64_t total_order, uint64_t order)
{
    struct message message = insert_message(oid);
    change(f, &message, lsn, EVENT_CREATE);
    assert_null(f->event.before);
    assert_ptr_equal(f->event.after->values, no_values);
    check_count(f, total_order, order);
}

/* BEGIN; INSERT a; INSERT b x 2; UPDATE a; INSERT s.c; DELETE b; COMMIT; and a single INSERT after it. */
static void numbers_a_transaction_as_debezium(void **state)
{
    struct fixture *f = *state;
    struct message message;
    begin(f, 302509, 2714632496, 2714633480);
    insert(f, TABLE_A, 2714632496, 1, 1);
    assert_int_equal(f->event.last_end_lsn, LSN_NONE); /* sequence [null, …] */
    assert_int_equal(f->event.commit_lsn, 2714633480 - 48);
    assert_int_equal(f->event.commit_time_us, 302509000);
    insert(f, TABLE_B, 2714632720, 2, 1);
    insert(f, TABLE_B, 2714632944, 3, 2);
    message = update_message(TABLE_A, OLD_TUPLE_NONE);
    change(f, &message, 2714633072, EVENT_UPDATE);
    assert_null(f->event.before);
    assert_non_null(f->event.after);
    check_count(f, 4, 2);
    insert(f, TABLE_C, 2714633144, 5, 1);
    message = delete_message(TABLE_B);
    change(f, &message, 2714633368, EVENT_DELETE);
    assert_non_null(f->event.before);
    assert_null(f->event.after);
    assert_int_equal(f->event.old_kind, OLD_TUPLE_KEY);
    check_count(f, 6, 3);
    assert_int_equal(f->event.ordinal, 6);
    end(f, 2714633480, 6);
    check_collections(f, "public.a=2 public.b=3 s.c=1");
    begin(f, 302510, 2714633480, 2714633664);
    check_collections(f, "");
    insert(f, TABLE_A, 2714633480, 1, 1);
    assert_int_equal(f->event.last_end_lsn, 2714633480); /* sequence ["2714633480","2714633480"] */
    end(f, 2714633664, 1);
}

/* UPDATE of a key is one change and two records, `d` and `c`. */
static void counts_a_changed_key_twice(void **state)
{
    struct fixture *f = *state;
    transaction_reset(f->transaction, 2714634304);
    begin(f, 302517, 2714634584, 2714634784);
    struct message message = update_message(TABLE_A, OLD_TUPLE_KEY);
    change(f, &message, 2714634584, EVENT_UPDATE);
    assert_int_equal(f->event.last_end_lsn, 2714634304);
    assert_non_null(f->event.before);
    check_count(f, 1, 1);
    check_count(f, 2, 2);
    assert_int_equal(transaction_ordinal(f->transaction), 1);
    end(f, 2714634784, 2);
    check_collections(f, "public.a=2");
}

/* Changes that a filter drops take an ordinal and no other number; the empty END's position still counts. */
static void numbers_changes_before_filters(void **state)
{
    struct fixture *f = *state;
    struct message message = insert_message(TABLE_A);
    begin(f, 302524, 2714637112, 2714637368);
    change(f, &message, 2714637112, EVENT_CREATE);
    assert_int_equal(f->event.ordinal, 1);
    change(f, &message, 2714637112, EVENT_CREATE);
    assert_int_equal(f->event.ordinal, 2);
    insert(f, TABLE_B, 2714637112, 1, 1);
    assert_int_equal(f->event.ordinal, 3);
    end(f, 2714637368, 1);
    assert_int_equal(transaction_ordinal(f->transaction), 3);
    begin(f, 302525, 2714637368, 2714637656);
    end(f, 2714637656, 0);
    check_collections(f, "");
    assert_int_equal(transaction_last_end_lsn(f->transaction), 2714637656);
}

/* Rows of a transaction that began earlier have lower LSNs than the end of the one before: interleaved. */
static void keeps_commit_order_apart_from_row_order(void **state)
{
    struct fixture *f = *state;
    begin(f, 302545, 2724037120, 2724037728);
    insert(f, TABLE_B, 2724037120, 1, 1);
    insert(f, TABLE_A, 2724037472, 2, 1);
    end(f, 2724037728, 2);
    begin(f, 302544, 2724036896, 2724037904);
    insert(f, TABLE_A, 2724036896, 1, 1);
    assert_int_equal(f->event.last_end_lsn, 2724037728); /* sequence ["2724037728","2724036896"] */
    insert(f, TABLE_B, 2724037344, 2, 1);
    end(f, 2724037904, 2);
}

/* TRUNCATE t2, t1: one change, an event per table, in the order of the message. */
static void splits_a_truncate(void **state)
{
    struct fixture *f = *state;
    static const uint32_t oids[] = {TABLE_B, TABLE_A};
    struct message message = {.kind = MESSAGE_TRUNCATE};
    message.u.truncate.relation_count = 2;
    message.u.truncate.relation_oids = oids;
    begin(f, 302560, 2728512768, 2728513240);
    must(f, &message, 2728512768, TRANSACTION_EVENTS);
    assert_int_equal(transaction_event_count(f->transaction), 2);
    for (size_t i = 0; i < 2; i++) {
        transaction_event(f->transaction, i, &f->event);
        assert_int_equal(f->event.op, EVENT_TRUNCATE);
        assert_int_equal(f->event.relation->oid, oids[i]);
        assert_int_equal(f->event.ordinal, 1);
        assert_null(f->event.before);
        assert_null(f->event.after);
        check_count(f, i + 1, 1);
    }
    insert(f, TABLE_A, 2728512800, 3, 2);
    assert_int_equal(f->event.ordinal, 2);
    end(f, 2728513240, 3);
    check_collections(f, "public.b=1 public.a=2");
}

static struct message logical_message(bool transactional, lsn_t lsn, const char *prefix)
{
    struct message message = {.kind = MESSAGE_LOGICAL};
    message.u.logical.transactional = transactional;
    message.u.logical.lsn = lsn;
    message.u.logical.prefix = slice_of(prefix);
    message.u.logical.content = SLICE_LITERAL("content");
    return message;
}

/* A transaction with a message, a message outside, and a transaction that has one between two rows. */
static void numbers_messages_as_debezium(void **state)
{
    struct fixture *f = *state;
    begin(f, 302572, 2732947000, 2732947048);
    struct message message = logical_message(true, 2732947000, "alpha");
    change(f, &message, 2732947000, EVENT_MESSAGE);
    assert_int_equal(f->event.last_end_lsn, LSN_NONE);
    assert_null(f->event.relation);
    assert_true(slice_equal(f->event.prefix, SLICE_LITERAL("alpha")));
    assert_true(slice_equal(f->event.content, SLICE_LITERAL("content")));
    check_count(f, 1, 1);
    end(f, 2732947048, 1);
    check_collections(f, ".=1");

    message = logical_message(false, 2732947120, "beta");
    change(f, &message, 2732947120, EVENT_MESSAGE);
    assert_int_equal(f->event.last_end_lsn, 2732947120); /* sequence ["2732947120","2732947120"] */
    assert_int_equal(f->event.xid, 0);
    assert_int_equal(f->event.commit_lsn, LSN_NONE);
    assert_int_equal(f->event.ordinal, 0);
    assert_int_equal(f->event.commit_time_us, 302572000); /* of the last commit */
    assert_false(transaction_is_open(f->transaction));

    begin(f, 302573, 2732947120, 2732947584);
    insert(f, TABLE_T, 2732947120, 1, 1);
    assert_int_equal(f->event.last_end_lsn, 2732947120); /* sequence ["2732947120","2732947120"] */
    message = logical_message(true, 2732947408, "alpha");
    change(f, &message, 2732947408, EVENT_MESSAGE);
    check_count(f, 2, 1);
    assert_int_equal(f->event.ordinal, 2);
    insert(f, TABLE_T, 2732947408, 3, 2);
    change(f, &message, 2732947408, EVENT_MESSAGE);
    check_count(f, 4, 1); /* each message is a collection of its own */
    end(f, 2732947584, 4);
    check_collections(f, "public.t=2 .=2");
}

/* With an origin the walsender gives Begin no position; the origin ends with its transaction. */
static void carries_the_origin(void **state)
{
    struct fixture *f = *state;
    struct message message = {.kind = MESSAGE_ORIGIN};
    char name[] = "elsewhere_parity_96";
    message.u.origin.origin_lsn = 4295011277;
    message.u.origin.name = slice_of(name);
    transaction_reset(f->transaction, 2981527480);
    begin(f, 303729, 0, 2981528464);
    must(f, &message, 2981528136, TRANSACTION_NOTHING);
    memset(name, 'x', sizeof(name) - 1); /* the message is gone when the rows come */
    insert(f, TABLE_T, 2981528136, 1, 1);
    assert_true(slice_equal(f->event.origin, SLICE_LITERAL("elsewhere_parity_96")));
    assert_int_equal(f->event.origin_lsn, 4295011277);
    assert_int_equal(f->event.last_end_lsn, 2981527480);
    end(f, 2981528464, 1);
    begin(f, 303730, 2981528464, 2981528640);
    insert(f, TABLE_T, 2981528464, 1, 1);
    assert_null(f->event.origin.data);
    assert_int_equal(f->event.origin_lsn, LSN_NONE);
    end(f, 2981528640, 1);
}

static void a_reset_forgets_the_open_transaction(void **state)
{
    struct fixture *f = *state;
    begin(f, 1, 100, 500);
    insert(f, TABLE_A, 100, 1, 1);
    transaction_reset(f->transaction, 90);
    assert_false(transaction_is_open(f->transaction));
    assert_int_equal(transaction_event_count(f->transaction), 0);
    begin(f, 1, 100, 500); /* the same again counts itself to the same numbers */
    insert(f, TABLE_A, 100, 1, 1);
    assert_int_equal(f->event.last_end_lsn, 90);
    assert_int_equal(f->event.ordinal, 1);
    end(f, 500, 1);
}

static void refuses_changes_outside_a_transaction(void **state)
{
    struct fixture *f = *state;
    static const uint32_t oids[] = {TABLE_A};
    struct message message = insert_message(TABLE_A);
    must_fail(f, &message, 1, "outside a transaction");
    message = update_message(TABLE_A, OLD_TUPLE_NONE);
    must_fail(f, &message, 1, "outside a transaction");
    message = delete_message(TABLE_A);
    must_fail(f, &message, 1, "outside a transaction");
    message = (struct message){.kind = MESSAGE_TRUNCATE};
    message.u.truncate.relation_count = 1;
    message.u.truncate.relation_oids = oids;
    must_fail(f, &message, 1, "outside a transaction");
    message = (struct message){.kind = MESSAGE_ORIGIN};
    message.u.origin.name = SLICE_LITERAL("o");
    must_fail(f, &message, 1, "Origin outside a transaction");
    message = logical_message(true, 1, "p");
    must_fail(f, &message, 1, "transactional Message outside a transaction");
    message = commit_message(100, 148);
    must_fail(f, &message, 148, "Commit at 0/64 without a Begin");
    assert_int_equal(transaction_event_count(f->transaction), 0);
}

static void refuses_what_does_not_fit_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct tuple two_columns = {2, no_values};
    begin(f, 7, 100, 500);
    struct message message = begin_message(452, 8);
    must_fail(f, &message, 100, "Begin of transaction 8 inside transaction 7");
    message = commit_message(451, 500);
    must_fail(f, &message, 500, "Commit of transaction 7 at 0/1C3 where its Begin announced 0/1C4");
    message = commit_message(452, 452);
    must_fail(f, &message, 500, "ends at 0/1C4");
    message = logical_message(false, 100, "p");
    must_fail(f, &message, 100, "non-transactional Message inside a transaction");
    message = insert_message(99);
    must_fail(f, &message, 100, "relation 99 that no Relation message described");
    message = insert_message(TABLE_A);
    message.u.insert.new_tuple = two_columns;
    must_fail(f, &message, 100, "\"public\".\"a\" has 2 columns where its Relation message has 1");
    message = update_message(TABLE_A, OLD_TUPLE_FULL);
    message.u.update.old_tuple = two_columns;
    must_fail(f, &message, 100, "has 2 columns");
    message = delete_message(TABLE_A);
    message.u.delete.old_tuple = two_columns;
    must_fail(f, &message, 100, "has 2 columns");
    message = (struct message){.kind = MESSAGE_STREAM_START};
    must_fail(f, &message, 100, "'S'");
    assert_int_equal(transaction_ordinal(f->transaction), 0); /* none of them was counted */
}

static void forgets_relations_with_the_cache(void **state)
{
    struct fixture *f = *state;
    begin(f, 7, 100, 500);
    relation_cache_clear(f->relations);
    struct message message = insert_message(TABLE_A);
    must_fail(f, &message, 100, "no Relation message described");
    describe(f, TABLE_A, "public", "a");
    insert(f, TABLE_A, 100, 1, 1);
}

/* A table that is renamed inside the transaction is another collection: Debezium counts by name. */
static void counts_by_name(void **state)
{
    struct fixture *f = *state;
    begin(f, 7, 100, 500);
    insert(f, TABLE_A, 100, 1, 1);
    describe(f, TABLE_A, "public", "renamed");
    insert(f, TABLE_A, 110, 2, 1);
    describe(f, TABLE_A, "public", "a");
    insert(f, TABLE_A, 120, 3, 2);
    end(f, 500, 3);
    check_collections(f, "public.a=2 public.renamed=1");
}

/* More tables than the first memory has room for, twice: the second transaction reuses it. */
static void counts_many_tables(void **state)
{
    struct fixture *f = *state;
    enum { TABLES = 500 };
    for (uint32_t i = 0; i < TABLES; i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "table_%u", i);
        describe(f, 1000 + i, "many", name);
    }
    for (lsn_t round = 0; round < 2; round++) {
        begin(f, 7, 1000 * (round + 1), 1000 * (round + 1) + 500);
        for (uint64_t i = 0; i < 3 * TABLES; i++) {
            insert(f, 1000 + (uint32_t)(i % TABLES), 1000, 2 * i + 1, i / TABLES + 1);
            struct message message = logical_message(true, 1000, "m");
            change(f, &message, 1000, EVENT_MESSAGE);
            check_count(f, 2 * i + 2, 1);
        }
        end(f, 1000 * (round + 1) + 500, 6 * TABLES);
        size_t count;
        const struct collection_count *counts = transaction_collections(f->transaction, &count);
        assert_int_equal(count, TABLES + 1);
        assert_int_equal(counts[0].events, 3);
        assert_int_equal(counts[1].events, 3 * TABLES);
        assert_null(counts[1].table.data);
        assert_true(slice_equal(counts[TABLES].table, SLICE_LITERAL("table_499")));
    }
}

/* The captured stream, through decoder and transaction: ordinals and ends as its statements say. */
static void follows_a_captured_stream(void **state)
{
    struct fixture *f = *state;
    struct captured *list;
    size_t count = messages_load("v1_text.txt", &list);
    struct pgoutput_decoder *decoder = pgoutput_decoder_new(1, false);
    size_t transactions = 0, changes = 0, relations = 0, lone = 0;
    transaction_reset(f->transaction, 0);
    for (size_t i = 0; i < count; i++) {
        struct message message;
        if (!pgoutput_decode(decoder, list[i].bytes, &message, &f->err) || !apply(f, &message, list[i].lsn))
            fail_msg("message %zu: %s", i, f->err.text);
        relations += f->step == TRANSACTION_RELATION;
        if (f->step == TRANSACTION_EVENTS) {
            lone += !transaction_is_open(f->transaction);
            changes += transaction_is_open(f->transaction);
            transaction_event(f->transaction, 0, &f->event);
            assert_int_equal(f->event.lsn, list[i].lsn);
        }
        if (f->step == TRANSACTION_END) {
            assert_int_equal(transaction_end_lsn(f->transaction), list[i].lsn);
            transactions++;
        }
    }
    assert_int_equal(transactions, 24);
    assert_int_equal(lone, 1);
    assert_int_equal(changes, 29);
    assert_int_equal(relations, 13);
    messages_free(list, count);
    pgoutput_decoder_free(decoder);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_a_transaction_as_debezium),
        TEST(counts_a_changed_key_twice),
        TEST(numbers_changes_before_filters),
        TEST(keeps_commit_order_apart_from_row_order),
        TEST(splits_a_truncate),
        TEST(numbers_messages_as_debezium),
        TEST(carries_the_origin),
        TEST(a_reset_forgets_the_open_transaction),
        TEST(refuses_changes_outside_a_transaction),
        TEST(refuses_what_does_not_fit_the_transaction),
        TEST(forgets_relations_with_the_cache),
        TEST(counts_by_name),
        TEST(counts_many_tables),
        TEST(follows_a_captured_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
