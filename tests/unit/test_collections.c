#include "../../lib/core/collections.h"

#include "cmocka_all.h"

#include <stdio.h>

static uint64_t count(struct collections *collections, const char *schema, const char *table)
{
    return collections_count(collections, slice_of(schema), slice_of(table));
}

static void assert_item(const struct collections *collections, size_t index, const char *schema,
                        const char *table, uint64_t events)
{
    const struct collection_count *item = &collections->items[index];
    assert_true(slice_equal(item->schema, slice_of(schema)));
    assert_true(slice_equal(item->table, slice_of(table)));
    assert_int_equal(item->events, events);
}

static void counts_by_name_in_order_of_appearance(void **state)
{
    (void)state;
    struct collections collections;
    collections_init(&collections);
    assert_int_equal(count(&collections, "public", "b"), 1);
    assert_int_equal(count(&collections, "public", "a"), 1);
    assert_int_equal(count(&collections, "public", "b"), 2);
    assert_int_equal(count(&collections, "s", "a"), 1);
    assert_int_equal(count(&collections, "public", "a"), 2);
    assert_int_equal(collections.count, 3);
    assert_item(&collections, 0, "public", "b", 2);
    assert_item(&collections, 1, "public", "a", 2);
    assert_item(&collections, 2, "s", "a", 1);
    collections_release(&collections);
}

/* "a"."b.c" and "a.b"."c" print alike and are two tables. */
static void keeps_names_apart_that_join_alike(void **state)
{
    (void)state;
    struct collections collections;
    collections_init(&collections);
    assert_int_equal(count(&collections, "a", "bc"), 1);
    assert_int_equal(count(&collections, "ab", "c"), 1);
    assert_int_equal(count(&collections, "", "abc"), 1);
    assert_int_equal(count(&collections, "ab", "c"), 2);
    assert_int_equal(collections.count, 3);
    collections_release(&collections);
}

static void grows_and_starts_anew(void **state)
{
    (void)state;
    struct collections collections;
    collections_init(&collections);
    for (int round = 1; round <= 2; round++) {
        for (uint64_t pass = 1; pass <= 3; pass++) {
            for (int i = 0; i < 2000; i++) {
                char name[32];
                (void)snprintf(name, sizeof(name), "table_%d", i);
                assert_int_equal(count(&collections, "public", name), pass);
            }
        }
        assert_int_equal(collections.count, 2000);
        assert_item(&collections, 1999, "public", "table_1999", 3);
        collections_clear(&collections);
        assert_int_equal(collections.count, 0);
    }
    collections_release(&collections);
}

static void a_message_is_always_its_first(void **state)
{
    (void)state;
    struct collections collections;
    collections_init(&collections);
    assert_int_equal(collections_count_message(&collections), 1);
    assert_int_equal(count(&collections, "public", "t"), 1);
    assert_int_equal(collections_count_message(&collections), 1);
    assert_int_equal(collections.count, 2);
    assert_int_equal(collections.items[0].events, 2);
    assert_null(collections.items[0].schema.data);
    collections_release(&collections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_name_in_order_of_appearance),
        cmocka_unit_test(keeps_names_apart_that_join_alike),
        cmocka_unit_test(grows_and_starts_anew),
        cmocka_unit_test(a_message_is_always_its_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
