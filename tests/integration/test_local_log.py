"""The local log alone: a writer and a reader process that are killed, blocked and run out of disk."""

import os
import random
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

from harness.process import start_process, wait_until
from harness.programs import program_path

ROUNDS = 40          # kills of the writer
SNAPSHOT_ROWS = 4000


class Tool:
    """One run of local_log_tool; keeps what it printed."""

    def __init__(self, *arguments):
        command = [str(program_path("local_log_tool")), *map(str, arguments)]
        self.process = start_process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.thread = threading.Thread(target=self._collect, daemon=True)
        self.thread.start()

    def _collect(self):
        for line in self.process.stdout:
            self.lines.append(line.split())

    def said(self, word):
        return [line for line in list(self.lines) if line[0] == word]

    def last(self, word):
        """The first number behind the last such line; 0 where there is none."""
        lines = self.said(word)
        return int(lines[-1][1]) if lines else 0

    def check_running(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended with {self.process.returncode}: {self.process.stderr.read()}")

    def wait_for(self, condition, what, timeout=60):
        def holds():
            if condition():
                return True
            self.check_running()
            return False

        wait_until(holds, what, timeout, pause=0.01)
        return self

    def kill(self):
        self.check_running()
        self.process.kill()
        return self.end()

    def end(self):
        self.process.wait(30)
        self.thread.join(30)
        error = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return error


@pytest.fixture
def tools():
    started = []

    def start(*arguments):
        started.append(Tool(*arguments))
        return started[-1]

    yield start
    for tool in started:
        if tool.process.poll() is None:
            tool.process.kill()
        tool.process.wait()


def connect(path):
    return sqlite3.connect(path, timeout=20, isolation_level=None)


def check_file(path, checked_through):
    """What a reader may see is exactly the numbers 1..k, and the stored position is k; returns k and its offset."""
    log = connect(path)
    try:
        log.execute("BEGIN")
        hidden_from, trimmed = log.execute("SELECT hidden_from, trimmed_through FROM meta").fetchone()
        below = hidden_from or 2**62
        number, offset = checked_through
        rows = log.execute('SELECT "offset", ordinal FROM record WHERE "offset" > ? AND "offset" < ? '
                           'ORDER BY "offset"', (offset, below)).fetchall()
        # Where retention has passed the last check, the reader is the one who saw what is gone.
        first = rows[0][1] if rows and trimmed > offset else number + 1
        assert [ordinal for _, ordinal in rows] == list(range(first, first + len(rows)))
        if rows:
            offset, number = rows[-1]
        stored = log.execute("SELECT json_extract(value, '$.walferry_ordinal'), json_extract(value, "
                             "'$.walferry_snapshot') FROM offsets").fetchall()
        log.execute("COMMIT")
    finally:
        log.close()
    if hidden_from or not stored:
        assert number == 0 and (not stored or stored[0][1] == "running")
    else:
        assert stored == [(number, "complete")]
    return number, offset


@pytest.mark.parametrize("retention", [0, 2_000_000], ids=["keeps_all", "trims"])
def test_no_loss_on_sigkill_local_log(tmp_path, tools, retention):
    """Writer and reader are killed at random times; every number arrives once, nothing acknowledged is lost."""
    seed = int(os.environ.get("SEED", 1))
    print(f"SEED={seed}")
    chance = random.Random(seed)
    path = tmp_path / "log.db"
    checked, read = (0, 0), ("0", "0")
    reader = tools("read", path, 0, 0)
    for number in range(ROUNDS):
        writer = tools("write", path, seed + number, SNAPSHOT_ROWS, retention)
        if chance.random() < 0.8:
            writer.wait_for(lambda tool=writer: tool.said("position"), "the writer to open the log")
        time.sleep(chance.random() ** 2 * 0.4)
        writer.kill()
        acknowledged = writer.last("stored")
        if chance.random() < 0.3:
            reader.kill()
            read = tuple(reader.said("read")[-1][1:]) if reader.said("read") else read
            reader = tools("read", path, read[1], read[0])
        # Every other round the next writer finds the WAL as the kill left it.
        if number % 2 == 1 and path.exists():
            checked = check_file(path, checked)
            assert checked[0] >= acknowledged
        reader.check_running()
    checked = check_file(path, checked)
    assert checked[0] > SNAPSHOT_ROWS
    reader.wait_for(lambda: reader.last("read") == checked[0], f"the reader to reach {checked[0]}", timeout=300)
    log = connect(path)
    assert log.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    trimmed, kept = log.execute("SELECT trimmed_through, (SELECT count(*) FROM record) FROM meta").fetchone()
    log.close()
    assert (trimmed > 0) == (retention > 0) and (retention > 0 or kept == checked[0])


def test_killed_snapshot_is_never_seen_in_part(tmp_path, tools):
    """A snapshot too large to finish is killed again and again; its reader sees nothing of it."""
    path = tmp_path / "log.db"
    reader = tools("read", path, 0, 0)
    for number in range(6):
        writer = tools("write", path, number, 10**9, 0)
        writer.wait_for(lambda: path.exists() and hidden_rows(path) > 500, "hidden rows")
        writer.kill()
    reader.check_running()
    assert reader.said("read") == []
    assert check_file(path, (0, 0)) == (0, 0)
    writer = tools("write", path, 99, 100, 0)
    reader.wait_for(lambda: reader.last("read") > 100, "the snapshot and changes behind it")
    writer.kill()
    log = connect(path)
    assert log.execute('SELECT min(ordinal) FROM record').fetchone() == (1,)
    log.close()


def hidden_rows(path):
    log = connect(path)
    try:
        return log.execute('SELECT count(*) FROM record, meta WHERE hidden_from > 0 AND "offset" >= hidden_from'
                           ).fetchone()[0]
    finally:
        log.close()


def test_second_writer_is_refused_until_the_first_is_gone(tmp_path, tools):
    path = tmp_path / "log.db"
    first = tools("write", path, 1, 1, 0)
    first.wait_for(lambda: first.said("stored"), "the first writer")
    second = tools("write", path, 2, 1, 0)
    error = second.end()
    assert second.process.returncode == 1
    assert f"process {first.process.pid}," in error and str(path) in error and error.count("\n") == 1
    first.kill()
    third = tools("write", path, 3, 1, 0)
    third.wait_for(lambda: third.said("stored"), "the third writer")
    assert int(third.said("position")[0][1]) >= first.last("stored")


def test_locked_log_waits(tmp_path, tools):
    """Another program holds the write lock for two seconds: nothing is acknowledged meanwhile, nothing is lost."""
    path = tmp_path / "log.db"
    writer = tools("write", path, 1, 1, 0)
    writer.wait_for(lambda: writer.last("stored") > 1000, "the first records")
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    held = other.execute("SELECT max(ordinal) FROM record").fetchone()[0]
    time.sleep(2)
    assert writer.last("stored") <= held
    other.execute("COMMIT")
    other.close()
    writer.wait_for(lambda: writer.last("stored") > held, "records behind the lock")
    assert writer.said("trouble") == []
    writer.process.send_signal(signal.SIGSTOP)
    assert check_file(path, (0, 0))[0] >= writer.last("stored")


def test_full_disk_is_waited_for(tmp_path, tools):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(tmp_path)], check=False,
                      capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        path = tmp_path / "log.db"
        writer = tools("write", path, 1, 100, 0)
        writer.wait_for(lambda: writer.said("trouble"), "the full disk to be told")
        assert writer.said("trouble") == [["trouble", "disk"]]
        stored = writer.last("stored")
        assert stored > 100
        subprocess.run(["mount", "-o", "remount,size=400m", str(tmp_path)], check=True)
        writer.wait_for(lambda: writer.said("relief"), "the writer to go on")
        writer.wait_for(lambda: writer.last("stored") > stored, "more records")
        writer.kill()
        assert check_file(path, (0, 0))[0] >= writer.last("stored")
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=False)


def test_kill_on_a_full_disk_loses_nothing(tmp_path, tools):
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(tmp_path)], check=False,
                      capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        path = tmp_path / "log.db"
        stored = 0
        for seed in range(3):
            writer = tools("write", path, seed, 100, 0)
            writer.wait_for(lambda tool=writer: tool.said("trouble"), "the full disk to be told")
            writer.kill()
            stored = max(stored, writer.last("stored"))
        subprocess.run(["mount", "-o", "remount,size=400m", str(tmp_path)], check=True)
        assert check_file(path, (0, 0))[0] >= stored
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=False)
