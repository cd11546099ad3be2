"""Tables and schemas in Postgres, through psycopg and with quoted names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from astro.exceptions import NonExistentTableException
from psycopg import Connection, errors, sql

from include.landfall.job import LOAD_ID

from .quoting import folded, in_sql, quoted


@dataclass(frozen=True)
class Name:
    """A table's schema and name, exactly as Postgres keeps them."""

    schema: str
    table: str

    @classmethod
    def of(cls, table: Any) -> Name:
        """Gives the name of astro's table, whose schema must be filled in."""
        return cls(folded(table.metadata.schema), folded(table.name))

    @property
    def quoted(self) -> str:
        """The name in SQL, in quotes."""
        return ".".join(quoted(part) for part in (self.schema, self.table))

    @property
    def in_sql(self) -> str:
        """The name in SQL, in quotes only where Postgres needs them."""
        return ".".join(in_sql(quoted(part)) for part in (self.schema, self.table))

    @property
    def identifier(self) -> sql.Identifier:
        """The name in psycopg's SQL."""
        return sql.Identifier(self.schema, self.table)

    def scratch(self) -> Name:
        """Gives a name in the same schema that no table has."""
        return Name(self.schema, f"_landfall_{uuid.uuid4().hex}")


def names(columns: Sequence[str]) -> sql.Composed:
    """Gives column names with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def columns_of(connection: Connection, name: Name) -> dict[str, str]:
    """Gives a table's columns and their types as Postgres writes them; none without a table."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [name.quoted],
    )
    return dict(rows.fetchall())


def data_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """Gives the columns without the one that the engine adds."""
    return {column: type_name for column, type_name in columns.items() if column != LOAD_ID}


def data_columns_of(connection: Connection, name: Name) -> dict[str, str]:
    """Gives the columns of a table that must exist, without the one that the engine adds.

    Raises: NonExistentTableException, astro's own, when there is no such table.
    """
    columns = data_columns(columns_of(connection, name))
    if not columns:
        raise NonExistentTableException(f"The table {name.quoted} does not exist")
    return columns


def columns_as_sql(columns: Mapping[str, str], wanted: Sequence[str]) -> dict[str, str]:
    """Gives the SQL of each wanted column: the exact name, else the one that Postgres folds it to.

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


def row_count(connection: Connection, name: Name) -> int:
    """Counts the rows of a table."""
    counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(name.identifier))
    return int((counted.fetchone() or (0,))[0])


def replace(connection: Connection, target: Name, source: Name) -> int:
    """Replaces a table by another one, which then no longer exists; gives the number of rows.

    Runs in the caller's transaction. A target with the same columns keeps its views, grants,
    indexes and constraints: its rows are deleted (readers see them until the commit) and the new
    ones are inserted. A target with other columns is dropped, and the source gets its name.
    """
    old, new = columns_of(connection, target), columns_of(connection, source)
    if old and _same(old, new):
        # Two replacements at the same time must not both stay. Readers do not wait for this lock.
        lock = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"
        connection.execute(sql.SQL(lock).format(target.identifier))
        connection.execute(sql.SQL("DELETE FROM {}").format(target.identifier))
        rows = insert(connection, source, target, {column: column for column in new})
        drop(connection, source)
        return rows
    drop(connection, target)
    renamed = sql.SQL("ALTER TABLE {} RENAME TO {}")
    connection.execute(renamed.format(source.identifier, sql.Identifier(target.table)))
    return row_count(connection, target)


def _same(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    # The order counts too: SELECT * and UNION go by it. Rows without a load id fit into a table that
    # has the column.
    columns = [*new.items()]
    return columns == [*old.items()] or (
        LOAD_ID not in new and columns == [*data_columns(old).items()]
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
    """Tells whether there is a schema of exactly this name."""
    rows = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
    return rows.fetchone() is not None


def create_schema(connection: Connection, schema: str) -> None:
    """Creates a schema where it is missing.

    It looks first, because not every role has the right that CREATE SCHEMA IF NOT EXISTS needs.
    """
    if not schema_exists(connection, schema):
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
