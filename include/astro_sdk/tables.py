"""Tables and schemas in Postgres, through psycopg and with quoted names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress

from astro.exceptions import NonExistentTableException
from psycopg import Connection, errors, sql

from include.landfall.job import LOAD_ID
from include.landfall.postgres.catalog import lock_name

from . import reshaping
from .names import Name
from .quoting import quoted

__all__ = ["Name"]


def names(columns: Sequence[str]) -> sql.Composed:
    """Returns column names with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def columns_of(connection: Connection, name: Name) -> dict[str, str]:
    """Returns a table's columns and their types as Postgres writes them; none without a table."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [name.quoted],
    )
    return dict(rows.fetchall())


def data_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Returns the columns without the one that the engine adds."""
    return {column: type_name for column, type_name in columns.items() if column != LOAD_ID}


def data_columns_of(connection: Connection, name: Name) -> dict[str, str]:
    """Returns the columns of a table that must exist, without the one that the engine adds.

    Raises: NonExistentTableException, astro's own, when there is no such table.
    """
    columns = data_columns(columns_of(connection, name))
    if not columns:
        raise NonExistentTableException(f"The table {name.quoted} does not exist")
    return columns


def columns_as_sql(columns: Mapping[str, str], wanted: Sequence[str]) -> dict[str, str]:
    """Returns the SQL of each wanted column: the exact name, else what Postgres folds it to.

    A text that is no column stays as it is, because `check_column` takes expressions too.
    """
    folded = {name: name if name in columns else name.lower() for name in wanted}
    return {name: quoted(real) if real in columns else name for name, real in folded.items()}


def create(connection: Connection, name: Name, columns: Mapping[str, str]) -> None:
    """Creates a table; the types are Postgres's own names, never text from a file."""
    parts = [
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(type_name))
        for column, type_name in columns.items()
    ]
    statement = sql.SQL("CREATE TABLE {} ({})")
    connection.execute(statement.format(name.identifier, sql.SQL(", ").join(parts)))


def drop(connection: Connection, name: Name) -> None:
    """Drops a table if it exists."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name.identifier))


def drop_unused(connection: Connection, name: Name) -> None:
    """Drops a table unless it has rows, or another session uses it now."""
    with suppress(errors.LockNotAvailable, errors.UndefinedTable), connection.transaction():
        lock = "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT"
        connection.execute(sql.SQL(lock).format(name.identifier))
        if not row_count(connection, name):
            drop(connection, name)


def is_empty(connection: Connection, name: Name) -> bool:
    """Returns whether a table has no row."""
    query = sql.SQL("SELECT NOT EXISTS (SELECT 1 FROM {})").format(name.identifier)
    return bool((connection.execute(query).fetchone() or (False,))[0])


def row_count(connection: Connection, name: Name) -> int:
    """Counts the rows of a table."""
    counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name.identifier))
    return int((counted.fetchone() or (0,))[0])


def replace(connection: Connection, target: Name, source: Name) -> None:
    """Replaces a table by another one, which then no longer exists.

    Runs in the caller's transaction. What hangs on the target stays: its rows are deleted (readers
    see them until the commit), its columns become the source's, and the new rows are inserted.
    Where the columns cannot be changed in place, the source gets the target's name, its views and
    grants, and the indexes that fit.
    """
    if not columns_of(connection, target):  # another task may create it now
        lock_name(connection, f"create {target.written}")
        if not columns_of(connection, target):
            reshaping.take_name(connection, target, source)
            return
    _check_no_view(connection, target)
    # Two replacements at the same time must not both stay. Readers do not wait for this lock.
    lock = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"
    connection.execute(sql.SQL(lock).format(target.identifier))
    old, new = columns_of(connection, target), columns_of(connection, source)
    if not reshaping.keeps_order(old, new):
        reshaping.exchange(connection, target, source)
        return
    connection.execute(sql.SQL("DELETE FROM {}").format(target.identifier))
    if old == new or reshaping.alter(connection, target, old, new):
        insert(connection, source, target, {column: column for column in new})
        drop(connection, source)
    else:
        reshaping.exchange(connection, target, source)


def _check_no_view(connection: Connection, name: Name) -> None:
    """Checks that the rows of the name are its own: through a view those of its table would go.

    Raises: ValueError.
    """
    query = "SELECT 1 FROM pg_class WHERE oid = to_regclass(%s) AND relkind = 'v'"
    if connection.execute(query, [name.quoted]).fetchone():
        raise ValueError(
            f"{name.written} is a view, and the rows of its tables would be replaced. Nothing has"
            " changed. What to do: name another output table, or drop the view"
        )


def insert(
    connection: Connection,
    source: Name,
    target: Name,
    mapping: Mapping[str, str],
    conflict: sql.Composable | None = None,
) -> int:
    """Inserts a table's rows into another, by column names from source to target; counts them."""
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
        target.identifier,
        names(list(mapping.values())),
        names(list(mapping)),
        source.identifier,
    )
    parts = [statement, conflict] if conflict else [statement]
    return connection.execute(sql.SQL(" ").join(parts)).rowcount


def schema_exists(connection: Connection, schema: str) -> bool:
    """Returns whether there is a schema of exactly this name."""
    rows = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
    return rows.fetchone() is not None


def create_schema(connection: Connection, schema: str) -> None:
    """Creates a schema where it is missing.

    It looks first, because not every role has the right that CREATE SCHEMA IF NOT EXISTS needs.
    """
    if not schema_exists(connection, schema):
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
