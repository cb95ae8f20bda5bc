"""A source and a target database with the streamer and the applier between them."""

import sqlite3
from contextlib import closing

from .compare import differences
from .process import wait_until
from .programs import Applier, Streamer, applier_config, streamer_config


class Pair:
    def __init__(self, source, target, directory, database):
        self.source, self.target, self.directory, self.database = source, target, directory, database
        self.directory.mkdir()
        source.create_database(database)
        target.create_database(database)
        self.log_path = directory / "walferry.db"
        self.slot = f"walferry_{database}"
        self.programs = []
        self._writers = []

    # ---- the programs
    def streamer(self, label="streamer", transport="local", **config):
        settings = {"slot__name": self.slot, "walferry__local__path": self.log_path, **config}
        program = Streamer(self.directory, streamer_config(self.source, self.database, transport, **settings), label)
        self.programs.append(program)
        return program

    def applier(self, label="applier", **config):
        settings = {"walferry__local__path": self.log_path, **config}
        program = Applier(self.directory, applier_config(self.target, self.database, **settings), label)
        self.programs.append(program)
        return program

    # ---- the databases
    def on_both(self, sql):
        self.source.execute(sql, self.database)
        self.target.execute(sql, self.database)

    def on_source(self, sql, params=None):
        self.source.execute(sql, self.database, params)

    def transaction(self, *statements):
        with self.source.connect(self.database, autocommit=False) as connection:
            for statement in statements:
                connection.execute(statement)

    def source_rows(self, sql):
        return self.source.rows(sql, self.database)

    def target_rows(self, sql):
        return self.target.rows(sql, self.database)

    def differences(self):
        return differences(self.source, self.database, self.target, self.database)

    def wait_equal(self, timeout=60):
        """Until source and target hold the same, table by table; the programs must live meanwhile."""

        def equal():
            for program in self.programs:
                if program.process is not None and program.process.poll() not in (None, 0, -9, -15):
                    raise AssertionError(f"{program.label} ended with {program.process.returncode}: "
                                         + program.log()[-2000:])
            return not self.differences()

        try:
            wait_until(equal, "target to equal source", timeout, pause=0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.differences()}") from None

    # ---- the slot
    def slot_lsn(self, column="confirmed_flush_lsn"):
        """A position of the slot as a number, or None."""
        return self.source.value(f"SELECT ({column} - '0/0')::bigint FROM pg_replication_slots WHERE slot_name = %s",
                                 params=(self.slot,))

    def walsender_pid(self):
        return self.source.value("SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s",
                                 params=(self.slot,))

    def stored_rows(self, table):
        """Records of a table in the local log, read past the programs; 0 while there is no log yet."""
        query = "SELECT count(*) FROM record JOIN topic ON topic.id = record.topic WHERE topic.name LIKE ?"
        try:
            with closing(sqlite3.connect(f"file:{self.log_path}?mode=ro", uri=True)) as log:
                return log.execute(query, (f"%.{table}",)).fetchone()[0]
        except sqlite3.OperationalError:
            return 0

    def wal_lsn(self):
        return self.source.value("SELECT (pg_current_wal_lsn() - '0/0')::bigint")

    # ---- the end
    def close(self, show_logs=False):
        for program in self.programs:
            if program.running():
                program.kill()
            if show_logs:
                print(f"---- {program.label} ----\n{program.log()[-4000:]}")
        for server in (self.source, self.target):
            if server.process.poll() is not None:
                server.start()
        self._drop_slots()
        for server in (self.source, self.target):
            server.drop_database(self.database)

    def _drop_slots(self):
        mine = "SELECT slot_name FROM pg_replication_slots WHERE database = %s AND NOT active"
        busy = "SELECT count(*) FROM pg_replication_slots WHERE database = %s AND active"
        self.source.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                            "WHERE database = %s AND active", params=(self.database,))
        wait_until(lambda: self.source.value(busy, params=(self.database,)) == 0, "slots to become free")
        for (name,) in self.source.rows(mine, params=(self.database,)):
            self.source.execute("SELECT pg_drop_replication_slot(%s)", params=(name,))
