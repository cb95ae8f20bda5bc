"""walferry-applier: groups of transactions, ownership, what it refuses, and what it says then."""

import os
import signal
import time

import pytest

from harness.process import wait_until


def failed_line(program):
    assert program.wait_exit(30) == 1, program.log()
    line = program.log().strip().splitlines()[-1]
    assert line.startswith("error: "), line
    return line


def progress(pair, columns="epoch, log_offset"):
    return pair.target_rows(f"SELECT {columns} FROM walferry.progress")[0]


@pytest.fixture
def flow(pair):
    """Both databases with the same tables, the streamer running; returns a function that starts an applier."""

    def start(schema, **config):
        pair.on_both(schema)
        pair.streamer().start().wait_ready()
        return pair.applier(**config).start().wait_ready()

    return start


# ---- transactions

@pytest.mark.parametrize("rows", [1, 7, 5000])
def test_groups_of_transactions_keep_their_order(pair, flow, rows):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY, v int)", walferry__apply__group__rows=rows)
    applier.stop()
    for n in range(60):
        pair.transaction(f"INSERT INTO t VALUES ({n}, 0)", f"UPDATE t SET v = v + n WHERE n <= {n}")
    wait_until(lambda: pair.stored_rows("t") == 60 + 60 * 61 // 2, "the changes in the log")
    applier.start().wait_ready()
    pair.wait_equal()
    metrics = applier.metrics()
    assert metrics["source_transactions_total"] == 60
    if rows == 1:
        assert metrics["target_transactions_total"] >= 60
    if rows == 5000:
        assert metrics["target_transactions_total"] < 20


def test_a_transaction_is_seen_whole(pair, flow):
    """A reader of the target never meets half a transfer, not even of one that exceeds every bound."""
    flow("CREATE TABLE account (n int PRIMARY KEY, amount int)", walferry__apply__group__rows=1,
         walferry__apply__pipeline__statements=5)
    pair.on_source("INSERT INTO account SELECT n, 100 FROM generate_series(1, 50) n")
    pair.wait_equal()
    for _ in range(20):
        pair.transaction("UPDATE account SET amount = amount - 1 WHERE n <= 25",
                         "UPDATE account SET amount = amount + 1 WHERE n > 25")
        assert pair.target_rows("SELECT sum(amount) FROM account") == [(5000,)]
    pair.wait_equal()


def test_counters_add_up_through_restarts_of_the_target(pair, flow):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY, v int)", walferry__apply__group__rows=50)
    pair.on_source("INSERT INTO t SELECT n, 0 FROM generate_series(1, 2000) n")
    for _ in range(3):
        pair.on_source("UPDATE t SET v = v + 1")
        pair.target.restart("immediate")
    pair.wait_equal()

    def adds_up():
        m = applier.metrics()
        parts = ("applied", "skipped", "rejected", "rolled_back")
        return m["events_pending"] == 0 and m["events_read_total"] == sum(m[f"events_{part}_total"] for part in parts)

    try:
        wait_until(adds_up, "the counters to add up", 5)
    except AssertionError:
        raise AssertionError(applier.metrics()) from None
    assert applier.metrics()["events_applied_total"] == 8000


# ---- keys

def test_key_swap_and_toast_in_one_transaction(pair, flow):
    flow("CREATE TABLE t (n int PRIMARY KEY, v int, big text); ALTER TABLE t ALTER big SET STORAGE EXTERNAL")
    pair.on_source("INSERT INTO t VALUES (1, 1, repeat('one', 9000)), (2, 2, repeat('two', 9000))")
    pair.transaction("UPDATE t SET n = 3 WHERE n = 1", "UPDATE t SET n = 1 WHERE n = 2",
                     "UPDATE t SET n = 2, v = 9 WHERE n = 3", "UPDATE t SET v = 7 WHERE n = 1")
    pair.wait_equal()


def test_column_sets_beyond_the_cache(pair, flow):
    """Each row of TOAST columns that stay makes a statement of its own; the cache is bounded."""
    names = [f"c{i}" for i in range(11)]
    columns = ", ".join(f"{name} text" for name in names)
    storage = "; ".join(f"ALTER TABLE t ALTER {name} SET STORAGE EXTERNAL" for name in names)
    applier = flow(f"CREATE TABLE t (n int PRIMARY KEY, {columns}); {storage}")
    pair.on_source("INSERT INTO t SELECT 1, " + ", ".join(["repeat('x', 2500)"] * 11))
    for mask in range(1, 1 << 11):
        changed = ", ".join(f"{name} = repeat('{mask % 7}', 2500)" for i, name in enumerate(names) if mask & 1 << i)
        pair.on_source(f"UPDATE t SET {changed} WHERE n = 1")
    pair.wait_equal()
    assert applier.metrics()["prepared_statements"] <= 1000


def test_equal_rows_without_a_key(pair, flow):
    flow("CREATE TABLE t (n int, v text, j json); ALTER TABLE t REPLICA IDENTITY FULL")
    pair.on_source("INSERT INTO t SELECT 1, NULL, '{\"a\": 1}' FROM generate_series(1, 10)")
    pair.transaction("UPDATE t SET v = 'x' WHERE ctid IN (SELECT ctid FROM t LIMIT 3)",
                     "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t WHERE v IS NULL LIMIT 2)")
    pair.wait_equal()
    assert sorted(pair.target_rows("SELECT v, count(*) FROM t GROUP BY v"), key=str) == [("x", 3), (None, 5)]


# ---- ownership

def test_fenced_applier_commits_nothing_and_stops(pair, flow):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.wait_equal()
    pair.target.execute("UPDATE walferry.progress SET epoch = epoch + 1", pair.database)
    pair.on_source("INSERT INTO t VALUES (2)")
    assert "another applier has taken over" in failed_line(applier)
    assert pair.target_rows("SELECT n FROM t") == [(1,)]


def test_stopped_applier_that_wakes_up_waits(pair, flow):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.wait_equal()
    os.kill(applier.process.pid, signal.SIGSTOP)
    try:
        pair.target.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'apply'")
        second = pair.applier("second").start().wait_ready()
        pair.on_source("INSERT INTO t SELECT generate_series(2, 100)")
        pair.wait_equal()
    finally:
        os.kill(applier.process.pid, signal.SIGCONT)
    wait_until(lambda: "waiting for the lock" in applier.http("/readyz")[1], "the first one to wait")
    pair.on_source("INSERT INTO t VALUES (101)")
    pair.wait_equal()
    assert second.stop() == 0
    applier.wait_ready()
    pair.on_source("INSERT INTO t VALUES (102)")
    pair.wait_equal()


def test_a_log_made_anew_is_refused(pair, flow):
    applier = flow("CREATE TABLE t (n int)")
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.wait_equal()
    for program in pair.programs:
        assert program.stop() == 0
    for path in pair.directory.glob("walferry.db*"):
        path.unlink()
    pair.source.execute("SELECT pg_drop_replication_slot(%s)", params=(pair.slot,))
    pair.programs[0].start().wait_ready()
    applier.start()
    line = failed_line(applier)
    assert "from another log" in line and "walferry.progress" in line
    assert pair.target_rows("SELECT * FROM t") == [(1,)]


def test_an_older_copy_of_the_log_is_refused(pair, flow):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.wait_equal()
    for program in pair.programs:
        assert program.stop() == 0
    pair.target.execute("UPDATE walferry.progress SET log_offset = log_offset + 1000", pair.database)
    assert "older copy" in failed_line(applier.start())


# ---- what is refused

def test_source_without_transaction_metadata(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.streamer(provide__transaction__metadata="false").start().wait_ready()
    applier = pair.applier().start().wait_ready()
    pair.on_source("INSERT INTO t VALUES (1)")
    assert "provide.transaction.metadata=true" in failed_line(applier)
    assert pair.target_rows("SELECT * FROM t") == []


def test_second_snapshot_stops_or_is_merged(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, v int)")
    pair.on_source("INSERT INTO t VALUES (1, 1), (2, 2)")
    streamer = pair.streamer(snapshot__mode="always").start().wait_ready()
    applier = pair.applier().start().wait_ready()
    pair.wait_equal()
    assert streamer.stop() == 0
    pair.on_source("UPDATE t SET v = 5 WHERE n = 1")
    streamer.start().wait_ready()
    assert "second snapshot" in failed_line(applier)
    merging = pair.applier("merging", walferry__apply__resnapshot="merge").start()
    pair.programs.remove(applier)
    merging.wait_ready()
    pair.wait_equal()


def test_second_snapshot_of_a_keyless_table_is_never_merged(pair):
    pair.on_both("CREATE TABLE t (n int)")
    pair.on_source("INSERT INTO t VALUES (1), (1), (2)")
    streamer = pair.streamer(snapshot__mode="always").start().wait_ready()
    applier = pair.applier(walferry__apply__resnapshot="merge").start().wait_ready()
    pair.wait_equal()
    assert streamer.stop() == 0
    streamer.start().wait_ready()
    line = failed_line(applier)
    assert "second snapshot" in line and '"public"."t"' in line and "walferry.progress" in line
    assert pair.differences() == []


def test_column_added_on_both_sides_while_running(pair, flow):
    """The cached catalogue is loaded again; no restart."""
    applier = flow("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.wait_equal()
    pair.target.execute("ALTER TABLE t ADD v text", pair.database)
    pair.on_source("ALTER TABLE t ADD v text")
    pair.on_source("INSERT INTO t VALUES (2, 'x')")
    pair.wait_equal()
    pair.target.execute("ALTER TABLE t DROP CONSTRAINT t_pkey; ALTER TABLE t ADD w int; ALTER TABLE t DROP v",
                        pair.database)
    pair.target.execute("ALTER TABLE t ADD PRIMARY KEY (n)", pair.database)
    pair.on_source("ALTER TABLE t DROP v; ALTER TABLE t ADD w int")
    pair.on_source("INSERT INTO t VALUES (3, 3)")
    pair.wait_equal()
    assert applier.running()


def test_column_renamed_between_transactions_of_one_group(pair, flow):
    """What came before the rename is committed when the applier stops, so that renaming on the target helps."""
    applier = flow("CREATE TABLE t (n int PRIMARY KEY, a text); CREATE TABLE log (n int)")
    assert applier.stop() == 0
    pair.on_source("INSERT INTO t VALUES (1, 'x')")
    pair.transaction("INSERT INTO t VALUES (2, 'y')", "INSERT INTO log VALUES (2)")
    pair.on_source("ALTER TABLE t RENAME a TO c")
    pair.on_source("INSERT INTO t VALUES (3, 'z')")
    pair.on_source("INSERT INTO log VALUES (3)")
    wait_until(lambda: pair.stored_rows("log") == 2, "the changes in the log")
    line = failed_line(applier.start())
    assert '"c"' in line and "renamed on the source" in line
    assert pair.target_rows("SELECT n, a FROM t ORDER BY n") == [(1, "x"), (2, "y")]
    assert pair.target_rows("SELECT n FROM log") == [(2,)]
    pair.target.execute("ALTER TABLE t RENAME a TO c", pair.database)
    applier.start().wait_ready()
    pair.wait_equal()


def test_column_renamed_behind_the_snapshot_in_one_group(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, a text)")
    pair.on_source("INSERT INTO t SELECT n, 'x' FROM generate_series(1, 500) n")
    pair.streamer().start().wait_ready()
    pair.on_source("ALTER TABLE t RENAME a TO c")
    pair.on_source("INSERT INTO t VALUES (501, 'z')")
    wait_until(lambda: pair.stored_rows("t") == 501, "the changes in the log")
    applier = pair.applier().start()
    assert '"c"' in failed_line(applier)
    assert pair.target_rows("SELECT count(*) FROM t") == [(500,)]
    pair.target.execute("ALTER TABLE t RENAME a TO c", pair.database)
    applier.start().wait_ready()
    pair.wait_equal()


@pytest.mark.parametrize("deferred", [False, True])
def test_a_refused_transaction_takes_no_other_with_it(pair, flow, deferred):
    """Of a group whose middle the target refuses, at once or at COMMIT, everything before it is committed."""
    applier = flow("CREATE TABLE t (n int PRIMARY KEY, v int)",
                   walferry__apply__session__replication__role="origin" if deferred else "auto")
    assert applier.stop() == 0
    check = "CHECK (v <> 7)"
    if deferred:
        check = "FOREIGN KEY (v) REFERENCES allowed DEFERRABLE INITIALLY DEFERRED"
        pair.target.execute("CREATE SCHEMA mine; CREATE TABLE mine.allowed (n int PRIMARY KEY);"
                            "INSERT INTO mine.allowed SELECT n FROM generate_series(0, 20) n WHERE n <> 7",
                            pair.database)
        check = check.replace("allowed", "mine.allowed")
    pair.target.execute(f"ALTER TABLE t ADD CONSTRAINT lucky {check}", pair.database)
    for n in range(1, 21):
        pair.on_source(f"INSERT INTO t VALUES ({n}, {n})")
    wait_until(lambda: pair.stored_rows("t") == 20, "the changes in the log")
    assert "lucky" in failed_line(applier.start())
    assert pair.target_rows("SELECT max(n), count(*) FROM t") == [(6, 6)]
    pair.target.execute("ALTER TABLE t DROP CONSTRAINT lucky; DROP SCHEMA IF EXISTS mine CASCADE", pair.database)
    applier.start().wait_ready()
    pair.wait_equal()


def test_missing_rows_ignored_where_configured(pair, flow):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY, v int)", walferry__apply__missing="ignore")
    pair.on_source("INSERT INTO t VALUES (1, 1), (2, 2)")
    pair.wait_equal()
    pair.target.execute("DELETE FROM t WHERE n = 1", pair.database)
    pair.on_source("UPDATE t SET v = 5")
    pair.on_source("DELETE FROM t WHERE n = 1")
    pair.wait_equal()
    assert applier.metrics()["missing_rows_total"] == 2


def test_truncate_that_a_foreign_key_forbids(pair):
    pair.on_source("CREATE TABLE a (n int PRIMARY KEY); INSERT INTO a VALUES (1)")
    pair.target.execute("CREATE TABLE a (n int PRIMARY KEY); CREATE TABLE mine (n int REFERENCES a)", pair.database)
    pair.streamer().start().wait_ready()
    applier = pair.applier().start().wait_ready()
    wait_until(lambda: pair.target_rows("SELECT * FROM a") == [(1,)], "the row")
    pair.on_source("TRUNCATE a")
    assert "mine" in failed_line(applier) or "truncate" in failed_line(applier)
    assert pair.target_rows("SELECT * FROM a") == [(1,)]


def test_role_without_special_rights(pair):
    """No replica role, no replication origin: deferrable constraints are deferred, the rest fires."""
    role = f"plain_{pair.database}"
    schema = ("CREATE TABLE a (n int PRIMARY KEY); CREATE TABLE b (n int PRIMARY KEY, "
              "a int REFERENCES a DEFERRABLE)")
    pair.on_both(schema)
    pair.target.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT CREATE ON DATABASE \"{pair.database}\" TO {role};"
                        f"GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public TO {role}",
                        pair.database)
    try:
        pair.streamer().start().wait_ready()
        url = f"jdbc:postgresql://127.0.0.1:{pair.target.port}/{pair.database}?ApplicationName=x&loggerLevel=OFF"
        settings = {"connection__url": url, "connection__username": role, "connection__password": "pw"}
        grants = "SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public"
        pair.target.execute(f"REVOKE {grants} FROM {role}", pair.database)
        check = pair.applier("closed", **settings).run("--check")
        assert check.returncode == 1 and "none of the 2 tables" in check.stderr, check.stdout
        pair.target.execute(f"GRANT {grants} TO {role}", pair.database)
        check = pair.applier("check", **settings).run("--check")
        assert check.returncode == 0 and "replication origin" in check.stdout, check.stderr
        applier = pair.applier(**settings).start().wait_ready()
        pair.transaction("SET CONSTRAINTS ALL DEFERRED", "INSERT INTO b VALUES (1, 1)", "INSERT INTO a VALUES (1)")
        pair.wait_equal()
        assert "no replication origin" in applier.log()
        applier.kill()
    finally:
        pair.target.execute(f"DROP OWNED BY {role} CASCADE", pair.database)
        pair.target.execute(f"DROP ROLE {role}")


def test_replication_origin_by_grant(pair):
    role = f"origin_{pair.database}"
    # Each origin keeps one of max_replication_slots states until it is dropped, and other tests left theirs.
    pair.target.execute("SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin")
    functions = ", ".join(f"pg_catalog.pg_replication_origin_{name}(text)"
                          for name in ("oid", "create", "session_setup"))
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.target.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT CREATE ON DATABASE \"{pair.database}\" TO {role};"
                        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};"
                        f"GRANT EXECUTE ON FUNCTION {functions} TO {role}",
                        pair.database)
    try:
        pair.streamer().start().wait_ready()
        url = f"jdbc:postgresql://127.0.0.1:{pair.target.port}/{pair.database}"
        applier = pair.applier(connection__url=url, connection__username=role, connection__password="pw")
        applier.start().wait_ready()
        pair.on_source("INSERT INTO t VALUES (1)")
        pair.wait_equal()
        if pair.target.value("SELECT current_setting('server_version_num')::int") >= 140000:
            assert "no replication origin" not in applier.log() and "walferry_local:" in applier.log()
        assert applier.stop() == 0
    finally:
        pair.target.execute(f"DROP OWNED BY {role} CASCADE", pair.database)
        pair.target.execute(f"DROP ROLE {role}")


# ---- stopping

def test_stops_in_the_middle_of_a_large_transaction(pair, flow):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY, v text)")
    pair.on_source("INSERT INTO t SELECT n, repeat('x', 200) FROM generate_series(1, 60000) n")
    wait_until(lambda: applier.metrics().get("events_read_total", 0) > 1000, "some rows to be read")
    began = time.monotonic()
    assert applier.stop(timeout=10) == 0 and time.monotonic() - began < 10
    assert pair.target_rows("SELECT count(*) FROM t")[0][0] in (0, 60000)
    applier.start().wait_ready()
    pair.wait_equal(120)


def test_drain_of_a_drained_log_raises_the_epoch_only(pair, flow):
    applier = flow("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.wait_equal()
    assert applier.stop() == 0
    before = progress(pair)
    result = applier.run("--drain")
    assert result.returncode == 0, result.stderr
    assert progress(pair, "log_offset")[0] == before[1] and progress(pair)[0] == before[0] + 1
