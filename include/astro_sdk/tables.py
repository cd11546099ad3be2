"""Tables in Postgres: what they are, and how one takes another's place. Psycopg, quoted names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql

from include.landfall.job import LOAD_ID

from .quoting import quoted


@dataclass(frozen=True)
class Name:
    """A table's schema and name, as they are: case and quotes are the name's own."""

    schema: str
    table: str

    @classmethod
    def of(cls, table: Any) -> Name:
        """The name of astro's table, which has had its schema filled in."""
        return cls(table.metadata.schema, table.name)

    @property
    def quoted(self) -> str:
        """The name as SQL writes it."""
        return ".".join(quoted(part) for part in (self.schema, self.table))

    @property
    def identifier(self) -> sql.Identifier:
        """The name for psycopg's SQL."""
        return sql.Identifier(self.schema, self.table)

    def scratch(self) -> Name:
        """A name in the same schema that nobody has."""
        return Name(self.schema, f"_landfall_{uuid.uuid4().hex}")


def names(columns: Sequence[str]) -> sql.Composed:
    """Column names with commas between."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def columns_of(connection: Connection, name: Name) -> dict[str, str]:
    """The table's columns and types as Postgres shows them; none when there is no such table."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        [name.quoted],
    )
    return dict(rows.fetchall())


def data_columns(columns: Mapping[str, str]) -> dict[str, str]:
    """The columns without the engine's own."""
    return {column: kind for column, kind in columns.items() if column != LOAD_ID}


def create(connection: Connection, name: Name, columns: Mapping[str, str]) -> None:
    """Makes a table of columns whose types are Postgres's own words, never a file's."""
    parts = [
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind))
        for column, kind in columns.items()
    ]
    statement = sql.SQL("CREATE TABLE {} ({})")
    connection.execute(statement.format(name.identifier, sql.SQL(", ").join(parts)))


def drop(connection: Connection, name: Name) -> None:
    """Drops the table if it is there."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(name.identifier))


def take_place(connection: Connection, source: Name, target: Name) -> int:
    """The source's rows become the target's, and the source is gone. Within a transaction.

    A target of the same columns keeps its views, grants, indexes and constraints: its rows are
    deleted (readers see the old ones until the commit) and the new ones inserted. A target of
    other columns is dropped, and the source gets its name. Gives back the number of rows.
    """
    found, made = columns_of(connection, target), columns_of(connection, source)
    if found and _same(found, made):
        # Two replacements at once must not both stay; readers are not held up.
        lock = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"
        connection.execute(sql.SQL(lock).format(target.identifier))
        connection.execute(sql.SQL("DELETE FROM {}").format(target.identifier))
        rows = insert(connection, source, target, {column: column for column in made})
        drop(connection, source)
        return rows
    drop(connection, target)
    connection.execute(
        sql.SQL("ALTER TABLE {} RENAME TO {}").format(
            source.identifier, sql.Identifier(target.table)
        )
    )
    counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(target.identifier))
    return int((counted.fetchone() or (0,))[0])


def _same(found: Mapping[str, str], made: Mapping[str, str]) -> bool:
    # What lacks only the load id fits into a table that has it.
    return dict(found) == dict(made) or (LOAD_ID not in made and data_columns(found) == dict(made))


def insert(
    connection: Connection,
    source: Name,
    target: Name,
    mapping: Mapping[str, str],
    conflict: sql.Composable | None = None,
) -> int:
    """INSERT … SELECT of the mapped columns, source's name to target's; gives the row count."""
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}").format(
        target.identifier,
        names(list(mapping.values())),
        names(list(mapping)),
        source.identifier,
    )
    done = connection.execute(sql.SQL(" ").join([statement, conflict] if conflict else [statement]))
    return done.rowcount


def on_conflict(
    strategy: str, keys: Sequence[str], columns: Sequence[str]
) -> sql.Composable | None:
    """The ON CONFLICT of a merge: `ignore`, `update`, or none for `exception`."""
    if strategy == "exception":
        return None
    if strategy == "ignore":
        return sql.SQL("ON CONFLICT ({}) DO NOTHING").format(names(keys))
    changes = [
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c)) for c in columns if c not in keys
    ]
    if not changes:
        return sql.SQL("ON CONFLICT ({}) DO NOTHING").format(names(keys))
    return sql.SQL("ON CONFLICT ({}) DO UPDATE SET {}").format(
        names(keys), sql.SQL(", ").join(changes)
    )


def create_schema(connection: Connection, schema: str) -> None:
    """Makes the schema where it is missing: CREATE is a right that not every role has."""
    there = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
    if not there.fetchone():
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
