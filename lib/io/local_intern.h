/* local_intern: topic names and header sets are stored once and named by a number. A small cache in front of
 * the table; its memory is bounded, a miss costs one lookup. Private to lib/io. */
#ifndef LOCAL_INTERN_H
#define LOCAL_INTERN_H

#include "walferry/slice.h"

#include <sqlite3.h>
#include <stdint.h>

#define LOCAL_INTERN_SLOTS 1024 /* cached texts at most; two of one slot take turns */

struct local_intern {
    sqlite3_stmt *find, *add; /* SELECT id WHERE text = ?, INSERT (text) */
    bool is_blob;
    int64_t room;   /* new entries still allowed */
    uint32_t worth; /* sightings in a row before a text is stored: 1 = at once */
    struct local_intern_slot {
        char *text; /* owned */
        size_t len;
        uint32_t seen;
        int64_t id; /* 0 = not stored */
    } slots[LOCAL_INTERN_SLOTS];
};

/* The text's number, or 0 where it is not worth one; -1 where SQLite failed. */
int64_t local_intern_id(struct local_intern *intern, struct slice text);

/* Forgets the cache: after a rollback its numbers may not exist. */
void local_intern_clear(struct local_intern *intern);

void local_intern_release(struct local_intern *intern);
#endif
