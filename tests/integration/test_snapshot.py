"""snapshot.mode and what a snapshot holds."""

import json

import pytest

from harness.process import wait_until
from harness.programs import lines_of_stdout_sink


def test_initial_only_stops_with_zero(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY); CREATE TABLE empty (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t SELECT generate_series(1, 10)")
    result = pair.streamer(snapshot__mode="initial_only").run()
    assert result.returncode == 0, result.stderr
    assert pair.stored_rows("t") == 10


def test_no_data_streams_only(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.streamer(snapshot__mode="no_data").start().wait_ready()
    pair.on_source("INSERT INTO t VALUES (2)")
    wait_until(lambda: pair.stored_rows("t") >= 1, "the streamed row")
    assert pair.stored_rows("t") == 1


def test_no_data_after_an_interrupted_snapshot_hides_nothing(pair):
    """The rows of the interrupted one are dropped, and what is streamed afterwards can be read."""
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, note text)")
    pair.on_source("INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 100000) n")
    streamer = pair.streamer(walferry__queue__bytes__max=1 << 20).start()
    wait_until(lambda: pair.stored_rows("t") > 0, "snapshot rows in the log")
    streamer.kill()
    streamer.config["snapshot.mode"] = "no_data"
    streamer.start().wait_ready()
    pair.applier().start().wait_ready()
    pair.on_source("INSERT INTO t VALUES (-1, 'streamed')")
    wait_until(lambda: pair.target_rows("SELECT n FROM t") == [(-1,)], "the streamed row alone on the target")


def test_initial_does_not_snapshot_twice(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    streamer = pair.streamer().start().wait_ready()
    assert streamer.stop() == 0
    streamer.start().wait_ready()
    assert pair.stored_rows("t") == 1


def test_always_snapshots_at_each_start(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    streamer = pair.streamer(snapshot__mode="always")
    for count in (1, 2):
        streamer.start().wait_ready()
        wait_until(lambda goal=count: pair.stored_rows("t") == goal, "the snapshot's row")
        assert streamer.stop() == 0


def test_when_needed_snapshots_after_a_lost_slot(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t VALUES (1)")
    streamer = pair.streamer(snapshot__mode="when_needed").start().wait_ready()
    assert streamer.stop() == 0
    pair.source.execute("SELECT pg_drop_replication_slot(%s)", params=(pair.slot,))
    pair.on_source("INSERT INTO t VALUES (2)")
    streamer.start().wait_ready()
    wait_until(lambda: pair.stored_rows("t") == 3, "the second snapshot")


def test_row_filter_and_column_list_hold_in_the_snapshot(pair):
    if pair.source.version < 15:
        pytest.skip("row filters and column lists need PostgreSQL 15")
    pair.on_source("CREATE TABLE t (n int PRIMARY KEY, shown text, hidden text);"
                   "INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y'), (30, 'c', 'z');"
                   "CREATE PUBLICATION walferry FOR TABLE t (n, shown) WHERE (n < 10)")
    pair.target.execute("CREATE TABLE t (n int PRIMARY KEY, shown text, hidden text)", pair.database)
    pair.streamer(publication__autocreate__mode="disabled").start().wait_ready()
    pair.applier().start().wait_ready()
    wait_until(lambda: pair.target_rows("SELECT * FROM t ORDER BY n") == [(1, "a", None), (2, "b", None)],
               "the filtered snapshot")


def test_markers_and_order_on_stdout(pair):
    """first … last_in_data_collection, first_in_data_collection … last, as Debezium marks them."""
    pair.on_source("CREATE TABLE a (n int PRIMARY KEY); CREATE TABLE b (n int PRIMARY KEY);"
                   "CREATE TABLE c (n int PRIMARY KEY);"
                   "INSERT INTO a VALUES (1), (2), (3); INSERT INTO b VALUES (1), (2), (3)")
    path = pair.directory / "out.jsonl"
    with open(path, "wb") as out:
        streamer = pair.streamer(transport="stdout", snapshot__mode="initial_only").start(stdout=out)
    assert streamer.wait_exit() == 0
    records = lines_of_stdout_sink(path)
    rows = [(record["value"]["source"]["table"], record["value"]["source"]["snapshot"]) for record in records]
    assert rows == [("a", "first"), ("a", "true"), ("a", "last_in_data_collection"),
                    ("b", "first_in_data_collection"), ("b", "true"), ("b", "last")]
    assert {record["value"]["op"] for record in records} == {"r"}
    assert all(json.loads(record["value"]["source"]["sequence"])[0] is None for record in records)


def test_partitioned_table_arrives_through_its_root(pair):
    if pair.source.version < 13:
        pytest.skip("publish_via_partition_root needs PostgreSQL 13")
    schema = ("CREATE TABLE p (n int PRIMARY KEY, v text) PARTITION BY RANGE (n);"
              "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);"
              "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)")
    pair.on_both(schema)
    pair.on_source("INSERT INTO p SELECT n, 'old' FROM generate_series(50, 149) n")
    pair.streamer(publish__via__partition__root="true").start().wait_ready()
    pair.applier().start().wait_ready()
    pair.on_source("UPDATE p SET n = n + 100 WHERE n = 60; INSERT INTO p VALUES (1, 'new')")
    pair.wait_equal()
