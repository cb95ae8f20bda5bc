"""The main job on one machine: a live database moves to another PostgreSQL while writers go on.

Two throw-away clusters, walferry-streamer and walferry-applier with the embedded log between them, writers before,
during and after the snapshot, each program killed once with SIGKILL on the way. At the end the writers stop, the
pipeline drains to the source's last LSN, and both databases are compared table by table.

    make demo            run, compare, leave nothing behind
    make demo KEEP=1     the same, then stay up and print how to connect and what to try
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness import compare, process  # noqa: E402
from harness.postgres import Postgres, bin_dir  # noqa: E402
from harness.programs import Applier, Streamer, applier_config, program_path, streamer_config  # noqa: E402
from harness.types import TYPES_CHANGES, TYPES_ROWS, TYPES_TABLE  # noqa: E402

DATABASE = "shop"
SLOT = "walferry"
PGBENCH_SCALE = int(os.environ.get("SCALE", "5"))  # 100 k accounts each
STREAM_SECONDS = int(os.environ.get("SECONDS_OF_WRITES", "20"))

SHOP = """
CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL, since timestamptz NOT NULL DEFAULT now());
CREATE TABLE orders (customer int REFERENCES customer ON DELETE CASCADE, number int, total numeric(10,2) NOT NULL,
                     PRIMARY KEY (customer, number));
CREATE TABLE article (id int PRIMARY KEY, stock int NOT NULL, description text NOT NULL);
ALTER TABLE article ALTER description SET STORAGE EXTERNAL;
CREATE TABLE visit (page text, seen timestamptz, note text);
ALTER TABLE visit REPLICA IDENTITY FULL;
"""

SHOP_ROWS = """
INSERT INTO customer SELECT n, 'customer ' || n FROM generate_series(1, 2000) n;
INSERT INTO orders SELECT n, 1, n * 1.25 FROM generate_series(1, 2000) n;
INSERT INTO article SELECT n, 100, repeat(md5(n::text), 300) FROM generate_series(1, 200) n;
INSERT INTO visit SELECT '/page/' || n % 7, now(), NULL FROM generate_series(1, 1000) n;
"""

# One transaction of the shop: a new customer with orders, a long text left alone, a key that moves, a row without a key.
SHOP_TRANSACTION = [
    "INSERT INTO customer VALUES ({id}, 'customer {id}')",
    "INSERT INTO orders SELECT {id}, n, n * 9.99 FROM generate_series(1, 3) n",
    "UPDATE article SET stock = stock - 1 WHERE id = 1 + {id} % 200",
    "UPDATE orders SET number = number + 100 WHERE customer = {id} AND number = 2",
    "DELETE FROM customer WHERE id = {id} - 1000",
    "INSERT INTO visit VALUES ('/order/{id}', now(), 'bought')",
    "DELETE FROM visit WHERE ctid IN (SELECT ctid FROM visit WHERE page = '/page/3' LIMIT 1)",
]


class Screen:
    """One line that refreshes on a terminal; plain lines elsewhere."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.shown = ""

    def say(self, text):
        if self.live and self.shown:
            print("\r" + " " * len(self.shown) + "\r", end="")
            self.shown = ""
        print(text, flush=True)

    def status(self, text):
        if self.live:
            width = shutil.get_terminal_size((120, 24)).columns - 1
            text = text[:width]
            print("\r" + text + " " * max(0, len(self.shown) - len(text)), end="", flush=True)
            self.shown = text
        else:
            print(text, flush=True)


class ShopWriter(threading.Thread):
    """Shop transactions until stopped."""

    def __init__(self, source):
        super().__init__(daemon=True)
        self.source, self.commits, self.stopping = source, 0, threading.Event()
        self.error = None

    def run(self):
        try:
            with self.source.connect(DATABASE, autocommit=False) as connection:
                identity = 10_000
                while not self.stopping.is_set():
                    identity += 1
                    for statement in SHOP_TRANSACTION:
                        connection.execute(statement.format(id=identity))
                    connection.commit()
                    self.commits += 1
                    self.stopping.wait(0.02)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def stop(self):
        self.stopping.set()
        self.join(30)
        if self.error:
            raise self.error


class Demo:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.screen = Screen()
        self.source = Postgres(directory, "source")
        self.target = Postgres(directory, "target")
        log = {"walferry.local.path": self.directory / "walferry.db"}
        self.streamer_options = log
        self.streamer = self.applier = self.bench = None
        self.writer = None
        self.facts = {}
        self.rates = {"streamer": Rate("events_total"), "applier": Rate("events_applied_total")}

    # ---- the steps
    def run(self):
        self.set_up()
        self.start_writers()
        self.start_programs()
        self.watch_snapshot()
        self.watch_stream()
        self.drain()
        return self.verdict()

    def set_up(self):
        self.screen.say("setup     two PostgreSQL clusters, pgbench and a shop with every common type")
        self.source.create().start()
        self.target.create().start()
        for server in (self.source, self.target):
            server.create_database(DATABASE)
        self.source.pgbench(DATABASE, "-i", "-q", "-s", str(PGBENCH_SCALE), "-I", "dtGp")
        self.source.execute(SHOP + TYPES_TABLE, DATABASE)
        self.copy_schema()
        self.source.execute(SHOP_ROWS + TYPES_ROWS.format(offset=0), DATABASE)
        # pgbench_history has no key: its rows are found by their whole old image.
        self.source.execute("ALTER TABLE pgbench_history REPLICA IDENTITY FULL", DATABASE)

    def copy_schema(self):
        """The target gets the same tables, keys and foreign keys, and no rows."""
        self.target.pgbench(DATABASE, "-i", "-q", "-s", str(PGBENCH_SCALE), "-I", "dtp")
        self.target.execute(SHOP + TYPES_TABLE, DATABASE)

    def start_writers(self):
        self.writer = ShopWriter(self.source)
        self.writer.start()
        self.bench = process.start_process(
            [str(bin_dir() / "pgbench"), "-n", "-c", "2", "-j", "1", "-R", "400", "-T", "600", self.source.uri(DATABASE)],
            stdout=open(self.directory / "pgbench.log", "ab"), stderr=open(self.directory / "pgbench.log", "ab"))
        process.wait_until(lambda: self.writer.commits > 5 or self.writer.error, "the first commits")
        self.screen.say("writers   pgbench (2 clients) and the shop write to the source from here on")

    def start_programs(self):
        self.streamer = Streamer(self.directory, streamer_config(
            self.source, DATABASE, **{"slot.name": SLOT, "skipped.operations": "none", **self.streamer_options}))
        self.applier = Applier(self.directory, {**applier_config(self.target, DATABASE), **self.streamer_options})
        self.streamer.start()
        self.applier.start()
        self.facts["started"] = time.monotonic()

    def watch_snapshot(self):
        self.tick_until(self.streamer.ready, "snapshot", 120)
        rows = self.streamer.metrics().get("snapshot_rows", 0)
        self.tick_until(lambda: self.applier.metrics().get("events_applied_total", 0) >= rows, "catch-up", 120)
        self.facts["snapshot_s"] = time.monotonic() - self.facts["started"]
        for rate in self.rates.values():
            rate.best = 0.0

    def watch_stream(self):
        end = time.monotonic() + STREAM_SECONDS
        kills = [(time.monotonic() + STREAM_SECONDS * 0.3, self.streamer),
                 (time.monotonic() + STREAM_SECONDS * 0.6, self.applier)]
        for statement in [TYPES_ROWS.format(offset=100), *TYPES_CHANGES]:
            self.source.execute(statement, DATABASE)
        while time.monotonic() < end:
            if kills and time.monotonic() > kills[0][0]:
                self.kill_and_restart(kills.pop(0)[1])
            self.tick("stream")

    def kill_and_restart(self, program):
        program.kill()
        self.screen.say(f"fault     SIGKILL for {program.label}; starting it again")
        program.start()
        self.tick_until(program.ready, "recover", 60)

    def drain(self):
        self.writer.stop()
        self.bench.send_signal(signal.SIGINT)
        self.bench.wait(30)
        self.source.execute("INSERT INTO customer VALUES (0, 'the last row')", DATABASE)
        end = self.source.value("SELECT pg_current_wal_lsn()")
        started = time.monotonic()
        self.screen.say(f"drain     the writers have stopped; draining to LSN {end}")
        self.tick_until(lambda: self.behind_bytes(end) <= 0 and self.applied_last_row(), "drain", 120)
        self.facts["drain_s"] = time.monotonic() - started

    def applied_last_row(self):
        return self.target.value("SELECT count(*) FROM customer WHERE id = 0", DATABASE) == 1

    # ---- what is shown
    def behind_bytes(self, end=None):
        """How far the slot's confirmed LSN lies behind the source (or behind `end`)."""
        return int(self.source.value(
            "SELECT coalesce(max(coalesce(%s::pg_lsn, pg_current_wal_lsn()) - confirmed_flush_lsn), 1e12) "
            "FROM pg_replication_slots WHERE slot_name = %s", params=(end, SLOT)))

    def tick_until(self, condition, phase, timeout):
        deadline = time.monotonic() + timeout
        while not condition():
            for program in (self.streamer, self.applier):
                if not program.running():
                    raise AssertionError(f"{program.label} ended: {program.log()[-2000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{phase} did not end within {timeout} s: {self.streamer.log()[-800:]}"
                                     f"{self.applier.log()[-800:]}")
            self.tick(phase)

    def tick(self, phase):
        time.sleep(0.25 if self.screen.live else 1.0)
        streamer, applier = self.streamer.metrics(), self.applier.metrics()
        for program in (self.streamer, self.applier):
            program.note_memory()
        self.screen.status(
            f"{phase:<9} read {self.snapshot_rows(streamer):>7} rows"
            f" | streamed {self.rates['streamer'].per_second(streamer):>6.0f} ev/s"
            f" | applied {self.rates['applier'].per_second(applier):>6.0f} ev/s"
            f" | lag {lag(streamer, 'bytes')} B {lag(applier, 'ms')} ms"
            f" | target {self.target_rows():>7} rows")

    def snapshot_rows(self, metrics):
        """Of the one snapshot: a restarted streamer counts from 0 again, and takes none."""
        self.facts["snapshot_rows"] = max(self.facts.get("snapshot_rows", 0), int(metrics.get("snapshot_rows", 0)))
        return self.facts["snapshot_rows"]

    def target_rows(self):
        """An estimate that costs nothing: rows inserted less rows deleted, as the target's statistics count them."""
        return self.target.value("SELECT coalesce(sum(n_tup_ins - n_tup_del), 0)::bigint FROM pg_stat_user_tables "
                                 "WHERE schemaname <> 'walferry'", DATABASE)

    # ---- the result
    def verdict(self):
        left = compare.fingerprints(self.source, DATABASE)
        right = compare.fingerprints(self.target, DATABASE)
        self.screen.say("\n" + f"{'table':<28}{'source rows':>12}{'target rows':>12}  content")
        equal = True
        for name in sorted(set(left) | set(right)):
            same = left.get(name) == right.get(name)
            equal = equal and same
            counts = [str(side[name][0]) if name in side else "-" for side in (left, right)]
            self.screen.say(f"{'.'.join(name):<28}{counts[0]:>12}{counts[1]:>12}  {'equal' if same else 'DIFFERENT'}")
        self.print_rates()
        self.screen.say(f"\nverdict   {'equal: no row lost, none doubled' if equal else 'DIFFERENT'}"
                        f" after one SIGKILL of each program")
        return equal

    def print_rates(self):
        snapshot = self.facts["snapshot_rows"] / max(self.facts["snapshot_s"], 0.001)
        rows = [("snapshot", f"{self.facts['snapshot_rows']} rows, {snapshot:.0f} rows/s to the target"),
                ("stream", f"{self.writer.commits} shop transactions and pgbench; best second "
                           f"{self.rates['streamer'].best:.0f} events/s streamed, "
                           f"{self.rates['applier'].best:.0f} applied"),
                ("drain", f"{self.facts['drain_s']:.1f} s from the last commit to equal"),
                ("peak RSS", f"streamer {self.streamer.peak_rss / 2**20:.0f} MiB, "
                             f"applier {self.applier.peak_rss / 2**20:.0f} MiB")]
        self.screen.say("")
        for name, text in rows:
            self.screen.say(f"{name:<10}{text}")

    def keep(self):
        self.screen.say(f"""
Everything stays up until Ctrl-C. Try:
  psql {self.source.uri(DATABASE)}      the source: change something
  psql {self.target.uri(DATABASE)}      the target: see it arrive
  curl http://127.0.0.1:{self.streamer.port}/metrics     curl http://127.0.0.1:{self.applier.port}/readyz
  kill -9 {self.streamer.process.pid}                  the streamer (start it again with the line below)
  {program_path(self.streamer.name)} {self.streamer.config_file}
Files: {self.directory}""")
        try:
            signal.pause()
        except KeyboardInterrupt:
            pass

    def close(self):
        for program in (self.streamer, self.applier):
            if program is not None and program.running():
                program.stop()
        if self.bench is not None and self.bench.poll() is None:
            self.bench.kill()
            self.bench.wait()
        for server in (self.source, self.target):
            server.stop("immediate")


class Rate:
    """Events per second out of a counter; a restarted program begins at 0 again."""

    def __init__(self, name):
        self.name, self.value, self.time, self.best = name, None, None, 0.0

    def per_second(self, metrics):
        now, value = time.monotonic(), metrics.get(self.name)
        if value is None:
            return 0.0
        last_value, last_time = self.value, self.time
        self.value, self.time = value, now
        if last_value is None or value < last_value or now <= last_time:
            return 0.0
        rate = (value - last_value) / (now - last_time)
        self.best = max(self.best, rate)
        return rate


def lag(metrics, unit):
    value = metrics.get(f"lag_{unit}")
    return "-" if value is None else f"{value:.0f}"


def main():
    def interrupted(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    directory = tempfile.mkdtemp(prefix="walferry-demo-")
    os.chmod(directory, 0o755)
    demo = Demo(directory)
    try:
        equal = demo.run()
        if os.environ.get("KEEP"):
            demo.keep()
        return 0 if equal else 1
    except KeyboardInterrupt:
        demo.screen.say("interrupted")
        return 130
    finally:
        demo.close()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
