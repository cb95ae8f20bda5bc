/* collections: how many records of each table an open transaction has, by the table's name.
 *
 * By name and not by oid, because a table may be renamed inside a transaction and Debezium counts what is
 * printed. Items stay in the order of first appearance; a small hash table finds them, the last one found is
 * tried first. Memory is kept for the next transaction. Internal to transaction.c.
 */
#ifndef WALFERRY_COLLECTIONS_H
#define WALFERRY_COLLECTIONS_H

#include "walferry/transaction.h"

struct collections {
    struct collection_count *items;
    size_t count, items_max;
    uint32_t *slots; /* item index + 1; 0 = empty */
    size_t slot_count;
    size_t last;      /* index of the item that was counted last */
    size_t message;   /* index + 1 of the entry of logical messages; 0 = none */
    char **names;     /* the memory of each item's two names */
    size_t *name_max; /* and its size */
};

void collections_init(struct collections *collections);
void collections_release(struct collections *collections);
void collections_clear(struct collections *collections);

/* Counts one record of the table and returns its number, from 1. */
uint64_t collections_count(struct collections *collections, struct slice schema, struct slice table);

/* Counts one logical message. Each is a collection of its own in Debezium, so that its number is always 1. */
uint64_t collections_count_message(struct collections *collections);

#endif
