"""Health, metrics, logs, --version, --drain."""

import socket
import json
import re

from harness.process import wait_until


def test_health_readiness_and_metrics(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer, applier = pair.streamer().start().wait_ready(), pair.applier().start().wait_ready()
    pair.on_source("INSERT INTO t SELECT generate_series(1, 50)")
    pair.wait_equal()
    for program in (streamer, applier):
        assert program.http("/healthz")[0] == 200
        assert program.http("/nothing")[0] == 404
        text = program.http("/metrics")[1]
        names = re.findall(r"^# TYPE (\S+) (counter|gauge)$", text, re.M)
        assert names and all(f"# HELP {name} " in text for name, _ in names)
    wait_until(lambda: streamer.metrics()["confirmed_lsn"] >= pair.slot_lsn() > 0, "the confirmed LSN")
    assert streamer.metrics()["events_total"] >= 50
    assert applier.metrics()["events_applied_total"] >= 50
    for name in ("lag_bytes", "lag_ms", "rss_bytes", "reconnects_total", "errors_total"):
        assert name in streamer.metrics() and name in applier.metrics(), name


def test_json_logs_are_json(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer = pair.streamer(walferry__log__format="json").start().wait_ready()
    assert streamer.stop() == 0
    lines = [json.loads(line) for line in streamer.log().splitlines()]
    assert lines and all({"ts", "level", "mod", "msg"} <= set(line) for line in lines)


def test_row_values_never_reach_the_logs(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, v text)")
    streamer = pair.streamer(walferry__log__level="debug").start().wait_ready()
    applier = pair.applier(walferry__log__level="debug").start().wait_ready()
    pair.on_source("INSERT INTO t VALUES (1, 'very-private-value')")
    pair.wait_equal()
    assert streamer.stop() == 0 and applier.stop() == 0
    assert "very-private" not in streamer.log() + applier.log()


def test_version_names_the_libraries(pair):
    for program in (pair.streamer(), pair.applier()):
        result = program.run("--version")
        assert result.returncode == 0
        assert all(name in result.stdout for name in (program.name, "libpq", "libuv", "SQLite"))


def test_lag_while_a_snapshot_is_owed(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t SELECT generate_series(1, 1000)")
    pair.streamer().start().wait_ready()
    wait_until(lambda: pair.stored_rows("t") == 1000, "the snapshot in the log")
    with pair.target.connect(pair.database, autocommit=False) as blocker:
        blocker.execute("LOCK TABLE t IN EXCLUSIVE MODE")
        applier = pair.applier().start()
        wait_until(lambda: applier.metrics().get("state") == 3, "the applier to apply")
        first = applier.metrics()
        assert first["lag_records"] >= 1000 and first["lag_bytes"] >= first["lag_records"] and first["lag_ms"] > 0
        wait_until(lambda: applier.metrics()["lag_ms"] >= first["lag_ms"] + 500, "the lag to grow")
    pair.wait_equal()
    lags = ("lag_records", "lag_bytes", "lag_ms")
    wait_until(lambda: not any(applier.metrics()[lag] for lag in lags), "the lag to end")


def test_drain_applies_everything_and_stops(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    pair.on_source("INSERT INTO t SELECT generate_series(1, 100)")
    streamer = pair.streamer().start().wait_ready()
    pair.on_source("INSERT INTO t SELECT generate_series(101, 5000)")
    wait_until(lambda: pair.stored_rows("t") == 5000, "the rows in the log")
    result = pair.applier().run("--drain")
    assert result.returncode == 0, result.stderr
    assert pair.differences() == []
    assert streamer.stop() == 0


def test_drain_waits_for_a_snapshot_and_needs_no_port(pair):
    """The hidden rows of a snapshot that is being read are part of what a drain promises."""
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, note text)")
    pair.on_source("INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 100000) n")
    streamer = pair.streamer(walferry__queue__bytes__max=1 << 20).start()
    wait_until(lambda: pair.stored_rows("t") > 0, "snapshot rows in the log")
    streamer.kill()
    applier = pair.applier()
    with socket.create_server(("127.0.0.1", applier.port)):
        applier.start("--drain")
        wait_until(lambda: "snapshot is being read" in applier.log(), "the drain to wait")
        wait_until(lambda: pair.target_rows("SELECT count(*) FROM walferry.progress") == [(1,)], "its ownership")
        assert applier.running()
        streamer.start().wait_ready()
        assert applier.wait_exit(120) == 0, applier.log()
    assert pair.differences() == []
    assert streamer.stop() == 0


def test_check_reports_line_by_line(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    result = pair.streamer().run("--check")
    assert result.returncode == 0, result.stderr
    assert len(result.stdout.splitlines()) >= 4
    assert pair.slot_lsn() is None, "--check created a slot"
    streamer = pair.streamer("real").start().wait_ready()
    applier = pair.applier().run("--check")
    assert applier.returncode == 0, applier.stderr
    assert streamer.stop() == 0


def test_check_says_a_failure_in_full_once(pair):
    streamer = pair.streamer(publication__autocreate__mode="disabled", publication__name="nowhere")
    result = streamer.run("--check")
    assert result.returncode == 1
    error = result.stderr.splitlines()[-1]
    assert error.startswith("error: ") and "nowhere" in error
    failed = [line for line in result.stdout.splitlines() if line.startswith("FAIL")]
    assert len(failed) == 1 and "publication" in failed[0] and "nowhere" not in failed[0]


def test_columns_without_mapping_are_named_before_the_first_row(pair):
    pair.on_source("CREATE DOMAIN spot AS path; CREATE TYPE mood AS ENUM ('ok'); "
                   "CREATE TABLE t (n int PRIMARY KEY, shape box, place spot, m mood, a int[], j jsonb)")
    check = pair.streamer().run("--check")
    assert check.returncode == 0, check.stderr
    warned = [line for line in check.stdout.splitlines() if line.startswith("warn")]
    assert len(warned) == 2
    assert "public.t.shape box" in warned[0] and "public.t.place spot" in warned[1]
    streamer = pair.streamer("start", snapshot__mode="no_data").start().wait_ready()
    lines = [line for line in streamer.log().splitlines() if "level=warn" in line and "left out" in line]
    assert len(lines) == 2 and "column=shape" in lines[0] and "column=place" in lines[1]
    assert streamer.stop() == 0
    pair.on_source("CREATE TABLE many (n int PRIMARY KEY, " + ", ".join(f"b{i} box" for i in range(30)) + ")")
    check = pair.streamer("again").run("--check")
    warned = [line for line in check.stdout.splitlines() if line.startswith("warn")]
    assert len(warned) == 21 and "12 more" in warned[-1]


def test_stops_within_ten_seconds_while_the_target_is_away(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY)")
    streamer, applier = pair.streamer().start().wait_ready(), pair.applier().start().wait_ready()
    pair.target.stop("immediate")
    wait_until(lambda: not applier.ready(), "the applier to notice")
    assert applier.stop(timeout=10) == 0
    pair.source.stop("immediate")
    wait_until(lambda: not streamer.ready(), "the streamer to notice")
    assert streamer.stop(timeout=10) == 0
