/* catalog: what the stream does not say about a relation, read from the source's catalogue.
 *
 * The facts are those of the moment of reading: they may be newer than the row that is being decoded.
 */
#ifndef STREAMER_CATALOG_H
#define STREAMER_CATALOG_H

#include "walferry/pg.h"
#include "walferry/relation.h"

/* Key order (primary key, else the first unique index by name), nullability, defaults, enum labels, domains'
 * base types. A relation that is gone by now keeps its defaults. */
MUST_CHECK bool catalog_load_facts(struct pg *pg, struct relation *relation, struct err *err);

/* One table of a publication. */
struct catalog_table {
    uint32_t oid;
    struct slice schema, name; /* owned by the list */
    struct slice row_filter;   /* {NULL,0} = none */
    struct slice columns; /* attribute numbers, as '{1,2}'; {NULL,0} = every column that is not generated */
    enum replica_identity identity;
    bool partitioned;   /* a root that stands for its partitions */
    bool finds_rows;    /* has what UPDATE and DELETE need: a key or a replica identity */
    bool schema_usable; /* the role has USAGE on the schema */
    bool readable;      /* the role may SELECT every published column */
    bool row_security;
};

struct catalog_tables {
    struct catalog_table *tables; /* ordered by schema, name */
    size_t count;
    struct pg_result *result; /* owns the texts */
};

/* `publication` NULL: the tables that a publication of all tables would have. */
MUST_CHECK bool catalog_load_tables(struct pg *pg, const char *publication, struct catalog_tables *tables,
                                    struct err *err);
void catalog_tables_release(struct catalog_tables *tables);

/* A relation as a Relation message would describe it, put into the cache. */
MUST_CHECK bool catalog_load_relation(struct pg *pg, const struct catalog_table *table,
                                      struct relation_cache *cache, struct relation **relation,
                                      struct err *err);

/* Decimal text of a catalogue value; 0 for NULL. */
uint64_t catalog_number(struct slice text);
bool catalog_true(struct slice text);

#endif
