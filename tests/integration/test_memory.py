"""Memory stays flat, whatever the size of a transaction or of the backlog."""

from harness.process import rss_bytes, wait_until

ROWS = 300_000
MEBIBYTE = 1 << 20


def test_large_transaction_keeps_memory_flat(pair):
    """300 k rows of 200 bytes in one transaction: 60 MB of data must not become 60 MB of memory."""
    pair.on_both("CREATE TABLE t (n int PRIMARY KEY, note text)")
    streamer = pair.streamer(walferry__queue__bytes__max=8 * MEBIBYTE).start().wait_ready()
    applier = pair.applier().start().wait_ready()
    pair.on_source("INSERT INTO t VALUES (0, 'warm up')")
    pair.wait_equal()
    pair.on_source(f"INSERT INTO t SELECT n, repeat('x', 200) FROM generate_series(1, {ROWS}) n")
    wait_until(lambda: pair.target_rows("SELECT count(*) FROM t") == [(ROWS + 1,)], "all rows on the target", 180,
               pause=0.5)
    assert rss_bytes(streamer.process.pid, peak=True) < 64 * MEBIBYTE
    assert rss_bytes(applier.process.pid, peak=True) < 64 * MEBIBYTE
    pair.wait_equal()
