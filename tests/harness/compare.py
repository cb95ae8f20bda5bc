"""Are two databases equal? Table by table: rows, and a hash over the ordered content."""

from psycopg import sql

TABLES = """SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'walferry')
              AND n.nspname NOT LIKE 'pg_%' ORDER BY 1, 2"""

SESSION = ("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; "
           "SET extra_float_digits = 1")


def tables_of(connection):
    return [tuple(row) for row in connection.execute(TABLES).fetchall()]


def fingerprint(connection, schema, table):
    """(rows, hash) of a table's content, each row as text, independent of the physical order."""
    row = sql.Identifier("walferry_row")
    query = sql.SQL("SELECT count(*), coalesce(md5(string_agg(h, '' ORDER BY h COLLATE \"C\")), '') "
                    "FROM (SELECT md5({row}::text) AS h FROM {table} AS {row}) AS hashes").format(
                        row=row, table=sql.Identifier(schema, table))
    return tuple(connection.execute(query).fetchone())


def fingerprints(server, database, only=None):
    """{(schema, table): (rows, hash)}, all tables in one snapshot."""
    with server.connect(database, autocommit=False) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(SESSION)
        return {name: fingerprint(connection, *name) for name in (only or tables_of(connection))}


def differences(source, source_database, target, target_database):
    """One line per table that differs; empty = equal."""
    left, right = fingerprints(source, source_database), fingerprints(target, target_database)
    lines = []
    for name in sorted(set(left) | set(right)):
        if left.get(name) != right.get(name):
            lines.append(f"{name[0]}.{name[1]}: source {left.get(name)}, target {right.get(name)}")
    return lines
