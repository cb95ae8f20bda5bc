#include "walferry/relation.h"

#include <assert.h>
#include <stdlib.h>

/* Memory of one relation version: chunks that are freed together. */
struct chunk {
    struct chunk *next;
    size_t used, size;
    char bytes[];
};

/* One version of a relation; `relation` comes first, so that the one is found from the other. */
struct version {
    struct relation relation;
    struct chunk *chunks;
};

/* Slots keep oid and version number after relation_cache_clear, with `current` NULL. */
struct slot {
    uint32_t oid; /* 0 = empty: InvalidOid */
    uint32_t version;
    struct version *current;
};

/* Open addressing, linear probing, a power of two; nothing is ever removed. */
struct relation_cache {
    struct slot *slots;
    size_t size, used;
};

#define SLOTS_INITIAL 64
#define CHUNK_BYTES 2048

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        abort(); /* out of memory: a restart is safe by design */
    return memory;
}

static void *arena_take(struct version *version, size_t len)
{
    size_t aligned = (len + 7) & ~(size_t)7;
    struct chunk *chunk = version->chunks;
    if (chunk == NULL || chunk->size - chunk->used < aligned) {
        size_t size = aligned > CHUNK_BYTES ? aligned : CHUNK_BYTES;
        chunk = allocate(1, sizeof(*chunk) + size);
        chunk->size = size;
        chunk->next = version->chunks;
        version->chunks = chunk;
    }
    void *memory = chunk->bytes + chunk->used;
    chunk->used += aligned;
    return memory;
}

static struct slice arena_copy(struct version *version, struct slice bytes)
{
    if (bytes.data == NULL)
        return SLICE_NONE;
    char *copy = arena_take(version, bytes.len + 1);
    if (bytes.len > 0)
        memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len] = '\0';
    return (struct slice){copy, bytes.len};
}

static void version_free(struct version *version)
{
    if (version == NULL)
        return;
    if (version->relation.release_prepared != NULL)
        version->relation.release_prepared(version->relation.prepared);
    for (struct chunk *next, *chunk = version->chunks; chunk != NULL; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    free(version);
}

struct relation_cache *relation_cache_new(void)
{
    struct relation_cache *cache = allocate(1, sizeof(*cache));
    cache->size = SLOTS_INITIAL;
    cache->slots = allocate(cache->size, sizeof(*cache->slots));
    return cache;
}

void relation_cache_clear(struct relation_cache *cache)
{
    for (size_t i = 0; i < cache->size; i++) {
        version_free(cache->slots[i].current);
        cache->slots[i].current = NULL;
    }
}

void relation_cache_free(struct relation_cache *cache)
{
    if (cache == NULL)
        return;
    relation_cache_clear(cache);
    free(cache->slots);
    free(cache);
}

/* The slot of `oid`, or the empty one where it belongs. The load factor keeps one empty. */
static struct slot *find_slot(const struct relation_cache *cache, uint32_t oid)
{
    size_t mask = cache->size - 1;
    size_t at = (oid * 0x9E3779B1U) & mask; /* oids are often consecutive; Fibonacci hashing spreads them */
    while (cache->slots[at].oid != 0 && cache->slots[at].oid != oid)
        at = (at + 1) & mask;
    return &cache->slots[at];
}

static void grow(struct relation_cache *cache)
{
    struct relation_cache bigger = {.size = cache->size * 2, .used = cache->used};
    bigger.slots = allocate(bigger.size, sizeof(*bigger.slots));
    for (size_t i = 0; i < cache->size; i++) {
        if (cache->slots[i].oid != 0)
            *find_slot(&bigger, cache->slots[i].oid) = cache->slots[i];
    }
    free(cache->slots);
    *cache = bigger;
}

static struct slot *claim_slot(struct relation_cache *cache, uint32_t oid)
{
    if ((cache->used + 1) * 2 > cache->size)
        grow(cache);
    struct slot *slot = find_slot(cache, oid);
    if (slot->oid == 0) {
        slot->oid = oid;
        cache->used++;
    }
    return slot;
}

/* Facts that hold where the catalogue says nothing. FULL marks every column as identity, which is no key. */
static void set_defaults(struct relation *relation)
{
    relation->key_count = 0;
    for (uint16_t i = 0; i < relation->column_count; i++) {
        struct column *column = &relation->columns[i];
        bool key = column->identity && relation->identity != REPLICA_IDENTITY_FULL;
        column->base_oid = column->type_oid;
        column->base_typmod = column->typmod;
        column->not_null = false;
        column->key_position = key ? ++relation->key_count : 0;
        column->type_name = column->labels = column->default_expression = SLICE_NONE;
    }
}

struct relation *relation_cache_put(struct relation_cache *cache, const struct relation *relation)
{
    assert(relation->oid != 0 && relation->column_count <= RELATION_COLUMNS_MAX);
    struct version *version = allocate(1, sizeof(*version));
    struct relation *copy = &version->relation;
    copy->oid = relation->oid;
    copy->identity = relation->identity;
    copy->column_count = relation->column_count;
    copy->schema = arena_copy(version, relation->schema);
    copy->name = arena_copy(version, relation->name);
    copy->columns = arena_take(version, relation->column_count * sizeof(*copy->columns));
    for (uint16_t i = 0; i < copy->column_count; i++) {
        const struct column *from = &relation->columns[i];
        copy->columns[i] = (struct column){.name = arena_copy(version, from->name),
                                           .type_oid = from->type_oid,
                                           .typmod = from->typmod,
                                           .identity = from->identity};
    }
    set_defaults(copy);
    struct slot *slot = claim_slot(cache, relation->oid);
    version_free(slot->current);
    slot->current = version;
    copy->version = ++slot->version;
    return copy;
}

struct relation *relation_cache_get(const struct relation_cache *cache, uint32_t oid)
{
    struct version *current = oid == 0 ? NULL : find_slot(cache, oid)->current;
    return current == NULL ? NULL : &current->relation;
}

static const struct column_facts *find_facts(const struct column_facts *facts, size_t count, size_t guess,
                                             struct slice name)
{
    if (guess < count && slice_equal(facts[guess].name, name)) /* the usual case: the same order */
        return &facts[guess];
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(facts[i].name, name))
            return &facts[i];
    }
    return NULL;
}

static void apply_facts(struct version *version, struct column *column, const struct column_facts *facts)
{
    /* A base type of 0 is a fact that could not be told: the wire's own type stays. */
    if (facts->base_oid != 0) {
        column->base_oid = facts->base_oid;
        column->base_typmod = facts->base_oid == column->type_oid ? column->typmod : facts->base_typmod;
    }
    column->not_null = facts->not_null;
    column->key_position = facts->key_position;
    column->type_name = arena_copy(version, facts->type_name);
    column->labels = arena_copy(version, facts->labels);
    column->default_expression = arena_copy(version, facts->default_expression);
}

/* The column with the smallest position > `after` in the order (position, attnum); NULL at the end. */
static struct column *next_key(struct relation *relation, const struct column *after)
{
    struct column *best = NULL;
    for (uint16_t i = 0; i < relation->column_count; i++) {
        struct column *column = &relation->columns[i];
        if (column->key_position == 0)
            continue;
        bool behind = after == NULL || column->key_position > after->key_position ||
                      (column->key_position == after->key_position && column > after);
        if (behind && (best == NULL || column->key_position < best->key_position))
            best = column;
    }
    return best;
}

/* A column list or a DDL may leave gaps or doubles in the catalogue's positions: make them 1, 2, 3 … */
static void number_keys(struct relation *relation)
{
    uint16_t order[RELATION_COLUMNS_MAX];
    uint16_t count = 0;
    for (struct column *column = next_key(relation, NULL); column != NULL;
         column = next_key(relation, column))
        order[count++] = (uint16_t)(column - relation->columns);
    for (uint16_t i = 0; i < count; i++)
        relation->columns[order[i]].key_position = (uint16_t)(i + 1);
    relation->key_count = count;
}

void relation_set_facts(struct relation *relation, const struct column_facts *facts, size_t count)
{
    struct version *version = (struct version *)(void *)relation;
    set_defaults(relation);
    for (uint16_t i = 0; i < relation->column_count; i++) {
        struct column *column = &relation->columns[i];
        const struct column_facts *found = find_facts(facts, count, i, column->name);
        if (found != NULL)
            apply_facts(version, column, found);
    }
    number_keys(relation);
}
