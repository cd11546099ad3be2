"""The ledger: what is known of every arrival, what is new, and who may load.

The only house that knows the ledger's table. Its row commits with the data.
"""

from __future__ import annotations

from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from include.landfall.ledger.entries import TABLE, Entry, ledger_exists


def entries_of(connection: Connection, feed: str) -> list[Entry]:
    """The feed's rows of the ledger, oldest first; none when there is no ledger yet."""
    if not ledger_exists(connection):
        return []
    return select(connection, "WHERE feed = %(feed)s ORDER BY load_id", {"feed": feed})


def select(connection: Connection, where: str, parameters: dict[str, Any]) -> list[Entry]:
    columns = ", ".join(Entry.__dataclass_fields__)
    query = f"SELECT {columns} FROM {TABLE} {where}"  # noqa: S608  ours
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(query, parameters).fetchall()
