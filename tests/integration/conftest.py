"""Fixtures: one source and one target cluster per test process, a fresh database pair per test."""

import itertools
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.pair import Pair  # noqa: E402
from harness.postgres import Postgres  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def workspace():
    """A temporary directory that the server's user may enter; removed whatever happens."""
    path = tempfile.mkdtemp(prefix="walferry-test-")
    os.chmod(path, 0o755)
    yield Path(path)
    shutil.rmtree(path, ignore_errors=True)


def _cluster(workspace, name):
    server = Postgres(workspace, name).create().start()
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def source(workspace):
    yield from _cluster(workspace, "source")


@pytest.fixture(scope="session")
def target(workspace):
    yield from _cluster(workspace, "target")


@pytest.fixture
def pair(source, target, workspace, request):
    """A database on both sides and the two programs between them, all gone after the test."""
    number = next(_numbers)
    pair = Pair(source, target, workspace / f"t{number}", f"db{number}")
    yield pair
    pair.close(show_logs=getattr(request.node, "failed", False))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        item.failed = True
