#include "apply.h"

#include "walferry/log.h"

/* The columns and values of the record key, which are read into apply->key. */
bool apply_read_key(struct apply *apply, struct table *table, const struct field_list *key, uint16_t *columns,
                    size_t *count, struct err *err)
{
    if (key->count > KEY_COLUMNS_MAX)
        return err_set(err, ERR_EVENT, "a key of %zu columns; at most %d are possible", key->count,
                       KEY_COLUMNS_MAX);
    if (!row_read(&apply->key, table, key, NULL, &apply->values, err))
        return false;
    *count = row_columns(&apply->key, table, true, columns);
    return *count == key->count ||
           err_set(err, ERR_TARGET_SCHEMA,
                   "a key column of \"%s\".\"%s\" is a generated column on the target", table->schema,
                   table->name);
}

static bool has_key(const struct apply *apply, const struct change *change)
{
    return apply->options.config->key_mode == KEY_RECORD && change->key.present && change->key.count > 0;
}

/* A unique index without a primary key may hold NULLs, and a NULL key finds no row. */
static bool key_has_null(const struct row *key, const uint16_t *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (row_value(key, columns[i]) == NULL)
            return true;
    }
    return false;
}

bool apply_send(struct apply *apply, const struct apply_place *place, const struct statement_shape *shape,
                const struct row *set, const struct row *where, struct err *err)
{
    struct statement *statement = NULL;
    struct flight flight = {.table = place->table,
                            .offset = place->offset,
                            .before = apply->progress.offset,
                            .bytes = place->bytes};
    size_t count = 0;
    if (!unit_open(apply->unit, err))
        return false;
    if (apply->statements.count >= STATEMENTS_MAX) {
        statements_forget_all(&apply->statements, &apply->tables);
        if (!unit_send_text(apply->unit, "DEALLOCATE ALL", (struct flight){.rule = RULE_NONE}, err))
            return false;
    }
    apply->statements.pipeline = apply->unit->pipeline;
    if (!statements_get(&apply->statements, place->table, shape, apply->unit->next_tag, &statement, err))
        return false;
    for (size_t i = 0; i < shape->set_count; i++)
        apply->parameters[count++] = row_value(set, shape->set[i]);
    for (size_t i = 0; where != NULL && i < shape->where_count; i++)
        apply->parameters[count++] = row_value(where, shape->where[i]);
    bool finds = shape->kind != STATEMENT_INSERT && shape->kind != STATEMENT_UPSERT;
    bool ignore = finds && apply->options.config->missing == MISSING_IGNORE;
    flight.rule = statement->may_hit_none ? RULE_NONE : ignore ? RULE_ONE_OR_MISSING : RULE_ONE;
    return unit_send(apply->unit, statement, apply->parameters, flight, err);
}

/* ---- c, r ---- */

static bool may_upsert(struct apply *apply, struct table *table, const uint16_t *key, size_t key_count)
{
    if (apply->options.config->insert_mode != INSERT_UPSERT)
        return false;
    if (table_has_index(table, key, key_count))
        return true;
    if (!table->told_no_index)
        log_warn("apply",
                 "no unique index on the record key's columns, rows are inserted without ON CONFLICT",
                 LOG_STR("schema", table->schema), LOG_STR("table", table->name));
    table->told_no_index = true;
    return false;
}

/* A row of a second snapshot may be there already, and only a unique index can tell. */
static bool check_doubles(const struct apply *apply, const struct table *table, const uint16_t *key,
                          size_t key_count, struct err *err)
{
    if (!apply->second_snapshot || (key_count > 0 && table_has_index(table, key, key_count)))
        return true;
    return err_set(
        err, ERR_SOURCE_CHANGED,
        "a second snapshot would double the rows of \"%s\".\"%s\": the target has no unique index on "
        "a key that the events carry. Give the table a key on both sides, or begin anew with a new "
        "local log: empty the tables on the target and delete the row of %s from walferry.progress",
        table->schema, table->name, apply->options.source);
}

static bool insert_row(struct apply *apply, const struct apply_place *place, const struct change *change,
                       struct err *err)
{
    struct table *table = place->table;
    struct statement_shape shape = {.kind = STATEMENT_INSERT, .set = apply->set};
    if (!row_read(&apply->after, table, &change->after, &change->unchanged, &apply->values, err))
        return false;
    if (row_has_unchanged(&apply->after))
        return err_set(
            err, ERR_EVENT,
            "an insert into \"%s\".\"%s\" lacks a value that was not touched; it cannot be made up",
            table->schema, table->name);
    shape.set_count = row_columns(&apply->after, table, true, apply->set);
    if (has_key(apply, change)) {
        if (!apply_read_key(apply, table, &change->key, apply->where, &shape.where_count, err))
            return false;
        if (shape.set_count > 0 && may_upsert(apply, table, apply->where, shape.where_count)) {
            shape.kind = STATEMENT_UPSERT;
            shape.where = apply->where;
        }
    }
    if (!check_doubles(apply, table, apply->where, shape.where_count, err))
        return false;
    if (shape.kind == STATEMENT_INSERT)
        shape.where_count = 0;
    return apply_send(apply, place, &shape, &apply->after, NULL, err);
}

/* ---- u, d ---- */

/* The whole old row, read into apply->key: for tables without a key. */
static bool read_image(struct apply *apply, struct table *table, const struct change *change,
                       struct statement_shape *shape, struct err *err)
{
    if (!change->before.present)
        return err_set(err, ERR_REPLICA_IDENTITY,
                       "an update or delete in \"%s\".\"%s\" has neither a key nor the old row; give the "
                       "table a primary key or ALTER TABLE … REPLICA IDENTITY FULL on the source",
                       table->schema, table->name);
    if (change->key.present && change->key.count > 0 && apply->options.config->key_mode == KEY_NONE)
        return err_set(err, ERR_REPLICA_IDENTITY,
                       "an update or delete in \"%s\".\"%s\" needs its key: set primary.key.mode=record_key",
                       table->schema, table->name);
    if (!row_read(&apply->key, table, &change->before, NULL, &apply->values, err))
        return false;
    if (row_has_unchanged(&apply->key))
        return err_set(
            err, ERR_REPLICA_IDENTITY,
            "the old row of a change in \"%s\".\"%s\" is not whole; give the table a primary key or "
            "ALTER TABLE … REPLICA IDENTITY FULL on the source",
            table->schema, table->name);
    shape->where_count = row_columns(&apply->key, table, true, apply->where);
    return true;
}

/* Fills where; the kind becomes `by_key` or `by_image`. */
static bool find_row(struct apply *apply, struct table *table, const struct change *change,
                     struct statement_shape *shape, struct err *err)
{
    shape->where = apply->where;
    if (has_key(apply, change)) {
        if (!apply_read_key(apply, table, &change->key, apply->where, &shape->where_count, err))
            return false;
        if (!key_has_null(&apply->key, apply->where, shape->where_count))
            return true;
    }
    shape->kind = shape->kind == STATEMENT_UPDATE ? STATEMENT_UPDATE_ONE : STATEMENT_DELETE_ONE;
    return read_image(apply, table, change, shape, err);
}

/* The key's columns need no SET, unless nothing else is left: then they stand in, so that the row is looked
 * for all the same. */
static size_t leave_out_key(const struct statement_shape *shape, uint16_t *set, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        bool in_key = false;
        for (size_t k = 0; k < shape->where_count; k++)
            in_key |= shape->where[k] == set[i];
        if (!in_key)
            set[kept++] = set[i];
    }
    return kept;
}

static bool update_row(struct apply *apply, const struct apply_place *place, const struct change *change,
                       struct err *err)
{
    struct table *table = place->table;
    struct statement_shape shape = {.kind = STATEMENT_UPDATE, .set = apply->set};
    if (!row_read(&apply->after, table, &change->after, &change->unchanged, &apply->values, err) ||
        !find_row(apply, table, change, &shape, err))
        return false;
    shape.set_count = row_columns(&apply->after, table, false, apply->set);
    if (shape.kind == STATEMENT_UPDATE) {
        shape.set_count = leave_out_key(&shape, apply->set, shape.set_count);
        if (shape.set_count == 0)
            shape.set_count = row_columns(&apply->after, table, false, apply->set);
    }
    if (shape.set_count == 0)
        return true; /* only an identity column, which nothing can have changed */
    return apply_send(apply, place, &shape, &apply->after, &apply->key, err);
}

static bool delete_row(struct apply *apply, const struct apply_place *place, const struct change *change,
                       struct err *err)
{
    struct statement_shape shape = {.kind = STATEMENT_DELETE};
    return find_row(apply, place->table, change, &shape, err) &&
           apply_send(apply, place, &shape, NULL, &apply->key, err);
}

/* ---- all ---- */

static bool check_images(const struct change *change, const struct table *table, struct err *err)
{
    bool needs_after = change->op == EVENT_CREATE || change->op == EVENT_READ || change->op == EVENT_UPDATE;
    if (!needs_after || change->after.present)
        return true;
    return err_set(err, ERR_EVENT, "an event \"%c\" of \"%s\".\"%s\" has no row in `after`", (char)change->op,
                   table->schema, table->name);
}

bool apply_row(struct apply *apply, const struct apply_place *place, const struct change *change,
               struct err *err)
{
    uint64_t *counts = apply->unit->counts;
    if (!check_images(change, place->table, err))
        return false;
    switch (change->op) {
    case EVENT_CREATE:
        counts[COUNT_CREATE]++;
        return insert_row(apply, place, change, err);
    case EVENT_READ:
        counts[COUNT_READ]++;
        return insert_row(apply, place, change, err);
    case EVENT_UPDATE:
        counts[COUNT_UPDATE]++;
        return update_row(apply, place, change, err);
    case EVENT_DELETE:
        counts[COUNT_DELETE]++;
        return delete_row(apply, place, change, err);
    case EVENT_TRUNCATE:
    case EVENT_MESSAGE:
        break;
    }
    return err_set(err, ERR_EVENT, "op \"%c\" is not one of a row", (char)change->op);
}
