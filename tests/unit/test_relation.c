#include "walferry/relation.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

#define OID_INT4 23
#define OID_TEXT 25

static struct column wire_columns[] = {
    {.name = {"id", 2}, .type_oid = OID_INT4, .typmod = -1, .identity = true},
    {.name = {"name", 4}, .type_oid = OID_TEXT, .typmod = -1},
    {.name = {"code", 4}, .type_oid = 20001, .typmod = -1, .identity = true},
};

static struct relation wire_relation(uint32_t oid, enum replica_identity identity)
{
    return (struct relation){.oid = oid,
                             .schema = SLICE_LITERAL("public"),
                             .name = SLICE_LITERAL("items"),
                             .identity = identity,
                             .column_count = 3,
                             .columns = wire_columns};
}

static struct relation *put(struct relation_cache *cache, uint32_t oid, enum replica_identity identity)
{
    struct relation relation = wire_relation(oid, identity);
    return relation_cache_put(cache, &relation);
}

static void check_keys(const struct relation *relation, uint16_t a, uint16_t b, uint16_t c)
{
    assert_int_equal(relation->columns[0].key_position, a);
    assert_int_equal(relation->columns[1].key_position, b);
    assert_int_equal(relation->columns[2].key_position, c);
    assert_int_equal(relation->key_count, (a > 0) + (b > 0) + (c > 0));
}

static void copies_what_it_keeps(void **state)
{
    (void)state;
    char name[] = "items", column_name[] = "id";
    struct column column = {.name = {column_name, 2}, .type_oid = OID_INT4, .typmod = 7, .identity = true};
    struct relation wire = {.oid = 5,
                            .schema = SLICE_LITERAL("public"),
                            .name = {name, 5},
                            .identity = REPLICA_IDENTITY_DEFAULT,
                            .column_count = 1,
                            .columns = &column};
    struct relation_cache *cache = relation_cache_new();
    struct relation *relation = relation_cache_put(cache, &wire);
    memset(name, 'x', 5);
    memset(column_name, 'x', 2);
    column.type_oid = 0;
    assert_ptr_equal(relation_cache_get(cache, 5), relation);
    assert_true(slice_equal(relation->name, SLICE_LITERAL("items")));
    assert_true(slice_equal(relation->columns[0].name, SLICE_LITERAL("id")));
    assert_int_equal(relation->columns[0].type_oid, OID_INT4);
    assert_int_equal(relation->columns[0].typmod, 7);
    assert_true(relation->columns[0].identity);
    assert_null(relation->prepared);
    relation_cache_free(cache);
    relation_cache_free(NULL);
}

static void has_defaults_without_facts(void **state)
{
    (void)state;
    struct relation_cache *cache = relation_cache_new();
    struct relation *relation = put(cache, 1, REPLICA_IDENTITY_DEFAULT);
    check_keys(relation, 1, 0, 2);
    assert_int_equal(relation->columns[2].base_oid, 20001);
    assert_int_equal(relation->columns[2].base_typmod, -1);
    assert_false(relation->columns[0].not_null);
    assert_null(relation->columns[0].type_name.data);
    assert_null(relation->columns[0].labels.data);
    assert_null(relation->columns[0].default_expression.data);
    check_keys(put(cache, 2, REPLICA_IDENTITY_INDEX), 1, 0, 2);
    /* FULL marks every column on the wire, which says nothing about a key. */
    check_keys(put(cache, 3, REPLICA_IDENTITY_FULL), 0, 0, 0);
    relation_cache_free(cache);
}

static void takes_facts_by_name(void **state)
{
    (void)state;
    char expression[] = "'x'::text";
    struct column_facts facts[] = {
        {.name = SLICE_LITERAL("code"),
         .base_oid = OID_TEXT,
         .base_typmod = 12,
         .key_position = 1,
         .not_null = true,
         .type_name = SLICE_LITERAL("text"),
         .labels = SLICE_LITERAL("a,b")},
        {.name = SLICE_LITERAL("gone"), .base_oid = 1, .key_position = 2},
        {.name = SLICE_LITERAL("id"),
         .base_oid = OID_INT4,
         .base_typmod = 99,
         .key_position = 3,
         .default_expression = {expression, 9}},
    };
    struct relation_cache *cache = relation_cache_new();
    struct relation *relation = put(cache, 1, REPLICA_IDENTITY_FULL);
    relation_set_facts(relation, facts, 3);
    memset(expression, '?', 9);
    check_keys(relation, 2, 0, 1);                          /* 3 and 1, without the gap */
    assert_int_equal(relation->columns[0].base_typmod, -1); /* no domain: the wire's own */
    assert_int_equal(relation->columns[2].base_oid, OID_TEXT);
    assert_int_equal(relation->columns[2].base_typmod, 12);
    assert_true(relation->columns[2].not_null);
    assert_true(slice_equal(relation->columns[2].type_name, SLICE_LITERAL("text")));
    assert_true(slice_equal(relation->columns[2].labels, SLICE_LITERAL("a,b")));
    assert_true(slice_equal(relation->columns[0].default_expression, SLICE_LITERAL("'x'::text")));
    assert_int_equal(relation->columns[1].base_oid, OID_TEXT); /* no facts: the defaults */
    /* New facts replace the old ones whole. */
    relation_set_facts(relation, NULL, 0);
    check_keys(relation, 0, 0, 0);
    assert_false(relation->columns[2].not_null);
    assert_null(relation->columns[2].labels.data);
    relation_cache_free(cache);
}

/* A column that was renamed since keeps its default, whatever position that doubles. */
static void numbers_keys_without_doubles(void **state)
{
    (void)state;
    struct column_facts facts[] = {
        {.name = SLICE_LITERAL("name"), .base_oid = OID_TEXT, .key_position = 1},
        {.name = SLICE_LITERAL("code"), .base_oid = OID_TEXT, .key_position = 0},
    };
    struct relation_cache *cache = relation_cache_new();
    struct relation *relation = put(cache, 1, REPLICA_IDENTITY_DEFAULT);
    relation_set_facts(relation, facts, 2);
    check_keys(relation, 1, 2, 0);
    relation_cache_free(cache);
}

static int released;

static void on_release(void *prepared)
{
    released += *(int *)prepared;
}

static void replaces_versions(void **state)
{
    (void)state;
    int one = 1, ten = 10;
    released = 0;
    struct relation_cache *cache = relation_cache_new();
    struct relation *relation = put(cache, 1, REPLICA_IDENTITY_DEFAULT);
    assert_int_equal(relation->version, 1);
    relation->prepared = &one;
    relation->release_prepared = on_release;
    relation = put(cache, 1, REPLICA_IDENTITY_DEFAULT);
    assert_int_equal(relation->version, 2);
    assert_int_equal(released, 1);
    assert_null(relation->prepared);
    relation->prepared = &ten;
    relation->release_prepared = on_release;
    relation_cache_clear(cache);
    assert_int_equal(released, 11);
    assert_null(relation_cache_get(cache, 1));
    assert_int_equal(put(cache, 1, REPLICA_IDENTITY_DEFAULT)->version, 3);
    relation_cache_free(cache);
    assert_int_equal(released, 11);
}

static void finds_many(void **state)
{
    (void)state;
    enum { RELATIONS = 3000 };
    struct relation_cache *cache = relation_cache_new();
    assert_null(relation_cache_get(cache, 0));
    assert_null(relation_cache_get(cache, 1));
    for (uint32_t i = 0; i < RELATIONS; i++) {
        assert_int_equal(put(cache, 16384 + i * 3, REPLICA_IDENTITY_DEFAULT)->version, 1);
        (void)put(cache, UINT32_MAX - i, REPLICA_IDENTITY_DEFAULT);
    }
    for (uint32_t i = 0; i < RELATIONS; i++) {
        assert_int_equal(relation_cache_get(cache, 16384 + i * 3)->oid, 16384 + i * 3);
        assert_int_equal(relation_cache_get(cache, UINT32_MAX - i)->oid, UINT32_MAX - i);
        assert_null(relation_cache_get(cache, 16384 + i * 3 + 1));
    }
    relation_cache_free(cache);
}

static void holds_as_many_columns_as_there_can_be(void **state)
{
    (void)state;
    struct column *columns = calloc(RELATION_COLUMNS_MAX, sizeof(*columns));
    struct column_facts *facts = calloc(RELATION_COLUMNS_MAX, sizeof(*facts));
    char(*names)[16] = calloc(RELATION_COLUMNS_MAX, sizeof(*names));
    assert_true(columns != NULL && facts != NULL && names != NULL);
    for (size_t i = 0; i < RELATION_COLUMNS_MAX; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "column_%zu", i);
        columns[i] = (struct column){.name = slice_of(names[i]), .type_oid = OID_TEXT, .typmod = -1};
        facts[RELATION_COLUMNS_MAX - 1 - i] =
            (struct column_facts){.name = slice_of(names[i]), .base_oid = OID_TEXT, .not_null = i % 2 == 1};
    }
    struct relation wire = wire_relation(1, REPLICA_IDENTITY_DEFAULT);
    wire.column_count = RELATION_COLUMNS_MAX;
    wire.columns = columns;
    struct relation_cache *cache = relation_cache_new();
    struct relation *relation = relation_cache_put(cache, &wire);
    relation_set_facts(relation, facts, RELATION_COLUMNS_MAX);
    for (size_t i = 0; i < RELATION_COLUMNS_MAX; i++)
        assert_int_equal(relation->columns[i].not_null, i % 2 == 1);
    relation_cache_free(cache);
    free(names);
    free(facts);
    free(columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_what_it_keeps),
        cmocka_unit_test(has_defaults_without_facts),
        cmocka_unit_test(takes_facts_by_name),
        cmocka_unit_test(numbers_keys_without_doubles),
        cmocka_unit_test(replaces_versions),
        cmocka_unit_test(finds_many),
        cmocka_unit_test(holds_as_many_columns_as_there_can_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
