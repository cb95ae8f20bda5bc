#include "walferry/pgtype.h"
#include "walferry/sql.h"

#include <stdlib.h>

#include "cmocka_all.h"

/* The statements below were prepared and run on PostgreSQL 15 against
 *   create table "we""ird"."T" (id int primary key, "a b" text not null, j json, n numeric(10,2), at
 * timestamptz, seq int generated always as identity); */
static struct target_column columns[] = {
    {.name = SLICE_LITERAL("id"),
     .type_oid = PGTYPE_INT4,
     .type_name = SLICE_LITERAL("integer"),
     .not_null = true,
     .has_equality = true},
    {.name = SLICE_LITERAL("a b"),
     .type_oid = PGTYPE_TEXT,
     .type_name = SLICE_LITERAL("text"),
     .not_null = true,
     .has_equality = true},
    {.name = SLICE_LITERAL("j"), .type_oid = PGTYPE_JSON, .type_name = SLICE_LITERAL("json")},
    {.name = SLICE_LITERAL("n"),
     .type_oid = PGTYPE_NUMERIC,
     .type_name = SLICE_LITERAL("numeric(10,2)"),
     .has_equality = true},
    {.name = SLICE_LITERAL("at"),
     .type_oid = PGTYPE_TIMESTAMPTZ,
     .type_name = SLICE_LITERAL("timestamp with time zone"),
     .has_equality = true},
    {.name = SLICE_LITERAL("seq"),
     .type_oid = PGTYPE_INT4,
     .type_name = SLICE_LITERAL("integer"),
     .not_null = true,
     .has_equality = true,
     .identity_always = true},
};

static const struct target_table table = {
    .schema = SLICE_LITERAL("we\"ird"),
    .name = SLICE_LITERAL("T"),
    .columns = columns,
    .column_count = sizeof(columns) / sizeof(columns[0]),
};

static const struct target_table partitioned = {
    .schema = SLICE_LITERAL("public"),
    .name = SLICE_LITERAL("p"),
    .columns = columns,
    .column_count = sizeof(columns) / sizeof(columns[0]),
    .partitioned = true,
};

static const uint16_t all[] = {0, 1, 2, 3, 4, 5};
static const uint16_t id[] = {0};
static const uint16_t id_and_text[] = {0, 1};
static const uint16_t text_and_id[] = {1, 0};
static const uint16_t id_and_seq[] = {0, 5};

#define T "\"we\"\"ird\".\"T\""

static void expect(struct buf *out, const char *text)
{
    assert_string_equal(buf_text(out), text);
    buf_clear(out);
}

static int open_buffer(void **state)
{
    static struct buf out;
    buf_init(&out, 4096);
    *state = &out;
    return 0;
}

static int close_buffer(void **state)
{
    buf_release(*state);
    return 0;
}

static void quotes_identifiers(void **state)
{
    struct buf *out = *state;
    sql_append_identifier(out, slice_of("a"));
    expect(out, "\"a\"");
    sql_append_identifier(out, slice_of("\"; DROP TABLE x; --"));
    expect(out, "\"\"\"; DROP TABLE x; --\"");
    sql_append_qualified(out, slice_of("S\\"), slice_of("na.me"));
    expect(out, "\"S\\\".\"na.me\"");
}

static void quotes_literals(void **state)
{
    struct buf *out = *state;
    sql_append_literal(out, slice_of(""));
    expect(out, "''");
    sql_append_literal(out, slice_of("it's"));
    expect(out, "'it''s'");
    sql_append_literal(out, slice_of("a\\'b"));
    expect(out, " E'a\\\\''b'");
}

static void inserts(void **state)
{
    struct buf *out = *state;
    sql_append_insert(out, &table, text_and_id, 2);
    expect(out, "INSERT INTO " T " (\"a b\",\"id\") OVERRIDING SYSTEM VALUE VALUES ($1,$2)");
    sql_append_insert(out, &table, NULL, 0);
    expect(out, "INSERT INTO " T " DEFAULT VALUES");
}

static void upserts(void **state)
{
    struct buf *out = *state;
    sql_append_upsert(out, &table, all, 4, id, 1);
    expect(out, "INSERT INTO " T " (\"id\",\"a b\",\"j\",\"n\") OVERRIDING SYSTEM VALUE VALUES ($1,$2,$3,$4)"
                " ON CONFLICT (\"id\") DO UPDATE SET \"a b\"=EXCLUDED.\"a b\",\"j\"=EXCLUDED.\"j\","
                "\"n\"=EXCLUDED.\"n\"");
}

static void upsert_without_a_rest_does_nothing(void **state)
{
    struct buf *out = *state;
    sql_append_upsert(out, &table, id_and_text, 2, text_and_id, 2);
    expect(out, "INSERT INTO " T " (\"id\",\"a b\") OVERRIDING SYSTEM VALUE VALUES ($1,$2)"
                " ON CONFLICT (\"a b\",\"id\") DO NOTHING");
    sql_append_upsert(out, &table, id_and_seq, 2, id, 1);
    expect(out, "INSERT INTO " T " (\"id\",\"seq\") OVERRIDING SYSTEM VALUE VALUES ($1,$2)"
                " ON CONFLICT (\"id\") DO NOTHING");
}

static void updates_and_deletes_by_key(void **state)
{
    struct buf *out = *state;
    sql_append_update(out, &table, text_and_id, 2, id_and_text, 2);
    expect(out, "UPDATE ONLY " T " SET \"a b\"=$1,\"id\"=$2 WHERE \"id\"=$3 AND \"a b\"=$4");
    sql_append_delete(out, &table, id_and_text, 2);
    expect(out, "DELETE FROM ONLY " T " WHERE \"id\"=$1 AND \"a b\"=$2");
    sql_append_delete(out, &partitioned, id, 1);
    expect(out, "DELETE FROM \"public\".\"p\" WHERE \"id\"=$1");
}

static void finds_one_row_by_its_whole_image(void **state)
{
    struct buf *out = *state;
    sql_append_update_one(out, &table, id, 1, all, 5);
    expect(out, "UPDATE ONLY " T " SET \"id\"=$1 WHERE (tableoid,ctid)=(SELECT tableoid,ctid FROM ONLY " T
                " WHERE \"id\"=$2 AND \"a b\"=$3 AND \"j\"::text IS NOT DISTINCT FROM $4::json::text"
                " AND \"n\" IS NOT DISTINCT FROM $5 AND \"at\" IS NOT DISTINCT FROM $6"
                " ORDER BY \"n\"::text IS DISTINCT FROM $5::numeric(10,2)::text LIMIT 1)");
    sql_append_delete_one(out, &partitioned, id_and_text, 2);
    expect(out,
           "DELETE FROM \"public\".\"p\" WHERE (tableoid,ctid)=(SELECT tableoid,ctid FROM \"public\".\"p\""
           " WHERE \"id\"=$1 AND \"a b\"=$2 LIMIT 1)");
}

static void finds_any_row_of_a_table_without_columns(void **state)
{
    struct buf *out = *state;
    sql_append_delete_one(out, &table, NULL, 0);
    expect(out,
           "DELETE FROM ONLY " T " WHERE (tableoid,ctid)=(SELECT tableoid,ctid FROM ONLY " T " LIMIT 1)");
}

static void truncates_exactly_the_named_tables(void **state)
{
    struct buf *out = *state;
    const struct target_table *tables[] = {&table, &partitioned};
    sql_append_truncate(out, tables, 2);
    expect(out, "TRUNCATE TABLE ONLY " T ",\"public\".\"p\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_buffer, close_buffer)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(quotes_identifiers),
        TEST(quotes_literals),
        TEST(inserts),
        TEST(upserts),
        TEST(upsert_without_a_rest_does_nothing),
        TEST(updates_and_deletes_by_key),
        TEST(finds_one_row_by_its_whole_image),
        TEST(finds_any_row_of_a_table_without_columns),
        TEST(truncates_exactly_the_named_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
