"""What is confirmed to the source: never what is not stored, and always what is."""

import sqlite3

from harness.postgres import Postgres
from harness.process import wait_until


def test_slot_advances_when_idle(pair):
    """Other databases write; nothing is published here; the slot must not hold their WAL."""
    pair.on_both("CREATE TABLE quiet (n int PRIMARY KEY)")
    pair.streamer().start().wait_ready()
    pair.source.execute("CREATE TABLE IF NOT EXISTS noise AS SELECT generate_series(1, 10000) AS n")
    pair.source.execute("UPDATE noise SET n = n + 1")
    goal = pair.wal_lsn()
    wait_until(lambda: pair.slot_lsn() >= goal, "the slot to pass the other database's WAL", 30)


def test_slot_advances_when_only_other_tables_change(pair):
    pair.on_both("CREATE TABLE wanted (n int PRIMARY KEY)")
    pair.on_source("CREATE PUBLICATION walferry FOR TABLE wanted; CREATE TABLE unwanted (n int)")
    pair.streamer(publication__autocreate__mode="disabled").start().wait_ready()
    for _ in range(3):
        pair.on_source("INSERT INTO unwanted SELECT generate_series(1, 1000)")
        goal = pair.wal_lsn()
        wait_until(lambda seen=goal: pair.slot_lsn() >= seen, "the slot to pass unpublished changes", 30)


def test_slot_never_confirms_unstored(pair):
    """While the log cannot be written nothing is confirmed, and the connection outlives wal_sender_timeout."""
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, note text)")
    streamer = pair.streamer().start().wait_ready()
    pair.on_source("INSERT INTO t VALUES (0, 'first')")
    wait_until(lambda: pair.stored_rows("t") == 1, "the first row in the log")
    walsender = pair.walsender_pid()
    blocker = sqlite3.connect(pair.log_path, isolation_level=None, timeout=20)
    blocker.execute("BEGIN IMMEDIATE")
    pair.on_source("INSERT INTO t SELECT n, repeat('x', 100) FROM generate_series(1, 2000) n")
    after = pair.wal_lsn()
    started = pair.source.value("SELECT now()")
    wait_until(lambda: pair.source.value("SELECT now() - %s > interval '13 seconds'", params=(started,)),
               "longer than wal_sender_timeout (10 s)", 30, pause=0.5)
    assert pair.walsender_pid() == walsender, "the connection was lost during the stall"
    assert pair.slot_lsn() < after
    blocker.execute("ROLLBACK")
    blocker.close()
    wait_until(lambda: pair.stored_rows("t") == 2001, "all rows in the log")
    wait_until(lambda: pair.slot_lsn() >= after, "the slot to follow")
    assert streamer.stop() == 0


def test_a_stopped_streamer_confirms_what_it_stored(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer = pair.streamer().start().wait_ready()
    pair.on_source("INSERT INTO t SELECT generate_series(1, 100)")
    end = pair.wal_lsn()
    wait_until(lambda: pair.stored_rows("t") == 100, "the rows in the log")
    assert streamer.stop() == 0
    assert pair.slot_lsn() >= end


def test_restart_does_not_publish_twice(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer = pair.streamer().start().wait_ready()
    for count in range(1, 4):
        pair.on_source(f"INSERT INTO t VALUES ({count})")
        wait_until(lambda goal=count: pair.stored_rows("t") == goal, "the row in the log")
        streamer.kill()
        streamer.start().wait_ready()
    assert pair.stored_rows("t") == 3


def test_second_streamer_waits(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    first = pair.streamer().start().wait_ready()
    other = {"snapshot__mode": "no_data"}
    second = pair.streamer("second", walferry__local__path=pair.directory / "second.db", **other).start()
    wait_until(lambda: second.http("/readyz")[0] == 503, "the second one to answer that it is not ready")
    check = pair.streamer("third", walferry__local__path=pair.directory / "third.db", **other).run("--check")
    assert check.returncode == 1
    assert pair.slot in check.stdout + check.stderr
    assert first.ready() and second.running() and not second.ready()
    assert first.stop() == 0
    second.wait_ready()


def test_second_streamer_with_the_same_log_waits(pair):
    """The very same configuration, but for the HTTP port: the log is waited for like the slot."""
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    first = pair.streamer().start().wait_ready()
    second = pair.streamer("second").start()
    wait_until(lambda: second.http("/readyz")[0] == 503, "the second one to answer that it is not ready")
    status, text = second.http("/readyz")
    assert status == 503 and "waiting for the log" in text and str(pair.log_path) in text
    assert second.http("/metrics")[0] == 200 and second.http("/healthz")[0] == 200
    check = pair.streamer("third").run("--check")
    assert check.returncode == 1
    assert str(pair.log_path) in check.stderr.splitlines()[-1] and pair.slot in check.stdout
    assert second.stop() == 0, "SIGTERM is obeyed while it waits"
    second.start()
    wait_until(lambda: "being written" in second.http("/readyz")[1], "the second one to wait again")
    pair.on_source("INSERT INTO t VALUES (1)")
    wait_until(lambda: pair.stored_rows("t") == 1, "the row in the log")
    assert first.ready() and second.running() and not second.ready()
    first.kill()
    second.wait_ready()
    pair.on_source("INSERT INTO t VALUES (2)")
    wait_until(lambda: pair.stored_rows("t") == 2, "the next row in the log, once")


def test_second_streamer_on_the_same_port_ends(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    first = pair.streamer().start().wait_ready()
    second = pair.streamer("second", listeners=f"http://127.0.0.1:{first.port}").run()
    assert second.returncode != 0 and str(first.port) in second.stderr.splitlines()[-1]
    assert first.ready()


def test_a_slot_moved_by_hand_is_refused(pair):
    """confirmed > stored: what lies between would be lost, so the streamer names it and stops."""
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer = pair.streamer().start().wait_ready()
    pair.on_source("INSERT INTO t VALUES (1)")
    wait_until(lambda: pair.stored_rows("t") == 1, "the row in the log")
    assert streamer.stop() == 0
    stored = pair.slot_lsn()
    pair.on_source("INSERT INTO t VALUES (2)")
    pair.on_source("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", (pair.slot,))
    result = streamer.run()
    assert result.returncode == 1
    error = result.stderr.splitlines()[-1]
    assert error.startswith("error: ")
    assert f"{stored >> 32:X}/{stored & 0xFFFFFFFF:X}" in error


def test_a_lost_slot_is_refused(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer = pair.streamer().start().wait_ready()
    assert streamer.stop() == 0
    pair.source.execute("SELECT pg_drop_replication_slot(%s)", params=(pair.slot,))
    result = streamer.run()
    assert result.returncode == 1
    assert pair.slot in result.stderr.splitlines()[-1]


def test_another_source_is_refused(pair, workspace):
    """A stored position belongs to one cluster; LSNs of another one mean nothing."""
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer = pair.streamer().start().wait_ready()
    assert streamer.stop() == 0
    other = Postgres(workspace, f"other_{pair.database}").create().start()
    try:
        other.create_database(pair.database)
        streamer.config["database.port"] = other.port
        result = streamer.run()
        assert result.returncode == 1
        assert "system identifier" in result.stderr.splitlines()[-1]
    finally:
        other.stop("immediate")


def test_an_invalidated_slot_is_refused(pair, workspace):
    """The server threw the slot's WAL away (max_slot_wal_keep_size): that range can never be read again."""
    server = Postgres(workspace, f"small_{pair.database}", {"max_slot_wal_keep_size": "1MB", "max_wal_size": "32MB",
                                                            "min_wal_size": "32MB"}).create().start()
    try:
        server.create_database(pair.database)
        server.execute("CREATE TABLE t (n int PRIMARY KEY)", pair.database)
        streamer = pair.streamer()
        streamer.config["database.port"] = server.port
        assert streamer.start().wait_ready().stop() == 0
        lost = "SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = %s"

        def write_until_lost():
            server.execute("CREATE TABLE IF NOT EXISTS filler (v text)", pair.database)
            server.execute("INSERT INTO filler SELECT repeat('x', 1000) FROM generate_series(1, 20000)", pair.database)
            server.execute("SELECT pg_switch_wal()")
            server.execute("CHECKPOINT")
            return server.value(lost, params=(pair.slot,))

        wait_until(write_until_lost, "the slot to be lost")
        result = streamer.run()
        assert result.returncode == 1
        assert pair.slot in result.stderr.splitlines()[-1]
    finally:
        server.stop("immediate")
