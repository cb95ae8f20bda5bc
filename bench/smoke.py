"""make bench-smoke: the streamer beside pg_recvlogical, on the same backlogs, in the same run.

Each subject reads a fresh copy of one slot over TCP, in turns (ABC ABC ABC); the table shows medians. CPU and memory
are the kernel's own accounts of the reading process. Nothing here is asserted: figures are printed.

    RUNS=3 TPCB_TRANSACTIONS=25000 make bench-smoke
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from harness.postgres import Postgres, bin_dir  # noqa: E402
from harness.process import cpu_seconds, rss_bytes, wait_until  # noqa: E402
from harness.programs import ROOT, Streamer, streamer_config  # noqa: E402

RUNS = int(os.environ.get("RUNS", "3"))
TPCB_TRANSACTIONS = int(os.environ.get("TPCB_TRANSACTIONS", "25000"))  # of each of four clients
WIDE_TRANSACTIONS = int(os.environ.get("WIDE_TRANSACTIONS", "200"))    # of 1000 updates
DATABASE = "bench"


class Bench:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.server = Postgres(directory, "source", {"shared_buffers": "1GB", "wal_sender_timeout": 0,
                                                     "max_wal_size": "8GB", "max_replication_slots": 20})
        self.copies = 0

    def set_up(self):
        self.server.create().start()
        self.server.create_database(DATABASE)
        self.server.pgbench(DATABASE, "-i", "-q", "-s", "20")
        self.server.execute("CREATE TABLE wide (n int PRIMARY KEY, a int, b int, c timestamptz, d numeric(10,2), "
                            "note text); ALTER TABLE wide ALTER note SET STORAGE PLAIN; INSERT INTO wide "
                            "SELECT n, n, n, now(), n, repeat(md5(n::text), 32) FROM generate_series(1, 20000) n",
                            DATABASE)
        self.server.execute("CREATE PUBLICATION p_tpcb FOR TABLE pgbench_accounts, pgbench_tellers, "
                            "pgbench_branches, pgbench_history; CREATE PUBLICATION p_wide FOR TABLE wide; "
                            "CREATE PUBLICATION walferry FOR ALL TABLES", DATABASE)

    def backlog(self, name, write):
        """A slot, the writes behind it, and where they end."""
        self.server.execute("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", DATABASE, (f"m_{name}",))
        write()
        return self.server.value("SELECT pg_current_wal_insert_lsn()")

    def write_tpcb(self):
        self.server.pgbench(DATABASE, "-n", "-c", "4", "-j", "2", "-t", str(TPCB_TRANSACTIONS))

    def write_wide(self):
        with self.server.connect(DATABASE) as connection:
            for number in range(WIDE_TRANSACTIONS):
                connection.execute("UPDATE wide SET a = a + 1, note = repeat(md5((n + %s)::text), 32) "
                                   "WHERE n BETWEEN %s AND %s", (number, number % 20 * 1000 + 1,
                                                                 number % 20 * 1000 + 1000))

    # ---- subjects: each returns (seconds, CPU seconds, peak bytes)
    def copy_slot(self, name):
        self.copies += 1
        slot = f"c{self.copies}"
        self.server.execute("SELECT pg_copy_logical_replication_slot(%s, %s, false, 'pgoutput')", DATABASE,
                            (f"m_{name}", slot))
        return slot

    def drop_slot(self, slot):
        wait_until(lambda: not self.server.value("SELECT active FROM pg_replication_slots WHERE slot_name = %s",
                                                 params=(slot,)), "the slot to be free")
        self.server.execute("SELECT pg_drop_replication_slot(%s)", params=(slot,))

    def recvlogical(self, name, end):
        slot = self.copy_slot(name)
        started = time.monotonic()
        command = [bin_dir() / "pg_recvlogical", "-d", self.server.uri(DATABASE), "-S", slot, "--start", "--no-loop",
                   "-F", "0", "--endpos", end, "-f", "/dev/null", "-o", "proto_version=1", "-o",
                   f"publication_names=p_{name}"]
        process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL)
        done = peak = 0
        while done == 0:
            peak = max(peak, rss_bytes(process.pid, peak=True))
            time.sleep(0.01)
            done, status, used = os.wait4(process.pid, os.WNOHANG)
        seconds = time.monotonic() - started
        if status != 0:
            raise RuntimeError(f"pg_recvlogical ended with status {status}")
        self.drop_slot(slot)
        return seconds, used.ru_utime + used.ru_stime, peak

    def streamer(self, name, end, transport):
        slot = self.copy_slot(name)
        directory = self.directory / slot
        program = Streamer(directory, streamer_config(self.server, DATABASE, transport, **{
            "slot.name": slot, "publication.name": f"p_{name}", "publication.autocreate.mode": "disabled",
            "snapshot.mode": "no_data", "walferry.local.path": directory / "log.db"}))
        goal = self.server.value("SELECT (%s::pg_lsn - '0/0')::bigint", params=(end,))
        started = time.monotonic()
        program.start()
        wait_until(lambda: program.metrics().get("confirmed_lsn", 0) >= goal, f"{transport} to reach {end}; "
                   + program.log()[-500:], 300, pause=0.02)
        seconds = time.monotonic() - started
        cpu, peak = cpu_seconds(program.process.pid), rss_bytes(program.process.pid, peak=True)
        program.stop()
        self.drop_slot(slot)
        shutil.rmtree(directory)
        return seconds, cpu, peak

    def compare(self, name, changes, end):
        subjects = {"pg_recvlogical > /dev/null": lambda: self.recvlogical(name, end),
                    "walferry-streamer → null": lambda: self.streamer(name, end, "null"),
                    "walferry-streamer → local log": lambda: self.streamer(name, end, "local")}
        results = {subject: [] for subject in subjects}
        for _ in range(RUNS):
            for subject, run in subjects.items():
                results[subject].append(run())
        reference = statistics.median(run[0] for run in results["pg_recvlogical > /dev/null"])
        print(f"\n{name}: {changes} changes, TCP, {RUNS} runs in turns, medians")
        print(f"  {'':<32}{'k changes/s':>12}{'ratio':>8}{'CPU µs/change':>15}{'peak RSS MiB':>14}")
        for subject, runs in results.items():
            seconds, cpu, peak = (statistics.median(values) for values in zip(*runs))
            print(f"  {subject:<32}{changes / seconds / 1000:>12.0f}{reference / seconds:>8.2f}"
                  f"{cpu / changes * 1e6:>15.2f}{peak / 2**20:>14.0f}", flush=True)


def main():
    directory = tempfile.mkdtemp(prefix="walferry-bench-")
    os.chmod(directory, 0o755)
    bench = Bench(directory)
    try:
        bench.set_up()
        end = bench.backlog("tpcb", bench.write_tpcb)
        bench.compare("tpcb", TPCB_TRANSACTIONS * 4 * 4, end)
        end = bench.backlog("wide", bench.write_wide)
        bench.compare("wide", WIDE_TRANSACTIONS * 1000, end)
        print("\nlocal log alone, records of 600 bytes, a writer and a reader process")
        sys.stdout.flush()
        subprocess.run([ROOT / "build" / "bin" / "bench_local_log", str(Path(directory) / "log.db")], check=True)
    finally:
        bench.server.stop("immediate")
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
