#include "collections.h"

#include <stdlib.h>

#define ITEMS_INITIAL 16

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort(); /* out of memory: a restart is safe by design */
    return memory;
}

static void *grow_array(void *array, size_t count, size_t wanted, size_t size)
{
    char *bigger = realloc(array, wanted * size);
    if (bigger == NULL)
        abort();
    memset(bigger + count * size, 0, (wanted - count) * size);
    return bigger;
}

void collections_init(struct collections *c)
{
    *c = (struct collections){.items_max = ITEMS_INITIAL, .slot_count = (size_t)2 * ITEMS_INITIAL};
    c->items = allocate(c->items_max, sizeof(*c->items));
    c->names = allocate(c->items_max, sizeof(*c->names));
    c->name_max = allocate(c->items_max, sizeof(*c->name_max));
    c->slots = allocate(c->slot_count, sizeof(*c->slots));
}

void collections_release(struct collections *c)
{
    for (size_t i = 0; i < c->items_max; i++)
        free(c->names[i]);
    free(c->names);
    free(c->name_max);
    free(c->items);
    free(c->slots);
}

void collections_clear(struct collections *c)
{
    if (c->count > 0)
        memset(c->slots, 0, c->slot_count * sizeof(*c->slots));
    c->count = c->last = c->message = 0;
}

/* FNV-1a over both names, with a byte between them that no name holds. */
static uint32_t hash_names(struct slice schema, struct slice table)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < schema.len; i++)
        hash = (hash ^ (uint8_t)schema.data[i]) * 16777619U;
    hash *= 16777619U;
    for (size_t i = 0; i < table.len; i++)
        hash = (hash ^ (uint8_t)table.data[i]) * 16777619U;
    return hash;
}

static bool is_item(const struct collection_count *item, struct slice schema, struct slice table)
{
    return slice_equal(item->table, table) && slice_equal(item->schema, schema);
}

static void grow(struct collections *c)
{
    size_t items_max = c->items_max * 2;
    c->items = grow_array(c->items, c->items_max, items_max, sizeof(*c->items));
    c->names = grow_array(c->names, c->items_max, items_max, sizeof(*c->names));
    c->name_max = grow_array(c->name_max, c->items_max, items_max, sizeof(*c->name_max));
    c->items_max = items_max;
    free(c->slots);
    c->slot_count = items_max * 2;
    c->slots = allocate(c->slot_count, sizeof(*c->slots));
    for (size_t i = 0; i < c->count; i++) {
        if (i + 1 == c->message)
            continue;
        size_t at = hash_names(c->items[i].schema, c->items[i].table) & (c->slot_count - 1);
        while (c->slots[at] != 0)
            at = (at + 1) & (c->slot_count - 1);
        c->slots[at] = (uint32_t)i + 1;
    }
}

static size_t add_item(struct collections *c)
{
    c->items[c->count] = (struct collection_count){.schema = SLICE_NONE, .table = SLICE_NONE};
    return c->count++;
}

/* Copies both names into the memory that the item's place has from earlier transactions. */
static void set_names(struct collections *c, size_t index, struct slice schema, struct slice table)
{
    size_t needed = schema.len + table.len + 1;
    if (needed > c->name_max[index]) {
        free(c->names[index]);
        c->names[index] = allocate(1, needed);
        c->name_max[index] = needed;
    }
    char *names = c->names[index];
    if (schema.len > 0)
        memcpy(names, schema.data, schema.len);
    if (table.len > 0)
        memcpy(names + schema.len, table.data, table.len);
    c->items[index].schema = (struct slice){names, schema.len};
    c->items[index].table = (struct slice){names + schema.len, table.len};
}

static size_t find_or_add(struct collections *c, struct slice schema, struct slice table)
{
    if (c->count == c->items_max)
        grow(c);
    size_t mask = c->slot_count - 1;
    size_t at = hash_names(schema, table) & mask;
    for (; c->slots[at] != 0; at = (at + 1) & mask) {
        if (is_item(&c->items[c->slots[at] - 1], schema, table))
            return c->slots[at] - 1;
    }
    size_t index = add_item(c);
    set_names(c, index, schema, table);
    c->slots[at] = (uint32_t)index + 1;
    return index;
}

uint64_t collections_count(struct collections *c, struct slice schema, struct slice table)
{
    bool again = c->count > 0 && c->last + 1 != c->message && is_item(&c->items[c->last], schema, table);
    if (!again)
        c->last = find_or_add(c, schema, table);
    return ++c->items[c->last].events;
}

uint64_t collections_count_message(struct collections *c)
{
    if (c->message == 0) {
        if (c->count == c->items_max)
            grow(c);
        c->message = add_item(c) + 1;
    }
    c->items[c->message - 1].events++;
    return 1;
}
