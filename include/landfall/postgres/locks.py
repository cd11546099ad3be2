"""Who holds a table that others wait for."""

from __future__ import annotations

from contextlib import suppress

import psycopg
from psycopg import Connection

from include.landfall.errors import LandfallError, shortened

LONGEST_NAME = 80  # of a program, which may have the key of an object in it

# The strongest lock first, then the oldest. Of the sessions of other roles a role that may not look
# at them sees no state and no time.
HOLDERS = """
SELECT
    activity.pid,
    activity.application_name,
    activity.usename::text AS role,
    activity.state,
    to_char(activity.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"') AS since
FROM pg_stat_activity AS activity
INNER JOIN pg_locks AS held ON activity.pid = held.pid
INNER JOIN pg_class AS class ON held.relation = class.oid
INNER JOIN pg_namespace AS schema ON class.relnamespace = schema.oid
WHERE
    schema.nspname = %s AND class.relname = %s AND held.granted
    AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND activity.pid <> pg_backend_pid()
GROUP BY
    activity.pid, activity.application_name, activity.usename, activity.state, activity.xact_start
ORDER BY
    max(array_position(
        ARRAY[
            'AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock',
            'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'
        ], held.mode
    )) DESC,
    activity.xact_start
"""


def holder_of(connection: Connection, schema: str, name: str) -> str | None:
    """Returns who has most probably locked the table, and how to end that; None when nobody has."""
    sessions = connection.execute(HOLDERS, [schema, name]).fetchall()
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
