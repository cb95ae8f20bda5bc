#include "walferry/pgtype.h"
#include "walferry/pgvalue.h"

#include <assert.h>

static const struct target_column columns[] = {
    {.type_oid = PGTYPE_BOOL, .typmod = -1, .type_name = SLICE_LITERAL("boolean")},
    {.type_oid = PGTYPE_BYTEA, .typmod = -1, .type_name = SLICE_LITERAL("bytea")},
    {.type_oid = PGTYPE_TEXT, .typmod = -1, .type_name = SLICE_LITERAL("text")},
    {.type_oid = PGTYPE_NUMERIC, .typmod = -1, .type_name = SLICE_LITERAL("numeric")},
    {.type_oid = PGTYPE_NUMERIC, .typmod = 655366, .type_name = SLICE_LITERAL("numeric(10,2)")},
    {.type_oid = PGTYPE_MONEY, .typmod = -1, .type_name = SLICE_LITERAL("money")},
    {.type_oid = PGTYPE_DATE, .typmod = -1, .type_name = SLICE_LITERAL("date")},
    {.type_oid = PGTYPE_TIME, .typmod = 3, .type_name = SLICE_LITERAL("time(3)")},
    {.type_oid = PGTYPE_TIMETZ, .typmod = -1, .type_name = SLICE_LITERAL("timetz")},
    {.type_oid = PGTYPE_TIMESTAMP, .typmod = -1, .type_name = SLICE_LITERAL("timestamp")},
    {.type_oid = PGTYPE_TIMESTAMPTZ, .typmod = -1, .type_name = SLICE_LITERAL("timestamptz")},
    {.type_oid = PGTYPE_INTERVAL, .typmod = -1, .type_name = SLICE_LITERAL("interval")},
    {.type_oid = PGTYPE_INTERVAL, .typmod = 458751, .type_name = SLICE_LITERAL("interval year to month")},
    {.type_oid = PGTYPE_BIT, .typmod = 70, .type_name = SLICE_LITERAL("bit(70)")},
    {.type_oid = PGTYPE_VARBIT, .typmod = 8, .type_name = SLICE_LITERAL("bit varying(8)")},
    {.type_oid = PGTYPE_POINT, .typmod = -1, .type_name = SLICE_LITERAL("point")},
    {.type_oid = 99999, .typmod = -1, .type_name = SLICE_LITERAL("public.hstore")},
    {.type_oid = 1009, .typmod = -1, .type_name = SLICE_LITERAL("text[]")},
    {.type_oid = 1001, .typmod = -1, .type_name = SLICE_LITERAL("bytea[]")},
    {.type_oid = 1231, .typmod = -1, .type_name = SLICE_LITERAL("numeric[]")},
};

static const char *const schemas[] = {
    "\"type\":\"bytes\"",
    "\"type\":\"string\"",
    "\"type\":\"bytes\",\"name\":\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"5\"}",
    "\"type\":\"struct\",\"name\":\"io.debezium.data.VariableScaleDecimal\"",
    "\"type\":\"int64\",\"name\":\"io.debezium.time.NanoTimestamp\"",
    "\"type\":\"int64\",\"name\":\"io.debezium.time.NanoTime\"",
    "\"type\":\"string\",\"name\":\"io.debezium.time.IsoTimestamp\"",
    "\"type\":\"bytes\",\"name\":\"io.debezium.data.Bits\"",
};
#define SCHEMA_COUNT (sizeof(schemas) / sizeof(schemas[0]))

static void write_event(struct buf *event, size_t schema, struct slice json)
{
    if (schema < SCHEMA_COUNT)
        buf_printf(event,
                   "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"after\",\"fields\":[{%s,"
                   "\"field\":\"c\"}]}]},"
                   "\"payload\":",
                   schemas[schema]);
    buf_append_text(event, "{\"after\":{\"c\":");
    buf_append_slice(event, json);
    buf_append_text(event, "},\"source\":{\"schema\":\"s\",\"table\":\"t\"},\"op\":\"c\"}");
    if (schema < SCHEMA_COUNT)
        buf_append_char(event, '}');
}

/* The first three bytes choose column, schema and modes; the rest is the field's JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf event, out;
    struct change change;
    struct err err;
    enum value_kind kind;
    if (size < 3)
        return 0;
    const struct target_column *column = &columns[data[0] % (sizeof(columns) / sizeof(columns[0]))];
    struct pgvalue_options options = {.unavailable_placeholder =
                                          SLICE_LITERAL("__debezium_unavailable_value"),
                                      .decimal = data[2] % 3,
                                      .time = data[2] / 3 % 6,
                                      .binary = data[2] / 18 % 4};
    buf_init(&event, 1 << 20);
    buf_init(&out, 1 << 20);
    write_event(&event, data[1] % (2 * SCHEMA_COUNT), (struct slice){(const char *)data + 3, size - 3});
    struct change_reader *reader = change_reader_new(1 << 20);
    struct record record = {.value = buf_slice(&event)};
    if (change_read(reader, &record, &change, &err) && change.after.count > 0) {
        bool ok = pgvalue_append(&out, &change.after.fields[0], column, &options, &kind, &err);
        assert(ok || err.code == ERR_TYPE || err.code == ERR_LIMIT);
        assert(!ok || kind == VALUE_TEXT || out.len == 0);
        assert(!ok || out.len == 0 || memchr(out.data, '\0', out.len) == NULL);
    }
    change_reader_free(reader);
    buf_release(&event);
    buf_release(&out);
    return 0;
}
