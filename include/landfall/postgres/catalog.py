"""What the database has: schemas, tables, columns. Creates a schema that is missing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.errors import WrongUse
from include.landfall.postgres.statements import value


class CatalogColumn(NamedTuple):
    """A column as the catalog has it. `is_computed`: the table makes its values itself."""

    name: str
    type: str
    is_computed: bool


def catalog_columns(connection: Connection, relation: sql.Identifier) -> list[CatalogColumn]:
    """Returns the columns of a table or view, in its order; none when there is no such relation."""
    query = (
        "SELECT attname AS name, format_type(atttypid, atttypmod) AS type,"
        " attgenerated <> '' OR attidentity <> '' AS is_computed"
        " FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum"
    )
    with connection.cursor(row_factory=class_row(CatalogColumn)) as cursor:
        return cursor.execute(query, [relation.as_string(connection)]).fetchall()


def has_schema(connection: Connection, name: str) -> bool:
    """Returns whether there is such a schema."""
    query = "SELECT 1 FROM pg_namespace WHERE nspname = %s"
    return value(connection, query, [name]) is not None


def has_relation(connection: Connection, schema: str, name: str) -> bool:
    """Returns whether there is such a table or view, also right after a wait for a lock.

    to_regclass() would not do: inside a transaction it still believes what it saw before the wait.
    """
    query = (
        "SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s"
    )
    return value(connection, query, [schema, name]) is not None


def shape_of(connection: Connection, schema: str, name: str) -> set[tuple[int, str, int, int]]:
    """Returns what nobody may alter while rows go in: the relation's id, its columns and types.

    Also right after a wait for a lock. It is empty when there is no such table or view.
    """
    query = (
        "SELECT c.oid::bigint, attname::text, atttypid::bigint, atttypmod FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_attribute ON attrelid = c.oid"
        " WHERE n.nspname = %s AND c.relname = %s AND attnum > 0 AND NOT attisdropped"
    )
    return set(connection.execute(query, [schema, name]).fetchall())


def missing_relations(connection: Connection, names: Iterable[str]) -> list[str]:
    """Returns those of the tables and views that are not there.

    Each is schema.table, as a feed has it: capitals and spaces are part of the name.

    Raises: WrongUse when a name has no schema.
    """
    return [name for name in names if not has_relation(connection, *_in_parts(name))]


def _in_parts(name: str) -> tuple[str, str]:
    schema, dot, relation = name.partition(".")
    if not dot:
        raise WrongUse("a table without its schema", found=name, expected="schema.table")
    return schema, relation


def has_column(connection: Connection, relation: sql.Identifier, name: str) -> bool:
    """Returns whether the table or view has such a column."""
    query = (
        "SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s"
        " AND NOT attisdropped"
    )
    return value(connection, query, [relation.as_string(connection), name]) is not None


def create_schema(connection: Connection, name: str) -> None:
    """Creates the schema where it is missing, also when two sessions do so at once.

    IF NOT EXISTS would fail for one of the two, and asks for the right to create schemas even
    where there is nothing to create.
    """
    if has_schema(connection, name):
        return
    lock_name(connection, f"create schema {name}")
    if not has_schema(connection, name):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))


def lock_name(connection: Connection, name: str) -> None:
    """Waits until no other transaction holds this name, then holds it to the transaction's end."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [name])


def lock_writers_out(connection: Connection, relation: sql.Identifier) -> None:
    """Makes other writers of a table wait until the transaction ends. Readers never wait."""
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(relation))
