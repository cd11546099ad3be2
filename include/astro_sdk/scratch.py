"""Tables that a `replace` fills before they take the target's place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from psycopg import Connection, errors

from include.landfall.errors import LandfallError
from include.landfall.postgres.catalog import lock_name

from . import tables
from .names import Name

if TYPE_CHECKING:
    from .database import PostgresDatabase

PATTERN = "^_landfall_[0-9a-f]{32}$"  # as Name.scratch() makes them


@contextmanager
def scratch_of(database: PostgresDatabase, target: Name) -> Iterator[Name]:
    """Yields a name for a table beside the target, and drops what killed loads have left there.

    A lock says that the load lives. It ends with the load's process, also behind a pooler.
    """
    name, is_done = target.scratch(), False
    with database.connect() as connection:
        drop_left_over(connection, target.schema)
    try:
        with database.transaction() as holder:
            holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            lock_name(holder, name.written)
            yield name
            is_done = True
    except LandfallError:
        # The load is complete: that the lock's connection was lost meanwhile does not matter.
        if not is_done:
            raise


def drop_left_over(connection: Connection, schema: str) -> None:
    """Drops the tables of loads that live no more."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(quote_ident(%s))"
        " AND relkind = 'r' AND relname ~ %s",
        [schema, PATTERN],
    ).fetchall()
    for (table,) in rows:
        name = Name(schema, table)
        with suppress(errors.InsufficientPrivilege), connection.transaction():
            query = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 1))"
            is_free = connection.execute(query, [name.written]).fetchone()
            if is_free and is_free[0]:
                tables.drop(connection, name)
