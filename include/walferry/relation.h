/* relation: a published table as the stream describes it, and the cache of them.
 *
 * pgoutput sends a Relation message before the first row of a table in a session and again after each DDL.
 * Each message makes a new version; the rows that follow belong to it. What the stream does not say (primary
 * key order, nullability, defaults, enum labels, a domain's base type) comes from the catalogue as `facts`,
 * at the moment the Relation message is met, matched by column name. Everything of one version lives in one
 * arena owned by the cache and is freed when a newer version replaces it; a pointer to a relation is valid
 * until the next relation_cache_put of the same oid.
 */
#ifndef WALFERRY_RELATION_H
#define WALFERRY_RELATION_H

#include "walferry/err.h"
#include "walferry/slice.h"

#include <stdint.h>

#define RELATION_COLUMNS_MAX 1664 /* PostgreSQL's MaxTupleAttributeNumber */

enum replica_identity { /* the wire bytes of a Relation message */
                        REPLICA_IDENTITY_DEFAULT = 'd',
                        REPLICA_IDENTITY_NOTHING = 'n',
                        REPLICA_IDENTITY_FULL = 'f',
                        REPLICA_IDENTITY_INDEX = 'i',
};

struct column {
    struct slice name;
    uint32_t type_oid; /* as on the wire: may be a domain, an enum, an extension's type */
    int32_t typmod;    /* atttypmod, -1 = none */
    bool identity;     /* pgoutput's flag: part of the replica identity */
    /* facts from the catalogue; the defaults below hold where they are not known */
    uint32_t base_oid;               /* the type with domains resolved; = type_oid otherwise */
    int32_t base_typmod;             /* the domain's typmod where base_oid != type_oid */
    bool not_null;                   /* attnotnull */
    uint16_t key_position;           /* 1.. = place in the record key; 0 = not part of it */
    struct slice type_name;          /* pg_type.typname of base_oid; {NULL,0} = not known */
    struct slice labels;             /* an enum's labels joined by ',' in enumsortorder; {NULL,0} = no enum */
    struct slice default_expression; /* pg_get_expr; {NULL,0} = none */
};

struct relation {
    uint32_t oid;
    uint32_t version;    /* counts the Relation messages of this oid in this session, from 1 */
    struct slice schema; /* "pg_catalog" where the wire has an empty name */
    struct slice name;
    enum replica_identity identity;
    uint16_t column_count;
    struct column *columns; /* in attnum order */
    uint16_t key_count;     /* columns with key_position > 0 */
    void *prepared;         /* the encoder's own per-version state, freed through `release_prepared` */
    void (*release_prepared)(void *prepared);
};

/* Facts of one column, matched to a relation's column by name. Slices are borrowed for the call. */
struct column_facts {
    struct slice name;
    uint32_t base_oid;
    int32_t base_typmod;
    bool not_null;
    uint16_t key_position;
    struct slice type_name, labels, default_expression;
};

struct relation_cache;

struct relation_cache *relation_cache_new(void);
void relation_cache_free(struct relation_cache *cache);

/* Forgets every relation: a new replication session sends all of them again. Versions go on counting. */
void relation_cache_clear(struct relation_cache *cache);

/* Copies `relation` (a decoded Relation message) into the cache as the newest version of its oid. */
struct relation *relation_cache_put(struct relation_cache *cache, const struct relation *relation);

/* NULL where the oid was never described in this session. */
struct relation *relation_cache_get(const struct relation_cache *cache, uint32_t oid);

/* Fills the facts of a cached relation, copying the bytes into its arena. Columns without facts keep their
 * defaults: base_oid = type_oid, nullable, key = identity columns unless the identity is FULL. */
void relation_set_facts(struct relation *relation, const struct column_facts *facts, size_t count);

#endif
