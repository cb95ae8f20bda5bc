#include "row.h"

#include <assert.h>
#include <stdlib.h>

void row_init(struct row *row, size_t bytes_max)
{
    *row = (struct row){.cells = NULL};
    buf_init(&row->text, bytes_max);
}

void row_release(struct row *row)
{
    free(row->cells);
    buf_release(&row->text);
    row->cells = NULL;
}

static void prepare(struct row *row, size_t count)
{
    if (count > row->cell_capacity) {
        free(row->cells);
        row->cells = malloc(count * sizeof(*row->cells));
        if (row->cells == NULL)
            abort();
        row->cell_capacity = count;
    }
    for (size_t i = 0; i < count; i++)
        row->cells[i] = (struct cell){.kind = CELL_ABSENT};
    row->cell_count = count;
    buf_clear(&row->text);
}

static bool no_column(const struct table *table, struct slice name, struct err *err)
{
    return err_set(
        err, ERR_TARGET_SCHEMA,
        "table \"%s\".\"%s\" on the target has no column \"" SLICE_FMT
        "\"; add it, or rename the target's column if it was renamed on the source, and restart: nothing of "
        "the transaction was applied",
        table->schema, table->name, SLICE_ARG(name));
}

static bool read_field(struct row *row, const struct table *table, size_t column, const struct field *field,
                       const struct pgvalue_options *options, struct err *err)
{
    enum value_kind kind = VALUE_NULL;
    struct cell *cell = &row->cells[column];
    cell->offset = row->text.len;
    if (!pgvalue_append(&row->text, field, &table->sql.columns[column], options, &kind, err))
        return err_prefix(err, "table \"%s\".\"%s\"", table->schema, table->name);
    buf_append_char(&row->text, '\0');
    cell->kind = (int)kind;
    return true;
}

static bool names(const struct field_list *list, struct slice name)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (slice_equal(list->fields[i].name, name))
            return true;
    }
    return false;
}

bool row_read(struct row *row, struct table *table, const struct field_list *fields,
              const struct field_list *unchanged, const struct pgvalue_options *options, struct err *err)
{
    prepare(row, table->sql.column_count);
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->fields[i];
        int column = table_find_column(table, i, field->name);
        if (column < 0)
            return no_column(table, field->name, err);
        if (table->sql.columns[column].generated)
            continue;
        if (names(unchanged, field->name))
            row->cells[column].kind = VALUE_UNCHANGED;
        else if (!read_field(row, table, (size_t)column, field, options, err))
            return false;
    }
    return !row->text.overflowed ||
           err_set(err, ERR_LIMIT, "table \"%s\".\"%s\": a row is longer than %zu bytes of text",
                   table->schema, table->name, row->text.bytes_max);
}

const char *row_value(const struct row *row, uint16_t column)
{
    assert(column < row->cell_count);
    const struct cell *cell = &row->cells[column];
    assert(cell->kind == VALUE_TEXT || cell->kind == VALUE_NULL);
    return cell->kind == VALUE_TEXT ? row->text.data + cell->offset : NULL;
}

bool row_has_unchanged(const struct row *row)
{
    for (size_t i = 0; i < row->cell_count; i++) {
        if (row->cells[i].kind == VALUE_UNCHANGED)
            return true;
    }
    return false;
}

size_t row_columns(const struct row *row, const struct table *table, bool with_identity, uint16_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < row->cell_count; i++) {
        int kind = row->cells[i].kind;
        if ((kind == VALUE_TEXT || kind == VALUE_NULL) &&
            (with_identity || !table->sql.columns[i].identity_always))
            out[count++] = (uint16_t)i;
    }
    return count;
}
