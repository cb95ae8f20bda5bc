/* row: the values of one event by column of the target table, as text parameters.
 *
 * Values of one event lie one after another in one buffer that is reused; a cell keeps the offset, since the
 * buffer may move while it grows.
 */
#ifndef APPLIER_ROW_H
#define APPLIER_ROW_H

#include "table.h"

#include "walferry/pgvalue.h"

#define CELL_ABSENT 0 /* beside the kinds of enum value_kind: the event has no such field */

struct cell {
    int kind; /* CELL_ABSENT, VALUE_NULL, VALUE_UNCHANGED or VALUE_TEXT */
    size_t offset;
};

struct row {
    struct cell *cells; /* by column of the table */
    size_t cell_count, cell_capacity;
    struct buf text;
};

void row_init(struct row *row, size_t bytes_max);
void row_release(struct row *row);

/* Fills `row` from the fields of an event. `unchanged` (may be NULL) names further columns whose value was
 * not touched. Generated columns are left out. A field without a column is ERR_TARGET_SCHEMA. */
MUST_CHECK bool row_read(struct row *row, struct table *table, const struct field_list *fields,
                         const struct field_list *unchanged, const struct pgvalue_options *options,
                         struct err *err);

/* NULL for NULL; valid until the next row_read. */
const char *row_value(const struct row *row, uint16_t column);
bool row_has_unchanged(const struct row *row);

/* The columns with a value (or NULL), in the table's order; identity columns that are GENERATED ALWAYS may be
 * inserted and not updated. `out` has room for the table's columns; returns their number. */
size_t row_columns(const struct row *row, const struct table *table, bool with_identity, uint16_t *out);

#endif
