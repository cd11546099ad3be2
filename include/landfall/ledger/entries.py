"""The ledger: what is known of every arrival, what is new, and who may load.

The only house that knows the ledger's table. Its row commits with the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg import Connection

from include.landfall.postgres.statements import statement

TABLE = "landfall.ledger"


# Any constant of ours: two first loads must not create the ledger at once.
CREATION_LOCK = 0x1A4DFA11


@dataclass(frozen=True)
class Entry:
    """A row of the ledger. `seconds` is how long the load took; times have a zone."""

    load_id: int
    feed: str
    bucket: str
    key: str
    etag: str
    version_id: str | None
    size: int
    last_modified: datetime
    target: str
    rows: int | None
    started: datetime
    seconds: float | None
    status: str
    error: str | None
    loaded_by: str


def create_ledger(connection: Connection) -> None:
    """Creates the ledger where it is missing."""
    if ledger_exists(connection):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [CREATION_LOCK])
        # IF NOT EXISTS would ask for the right to create schemas even where there is one.
        query = "SELECT 1 FROM pg_namespace WHERE nspname = 'landfall'"
        if connection.execute(query).fetchone() is None:
            connection.execute("CREATE SCHEMA landfall")
        connection.execute(statement("ledger/create"))


def ledger_exists(connection: Connection) -> bool:
    """Whether there is a ledger yet."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [TABLE]).fetchone()
    return bool(row and row[0])
