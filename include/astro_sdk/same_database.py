"""Two connections of one statement must lead to one database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .database import PostgresDatabase

# A server's start is its own; a pooler before it and another role do not change it.
IDENTITY = (
    "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"
)


def check_same_database(database: PostgresDatabase, conn_id: str) -> None:
    """Refuses a table that the statement would look for in another database than its own.

    Raises: ValueError when the connection leads elsewhere.
    """
    if not conn_id or conn_id == database.conn_id:
        return
    with database.connect() as one, type(database)(conn_id).connect() as other:
        if one.execute(IDENTITY).fetchone() == other.execute(IDENTITY).fetchone():
            return
    raise ValueError(
        f"the connections {database.conn_id!r} and {conn_id!r} lead to two databases, and one"
        " statement takes tables of one. What to do: bring the rows over with @aql.dataframe, or"
        " with export_to_file and load_file"
    )
