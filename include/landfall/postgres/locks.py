"""Who holds a table that others wait for."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import Connection

from include.landfall.errors import LandfallError, shortened
from include.landfall.postgres.statements import statement

LONGEST_NAME = 80  # of a program, which may have the key of an object in it


def holder_of(connection: Connection, schema: str, name: str) -> str | None:
    """Returns who has most probably locked the table, and how to end that; None when nobody has."""
    sessions = connection.execute(statement("write/holders"), [schema, name]).fetchall()
    if not sessions:
        return None
    pid, program, role, state, since = sessions[0]
    who = f"{shortened(program, LONGEST_NAME)} as {role}" if program else f"a session of {role}"
    facts = [f"{who} (pid {pid})", state, since and f"since {since}"]
    more = f", and {len(sessions) - 1} more" if len(sessions) > 1 else ""
    told = " ".join(filter(None, facts))
    return f"{told}{more}; to end it: SELECT pg_terminate_backend({pid})"


def add_holder(connection: Connection, schema: str, name: str, error: LandfallError) -> None:
    """Adds to the error of a wait for a lock who holds the table."""
    if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
        return
    with suppress(psycopg.Error):  # the wait is the error to tell
        if holder := holder_of(connection, schema, name):
            error.more.append(("locked by", holder))
