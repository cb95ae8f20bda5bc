#include "envelope_internal.h"
#include "walferry/json.h"
#include "walferry/topic.h"

#include <stdlib.h>

static void release(void *memory)
{
    struct prepared *prepared = memory;
    pieces_release(&prepared->pieces);
    free(prepared);
}

/* Keeps what the scratch buffer holds, and empties it. */
static struct slice keep(struct prepared *prepared, struct buf *scratch)
{
    struct slice kept = pieces_keep(&prepared->pieces, buf_slice(scratch));
    buf_clear(scratch);
    return kept;
}

static void prepare_placeholder(struct envelope *envelope, struct prepared *prepared,
                                struct prepared_column *column)
{
    struct buf *scratch = &envelope->scratch;
    if (conversion_append_placeholder(scratch, &column->conversion,
                                      envelope->options.unavailable_placeholder))
        column->placeholder = keep(prepared, scratch);
    buf_clear(scratch);
}

/* One column of the value or of the key; the column's schema goes to `fields`. */
static void prepare_column(struct envelope *envelope, struct prepared *prepared,
                           struct prepared_column *column, bool first, struct buf *fields)
{
    struct buf *scratch = &envelope->scratch;
    struct slice default_json = SLICE_NONE;
    append_member(scratch, column->column->name, first);
    column->prefix = keep(prepared, scratch);
    if (conversion_append_default(scratch, &column->conversion, column->column))
        default_json = keep(prepared, scratch);
    buf_clear(scratch);
    bool replaced = envelope->options.replace_null_with_default && default_json.data != NULL;
    column->null_json = replaced ? default_json : prepared->null_text;
    column->absent_json = column->null_json;
    if (column->column->not_null && default_json.data == NULL) {
        conversion_append_fallback(scratch, &column->conversion);
        column->absent_json = keep(prepared, scratch);
    } else if (column->column->not_null) {
        column->absent_json = default_json;
    }
    prepare_placeholder(envelope, prepared, column);
    schema_append_field(fields, column, !column->column->not_null, default_json, first);
}

/* The record key must be readable from an old row. Where the old row shows other columns than the key
 * (REPLICA IDENTITY USING INDEX beside a primary key), Debezium keys a delete by a made-up {"id":0}; here the
 * columns of the identity are the key then. */
static bool identity_is_key(const struct relation *relation)
{
    bool any = false, covered = true;
    for (uint16_t i = 0; i < relation->column_count; i++) {
        const struct column *column = &relation->columns[i];
        any = any || column->identity;
        covered = covered && (column->key_position == 0 || column->identity);
    }
    bool partial =
        relation->identity == REPLICA_IDENTITY_DEFAULT || relation->identity == REPLICA_IDENTITY_INDEX;
    return partial && any && !covered;
}

/* The column at `position` (from 1) of the key; NULL behind the last. */
static struct prepared_column *key_column(struct prepared *prepared, unsigned position, bool by_identity)
{
    unsigned seen = 0;
    for (uint16_t i = 0; i < prepared->column_count; i++) {
        struct prepared_column *column = &prepared->columns[i];
        seen += column->identity ? 1 : 0;
        if (by_identity ? column->identity && seen == position : column->column->key_position == position)
            return column;
    }
    return NULL;
}

/* A key without one of its columns would make different rows one. */
static bool check_key(const struct prepared *prepared, struct err *err)
{
    const struct relation *relation = prepared->relation;
    bool by_identity = identity_is_key(relation);
    for (uint16_t i = 0; i < relation->column_count; i++) {
        const struct column *column = &relation->columns[i];
        bool mapped = false;
        for (uint16_t j = 0; j < prepared->column_count; j++)
            mapped = mapped || prepared->columns[j].column == column;
        if (!mapped && (by_identity ? column->identity : column->key_position > 0))
            return err_set(err, ERR_TYPE,
                           "key column \"" SLICE_FMT "." SLICE_FMT "." SLICE_FMT
                           "\" has type oid %u, which events "
                           "cannot carry; exclude the table or give it another key",
                           SLICE_ARG(relation->schema), SLICE_ARG(relation->name), SLICE_ARG(column->name),
                           column->type_oid);
    }
    return true;
}

static void prepare_key(struct envelope *envelope, struct prepared *prepared, struct buf *fields)
{
    bool by_identity = identity_is_key(prepared->relation);
    prepared->key = pieces_take(&prepared->pieces, prepared->column_count * sizeof(*prepared->key));
    for (unsigned position = 1; position <= prepared->relation->column_count; position++) {
        const struct prepared_column *column = key_column(prepared, position, by_identity);
        if (column == NULL)
            continue; /* the key column has no mapping */
        struct prepared_column *key = &prepared->key[prepared->key_count];
        *key = *column;
        prepare_column(envelope, prepared, key, prepared->key_count == 0, fields);
        prepared->key_count++;
    }
    struct buf *scratch = &envelope->scratch;
    if (envelope->options.key_schemas) {
        buf_append_text(scratch, "{\"schema\":");
        schema_append_row_key(scratch, prepared->topic, buf_slice(fields));
        buf_append_text(scratch, ",\"payload\":");
    }
    prepared->key_head = keep(prepared, scratch);
}

static void prepare_value(struct envelope *envelope, struct prepared *prepared, struct slice fields)
{
    struct buf *scratch = &envelope->scratch;
    if (envelope->options.value_schemas) {
        buf_append_text(scratch, "{\"schema\":");
        schema_append_row_value(scratch, prepared->topic, fields);
        buf_append_text(scratch, ",\"payload\":");
    }
    buf_append_text(scratch, "{\"before\":");
    prepared->value_head = keep(prepared, scratch);
    buf_append_text(scratch, ",\"schema\":");
    json_append_string(scratch, prepared->relation->schema);
    buf_append_text(scratch, ",\"table\":");
    json_append_string(scratch, prepared->relation->name);
    buf_append_text(scratch, ",\"txId\":");
    prepared->source_table = keep(prepared, scratch);
}

static void resolve_columns(struct envelope *envelope, struct prepared *prepared,
                            void (*on_omitted)(void *data, const struct relation *, const struct column *),
                            void *data)
{
    const struct envelope_options *options = &envelope->options;
    const struct type_modes modes = {options->decimal, options->time, options->binary, options->interval};
    const struct relation *relation = prepared->relation;
    prepared->columns = pieces_take(&prepared->pieces, relation->column_count * sizeof(*prepared->columns));
    for (uint16_t i = 0; i < relation->column_count; i++) {
        const struct column *from = &relation->columns[i];
        struct prepared_column *column = &prepared->columns[prepared->column_count];
        *column = (struct prepared_column){.column = from, .index = i, .identity = from->identity};
        if (conversion_resolve(&column->conversion, from, &modes))
            prepared->column_count++;
        else if (on_omitted != NULL)
            on_omitted(data, relation, from);
    }
}

bool envelope_prepare(struct envelope *envelope, struct relation *relation,
                      void (*on_omitted)(void *data, const struct relation *, const struct column *),
                      void *data, struct err *err)
{
    struct buf fields;
    struct prepared *prepared = calloc(1, sizeof(*prepared));
    if (prepared == NULL)
        abort(); /* out of memory: a restart is safe by design */
    prepared->relation = relation;
    buf_init(&fields, SCHEMA_BYTES_MAX);
    buf_clear(&envelope->scratch);
    topic_append_table(&envelope->scratch, envelope->options.topic_prefix, envelope->options.topic_delimiter,
                       relation->schema, relation->name);
    prepared->topic = keep(prepared, &envelope->scratch);
    prepared->null_text = pieces_keep(&prepared->pieces, SLICE_LITERAL("null"));
    resolve_columns(envelope, prepared, on_omitted, data);
    for (uint16_t i = 0; i < prepared->column_count; i++)
        prepare_column(envelope, prepared, &prepared->columns[i], i == 0, &fields);
    prepare_value(envelope, prepared, buf_slice(&fields));
    bool fits = !fields.overflowed;
    buf_clear(&fields);
    prepare_key(envelope, prepared, &fields);
    buf_release(&fields);
    if (relation->prepared != NULL)
        relation->release_prepared(relation->prepared);
    relation->prepared = prepared;
    relation->release_prepared = release;
    if (fits)
        return check_key(prepared, err);
    return err_set(err, ERR_LIMIT, "the schema of \"" SLICE_FMT "." SLICE_FMT "\" exceeds %u bytes",
                   SLICE_ARG(relation->schema), SLICE_ARG(relation->name), SCHEMA_BYTES_MAX);
}
