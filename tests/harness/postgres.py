"""A throw-away PostgreSQL cluster of the server found in PG_BIN (default: Debian's newest, 15 first)."""

import glob
import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg

from .process import free_port, start_process, wait_until

SETTINGS = {
    "wal_level": "logical",
    "password_encryption": "scram-sha-256",  # the default from 14 on, and what pg_hba.conf asks for
    "max_wal_senders": 10,
    "max_replication_slots": 10,
    "fsync": "off",  # a killed server loses nothing: the operating system goes on running
    "shared_buffers": "64MB",
    "max_connections": 60,
    "wal_sender_timeout": "10s",
    "log_min_messages": "warning",
    "timezone": "Europe/Zurich",  # the programs must not depend on it
    "autovacuum": "off",
}


def bin_dir():
    """Where initdb and postgres are."""
    if os.environ.get("PG_BIN"):
        return Path(os.environ["PG_BIN"])
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"), key=lambda path: int(path.split("/")[4]))
    preferred = [path for path in found if "/15/" in path] or found[-1:]
    if preferred:
        return Path(preferred[0]).parent
    on_path = shutil.which("postgres")
    if on_path:
        return Path(on_path).resolve().parent
    raise RuntimeError("no PostgreSQL server found: run `make setup`, or set PG_BIN")


def server_user():
    """(uid, gid) to run the server as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
        except KeyError:
            continue
    raise RuntimeError("running as root, and there is no user postgres or nobody to run the server as")


def client(name):
    """A client program: the server's own, or the system's where the server came without clients."""
    own = bin_dir() / name
    return str(own) if own.exists() else name


class Postgres:
    """One cluster on a free port of 127.0.0.1. Superuser `postgres` is trusted; other roles need their password."""

    def __init__(self, directory, name="pg", settings=None):
        self.name = name
        self.directory = Path(directory) / name
        self.settings = {**SETTINGS, **(settings or {})}
        self.port = free_port()
        self.process = None
        self._user = server_user()

    # ---- life
    def create(self, template=None):
        """initdb, or a copy of the data directory of a stopped cluster."""
        self.directory.mkdir(parents=True)
        if self._user:
            os.chown(self.directory, *self._user)
        data = self.directory / "data"
        if template is not None:
            self._run(["cp", "-a", "--reflink=auto", str(template), str(data)])
        else:
            self._run([str(bin_dir() / "initdb"), "-D", str(data), "-U", "postgres", "--no-sync", "-A", "trust",
                       "-E", "UTF8", "--locale=C.UTF-8"])
        (data / "pg_hba.conf").write_text(
            "local all all trust\n"
            "host all postgres 127.0.0.1/32 trust\nhost replication postgres 127.0.0.1/32 trust\n"
            "host all all 127.0.0.1/32 scram-sha-256\nhost replication all 127.0.0.1/32 scram-sha-256\n")
        return self

    def _run(self, command):
        extra = {"user": self._user[0], "group": self._user[1], "extra_groups": []} if self._user else {}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **extra)

    def start(self):
        settings = {**self.settings, "port": self.port, "listen_addresses": "127.0.0.1",
                    "unix_socket_directories": str(self.directory)}
        command = [str(bin_dir() / "postgres"), "-D", str(self.directory / "data")]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        with open(self.directory / "server.log", "ab") as log:
            self.process = start_process(command, user=self._user, death_signal=signal.SIGQUIT,
                                         stdout=log, stderr=log, cwd="/")
        wait_until(self._answers, f"PostgreSQL {self.name} to answer, see {self.directory}/server.log", 60)
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"PostgreSQL {self.name} ended: " + self.log()[-2000:])
        try:
            with psycopg.connect(self.uri("postgres"), connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def stop(self, mode="fast"):
        """fast, smart or immediate (a crash: recovery at the next start)."""
        if self.process is None or self.process.poll() is not None:
            return
        signals = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
        self.process.send_signal(signals[mode])
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)

    def restart(self, mode="fast"):
        self.stop(mode)
        return self.start()

    def log(self):
        return (self.directory / "server.log").read_text(errors="replace")

    # ---- use
    def uri(self, database, user="postgres", password=None):
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def connect(self, database="postgres", **options):
        options.setdefault("autocommit", True)
        return psycopg.connect(self.uri(database), **options)

    def execute(self, sql, database="postgres", params=None):
        with self.connect(database) as connection:
            connection.execute(sql, params)

    def rows(self, sql, database="postgres", params=None):
        with self.connect(database) as connection:
            return connection.execute(sql, params).fetchall()

    def value(self, sql, database="postgres", params=None):
        rows = self.rows(sql, database, params)
        return rows[0][0] if rows else None

    def create_database(self, name):
        self.execute(f'CREATE DATABASE "{name}"')

    def drop_database(self, name):
        """WITH (FORCE) is PostgreSQL 13's; before, the sessions are ended first."""
        if self.version >= 13:
            self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return
        self.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", params=(name,))
        self.execute(f'DROP DATABASE IF EXISTS "{name}"')

    @property
    def version(self):
        return int(self.value("SELECT current_setting('server_version_num')")) // 10000

    def psql(self, database, *arguments):
        """Runs psql (or pgbench, when `arguments` starts with its name) against the database."""
        return subprocess.run([client("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", self.uri(database),
                               *arguments], check=True, capture_output=True, text=True, cwd="/")

    def pgbench(self, database, *arguments):
        return subprocess.run([client("pgbench"), *arguments, self.uri(database)], check=True,
                              capture_output=True, text=True, cwd="/").stdout
