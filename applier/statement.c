#include "statement.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void statements_init(struct statements *statements)
{
    *statements = (struct statements){.count = 0};
    buf_init(&statements->text, STATEMENT_TEXT_BYTES_MAX);
}

void statements_release(struct statements *statements)
{
    buf_release(&statements->text);
}

void statements_forget(struct statements *statements, struct table *table)
{
    while (table->statements != NULL) {
        struct statement *statement = table->statements;
        table->statements = statement->next;
        free(statement->set);
        free(statement);
        statements->count--;
    }
}

void statements_forget_all(struct statements *statements, struct tables *tables)
{
    for (size_t i = 0; i < TABLE_BUCKETS; i++) {
        for (struct table *table = tables->buckets[i]; table != NULL; table = table->next)
            statements_forget(statements, table);
    }
}

static bool same_set(const uint16_t *a, size_t a_count, const uint16_t *b, size_t b_count)
{
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * sizeof(*a)) == 0);
}

static bool fits(const struct statement *statement, const struct statement_shape *shape)
{
    return statement->kind == shape->kind &&
           same_set(statement->set, statement->set_count, shape->set, shape->set_count) &&
           same_set(statement->where, statement->where_count, shape->where, shape->where_count);
}

/* The statement, moved to the front, or NULL. */
static struct statement *find(struct table *table, const struct statement_shape *shape)
{
    struct statement **link = &table->statements;
    while (*link != NULL && !fits(*link, shape))
        link = &(*link)->next;
    struct statement *found = *link;
    if (found == NULL)
        return NULL;
    *link = found->next;
    found->next = table->statements;
    table->statements = found;
    return found;
}

static struct statement *add(struct statements *statements, struct table *table,
                             const struct statement_shape *shape)
{
    struct statement *made = calloc(1, sizeof(*made));
    uint16_t *columns = calloc(shape->set_count + shape->where_count + 1, sizeof(*columns));
    if (made == NULL || columns == NULL)
        abort();
    *made = (struct statement){.kind = shape->kind,
                               .set = columns,
                               .where = columns + shape->set_count,
                               .set_count = shape->set_count,
                               .where_count = shape->where_count,
                               .next = table->statements};
    if (shape->set_count > 0)
        (void)memcpy(made->set, shape->set, shape->set_count * sizeof(*columns));
    if (shape->where_count > 0)
        (void)memcpy(made->where, shape->where, shape->where_count * sizeof(*columns));
    (void)snprintf(made->name, sizeof(made->name), "w%" PRIu64, statements->next_name++);
    table->statements = made;
    statements->count++;
    return made;
}

static void write_text(struct buf *out, const struct target_table *table, const struct statement_shape *shape)
{
    buf_clear(out);
    switch (shape->kind) {
    case STATEMENT_INSERT:
        sql_append_insert(out, table, shape->set, shape->set_count);
        break;
    case STATEMENT_UPSERT:
        sql_append_upsert(out, table, shape->set, shape->set_count, shape->where, shape->where_count);
        break;
    case STATEMENT_UPDATE:
        sql_append_update(out, table, shape->set, shape->set_count, shape->where, shape->where_count);
        break;
    case STATEMENT_DELETE:
        sql_append_delete(out, table, shape->where, shape->where_count);
        break;
    case STATEMENT_UPDATE_ONE:
        sql_append_update_one(out, table, shape->set, shape->set_count, shape->where, shape->where_count);
        break;
    case STATEMENT_DELETE_ONE:
        sql_append_delete_one(out, table, shape->where, shape->where_count);
        break;
    }
}

bool statements_get(struct statements *statements, struct table *table, const struct statement_shape *shape,
                    uint64_t tag, struct statement **statement, struct err *err)
{
    *statement = find(table, shape);
    if (*statement != NULL)
        return true;
    write_text(&statements->text, &table->sql, shape);
    if (statements->text.overflowed)
        return err_set(err, ERR_LIMIT, "a statement for \"%s\".\"%s\" is longer than %d bytes", table->schema,
                       table->name, STATEMENT_TEXT_BYTES_MAX);
    *statement = add(statements, table, shape);
    static const char nothing[] = "DO NOTHING";
    size_t len = statements->text.len;
    (*statement)->may_hit_none =
        shape->kind == STATEMENT_UPSERT && len > sizeof(nothing) &&
        memcmp(statements->text.data + len - sizeof(nothing) + 1, nothing, sizeof(nothing) - 1) == 0;
    return pg_pipeline_prepare(statements->pipeline, (*statement)->name, buf_text(&statements->text), tag,
                               err);
}
