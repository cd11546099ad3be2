"""Two connections of one statement must lead to one database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .names import Name

if TYPE_CHECKING:
    from .database import PostgresDatabase

# A server's start is its own; a pooler before it and another role do not change it.
IDENTITY = (
    "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"
)


def name_in(database: PostgresDatabase, table: Any) -> Name:
    """Returns a table's name, which a statement in this database may use.

    Raises: ValueError when the table's connection leads to another database.
    """
    if not _is_same(database, table.conn_id):
        raise ValueError(
            f"the connections {database.conn_id!r} and {table.conn_id!r} lead to two databases,"
            " and one statement takes tables of one. What to do: bring the rows over with"
            " @aql.dataframe, or with export_to_file and load_file"
        )
    return Name.of(table)


def _is_same(database: PostgresDatabase, conn_id: str) -> bool:
    if not conn_id or conn_id == database.conn_id:
        return True
    with database.connect() as one, type(database)(conn_id).connect() as other:
        return one.execute(IDENTITY).fetchone() == other.execute(IDENTITY).fetchone()
