"""Writers that remember what they committed: the oracle of the tests.

Each writer is a thread with its own connection. A row is (writer, n, version, note); a transaction inserts, updates
or deletes some rows and is noted in the ledger only after its COMMIT returned. A COMMIT whose answer was lost is
asked for afterwards (every transaction also inserts its number into `ledger`), so that the ledger is exact."""

import random
import threading

import psycopg

TABLES = """
CREATE TABLE account (writer int, n int, version int NOT NULL, note text, PRIMARY KEY (writer, n));
CREATE TABLE ledger (writer int, number int, rows int NOT NULL, PRIMARY KEY (writer, number));
CREATE TABLE journal (writer int, number int, note text);
ALTER TABLE journal REPLICA IDENTITY FULL;
"""


class Writer(threading.Thread):
    """Commits transactions until stopped; survives the source's restarts."""

    def __init__(self, server, database, writer, seed=1, rows_max=20, pause=0.0):
        super().__init__(daemon=True)
        self.server, self.database, self.writer = server, database, writer
        self.random = random.Random(seed * 1000 + writer)
        self.rows_max, self.pause = rows_max, pause
        self.accounts = {}  # n → version, as committed
        self.journal = []   # (number, note), as committed
        self.numbers = []   # committed transactions
        self.error = None
        self._stopping = threading.Event()

    def stop(self):
        self._stopping.set()
        self.join(60)
        if self.error:
            raise self.error
        return self

    def run(self):
        number = 0
        try:
            while not self._stopping.is_set():
                number += 1
                self._commit_one(number)
                if self.pause:
                    self._stopping.wait(self.pause)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def _commit_one(self, number):
        accounts, journal, statements = self._plan(number)
        while not self._attempt(number, statements):
            if self._committed(number):
                break
        self.accounts, self.journal = accounts, journal
        self.numbers.append(number)

    def _plan(self, number):
        accounts, journal, statements = dict(self.accounts), list(self.journal), []
        rows = self.random.randint(1, self.rows_max)
        for _ in range(rows):
            statements.append(self._change(accounts))
        note = f"note {number} of {self.writer}"
        journal.append((number, note))
        statements.append(("INSERT INTO journal VALUES (%s, %s, %s)", (self.writer, number, note)))
        if len(journal) > 3 and self.random.random() < 0.3:
            old = self.random.randrange(len(journal) - 1)
            statements.append(("DELETE FROM journal WHERE writer = %s AND number = %s", (self.writer, journal[old][0])))
            del journal[old]
        statements.append(("INSERT INTO ledger VALUES (%s, %s, %s)", (self.writer, number, rows)))
        return accounts, journal, statements

    def _change(self, accounts):
        choice = self.random.random()
        if choice < 0.5 or len(accounts) < 5:
            n = (max(accounts) if accounts else 0) + 1
            accounts[n] = 1
            return "INSERT INTO account VALUES (%s, %s, 1, %s)", (self.writer, n, "x" * self.random.randint(0, 300))
        n = self.random.choice(list(accounts))
        if choice < 0.85:
            accounts[n] += 1
            return ("UPDATE account SET version = version + 1 WHERE writer = %s AND n = %s", (self.writer, n))
        if choice < 0.95:
            del accounts[n]
            return "DELETE FROM account WHERE writer = %s AND n = %s", (self.writer, n)
        moved = max(accounts) + 1
        accounts[moved] = accounts.pop(n)
        return "UPDATE account SET n = %s WHERE writer = %s AND n = %s", (moved, self.writer, n)

    def _attempt(self, number, statements):
        try:
            with self.server.connect(self.database, autocommit=False, connect_timeout=5) as connection:
                for text, params in statements:
                    connection.execute(text, params)
            return True
        except psycopg.OperationalError:
            return False

    def _committed(self, number):
        """After a lost answer: did it commit? Asks until the server answers."""
        while True:
            try:
                return self.server.value("SELECT count(*) FROM ledger WHERE writer = %s AND number = %s",
                                         self.database, (self.writer, number)) == 1
            except psycopg.OperationalError:
                if self._stopping.wait(0.2):
                    pass


def ledger_differences(server, database, writers):
    """What a database holds against what the writers committed; empty = equal."""
    lines = []
    for writer in writers:
        rows = dict(server.rows("SELECT n, version FROM account WHERE writer = %s", database, (writer.writer,)))
        if rows != writer.accounts:
            lines.append(f"account of writer {writer.writer}: {len(rows)} rows, ledger {len(writer.accounts)}")
        journal = server.rows("SELECT number, note FROM journal WHERE writer = %s ORDER BY number, note", database,
                              (writer.writer,))
        if [tuple(row) for row in journal] != sorted(writer.journal):
            lines.append(f"journal of writer {writer.writer}: {len(journal)} rows, ledger {len(writer.journal)}")
        numbers = [row[0] for row in server.rows("SELECT number FROM ledger WHERE writer = %s ORDER BY 1", database,
                                                 (writer.writer,))]
        if numbers != writer.numbers:
            lines.append(f"ledger of writer {writer.writer}: {len(numbers)} rows, ledger {len(writer.numbers)}")
    return lines
