"""Every kind of change arrives as it was made. Oracle: both databases, table by table."""

import pytest

from harness.types import TYPES_CHANGES, TYPES_ROWS, TYPES_TABLE


@pytest.fixture
def flow(pair):
    """start(sql): tables on both sides, then both programs; rows written before come by snapshot."""

    def start(schema, before=None, **config):
        pair.on_both(schema)
        if before:
            pair.on_source(before)
        pair.streamer(**config).start().wait_ready()
        modes = {key: value for key, value in config.items() if "handling" in key or "precision" in key}
        pair.applier(**modes).start().wait_ready()
        return pair

    return start


def test_insert_update_delete(flow):
    pair = flow("CREATE TABLE t (n int PRIMARY KEY, note text)", "INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    pair.transaction("INSERT INTO t VALUES (3, 'new')", "UPDATE t SET note = 'changed' WHERE n = 1",
                     "DELETE FROM t WHERE n = 2")
    pair.wait_equal()
    assert pair.target_rows("SELECT * FROM t ORDER BY n") == [(1, "changed"), (3, "new")]


@pytest.mark.parametrize("schemas", ["false", "true"])
def test_every_common_type(flow, schemas):
    pair = flow(TYPES_TABLE, TYPES_ROWS.format(offset=0), key__converter__schemas__enable=schemas,
                value__converter__schemas__enable=schemas)
    pair.wait_equal()
    pair.on_source(TYPES_ROWS.format(offset=100))
    for statement in TYPES_CHANGES:
        pair.on_source(statement)
    pair.wait_equal()


@pytest.mark.parametrize("modes", [
    {"decimal__handling__mode": "string", "time__precision__mode": "isostring", "binary__handling__mode": "hex"},
    {"time__precision__mode": "microseconds", "binary__handling__mode": "base64"},
    {"time__precision__mode": "adaptive_time_microseconds", "binary__handling__mode": "base64-url-safe"},
    {"time__precision__mode": "nanoseconds", "interval__handling__mode": "string",
     "value__converter__schemas__enable": "true"},
    {"time__precision__mode": "connect", "decimal__handling__mode": "double"},
], ids=["string", "microseconds", "adaptive_time", "nanoseconds", "connect"])
def test_every_common_type_in_other_modes(flow, modes):
    pair = flow(TYPES_TABLE, TYPES_ROWS.format(offset=0), **modes)
    pair.on_source(TYPES_ROWS.format(offset=100))
    pair.wait_equal()


def test_toast_survives_update(flow):
    """An out-of-line value that an UPDATE does not touch is not in the stream; the target keeps its own."""
    pair = flow("CREATE TABLE t (n int PRIMARY KEY, small int, long text, doc jsonb, bytes bytea, amount numeric)")
    pair.on_source("ALTER TABLE t ALTER long SET STORAGE EXTERNAL, ALTER bytes SET STORAGE EXTERNAL, "
                   "ALTER doc SET STORAGE EXTERNAL, ALTER amount SET STORAGE EXTERNAL")
    pair.on_source("INSERT INTO t SELECT n, 0, repeat(md5(n::text), 500), jsonb_build_object('a', repeat('b', 20000)), "
                   "decode(repeat(md5(n::text), 500), 'hex'), repeat('123456789', 900)::numeric "
                   "FROM generate_series(1, 5) n")
    pair.on_source("UPDATE t SET small = small + 1")
    pair.on_source("UPDATE t SET long = 'short now' WHERE n = 2")
    pair.on_source("UPDATE t SET long = NULL, amount = NULL WHERE n = 3")
    pair.wait_equal()


def test_toast_survives_key_change(flow):
    pair = flow("CREATE TABLE t (n int PRIMARY KEY, small int, long text, amount numeric);"
                "ALTER TABLE t ALTER long SET STORAGE EXTERNAL, ALTER amount SET STORAGE EXTERNAL")
    pair.on_source("INSERT INTO t SELECT n, 0, repeat(md5(n::text), 500), repeat('987654321', 900)::numeric "
                   "FROM generate_series(1, 5) n")
    pair.on_source("UPDATE t SET n = n + 100, small = 7 WHERE n < 4")
    pair.wait_equal()


def test_toast_survives_under_full_identity(flow):
    pair = flow("CREATE TABLE t (n int, small int, long text); ALTER TABLE t REPLICA IDENTITY FULL;"
                "ALTER TABLE t ALTER long SET STORAGE EXTERNAL")
    pair.on_source("INSERT INTO t SELECT n, 0, repeat(md5(n::text), 500) FROM generate_series(1, 3) n")
    pair.on_source("UPDATE t SET small = 1 WHERE n = 2")
    pair.on_source("DELETE FROM t WHERE n = 3")
    pair.wait_equal()


def test_composite_key(flow):
    pair = flow("CREATE TABLE t (b text, a int, v int, PRIMARY KEY (a, b))", "INSERT INTO t VALUES ('x', 1, 1)")
    pair.transaction("INSERT INTO t VALUES ('y', 1, 2), ('x', 2, 3)", "UPDATE t SET v = 9 WHERE a = 1 AND b = 'x'",
                     "UPDATE t SET b = 'q\"uote' WHERE a = 2", "DELETE FROM t WHERE b = 'y'")
    pair.wait_equal()


def test_no_key_full_identity(flow):
    """Equal rows are told apart by nothing: one statement changes one of them, NULLs included."""
    pair = flow("CREATE TABLE t (a int, b text, c json); ALTER TABLE t REPLICA IDENTITY FULL",
                "INSERT INTO t VALUES (1, 'twin', '{\"x\": 1}'), (1, 'twin', '{\"x\": 1}'), (NULL, NULL, NULL)")
    pair.on_source("UPDATE t SET b = 'one' WHERE ctid = (SELECT min(ctid) FROM t WHERE a = 1)")
    pair.on_source("INSERT INTO t VALUES (1, 'twin', NULL), (1, 'twin', NULL), (2, NULL, '[]')")
    pair.on_source("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE b = 'twin' AND c IS NULL)")
    pair.on_source("UPDATE t SET a = 5 WHERE a IS NULL")
    pair.wait_equal()


@pytest.mark.parametrize("schemas", ["false", "true"])
def test_equal_values_that_differ_without_a_key(flow, schemas):
    """1.0 = 1.00 and 1 mon = 30 days, but they are not the same row; each change meets the one it was made to."""
    rows = ("(1.0, '{1.0}', '1 mon'), (1.00, '{1.00}', '30 days'), (1.000, '{1.000}', '720:00:00'), "
            "('NaN', '{NaN}', NULL)")
    pair = flow("CREATE TABLE t (v numeric, a numeric[], i interval, note text); ALTER TABLE t REPLICA IDENTITY FULL",
                f"INSERT INTO t VALUES {rows}", key__converter__schemas__enable=schemas,
                value__converter__schemas__enable=schemas)
    pair.wait_equal()
    pair.on_source(f"INSERT INTO t VALUES {rows}")
    pair.on_source("UPDATE t SET note = 'two' WHERE v::text = '1.00'")
    pair.on_source("UPDATE t SET note = 'month' WHERE i::text = '1 mon'")
    pair.on_source("UPDATE t SET v = 1.0000 WHERE v::text = '1.000'")
    pair.on_source("UPDATE t SET note = 'none' WHERE ctid = (SELECT min(ctid) FROM t WHERE v = 'NaN')")
    pair.wait_equal()
    pair.on_source("DELETE FROM t WHERE v::text = '1.0' OR note = 'none'")
    pair.on_source("DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t WHERE v::text = '1.0000')")
    pair.wait_equal()
    left = pair.target_rows("SELECT v::text, count(*) FROM t GROUP BY 1 ORDER BY 1")
    assert left == [("1.00", 2), ("1.0000", 1), ("NaN", 1)]


def test_keys_that_the_form_loses(flow):
    pair = flow("CREATE TABLE n (k numeric PRIMARY KEY, v text); CREATE TABLE i (k interval PRIMARY KEY, v text);"
                "CREATE TABLE z (k timetz PRIMARY KEY, v text)",
                "INSERT INTO n VALUES (1.00, 'a'), ('NaN', 'b'); INSERT INTO i VALUES ('1 mon', 'a');"
                "INSERT INTO z VALUES ('12:00:00+02', 'a'), ('10:00:00+00', 'b')")
    pair.on_source("UPDATE n SET v = 'c'; UPDATE i SET v = 'c'; UPDATE z SET v = 'c' WHERE v = 'a'")
    pair.on_source("UPDATE n SET k = 1.0 WHERE k = 1; UPDATE n SET k = 2.50 WHERE k = 'NaN';"
                   "UPDATE i SET k = '30 days'; UPDATE z SET k = '12:00:00+03' WHERE v = 'c'")
    pair.wait_equal()
    pair.on_source("DELETE FROM n WHERE k = 1; DELETE FROM i; DELETE FROM z WHERE v = 'c'")
    pair.wait_equal()


def test_key_swap_in_one_transaction(flow):
    pair = flow("CREATE TABLE t (n int PRIMARY KEY, v text)", "INSERT INTO t VALUES (1, 'a'), (2, 'b')")
    pair.transaction("UPDATE t SET n = 3 WHERE n = 1", "UPDATE t SET n = 1 WHERE n = 2",
                     "UPDATE t SET n = 2 WHERE n = 3")
    pair.wait_equal()
    assert pair.target_rows("SELECT * FROM t ORDER BY n") == [(1, "b"), (2, "a")]


def test_truncate_many(flow):
    pair = flow("CREATE TABLE parent (n int PRIMARY KEY); CREATE TABLE child (n int PRIMARY KEY REFERENCES parent);"
                "CREATE TABLE other (n int PRIMARY KEY)",
                "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1); INSERT INTO other VALUES (1)",
                skipped__operations="none")
    pair.transaction("INSERT INTO other VALUES (2)", "TRUNCATE parent, child, other", "INSERT INTO parent VALUES (7)")
    pair.wait_equal()
    assert pair.target_rows("SELECT * FROM parent") == [(7,)]
    assert pair.target_rows("SELECT count(*) FROM other") == [(0,)]


def test_quoted_and_63_byte_names(flow):
    long = "l" * 63
    pair = flow(f'CREATE SCHEMA "S p.a""ce"; CREATE TABLE "S p.a""ce"."T.a ""b""" ("K ey" int PRIMARY KEY, '
                f'"select" text, "ä ö" text, "{long}" int);'
                f'CREATE TABLE "{long}" ("{long}" int PRIMARY KEY, "user" text)',
                'INSERT INTO "S p.a""ce"."T.a ""b""" VALUES (1, \'a\', \'b\', 2)')
    pair.transaction(f'INSERT INTO "{long}" VALUES (1, \'x\')', f'UPDATE "{long}" SET "{long}" = 2',
                     f'UPDATE "S p.a""ce"."T.a ""b""" SET "ä ö" = \'tab\there\', "{long}" = 3')
    pair.wait_equal()


def test_new_column_mid_stream(flow):
    pair = flow("CREATE TABLE t (n int PRIMARY KEY, a text)", "INSERT INTO t VALUES (1, 'a')")
    pair.on_source("INSERT INTO t VALUES (2, 'b')")
    pair.wait_equal()
    pair.target.execute("ALTER TABLE t ADD b int DEFAULT 5", pair.database)
    pair.on_source("ALTER TABLE t ADD b int DEFAULT 5")
    pair.on_source("INSERT INTO t VALUES (3, 'c', 6)")
    pair.on_source("UPDATE t SET b = 7 WHERE n = 1")
    pair.wait_equal()
    pair.target.execute("ALTER TABLE t DROP a", pair.database)
    pair.on_source("ALTER TABLE t DROP a")
    pair.on_source("INSERT INTO t VALUES (4, 8)")
    pair.wait_equal()


def test_ddl_inside_a_transaction(flow):
    pair = flow("CREATE TABLE t (n int PRIMARY KEY)")
    pair.target.execute("ALTER TABLE t ADD x text", pair.database)
    pair.transaction("INSERT INTO t VALUES (1)", "ALTER TABLE t ADD x text", "INSERT INTO t VALUES (2, 'two')",
                     "SAVEPOINT s", "ALTER TABLE t ADD y int", "ROLLBACK TO s", "INSERT INTO t VALUES (3, 'three')")
    pair.wait_equal()


def test_rolled_back_work_never_arrives(flow):
    pair = flow("CREATE TABLE t (n int PRIMARY KEY)")
    pair.transaction("INSERT INTO t VALUES (1)", "SAVEPOINT s", "INSERT INTO t VALUES (2)", "ROLLBACK TO s",
                     "INSERT INTO t VALUES (3)")
    with pair.source.connect(pair.database, autocommit=False) as connection:
        connection.execute("INSERT INTO t VALUES (4)")
        connection.rollback()
    pair.transaction("INSERT INTO t VALUES (5)")
    pair.wait_equal()
    assert pair.target_rows("SELECT n FROM t ORDER BY n") == [(1,), (3,), (5,)]


def test_foreign_keys_and_cascades(flow):
    pair = flow("CREATE TABLE parent (n int PRIMARY KEY); "
                "CREATE TABLE child (n int PRIMARY KEY, p int NOT NULL REFERENCES parent ON DELETE CASCADE)",
                "INSERT INTO parent VALUES (1); INSERT INTO child VALUES (1, 1)")
    pair.transaction("INSERT INTO parent VALUES (2)", "INSERT INTO child VALUES (2, 2)")
    pair.on_source("DELETE FROM parent WHERE n = 1")
    pair.wait_equal()
    assert pair.target_rows("SELECT n FROM child") == [(2,)]


def test_generated_and_identity_columns(flow, source):
    doubled = "GENERATED ALWAYS AS (a * 2) STORED" if source.version >= 12 else ""
    pair = flow(f"CREATE TABLE t (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, doubled int {doubled})",
                "INSERT INTO t (a) VALUES (1), (2)")
    pair.on_source("INSERT INTO t (a) VALUES (3)")
    pair.on_source("UPDATE t SET a = 10 WHERE a = 1")
    pair.wait_equal()


def test_many_tables_in_one_transaction(flow):
    tables = [f"t{number}" for number in range(40)]
    pair = flow("".join(f"CREATE TABLE {name} (n int PRIMARY KEY, v text);" for name in tables))
    pair.transaction(*[f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b')" for name in tables],
                     *[f"UPDATE {name} SET v = 'z' WHERE n = 1" for name in tables])
    pair.wait_equal()
