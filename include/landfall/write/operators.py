"""The operators by which Postgres compares the values of a table."""

from __future__ import annotations

from psycopg import Connection, sql

from include.landfall.postgres.statements import statement


def see_types(connection: Connection, relation: sql.Identifier) -> None:
    """Lets the transaction find the operators of a table's types, whatever their schemas are."""
    connection.execute(statement("write/see_types"), {"target": relation.as_string(connection)})
