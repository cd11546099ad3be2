"""The ledger: what is known of every arrival, what is new, and who may load.

The only house that knows the ledger's table. Its row commits with the data.
"""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from typing import Any

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import TABLE, Entry
from include.landfall.ledger.queries import select
from include.landfall.postgres.statements import statement


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
            "feed": self.feed.name,
            "target": target.table,
            "whole_feed": target.disposition == "replace",
            "by": self.by,
            "attempt": self.attempt,
            **more,
        }


def lock(connection: Connection, claimant: Claimant) -> None:
    """Waits until no other load of the same object (of the feed, for `replace`) is under way."""
    arrival = claimant.arrival
    whole = claimant.feed.target.disposition == "replace"
    scope = claimant.feed.name if whole else f"{claimant.feed.name}\n{arrival.uri}"
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [scope])


def newer(connection: Connection, claimant: Claimant) -> tuple[int, str] | None:
    """The newer load that makes this arrival stale, as (load id, by whom)."""
    return connection.execute(statement("ledger/newer"), claimant.values()).fetchone()


def claim(connection: Connection, claimant: Claimant, force: bool) -> tuple[int, bool] | None:
    """The load id, and whether the arrival had a row before; None when it is loaded already."""
    return connection.execute(statement("ledger/claim"), claimant.values(force=force)).fetchone()


def supersede(connection: Connection, claimant: Claimant, load_id: int) -> list[int]:
    """Marks the loads that this one takes the place of; gives back their ids."""
    rows = connection.execute(statement("ledger/supersede"), claimant.values(load_id=load_id))
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


def keep_failure(
    connection: Connection, claimant: Claimant, error: str, seconds: float
) -> Entry | None:
    """Writes the failure, in a transaction of its own; waits for a COMMIT still under way.

    Gives back the row instead when this very attempt turns out to be loaded: its COMMIT had
    arrived though the answer had not.
    """
    connection.execute(statement("ledger/fail"), claimant.values(error=error, seconds=seconds))
    found = find(connection, claimant)
    if found and found[1] and found[0].status == "loaded":
        return found[0]
    return None


def find(connection: Connection, claimant: Claimant) -> tuple[Entry, bool] | None:
    """The arrival's row, and whether this very attempt wrote it."""
    where = (
        "WHERE feed = %(feed)s AND bucket = %(bucket)s AND key = %(key)s AND version = %(version)s"
    )
    parameters = claimant.values(version=claimant.arrival.version)
    found = select(connection, where, parameters)
    if not found:
        return None
    mine = f"SELECT attempt = %(attempt)s FROM {TABLE} {where}"  # noqa: S608  ours
    row = connection.execute(mine, parameters).fetchone()
    return found[0], bool(row and row[0])
