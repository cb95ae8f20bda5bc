#include "envelope_internal.h"
#include "walferry/json.h"

/* Connect schemas as JsonConverter writes them: type, fields or items, optional, name, version, doc,
 * parameters, default, and in a struct's list the member `field` last. */

#define FIELD(type, optional, name) "{\"type\":\"" type "\",\"optional\":" optional ",\"field\":\"" name "\"}"

#define SOURCE_SCHEMA                                                                                                                                                                                                                             \
    "{\"type\":\"struct\",\"fields\":[" FIELD("string", "false", "version") "," FIELD("string", "false", "connector") "," FIELD("string", "false", "name") "," FIELD(                                                                             \
        "int64",                                                                                                                                                                                                                                  \
        "false", "ts_ms") ","                                                                                                                                                                                                                     \
                          "{\"type\":\"string\",\"optional\":true,\"name\":\"io.debezium."                                                                                                                                                        \
                          "data.Enum\",\"version\":1,"                                                                                                                                                                                            \
                          "\"parameters\":{\"allowed\":\"true,first,first_in_data_"                                                                                                                                                               \
                          "collection,last_in_data_collection,last,false,"                                                                                                                                                                        \
                          "incremental\"},\"default\":\"false\",\"field\":\"snapshot\"}"                                                                                                                                                          \
                          "," FIELD("string", "false", "db") "," FIELD("string", "true", "sequence") "," FIELD("int64", "true", "ts_us") "," FIELD("int64", "true", "ts_ns") "," FIELD(                                                           \
                              "string", "false",                                                                                                                                                                                                  \
                              "schema") "," FIELD("string", "false",                                                                                                                                                                              \
                                                  "table") "," FIELD("int64", "true",                                                                                                                                                             \
                                                                     "txId") "," FIELD("i"                                                                                                                                                        \
                                                                                       "n"                                                                                                                                                        \
                                                                                       "t"                                                                                                                                                        \
                                                                                       "6"                                                                                                                                                        \
                                                                                       "4",                                                                                                                                                       \
                                                                                       "t"                                                                                                                                                        \
                                                                                       "r"                                                                                                                                                        \
                                                                                       "u"                                                                                                                                                        \
                                                                                       "e",                                                                                                                                                       \
                                                                                       "l"                                                                                                                                                        \
                                                                                       "s"                                                                                                                                                        \
                                                                                       "n") "," FIELD("int6"                                                                                                                                      \
                                                                                                      "4",                                                                                                                                        \
                                                                                                      "tru"                                                                                                                                       \
                                                                                                      "e",                                                                                                                                        \
                                                                                                      "xmi"                                                                                                                                       \
                                                                                                      "n") "," FIELD("string",                                                                                                                    \
                                                                                                                     "true",                                                                                                                      \
                                                                                                                     "origin") "," FIELD("int64",                                                                                                 \
                                                                                                                                         "true",                                                                                                  \
                                                                                                                                         "origin_lsn") "],\"optional\":false,\"name\":\"io.debezium.connector.postgresql.Source\",\"version\":1," \
                                                                                                                                                       "\"field\":\"source\"}"

#define BLOCK_SCHEMA                                                                                      \
    "{\"type\":\"struct\",\"fields\":[" FIELD("string", "false", "id") "," FIELD(                         \
        "int64", "false",                                                                                 \
        "total_order") "," FIELD("int64", "false",                                                        \
                                 "data_collection_order") "],\"optional\":true,\"name\":\"event.block\"," \
                                                          "\"version\":1,\"field\":\"transaction\"}"

#define CONNECTOR "io.debezium.connector."

const char schema_message_key[] = "{\"type\":\"struct\",\"fields\":[" FIELD(
    "string", "true", "prefix") "],\"optional\":false,\"name\":\"" CONNECTOR
                                "postgresql.MessageKey\",\"version\":1}";

const char schema_transaction_key[] = "{\"type\":\"struct\",\"fields\":[" FIELD(
    "string", "false", "id") "],\"optional\":false,\"name\":\"" CONNECTOR
                             "common.TransactionMetadataKey\",\"version\":1}";

const char schema_transaction_value[] =
    "{\"type\":\"struct\",\"fields\":[" FIELD("string", "false", "status") "," FIELD(
        "string", "false",
        "id") "," FIELD("int64", "true",
                        "event_count") ","
                                       "{\"type\":\"array\",\"items\":{\"type\":\"struct\",\"fields\":"
                                       "[" FIELD("string", "false", "data_collection") "," FIELD(
                                           "int64", "false",
                                           "event_count") "],\"optional\":true,\"name\":\"event.collection\","
                                                          "\"version\":1},\"optional\":true,"
                                                          "\"field\":\"data_collections\"}," FIELD(
                                                              "int64", "false",
                                                              "ts_ms") "],\"optional\":false,\"name\":"
                                                                       "\"" CONNECTOR
                                                                       "common.TransactionMetadataValue\","
                                                                       "\"version\":1}";

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
    buf_append_text(out, "{\"type\":\"struct\",\"fields\":[");
    buf_append_slice(out, fields);
    buf_append_text(out, "],\"optional\":true,\"name\":\"");
    json_append_escaped(out, topic);
    buf_printf(out, ".Value\",\"field\":\"%s\"},", field);
}

void schema_append_row_value(struct buf *out, struct slice topic, struct slice fields)
{
    buf_append_text(out, "{\"type\":\"struct\",\"fields\":[");
    append_row(out, topic, fields, "before");
    append_row(out, topic, fields, "after");
    buf_append_text(
        out, SOURCE_SCHEMA
        "," BLOCK_SCHEMA "," FIELD("string", "false", "op") "," FIELD("int64", "true", "ts_ms") "," FIELD(
            "int64", "true", "ts_us") "," FIELD("int64", "true", "ts_ns") "],\"optional\":false,\"name\":\"");
    json_append_escaped(out, topic);
    buf_append_text(out, ".Envelope\",\"version\":2}");
}

void schema_append_row_key(struct buf *out, struct slice topic, struct slice fields)
{
    buf_append_text(out, "{\"type\":\"struct\",\"fields\":[");
    buf_append_slice(out, fields);
    buf_append_text(out, "],\"optional\":false,\"name\":\"");
    json_append_escaped(out, topic);
    buf_append_text(out, ".Key\"}");
}

void schema_append_message_value(struct buf *out, bool content_bytes)
{
    buf_append_text(out, "{\"type\":\"struct\",\"fields\":[" FIELD("string", "false", "op") "," FIELD(
                             "int64", "true", "ts_ms") "," SOURCE_SCHEMA "," BLOCK_SCHEMA ","
                                                       "{\"type\":\"struct\",\"fields\":[" FIELD(
                                                           "string", "true", "prefix") ",");
    buf_append_text(out,
                    content_bytes ? FIELD("bytes", "true", "content") : FIELD("string", "true", "content"));
    buf_append_text(out, "],\"optional\":false,\"name\":\"" CONNECTOR "postgresql.Message\",\"version\":1,"
                         "\"field\":\"message\"}],\"optional\":false,\"name\":\"" CONNECTOR
                         "postgresql.MessageValue\",\"version\":1}");
}
