"""No change is lost or doubled, whatever is killed. Oracle: the writers' ledger, and both databases."""

import random

import pytest

from harness.ledger import TABLES, Writer, ledger_differences
from harness.process import wait_until

KILLS = 5


def start_writers(pair, count=2, **options):
    writers = [Writer(pair.source, pair.database, number, **options) for number in range(1, count + 1)]
    for writer in writers:
        writer.start()
    return writers


def wait_commits(writers, more):
    goal = sum(len(writer.numbers) for writer in writers) + more
    wait_until(lambda: sum(len(writer.numbers) for writer in writers) >= goal, f"{more} more commits", 60)


def finish(pair, writers):
    for writer in writers:
        writer.stop()
    pair.wait_equal(90)
    assert ledger_differences(pair.source, pair.database, writers) == []
    assert ledger_differences(pair.target, pair.database, writers) == []


@pytest.fixture
def flowing(pair):
    """Tables on both sides, both programs running, two writers."""
    pair.on_both(TABLES)
    streamer, applier = pair.streamer().start(), pair.applier()
    streamer.wait_ready()
    applier.start().wait_ready()
    writers = start_writers(pair)
    yield pair, streamer, applier, writers
    for writer in writers:
        writer.stop()


def test_no_loss_without_faults(flowing):
    pair, streamer, applier, writers = flowing
    wait_commits(writers, 200)
    finish(pair, writers)
    assert streamer.stop() == 0
    assert applier.stop() == 0


def test_no_loss_on_sigkill_streamer(flowing):
    pair, streamer, _, writers = flowing
    chance = random.Random(1)
    for _ in range(KILLS):
        wait_commits(writers, chance.randint(5, 60))
        streamer.kill()
        wait_commits(writers, chance.randint(1, 30))
        streamer.start().wait_ready()
    finish(pair, writers)


def test_no_loss_on_sigkill_applier(flowing):
    pair, _, applier, writers = flowing
    chance = random.Random(2)
    for _ in range(KILLS):
        wait_commits(writers, chance.randint(5, 60))
        applier.kill()
        wait_commits(writers, chance.randint(1, 30))
        applier.start().wait_ready()
    finish(pair, writers)


def test_no_loss_on_sigkill_of_both(flowing):
    pair, streamer, applier, writers = flowing
    chance = random.Random(3)
    for _ in range(KILLS):
        wait_commits(writers, chance.randint(5, 40))
        streamer.kill()
        applier.kill()
        streamer.start()
        applier.start()
    finish(pair, writers)


def test_no_loss_on_graceful_restarts(flowing):
    pair, streamer, applier, writers = flowing
    for _ in range(3):
        wait_commits(writers, 20)
        assert streamer.stop() == 0
        assert applier.stop() == 0
        streamer.start().wait_ready()
        applier.start().wait_ready()
    finish(pair, writers)


def test_no_loss_when_source_crashes(flowing):
    pair, streamer, _, writers = flowing
    for _ in range(2):
        wait_commits(writers, 40)
        pair.source.restart("immediate")
        streamer.wait_ready()
    finish(pair, writers)


def test_no_loss_when_target_restarts(flowing):
    pair, _, applier, writers = flowing
    for mode in ("immediate", "fast"):
        wait_commits(writers, 40)
        pair.target.restart(mode)
        applier.wait_ready()
    finish(pair, writers)


def test_no_loss_on_sigkill_inside_a_large_transaction(pair):
    """A restart goes on inside a transaction: many rows of one COPY share an LSN, none is lost or doubled."""
    rows = 100_000
    pair.on_both("CREATE TABLE keyless (n int, note text); ALTER TABLE keyless REPLICA IDENTITY FULL")
    streamer = pair.streamer(walferry__queue__bytes__max=1 << 20).start().wait_ready()
    applier = pair.applier().start().wait_ready()
    with pair.source.connect(pair.database, autocommit=False) as connection:
        with connection.cursor().copy("COPY keyless FROM STDIN") as copy:
            for n in range(rows):
                copy.write_row((n, f"row {n}"))
    for kill in range(1, 5):
        wait_until(lambda share=kill: pair.stored_rows("keyless") >= rows * share // 6, "more rows in the log")
        streamer.kill()
        applier.kill()
        streamer.start()
        applier.start()
    pair.wait_equal(90)
    assert pair.target_rows("SELECT count(*), count(DISTINCT n) FROM keyless") == [(rows, rows)]


def test_snapshot_and_stream_have_no_gap(pair):
    """Rows committed before, during and after the snapshot arrive once, the keyless ones too."""
    pair.on_both(TABLES)
    writers = start_writers(pair, count=3)
    try:
        wait_commits(writers, 300)
        streamer = pair.streamer().start()
        applier = pair.applier().start()
        wait_commits(writers, 100)
        streamer.wait_ready()
        applier.wait_ready()
        wait_commits(writers, 100)
    finally:
        for writer in writers:
            writer.stop()
    finish(pair, writers)


def test_sigkill_during_snapshot_leaves_no_trace(pair):
    """An interrupted snapshot is read again; a keyless table still holds each row once."""
    pair.on_both("CREATE TABLE wide (n int, note text); ALTER TABLE wide REPLICA IDENTITY FULL")
    pair.on_source("INSERT INTO wide SELECT n, repeat('x', 500) FROM generate_series(1, 150000) n")
    streamer, applier = pair.streamer(walferry__queue__bytes__max=1 << 20), pair.applier().start()
    for _ in range(3):
        streamer.start()
        wait_until(lambda: pair.stored_rows("wide") > 0, "snapshot rows in the log")
        streamer.kill()
        pair.on_source("DELETE FROM wide WHERE ctid IN (SELECT ctid FROM wide LIMIT 10)")
    streamer.start().wait_ready()
    applier.wait_ready()
    pair.on_source("INSERT INTO wide VALUES (-1, 'after')")
    pair.wait_equal(90)
