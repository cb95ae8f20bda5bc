/* There and back: PostgreSQL's text → envelope_encode → change_read → pgvalue_append gives the same text, for
 * every common type in every mode, with schemas and without. Texts are PostgreSQL 15's output of the values
 * in parity cases 01 to 19. */
#include "walferry/change.h"
#include "walferry/envelope.h"
#include "walferry/pgtype.h"
#include "walferry/pgvalue.h"

#include "cmocka_all.h"

#include <stdlib.h>

#define RECORD_BYTES_MAX (1 << 20)
#define PLACEHOLDER SLICE_LITERAL("__debezium_unavailable_value")

struct sample {
    uint32_t type_oid;
    int32_t typmod;
    const char *text;
};

#define NUMERIC(precision, scale) (((precision) << 16 | ((scale)&0x7FF)) + 4)

static const struct sample samples[] = {
    {1007, -1, "{}"}, /* int4[] */
    {1007, -1, "{1,NULL,-3}"},
    {1007, -1, "[2:4]={1,2,3}"},
    {1007, -1, "{{1,2},{3,4}}"},
    {1009, -1, "{a,\"b c\",\"d,e\",\"NULL\",NULL,\"\",\"q\\\"\\\\\"}"}, /* text[] */
    {1009, -1, "{__debezium_unavailable_value}"},
    {1183, -1, "{24:00:00}"}, /* time[] */
    {1231, -1, "{1.5,NaN}"},  /* numeric[] */
    {1231, -1, "{1.00,2.5,NULL}"},
    {1231, -1, "{2.5,10.50}"},
    {1231, -1, "{10,0.0}"},
    {1270, -1, "{12:00:00+02,12:00:00+00}"},              /* timetz[] */
    {1021, -1, "{0.1,NaN}"},                              /* float4[] */
    {1115, -1, "{\"2016-11-04 13:51:30.123456\",NULL}"},  /* timestamp[] */
    {1001, -1, "{\"\\\\x0102\"}"},                        /* bytea[] */
    {2951, -1, "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"}, /* uuid[] */
    {PGTYPE_BOOL, -1, "t"},
    {PGTYPE_BOOL, -1, "f"},
    {PGTYPE_INT2, -1, "-32768"},
    {PGTYPE_INT4, -1, "2147483647"},
    {PGTYPE_INT8, -1, "-9223372036854775808"},
    {PGTYPE_OID, -1, "4294967295"},
    {PGTYPE_FLOAT4, -1, "3.4028235e+38"},
    {PGTYPE_FLOAT4, -1, "1e-45"},
    {PGTYPE_FLOAT4, -1, "-0"},
    {PGTYPE_FLOAT4, -1, "NaN"},
    {PGTYPE_FLOAT8, -1, "5e-324"},
    {PGTYPE_FLOAT8, -1, "1.9999999999999998e+23"},
    {PGTYPE_FLOAT8, -1, "0.1"},
    {PGTYPE_FLOAT8, -1, "-Infinity"},
    {PGTYPE_NUMERIC, NUMERIC(10, 2), "-1234.11"},
    {PGTYPE_NUMERIC, NUMERIC(10, 2), "0.00"},
    {PGTYPE_NUMERIC, NUMERIC(10, 2), "NaN"},
    {PGTYPE_NUMERIC, NUMERIC(5, 0), "-128"},
    {PGTYPE_NUMERIC, NUMERIC(5, -2), "-25600"},
    {PGTYPE_NUMERIC, NUMERIC(3, 3), "-0.256"},
    {PGTYPE_NUMERIC, NUMERIC(38, 10), "1234567890123456789012345678.0123456789"},
    {PGTYPE_NUMERIC, -1, "10.1111"},
    {PGTYPE_NUMERIC, -1, "100000000000000000000"},
    {PGTYPE_NUMERIC, -1, "0.00000000000000000001"},
    {PGTYPE_NUMERIC, -1, "123456789012345678901234567890"},
    {PGTYPE_NUMERIC, -1, "10.50"},
    {PGTYPE_NUMERIC, -1, "-1.00"},
    {PGTYPE_NUMERIC, -1, "0.0"},
    {PGTYPE_NUMERIC, -1, "100"},
    {PGTYPE_NUMERIC, -1, "123456789012345678901234567890.1230"},
    {PGTYPE_NUMERIC, -1, "NaN"},
    {PGTYPE_NUMERIC, -1, "Infinity"},
    {PGTYPE_NUMERIC, -1, "-Infinity"},
    {PGTYPE_TEXT, -1, ""},
    {PGTYPE_TEXT, -1, "q\" \\ / \n\t\x01 \xC3\xA9 \xF0\x9F\x98\x80"},
    {PGTYPE_VARCHAR, 14, "null"},
    {PGTYPE_BPCHAR, 9, "abc  "},
    {PGTYPE_JSON, -1, "{\"a\":  [1, \"x\\n\"]}"},
    {PGTYPE_JSONB, -1, "{\"a\": 1.50}"},
    {PGTYPE_XML, -1, "<a b=\"1\"/>"},
    {PGTYPE_UUID, -1, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
    {PGTYPE_INET, -1, "10.0.0.0/8"},
    {PGTYPE_MACADDR, -1, "08:00:2b:01:02:03"},
    {PGTYPE_CIDR, -1, "10.0.0.0/8"},
    {PGTYPE_NUMRANGE, -1, "[1.00,2.50)"},
    {PGTYPE_BYTEA, -1, "\\x"},
    {PGTYPE_BYTEA, -1, "\\xfffefd00807f"},
    {PGTYPE_BIT, 1, "1"},
    {PGTYPE_BIT, 7, "0000001"},
    {PGTYPE_BIT, 12, "100000000001"},
    {PGTYPE_VARBIT, -1, "0000000010"},
    {PGTYPE_VARBIT, 24, "1"},
    {PGTYPE_VARBIT, 24, "000000000000000000000001"},
    {PGTYPE_VARBIT, 3, "101"},
    {PGTYPE_VARBIT, 24, ""},
    {PGTYPE_DATE, -1, "2016-11-04"},
    {PGTYPE_DATE, -1, "0044-03-15 BC"},
    {PGTYPE_DATE, -1, "5874897-12-31"},
    {PGTYPE_DATE, -1, "infinity"},
    {PGTYPE_DATE, -1, "-infinity"},
    {PGTYPE_TIME, -1, "13:51:30.123456"},
    {PGTYPE_TIME, 0, "24:00:00"},
    {PGTYPE_TIME, -1, "24:00:00"},
    {PGTYPE_TIME, 3, "13:51:30.124"},
    {PGTYPE_TIMETZ, -1, "13:51:30.123789+02"},
    {PGTYPE_TIMETZ, -1, "24:00:00+00"},
    {PGTYPE_TIMETZ, -1, "00:00:00-15:59:59"},
    {PGTYPE_TIMESTAMP, -1, "2016-11-04 13:51:30.123456"},
    {PGTYPE_TIMESTAMP, 3, "2016-11-04 13:51:30.124"},
    {PGTYPE_TIMESTAMP, 0, "0001-12-31 23:59:59 BC"},
    {PGTYPE_TIMESTAMP, -1, "4713-12-31 23:59:59.999999 BC"},
    {PGTYPE_TIMESTAMP, -1, "294276-12-31 23:59:59.999999"},
    {PGTYPE_TIMESTAMP, 0, "294276-12-31 00:00:00"},
    {PGTYPE_TIMESTAMP, -1, "294247-01-10 04:00:25.2"}, /* the number of infinity */
    {PGTYPE_TIMESTAMP, 1, "294247-01-10 04:00:25.2"},
    {PGTYPE_TIMESTAMP, -1, "infinity"},
    {PGTYPE_TIMESTAMP, 0, "-infinity"},
    {PGTYPE_TIMESTAMPTZ, -1, "2016-11-04 11:51:30.123456+00"},
    {PGTYPE_TIMESTAMPTZ, 0, "4713-01-01 00:00:00+00 BC"},
    {PGTYPE_TIMESTAMPTZ, 3, "294276-12-31 23:59:59.999+00"},
    {PGTYPE_TIMESTAMPTZ, -1, "infinity"},
};

/* Both print and read the same value, in other words: PostgreSQL reads both. */
static const struct {
    const char *text, *other;
} equivalents[] = {
    {"1 year 2 mons 3 days 04:05:06.78", "P1Y2M3DT4H5M6.78S"},
    {"10 mons 3 days -04:05:06.000001", "P0Y10M3DT-4H-5M-6.000001S"},
    {"-00:00:00.5", "P0Y0M0DT0H0M-0.5S"},
};

static const struct sample intervals[] = {
    {PGTYPE_INTERVAL, -1, "1 year 2 mons 3 days 04:05:06.78"},
    {PGTYPE_INTERVAL, -1, "10 mons 3 days -04:05:06.000001"},
    {PGTYPE_INTERVAL, -1, "-00:00:00.5"},
};

struct modes {
    bool schemas;
    struct type_modes types;
};

struct fixture {
    struct envelope *envelope;
    struct relation_cache *relations;
    struct change_reader *reader;
    struct buf out;
};

static void start(struct fixture *f, const struct modes *modes)
{
    struct envelope_options options = {
        .topic_prefix = SLICE_LITERAL("p"),
        .topic_delimiter = SLICE_LITERAL("."),
        .transaction_topic = SLICE_LITERAL("transaction"),
        .database = SLICE_LITERAL("d"),
        .version = SLICE_LITERAL("3.6.1.Final"),
        .run_id = SLICE_LITERAL("run"),
        .unavailable_placeholder = PLACEHOLDER,
        .key_schemas = modes->schemas,
        .value_schemas = modes->schemas,
        .exact_values = true,
        .decimal = modes->types.decimal,
        .time = modes->types.time,
        .binary = modes->types.binary,
        .interval = modes->types.interval,
        .record_bytes_max = RECORD_BYTES_MAX,
    };
    f->envelope = envelope_new(&options);
    f->relations = relation_cache_new();
    f->reader = change_reader_new(RECORD_BYTES_MAX);
    buf_init(&f->out, RECORD_BYTES_MAX);
}

static void stop(struct fixture *f)
{
    relation_cache_free(f->relations);
    envelope_free(f->envelope);
    change_reader_free(f->reader);
    buf_release(&f->out);
}

static struct relation *put_relation(struct fixture *f, const struct sample *sample)
{
    struct column column = {
        .name = SLICE_LITERAL("c"), .type_oid = sample->type_oid, .typmod = sample->typmod};
    struct relation relation = {.oid = 1,
                                .schema = SLICE_LITERAL("s"),
                                .name = SLICE_LITERAL("t"),
                                .identity = REPLICA_IDENTITY_FULL,
                                .column_count = 1,
                                .columns = &column};
    struct column_facts facts = {
        .name = column.name, .base_oid = column.type_oid, .base_typmod = column.typmod};
    struct relation *put = relation_cache_put(f->relations, &relation);
    relation_set_facts(put, &facts, 1);
    return put;
}

/* The value of column c as the applier would write it, or would look for it: of an update it is `before`. */
static enum value_kind carry(struct fixture *f, const struct modes *modes, const struct sample *sample,
                             char op, struct value value)
{
    struct err err;
    struct record_set set;
    struct change change;
    enum value_kind kind;
    const struct tuple row = {1, &value};
    struct relation *relation = put_relation(f, sample);
    const struct event event = {.op = (enum event_op)op,
                                .relation = relation,
                                .before = op == EVENT_CREATE ? NULL : &row,
                                .after = op == EVENT_DELETE ? NULL : &row,
                                .old_kind = op == EVENT_CREATE ? OLD_TUPLE_NONE : OLD_TUPLE_FULL,
                                .xid = 1,
                                .lsn = 2,
                                .commit_lsn = 3};
    const struct target_column column = {.name = SLICE_LITERAL("c"),
                                         .type_oid = sample->type_oid,
                                         .typmod = sample->typmod,
                                         .type_name = SLICE_LITERAL("T")};
    const struct pgvalue_options options = {.unavailable_placeholder = PLACEHOLDER,
                                            .decimal = modes->types.decimal,
                                            .time = modes->types.time,
                                            .binary = modes->types.binary,
                                            .interval = modes->types.interval};
    buf_clear(&f->out);
    if (!envelope_prepare(f->envelope, relation, NULL, NULL, &err) ||
        !envelope_encode(f->envelope, &event, NULL, &set, &err) ||
        !change_read(f->reader, &set.records[0], &change, &err))
        fail_msg("type %u '%s': %s", sample->type_oid, sample->text, err.text);
    const struct field_list *list = op == EVENT_CREATE ? &change.after : &change.before;
    assert_int_equal(list->count, 1);
    if (!pgvalue_append(&f->out, &list->fields[0], &column, &options, &kind, &err))
        fail_msg("type %u '%s': %s", sample->type_oid, sample->text, err.text);
    return kind;
}

/* Java prints other lexemes of floats, and of numerics that went through a double: the value must be the
 * same, and where the type has a scale, it gives the digits back. */
static bool is_equal_number(const struct sample *sample, bool as_double, const char *got)
{
    char *end;
    if (sample->type_oid == PGTYPE_FLOAT4)
        return strtof(sample->text, NULL) == strtof(got, &end) && *end == '\0';
    if (sample->type_oid == PGTYPE_FLOAT8 ||
        (sample->type_oid == PGTYPE_NUMERIC && as_double && sample->typmod >= 4))
        return strtod(sample->text, NULL) == strtod(got, &end) && *end == '\0';
    return false;
}

static bool is_equivalent(const struct sample *sample, const char *got)
{
    for (size_t i = 0; i < sizeof(equivalents) / sizeof(equivalents[0]); i++) {
        if (strcmp(sample->text, equivalents[i].text) == 0 && strcmp(got, equivalents[i].other) == 0)
            return true;
    }
    return false;
}

static void expect_carried(struct fixture *f, const struct modes *modes, const struct sample *sample)
{
    static const char ops[] = {EVENT_CREATE, EVENT_UPDATE, EVENT_DELETE};
    for (size_t i = 0; i < sizeof(ops); i++) {
        struct value value = {VALUE_TEXT, slice_of(sample->text)};
        assert_int_equal(carry(f, modes, sample, ops[i], value), VALUE_TEXT);
        const char *got = buf_text(&f->out);
        if (strcmp(got, sample->text) == 0 || is_equivalent(sample, got) ||
            is_equal_number(sample, modes->types.decimal == DECIMAL_DOUBLE, got))
            continue;
        fail_msg(
            "type %u typmod %d, schemas %d, decimal %d, time %d, binary %d, interval %d: '%s' became '%s'",
            sample->type_oid, sample->typmod, modes->schemas, modes->types.decimal, modes->types.time,
            modes->types.binary, modes->types.interval, sample->text, got);
    }
}

/* One mode after the other; they do not touch each other's types. */
static size_t list_modes(struct modes *modes)
{
    size_t count = 0;
    for (int schemas = 0; schemas < 2; schemas++) {
        for (int i = 0; i < 6; i++)
            modes[count++] = (struct modes){schemas != 0,
                                            {.decimal = (enum decimal_mode)(i % 3),
                                             .time = (enum time_mode)i,
                                             .binary = (enum binary_mode)(i % 4),
                                             .interval = (enum interval_mode)(i % 2)}};
    }
    return count;
}

#define MODES_MAX 12

static void values_come_back_in_every_mode(void **state)
{
    (void)state;
    struct modes modes[MODES_MAX];
    size_t count = list_modes(modes);
    for (size_t m = 0; m < count; m++) {
        struct fixture f;
        start(&f, &modes[m]);
        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
            expect_carried(&f, &modes[m], &samples[i]);
        for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++)
            expect_carried(&f, &modes[m], &intervals[i]);
        stop(&f);
    }
}

static void null_and_unchanged_stay_apart(void **state)
{
    (void)state;
    struct modes modes[MODES_MAX];
    size_t count = list_modes(modes);
    for (size_t m = 0; m < count; m++) {
        struct fixture f;
        start(&f, &modes[m]);
        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
            assert_int_equal(
                carry(&f, &modes[m], &samples[i], EVENT_CREATE, (struct value){.kind = VALUE_NULL}),
                VALUE_NULL);
            assert_int_equal(
                carry(&f, &modes[m], &samples[i], EVENT_CREATE, (struct value){.kind = VALUE_UNCHANGED}),
                VALUE_UNCHANGED);
        }
        stop(&f);
    }
}

/* A row may hold the placeholder's own text; it is data then. */
static void the_placeholder_as_a_value_is_data(void **state)
{
    (void)state;
    const struct modes modes = {false, {0}};
    const struct sample sample = {PGTYPE_TEXT, -1, "__debezium_unavailable_value"};
    struct fixture f;
    start(&f, &modes);
    expect_carried(&f, &modes, &sample);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_back_in_every_mode),
        cmocka_unit_test(null_and_unchanged_stay_apart),
        cmocka_unit_test(the_placeholder_as_a_value_is_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
