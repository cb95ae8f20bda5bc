"""Bad input gets one clear line, the right exit code, and nothing is confirmed that was not stored."""

import os
import shutil
import subprocess

import psycopg
import pytest

from harness.postgres import Postgres, server_user
from harness.process import free_port, start_process, wait_until
from harness.programs import program_path

SECRET = "s3cret-Pa$$"


def error_line(result, code=1):
    """The one line a failed program ends with."""
    assert result.returncode == code, result.stderr
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("error: "), result.stderr
    assert SECRET not in result.stdout + result.stderr
    return line


def edit(program, **changes):
    program.config.update({key.replace("__", "."): value for key, value in changes.items()})
    return program


def program_binary(program):
    return str(program_path(program.name))


# ---- configuration

def test_missing_file(pair):
    program = pair.streamer()
    program.write_config()
    program.config_file.unlink()
    path = str(program.config_file)
    result = subprocess.run([program_binary(program), path], capture_output=True, text=True, timeout=20)
    assert path in error_line(result, 2)


def test_no_arguments_is_usage(pair):
    for program in (pair.streamer(), pair.applier()):
        result = subprocess.run([program_binary(program)], capture_output=True, text=True, timeout=20)
        assert result.returncode == 2


def test_unknown_key_suggests_the_nearest(pair):
    result = edit(pair.streamer(), slot__nmae="x").run("--print-config")
    assert result.returncode == 0
    line = next(line for line in result.stderr.splitlines() if "slot.nmae" in line)
    assert "slot.name" in line


@pytest.mark.parametrize("key, value, allowed", [
    ("snapshot.mode", "sometimes", "initial_only"),
    ("status.update.interval.ms", "soon", None),
    ("provide.transaction.metadata", "perhaps", "true"),
    ("walferry.transport", "pigeon", "stdout"),
    ("database.port", "0", "1 to 65535"),
    ("database.port", "70000", "1 to 65535"),
    ("database.port", "five", "1 to 65535"),
    ("database.sslmode", "sometimes", "verify-full"),
    ("listeners", "127.0.0.1:8083", "http://HOST:PORT"),
    ("listeners", "http://127.0.0.1:99999", "http://HOST:PORT"),
    ("listeners", "https://127.0.0.1:8083", "http://HOST:PORT"),
])
def test_bad_value_names_file_line_and_what_is_allowed(pair, key, value, allowed):
    program = pair.streamer()
    program.config[key] = value
    line = error_line(program.run(), 2)
    number = [text.split("=")[0] for text in program.config_file.read_text().splitlines()].index(key) + 1
    assert key in line and value in line and f"{program.config_file}:{number}" in line
    assert allowed is None or allowed in line


def test_unknown_variable_suggests_the_nearest_variable(pair):
    environment = {**os.environ, "WALFERRY_SLOT_NMAE": "x", "WALFERRY_LOCAL_PTAH": "y"}
    result = pair.streamer().run("--print-config", env=environment)
    assert result.returncode == 0
    for given, nearest in (("WALFERRY_SLOT_NMAE", "WALFERRY_SLOT_NAME"), ("WALFERRY_LOCAL_PTAH", "WALFERRY_LOCAL_PATH")):
        line = next(line for line in result.stderr.splitlines() if given in line)
        assert f"nearest={nearest}" in line


def test_unsupported_debezium_key_is_refused_unless_default(pair):
    line = error_line(edit(pair.streamer(), signal__enabled__channels="source,kafka").run(), 2)
    assert "signal.enabled.channels" in line
    assert edit(pair.streamer("again"), signal__enabled__channels="source").run("--print-config").returncode == 0


def test_print_config_hides_secrets(pair):
    result = edit(pair.streamer(), database__password=SECRET).run("--print-config")
    assert result.returncode == 0
    assert "database.password=********" in result.stdout
    assert SECRET not in result.stdout + result.stderr


def test_set_and_environment_win_over_the_file(pair):
    program = edit(pair.streamer(), slot__name="from_file")
    environment = {**os.environ, "WALFERRY_SLOT_NAME": "from_environment"}
    assert "slot.name=from_environment" in program.run("--print-config", env=environment).stdout
    result = program.run("--print-config", "--set", "slot.name=from_set", env=environment)
    assert "slot.name=from_set" in result.stdout


# ---- the source

@pytest.fixture
def role(pair):
    """role(options): a login role on the source with a password."""
    made = []

    def make(options=""):
        name = f"role_{pair.database}_{len(made)}"
        pair.source.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{SECRET}' {options}")
        made.append(name)
        return name

    yield make
    for name in made:
        pair.on_source(f"DROP OWNED BY {name}")
        pair.source.execute(f"DROP ROLE {name}")


def test_wrong_password(pair, role):
    line = error_line(edit(pair.streamer(), database__user=role("REPLICATION"), database__password="wrong").run())
    assert str(pair.source.port) in line


def test_role_without_replication(pair, role):
    name = role()
    line = error_line(edit(pair.streamer(), database__user=name, database__password=SECRET).run())
    assert "REPLICATION" in line and name in line


def test_wal_level_not_logical(pair, workspace):
    server = Postgres(workspace, f"replica_{pair.database}", {"wal_level": "replica"}).create().start()
    try:
        program = edit(pair.streamer(), database__port=server.port, database__dbname="postgres")
        assert "wal_level" in error_line(program.run())
    finally:
        server.stop("immediate")
        shutil.rmtree(server.directory)


def test_no_free_slot(pair):
    taken = []
    limit = int(pair.source.value("SELECT current_setting('max_replication_slots')"))
    try:
        while pair.source.value("SELECT count(*) FROM pg_replication_slots") < limit:
            taken.append(f"filler_{len(taken)}")
            pair.source.execute("SELECT pg_create_physical_replication_slot(%s)", params=(taken[-1],))
        assert "max_replication_slots" in error_line(pair.streamer().run())
    finally:
        for name in taken:
            pair.source.execute("SELECT pg_drop_replication_slot(%s)", params=(name,))


def test_slot_of_another_plugin(pair):
    pair.on_source(f"SELECT pg_create_logical_replication_slot('{pair.slot}', 'test_decoding')")
    line = error_line(pair.streamer().run())
    assert "test_decoding" in line and pair.slot in line


def test_slot_of_another_database(pair):
    name = f"elsewhere_{pair.database}"
    pair.source.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", params=(name,))
    try:
        line = error_line(edit(pair.streamer(), slot__name=name).run())
        assert name in line and "postgres" in line
    finally:
        pair.source.execute("SELECT pg_drop_replication_slot(%s)", params=(name,))


def test_publication_missing_with_autocreate_disabled(pair):
    line = error_line(edit(pair.streamer(), publication__autocreate__mode="disabled",
                           publication__name="nowhere").run())
    assert "nowhere" in line
    assert pair.slot_lsn() is None, "a slot was created for a start that cannot work"


def test_row_level_security_is_refused(pair, role):
    name = role("REPLICATION")
    pair.on_source(f"CREATE TABLE secret (n int PRIMARY KEY); ALTER TABLE secret ENABLE ROW LEVEL SECURITY; "
                   f"GRANT SELECT ON secret TO {name}; CREATE PUBLICATION walferry FOR TABLE secret")
    program = edit(pair.streamer(publication__autocreate__mode="disabled"), database__user=name,
                   database__password=SECRET)
    line = error_line(program.run())
    assert "secret" in line and "row" in line.lower()


@pytest.mark.parametrize("grants, wanted", [
    ("GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT (n) ON app.\"Orders\" TO {role}",
     'GRANT SELECT ON "app"."Orders" TO'),
    ("GRANT SELECT ON app.\"Orders\" TO {role}", 'GRANT USAGE ON SCHEMA "app" TO'),
])
def test_unreadable_table_is_refused_before_a_slot_exists(pair, role, grants, wanted):
    name = role("REPLICATION")
    pair.on_source('CREATE SCHEMA app; CREATE TABLE app."Orders" (n int PRIMARY KEY, v text); '
                   'CREATE PUBLICATION walferry FOR TABLE app."Orders"')
    pair.on_source(grants.format(role=name))
    program = edit(pair.streamer(publication__autocreate__mode="disabled"), database__user=name,
                   database__password=SECRET)
    for arguments in (["--check"], []):
        line = error_line(program.run(*arguments))
        assert "app.Orders" in line and wanted in line and name in line
        assert pair.slot_lsn() is None, "a slot was left behind"
    no_snapshot = edit(pair.streamer("stream"), publication__autocreate__mode="disabled", database__user=name,
                       database__password=SECRET, snapshot__mode="no_data").run("--check")
    assert no_snapshot.returncode == 0, no_snapshot.stderr


def test_grants_on_the_published_columns_are_enough(pair, role):
    if int(pair.source.value("SELECT current_setting('server_version_num')")) < 150000:
        pytest.skip("column lists came with PostgreSQL 15")
    name = role("REPLICATION")
    pair.on_source("CREATE TABLE part (n int PRIMARY KEY, v text, hidden text); INSERT INTO part VALUES (1, 'a', 'b'); "
                   f"GRANT SELECT (n, v) ON part TO {name}; CREATE PUBLICATION walferry FOR TABLE part (n, v)")
    program = edit(pair.streamer(publication__autocreate__mode="disabled"), database__user=name,
                   database__password=SECRET)
    assert program.run("--check").returncode == 0
    program.start().wait_ready()
    wait_until(lambda: pair.stored_rows("part") == 1, "the row in the log")


def test_table_without_replica_identity_is_named(pair):
    """PostgreSQL itself refuses its UPDATEs once it is published: the check must say so."""
    pair.on_source("CREATE TABLE nokey (n int)")
    result = pair.streamer().run("--check")
    assert any("nokey" in line and "REPLICA IDENTITY" in line
               for line in (result.stdout + result.stderr).splitlines())


@pytest.mark.skipif(shutil.which("pgbouncer") is None and not os.path.exists("/usr/sbin/pgbouncer"),
                    reason="pgbouncer is not installed")
def test_replication_through_pgbouncer(pair, workspace):
    port, config = free_port(), workspace / f"bouncer_{pair.database}.ini"
    users = workspace / f"bouncer_{pair.database}.txt"
    users.write_text('"postgres" ""\n')
    config.write_text(f"[databases]\n* = host=127.0.0.1 port={pair.source.port}\n[pgbouncer]\nlisten_addr=127.0.0.1\n"
                      f"listen_port={port}\nauth_type=trust\nauth_file={users}\npool_mode=transaction\n"
                      "ignore_startup_parameters=extra_float_digits,options\nunix_socket_dir=\n")
    bouncer = start_process([shutil.which("pgbouncer") or "/usr/sbin/pgbouncer", str(config)], user=server_user(),
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
    try:
        def answers():
            try:
                psycopg.connect(f"postgresql://postgres@127.0.0.1:{port}/{pair.database}", connect_timeout=3).close()
                return True
            except psycopg.OperationalError:
                return False

        wait_until(answers, "pgbouncer to answer")
        line = error_line(edit(pair.streamer(), database__port=port).run())
        assert "pooler" in line.lower() or "pgbouncer" in line.lower()
    finally:
        bouncer.terminate()
        bouncer.wait()


# ---- the target

@pytest.fixture
def running(pair):
    def start(source_sql, target_sql):
        pair.on_source(source_sql)
        pair.target.execute(target_sql, pair.database)
        pair.streamer().start().wait_ready()
        return pair.applier().start()

    return start


def failed_line(program):
    assert program.wait_exit(30) == 1, program.log()
    line = program.log().strip().splitlines()[-1]
    assert line.startswith("error: "), line
    return line


def test_target_table_missing_and_nothing_is_lost(pair, running):
    applier = running("CREATE TABLE t (n int PRIMARY KEY); CREATE TABLE other (n int PRIMARY KEY)",
                      "CREATE TABLE other (n int PRIMARY KEY)")
    applier.wait_ready()
    pair.transaction("INSERT INTO other VALUES (1)", "INSERT INTO t VALUES (1)")
    assert '"public"."t"' in failed_line(applier) or "public.t" in failed_line(applier)
    assert pair.target_rows("SELECT * FROM other") == [], "half a transaction is visible"
    pair.target.execute("CREATE TABLE t (n int PRIMARY KEY)", pair.database)
    applier.start().wait_ready()
    pair.wait_equal()


def test_target_column_missing_and_nothing_is_lost(pair, running):
    applier = running("CREATE TABLE t (n int PRIMARY KEY, extra text)", "CREATE TABLE t (n int PRIMARY KEY)")
    applier.wait_ready()
    pair.transaction("INSERT INTO t VALUES (1, 'x')")
    line = failed_line(applier)
    assert "extra" in line and "t" in line
    pair.target.execute("ALTER TABLE t ADD extra text", pair.database)
    applier.start().wait_ready()
    pair.wait_equal()


def test_target_constraint_is_reported_and_nothing_is_lost(pair, running):
    applier = running("CREATE TABLE t (n int PRIMARY KEY, v text)",
                      "CREATE TABLE t (n int PRIMARY KEY, v text CONSTRAINT short CHECK (length(v) < 5))")
    applier.wait_ready()
    pair.transaction("INSERT INTO t VALUES (1, 'ok')", "INSERT INTO t VALUES (2, 'longer than that')")
    line = failed_line(applier)
    assert "short" in line and "longer than that" not in applier.log()
    assert pair.target_rows("SELECT * FROM t") == []
    pair.target.execute("ALTER TABLE t DROP CONSTRAINT short", pair.database)
    applier.start().wait_ready()
    pair.wait_equal()


def test_a_row_that_the_target_lost_stops_the_applier(pair, running):
    applier = running("CREATE TABLE t (n int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)",
                      "CREATE TABLE t (n int PRIMARY KEY, v int)")
    pair.wait_equal()
    pair.target.execute("DELETE FROM t WHERE n = 1", pair.database)
    pair.on_source("UPDATE t SET v = 5 WHERE n = 1")
    assert "public.t" in failed_line(applier).replace('"', "")


def test_second_applier_waits(pair, running):
    applier = running("CREATE TABLE t (n int PRIMARY KEY)", "CREATE TABLE t (n int PRIMARY KEY)")
    applier.wait_ready()
    second = pair.applier("second").start()
    wait_until(lambda: second.http("/readyz")[0] == 503, "the second one to answer that it is not ready")
    assert pair.applier("third").run("--check").returncode == 1
    pair.on_source("INSERT INTO t VALUES (1)")
    pair.wait_equal()
    assert second.running() and not second.ready()
    applier.kill()
    second.wait_ready()
    pair.on_source("INSERT INTO t VALUES (2)")
    pair.wait_equal()


def test_wrong_target_password(pair):
    name = f"writer_{pair.database}"
    pair.target.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'right'")
    try:
        url = pair.target.uri(pair.database, name, "wrong-" + "pw")
        line = error_line(pair.applier(connection__url=url).run())
        assert str(pair.target.port) in line and "wrong-pw" not in line
    finally:
        pair.target.execute(f"DROP ROLE {name}")


# ---- the local log

def test_foreign_log_file_is_refused_untouched(pair):
    pair.log_path.write_bytes(b"these are somebody's notes, not a log\n" * 100)
    before = pair.log_path.read_bytes()
    for program in (pair.streamer(), pair.applier()):
        assert str(pair.log_path) in error_line(program.run())
    assert pair.log_path.read_bytes() == before


def test_damaged_log_file_is_refused(pair):
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, v text)")
    streamer = pair.streamer().start().wait_ready()
    pair.on_source("INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 2000) n")
    wait_until(lambda: pair.stored_rows("t") == 2000, "the rows in the log")
    assert streamer.stop() == 0
    confirmed = pair.slot_lsn()
    with open(pair.log_path, "r+b") as log:
        log.seek(100)
        log.write(b"\xff" * 60_000)
    for program in (pair.streamer("again"), pair.applier()):
        assert str(pair.log_path) in error_line(program.run())
    assert pair.slot_lsn() == confirmed


def test_log_directory_missing(pair):
    path = pair.directory / "nowhere" / "walferry.db"
    assert str(path) in error_line(pair.streamer(walferry__local__path=path).run())


def test_full_disk_loses_nothing(pair, workspace):
    """The log's file system is full: reading stops, nothing is confirmed; with room again everything arrives."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    mount = workspace / f"small_{pair.database}"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(mount)], check=False,
                      capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        pair.log_path = mount / "walferry.db"
        pair.on_both("CREATE TABLE t (n int PRIMARY KEY, v text)")
        streamer = pair.streamer().start().wait_ready()
        pair.on_source("INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) n")
        end = pair.wal_lsn()
        wait_until(lambda: "disk" in streamer.log(), "the full disk to be logged")
        assert streamer.running() and pair.slot_lsn() < end
        subprocess.run(["mount", "-o", "remount,size=400m", str(mount)], check=True)
        wait_until(lambda: pair.stored_rows("t") == 20000, "all rows in the log")
        wait_until(lambda: pair.slot_lsn() >= end, "the slot to follow")
        assert streamer.stop() == 0
    finally:
        pair.close()
        subprocess.run(["umount", "-l", str(mount)], check=False)
