/* local_names: the reader's way back from a number to a topic name or a header set. A cache in front of the
 * table, bounded as local_intern is. Private to lib/io. */
#ifndef LOCAL_NAMES_H
#define LOCAL_NAMES_H

#include "walferry/slice.h"

#include <sqlite3.h>
#include <stdint.h>

#define LOCAL_NAMES_SLOTS 1024

struct local_names {
    sqlite3_stmt *find; /* SELECT text WHERE id = ? */
    struct local_names_slot {
        int64_t id; /* 0 = empty */
        char *text; /* owned */
        size_t len;
    } slots[LOCAL_NAMES_SLOTS];
};

/* Borrowed until the next call; false where the table has no such number. */
bool local_names_get(struct local_names *names, int64_t id, struct slice *text);

void local_names_release(struct local_names *names);
#endif
