/* table: a table of the target as its catalogue describes it, loaded on first use.
 *
 * Loading uses a session of its own, so it works while a target transaction is open in the pipeline. After an
 * error that may come from a changed catalogue all tables are forgotten together with the session, and loaded
 * again once before the error counts.
 */
#ifndef APPLIER_TABLE_H
#define APPLIER_TABLE_H

#include "walferry/pg.h"
#include "walferry/sql.h"

#define KEY_COLUMNS_MAX 32 /* INDEX_MAX_KEYS of PostgreSQL */

/* A unique index that ON CONFLICT can use: whole, on plain columns, not deferrable. */
struct table_index {
    uint16_t columns[KEY_COLUMNS_MAX];
    uint16_t count;
};

struct statement;

struct table {
    struct target_table sql;
    struct pg_result *columns_result; /* owns the names */
    struct table_index *indexes;
    size_t index_count;
    char *topic;                      /* of the events seen last, for messages */
    uint16_t *guesses;                /* event's field position → column found there last time */
    struct statement *statements;     /* prepared for it, the one used last in front */
    bool told_no_index, told_missing; /* once per table */
    char *schema, *name;
    struct table *next; /* in its hash bucket */
};

#define TABLE_BUCKETS 256

struct tables {
    struct table *buckets[TABLE_BUCKETS];
    struct table *recent;
};

void tables_release(struct tables *tables);

/* Finds the table or loads it with `catalog`. ERR_TARGET_SCHEMA where the target has none of that name. */
MUST_CHECK bool tables_get(struct tables *tables, struct pg *catalog, struct slice schema, struct slice name,
                           struct table **table, struct err *err);
void table_set_topic(struct table *table, struct slice topic);

/* Is there an index on exactly these columns, in any order? */
bool table_has_index(const struct table *table, const uint16_t *columns, size_t count);

/* Room for the guesses of an event with this many fields. */
#define TABLE_FIELDS_MAX 1664

/* The index of a column, guessed from where it was found for the same position; -1 where there is none. */
int table_find_column(struct table *table, size_t position, struct slice name);

#endif
