"""The ledger: what is known of every arrival, what is new, and who may load.

The only house that knows the ledger's table. Its row commits with the data.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from .arrival import Arrival
from .feed import Feed
from .postgres import statement

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


@dataclass(frozen=True)
class Claimant:
    """One attempt at one arrival: the values of its row in the ledger."""

    feed: Feed
    arrival: Arrival
    by: str
    attempt: uuid.UUID

    @classmethod
    def new(cls, feed: Feed, arrival: Arrival, by: str) -> Claimant:
        """A new attempt; without `by` it says which process on which host."""
        return cls(feed, arrival, by or f"{socket.gethostname()}:{os.getpid()}", uuid.uuid4())

    def values(self, **more: Any) -> dict[str, Any]:
        """The parameters of the ledger's statements."""
        arrival, target = self.arrival, self.feed.target
        return {
            **arrival.__dict__,
            "feed": self.feed.feed,
            "target": target.table,
            "whole_feed": target.disposition == "replace",
            "by": self.by,
            "attempt": self.attempt,
            **more,
        }


def prepare(connection: Connection) -> None:
    """Creates the ledger where it is missing."""
    if exists(connection):
        return
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [CREATION_LOCK])
        # IF NOT EXISTS would ask for the right to create schemas even where there is one.
        query = "SELECT 1 FROM pg_namespace WHERE nspname = 'landfall'"
        if connection.execute(query).fetchone() is None:
            connection.execute("CREATE SCHEMA landfall")
        connection.execute(statement("ledger"))


def exists(connection: Connection) -> bool:
    """Whether there is a ledger yet."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [TABLE]).fetchone()
    return bool(row and row[0])


def new_arrivals(connection: Connection, feed: Feed, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Those that are not loaded, oldest first: a set difference, never a time cursor."""
    known = {
        (entry.bucket, entry.key, entry.version_id or entry.etag): entry
        for entry in entries(connection, feed.feed)
    }
    new = [a for a in arrivals if _is_new(a, known.get((a.bucket, a.key, a.version)))]
    return sorted(new, key=lambda a: (a.last_modified, a.key))


def _is_new(arrival: Arrival, entry: Entry | None) -> bool:
    if entry is None or entry.status == "failed":
        return True
    # The same content put again after another version had taken its place.
    return entry.status == "superseded" and arrival.last_modified > entry.last_modified


def entries(connection: Connection, feed: str) -> list[Entry]:
    """The feed's rows of the ledger, oldest first; none when there is no ledger yet."""
    if not exists(connection):
        return []
    return _select(connection, "WHERE feed = %(feed)s ORDER BY load_id", {"feed": feed})


def _select(connection: Connection, where: str, parameters: dict[str, Any]) -> list[Entry]:
    columns = ", ".join(Entry.__dataclass_fields__)
    query = f"SELECT {columns} FROM {TABLE} {where}"  # noqa: S608  ours
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(query, parameters).fetchall()


def lock(connection: Connection, claimant: Claimant) -> None:
    """Waits until no other load of the same object (of the feed, for `replace`) is under way."""
    arrival = claimant.arrival
    whole = claimant.feed.target.disposition == "replace"
    scope = claimant.feed.feed if whole else f"{claimant.feed.feed}\n{arrival.uri}"
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [scope])


def newer(connection: Connection, claimant: Claimant) -> tuple[int, str] | None:
    """The newer load that makes this arrival stale, as (load id, by whom)."""
    return connection.execute(statement("newer"), claimant.values()).fetchone()


def claim(connection: Connection, claimant: Claimant, force: bool) -> tuple[int, bool] | None:
    """The load id, and whether the arrival had a row before; None when it is loaded already."""
    return connection.execute(statement("claim"), claimant.values(force=force)).fetchone()


def supersede(connection: Connection, claimant: Claimant, load_id: int) -> list[int]:
    """Marks the loads that this one takes the place of; gives back their ids."""
    rows = connection.execute(statement("supersede"), claimant.values(load_id=load_id))
    return [row[0] for row in rows.fetchall()]


def close(connection: Connection, load_id: int, status: str, rows: int | None) -> float:
    """Closes the row as loaded or superseded; gives back the seconds since its claim.

    Without `rows` it keeps those of an earlier load.
    """
    row = connection.execute(
        "UPDATE landfall.ledger SET status = %s, rows = coalesce(%s, rows, 0),"
        " seconds = extract(epoch FROM clock_timestamp() - started)"
        " WHERE load_id = %s RETURNING seconds",
        [status, rows, load_id],
    ).fetchone()
    assert row is not None  # claimed in this very transaction
    return float(row[0])


def find(connection: Connection, claimant: Claimant) -> tuple[Entry, bool] | None:
    """The arrival's row, and whether this very attempt wrote it."""
    where = (
        "WHERE feed = %(feed)s AND bucket = %(bucket)s AND key = %(key)s AND version = %(version)s"
    )
    parameters = claimant.values(version=claimant.arrival.version)
    found = _select(connection, where, parameters)
    if not found:
        return None
    mine = f"SELECT attempt = %(attempt)s FROM {TABLE} {where}"  # noqa: S608  ours
    row = connection.execute(mine, parameters).fetchone()
    return found[0], bool(row and row[0])


def keep_failure(
    connection: Connection, claimant: Claimant, error: str, seconds: float
) -> Entry | None:
    """Writes the failure, in a transaction of its own; waits for a COMMIT still under way.

    Gives back the row instead when this very attempt turns out to be loaded: its COMMIT had
    arrived though the answer had not.
    """
    connection.execute(statement("fail"), claimant.values(error=error, seconds=seconds))
    found = find(connection, claimant)
    if found and found[1] and found[0].status == "loaded":
        return found[0]
    return None
