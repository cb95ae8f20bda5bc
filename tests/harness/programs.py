"""walferry-streamer and walferry-applier as child processes, each with its own directory, port and log."""

import json
import os
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from .process import cpu_seconds, free_port, rss_bytes, start_process, wait_until

ROOT = Path(__file__).resolve().parents[2]


def program_path(name):
    return Path(os.environ.get("PROGRAM_DIR", ROOT / "build" / "bin")) / name


def program_environment():
    """Ours without what is meant for the tests: the programs read WALFERRY_* as configuration keys."""
    return {name: value for name, value in os.environ.items() if name != "WALFERRY_BIN"}


class Program:
    """One program with its configuration; can be started, killed and started again."""

    name = None  # the executable

    def __init__(self, directory, config, label=None):
        self.label = label or self.name
        self.directory = Path(directory) / self.label
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.config = {"listeners": f"http://127.0.0.1:{self.port}", **config}
        self.process = None
        self.peak_rss = 0

    @property
    def config_file(self):
        return self.directory / "connector.properties"

    @property
    def log_file(self):
        return self.directory / "stderr.log"

    def write_config(self):
        lines = [f"{key}={escape_value(value)}\n" for key, value in self.config.items() if value is not None]
        self.config_file.write_text("".join(lines), encoding="utf-8")
        return self.config_file

    def run(self, *arguments, timeout=60, **options):
        """Runs to the end (--check, --print-config, --drain, a start that must fail)."""
        self.write_config()
        options.setdefault("env", program_environment())
        return subprocess.run([str(program_path(self.name)), *arguments, str(self.config_file)], timeout=timeout,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)

    def start(self, *arguments, stdout=None, environment=None):
        self.write_config()
        with open(self.log_file, "ab") as log:
            self.process = start_process([str(program_path(self.name)), *arguments, str(self.config_file)],
                                         stdout=stdout or log, stderr=log,
                                         env={**program_environment(), **(environment or {})})
        return self

    # ---- ends
    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, timeout=15):
        """SIGTERM; returns the exit code."""
        if not self.running():
            return None if self.process is None else self.process.returncode
        self.note_memory()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.label} did not stop within {timeout} s: {self.log()[-1500:]}") from None

    def kill(self):
        self.note_memory()
        self.process.kill()
        self.process.wait()

    def wait_exit(self, timeout=60):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.label} still runs after {timeout} s: {self.log()[-1500:]}") from None

    # ---- looking
    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def note_memory(self):
        if self.running():
            self.peak_rss = max(self.peak_rss, rss_bytes(self.process.pid, peak=True))
        return self.peak_rss

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def http(self, path):
        """(status, text); (None, reason) where nothing answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return None, str(error)

    def metrics(self):
        """Metric name without the program's prefix → number."""
        status, text = self.http("/metrics")
        if status != 200:
            return {}
        prefix = "walferry_" + self.name.split("-")[1] + "_"
        pairs = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
        return {name.removeprefix(prefix): float(value) for name, value in pairs}

    def ready(self):
        return self.http("/readyz")[0] == 200

    def wait_ready(self, timeout=60):
        def ready_or_dead():
            if not self.running():
                raise AssertionError(f"{self.label} ended with {self.process.returncode}: {self.log()[-2000:]}")
            return self.ready()

        wait_until(ready_or_dead, f"{self.label} to be ready; it says {self.http('/readyz')}, {self.log()[-800:]}",
                   timeout)
        return self


class Streamer(Program):
    name = "walferry-streamer"


class Applier(Program):
    name = "walferry-applier"


def escape_value(value):
    """A value as a .properties file needs it: backslashes doubled, no line breaks."""
    return str(value).replace("\\", "\\\\").replace("\n", "\\n")


def streamer_config(source, database, transport="local", **more):
    """A connector file as a Debezium user has it, with the embedded log as transport."""
    return {
        "name": "inventory",
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
        "plugin.name": "pgoutput",
        "database.hostname": "127.0.0.1",
        "database.port": source.port,
        "database.user": "postgres",
        "database.password": "unused",
        "database.dbname": database,
        "topic.prefix": "inv",
        "slot.name": "walferry",
        "publication.name": "walferry",
        "provide.transaction.metadata": "true",
        "interval.handling.mode": "string",
        "key.converter.schemas.enable": "false",
        "value.converter.schemas.enable": "false",
        "walferry.transport": transport,
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def applier_config(target, database, **more):
    return {
        "name": "apply",
        "connection.url": target.uri(database),
        "interval.handling.mode": "string",
        "walferry.transport": "local",
        **{key.replace("__", "."): value for key, value in more.items()},
    }


def lines_of_stdout_sink(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.endswith("\n")]
