/* apply: records of the source become statements of the open unit.
 *
 * | event                         | statement                                                              |
 * |-------------------------------|------------------------------------------------------------------------|
 * | c, r with a key               | INSERT … ON CONFLICT (key) DO UPDATE, or INSERT (insert.mode, no index) |
 * | c, r without a key            | INSERT                                                                 |
 * | u                             | UPDATE … WHERE key, unchanged columns left out                         |
 * | u, d without a key            | one row, found by its whole old image                                  |
 * | d                             | DELETE … WHERE key                                                     |
 * | d with newkey, c with oldkey  | one UPDATE … WHERE old key                                             |
 * | t, t, … of one statement      | one TRUNCATE                                                           |
 *
 * Between two whole source transactions `boundary` is true and the unit may be closed with `progress`.
 */
#ifndef APPLIER_APPLY_H
#define APPLIER_APPLY_H

#include "applier_config.h"
#include "order.h"
#include "row.h"
#include "source.h"
#include "unit.h"

#define TRUNCATED_TABLES_MAX 4096

struct apply_options {
    const struct applier_config *config;
    const char *source; /* id */
    /* A session for the catalogue; opened on first use. */
    bool (*catalog)(void *data, struct pg **catalog, struct err *err);
    void *data;
    struct metrics *metrics;
};

struct apply {
    struct apply_options options;
    struct pgvalue_options values;
    struct unit *unit;
    struct tables tables;
    struct statements statements;
    struct change_reader *reader;
    struct order order;
    struct progress progress; /* what is behind us, committed or not */
    struct row after, key;
    uint16_t *set, *where;   /* scratch: column indexes */
    const char **parameters; /* scratch */
    struct buf name;         /* scratch: collection.name.format filled in */
    /* The first half of a key change: the delete's key, in `held`. */
    struct table *held_table;
    struct row held;
    uint16_t held_columns[KEY_COLUMNS_MAX];
    size_t held_count;
    /* The tables that one TRUNCATE named so far. */
    const struct target_table **truncated;
    size_t truncated_count, truncated_capacity;
    struct table *truncated_table; /* the last of them, for messages */
    int64_t truncated_offset;
    uint32_t truncated_xid;
    lsn_t truncated_lsn;
    bool second_snapshot; /* the event at hand is a row of one */
    bool second_snapshot_told;
};

void apply_init(struct apply *apply, const struct apply_options *options, struct unit *unit);
void apply_release(struct apply *apply);

/* A session begins behind `progress`; forgets tables, statements and everything half-done. */
void apply_start(struct apply *apply, const struct progress *progress);

/* Errors say where: topic, offset, table. */
MUST_CHECK bool apply_record(struct apply *apply, const struct source_record *record, struct err *err);

/* Nothing is half-done: the unit may end here. */
bool apply_at_boundary(const struct apply *apply);

/* ---- between apply*.c ---- */
struct apply_place { /* of the record at hand */
    struct table *table;
    int64_t offset;
    size_t bytes;
};
/* Where a row is found: the record key's columns and values, or (by_image) the whole old row. */
MUST_CHECK bool apply_read_key(struct apply *apply, struct table *table, const struct field_list *key,
                               uint16_t *columns, size_t *count, struct err *err);
MUST_CHECK bool apply_send(struct apply *apply, const struct apply_place *place,
                           const struct statement_shape *shape, const struct row *set,
                           const struct row *where, struct err *err);
MUST_CHECK bool apply_truncate_add(struct apply *apply, const struct apply_place *place,
                                   const struct change *change, struct err *err);
MUST_CHECK bool apply_truncate_flush(struct apply *apply, struct err *err);
MUST_CHECK bool apply_key_change_hold(struct apply *apply, const struct apply_place *place,
                                      const struct change *change, struct err *err);
MUST_CHECK bool apply_key_change_finish(struct apply *apply, const struct apply_place *place,
                                        const struct change *change, struct err *err);
MUST_CHECK bool apply_row(struct apply *apply, const struct apply_place *place, const struct change *change,
                          struct err *err);

#endif
