#include "envelope_internal.h"
#include "walferry/json.h"

/* Connect schemas as JsonConverter writes them: type, fields or items, optional, name, version, doc,
 * parameters, default, and in a struct's list the member `field` last. */

struct field {
    const char *type;
    bool optional;
    const char *name;
};

static const struct field source_fields[] = {
    {"string", false, "version"}, {"string", false, "connector"}, {"string", false, "name"},
    {"int64", false, "ts_ms"},    {"enum", true, "snapshot"},     {"string", false, "db"},
    {"string", true, "sequence"}, {"int64", true, "ts_us"},       {"int64", true, "ts_ns"},
    {"string", false, "schema"},  {"string", false, "table"},     {"int64", true, "txId"},
    {"int64", true, "lsn"},       {"int64", true, "xmin"},        {"string", true, "origin"},
    {"int64", true, "origin_lsn"}};

static const struct field block_fields[] = {
    {"string", false, "id"}, {"int64", false, "total_order"}, {"int64", false, "data_collection_order"}};

static const struct field tail_fields[] = {
    {"string", false, "op"}, {"int64", true, "ts_ms"}, {"int64", true, "ts_us"}, {"int64", true, "ts_ns"}};

static const struct field message_head_fields[] = {{"string", false, "op"}, {"int64", true, "ts_ms"}};
static const struct field message_bytes_fields[] = {{"string", true, "prefix"}, {"bytes", true, "content"}};
static const struct field message_text_fields[] = {{"string", true, "prefix"}, {"string", true, "content"}};
static const struct field message_key_fields[] = {{"string", true, "prefix"}};

static const struct field transaction_key_fields[] = {{"string", false, "id"}};
static const struct field transaction_head_fields[] = {
    {"string", false, "status"}, {"string", false, "id"}, {"int64", true, "event_count"}};
static const struct field collection_fields[] = {{"string", false, "data_collection"},
                                                 {"int64", false, "event_count"}};
static const struct field transaction_tail_fields[] = {{"int64", false, "ts_ms"}};

#define CONNECTOR "io.debezium.connector."
#define SNAPSHOT_ENUM                                                                                       \
    "{\"type\":\"string\",\"optional\":true,\"name\":\"io.debezium.data.Enum\",\"version\":1,"              \
    "\"parameters\":{\"allowed\":\"true,first,first_in_data_collection,last_in_data_collection,last,false," \
    "incremental\"},\"default\":\"false\",\"field\":\"snapshot\"}"

static void append_field(struct buf *out, const struct field *field)
{
    if (strcmp(field->type, "enum") == 0)
        buf_append_text(out, SNAPSHOT_ENUM);
    else
        buf_printf(out, "{\"type\":\"%s\",\"optional\":%s,\"field\":\"%s\"}", field->type,
                   field->optional ? "true" : "false", field->name);
}

static void append_fields(struct buf *out, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_append_char(out, ',');
        append_field(out, &fields[i]);
    }
}

#define APPEND(out, fields) append_fields(out, fields, sizeof(fields) / sizeof((fields)[0]))

static void open_struct(struct buf *out)
{
    buf_append_text(out, "{\"type\":\"struct\",\"fields\":[");
}

static void append_source_and_block(struct buf *out)
{
    open_struct(out);
    APPEND(out, source_fields);
    buf_append_text(out, "],\"optional\":false,\"name\":\"" CONNECTOR "postgresql.Source\",\"version\":1,"
                         "\"field\":\"source\"},");
    open_struct(out);
    APPEND(out, block_fields);
    buf_append_text(out,
                    "],\"optional\":true,\"name\":\"event.block\",\"version\":1,\"field\":\"transaction\"},");
}

void append_member(struct buf *out, struct slice name, bool first)
{
    if (!first)
        buf_append_char(out, ',');
    json_append_string(out, name);
    buf_append_char(out, ':');
}

void schema_append_field(struct buf *out, const struct prepared_column *column, bool optional,
                         struct slice default_json, bool first)
{
    buf_append_text(out, first ? "{" : ",{");
    conversion_append_schema(out, &column->conversion, optional, default_json);
    buf_append_text(out, ",\"field\":");
    json_append_string(out, column->column->name);
    buf_append_char(out, '}');
}

static void append_row(struct buf *out, struct slice topic, struct slice fields, const char *field)
{
    open_struct(out);
    buf_append_slice(out, fields);
    buf_append_text(out, "],\"optional\":true,\"name\":\"");
    json_append_escaped(out, topic);
    buf_printf(out, ".Value\",\"field\":\"%s\"},", field);
}

void schema_append_row_value(struct buf *out, struct slice topic, struct slice fields)
{
    open_struct(out);
    append_row(out, topic, fields, "before");
    append_row(out, topic, fields, "after");
    append_source_and_block(out);
    APPEND(out, tail_fields);
    buf_append_text(out, "],\"optional\":false,\"name\":\"");
    json_append_escaped(out, topic);
    buf_append_text(out, ".Envelope\",\"version\":2}");
}

void schema_append_row_key(struct buf *out, struct slice topic, struct slice fields)
{
    open_struct(out);
    buf_append_slice(out, fields);
    buf_append_text(out, "],\"optional\":false,\"name\":\"");
    json_append_escaped(out, topic);
    buf_append_text(out, ".Key\"}");
}

void schema_append_message_key(struct buf *out)
{
    open_struct(out);
    APPEND(out, message_key_fields);
    buf_append_text(out,
                    "],\"optional\":false,\"name\":\"" CONNECTOR "postgresql.MessageKey\",\"version\":1}");
}

void schema_append_message_value(struct buf *out, bool content_bytes)
{
    open_struct(out);
    APPEND(out, message_head_fields);
    buf_append_char(out, ',');
    append_source_and_block(out);
    open_struct(out);
    if (content_bytes)
        APPEND(out, message_bytes_fields);
    else
        APPEND(out, message_text_fields);
    buf_append_text(out, "],\"optional\":false,\"name\":\"" CONNECTOR "postgresql.Message\",\"version\":1,"
                         "\"field\":\"message\"}],\"optional\":false,\"name\":\"" CONNECTOR
                         "postgresql.MessageValue\",\"version\":1}");
}

void schema_append_transaction_key(struct buf *out)
{
    open_struct(out);
    APPEND(out, transaction_key_fields);
    buf_append_text(out, "],\"optional\":false,\"name\":\"" CONNECTOR
                         "common.TransactionMetadataKey\",\"version\":1}");
}

void schema_append_transaction_value(struct buf *out)
{
    open_struct(out);
    APPEND(out, transaction_head_fields);
    buf_append_text(out, ",{\"type\":\"array\",\"items\":");
    open_struct(out);
    APPEND(out, collection_fields);
    buf_append_text(out, "],\"optional\":true,\"name\":\"event.collection\",\"version\":1},\"optional\":true,"
                         "\"field\":\"data_collections\"},");
    APPEND(out, transaction_tail_fields);
    buf_append_text(out, "],\"optional\":false,\"name\":\"" CONNECTOR
                         "common.TransactionMetadataValue\",\"version\":1}");
}
