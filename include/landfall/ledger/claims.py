"""Who may load an arrival: locks, claims, and what became of an attempt."""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import Connection, sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError
from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import Entry
from include.landfall.ledger.queries import select_entries
from include.landfall.ledger.sequences import advance_sequences
from include.landfall.postgres.statements import statement, value


@dataclass(frozen=True)
class Claimant:
    """One attempt at one arrival.

    `replaces_feed`: whether the load replaces every earlier file of its feed, not only its own
    object's.
    """

    feed: Feed
    arrival: Arrival
    by: str
    attempt: uuid.UUID
    replaces_feed: bool

    @classmethod
    def new(
        cls, feed: Feed, arrival: Arrival, by: str = "", *, replaces_feed: bool = False
    ) -> Claimant:
        """Makes a new attempt. Without `by` it names this process and its host."""
        by = by or f"{socket.gethostname()}:{os.getpid()}"
        return cls(feed, arrival, by, uuid.uuid4(), replaces_feed)

    def values(self, **more: Any) -> dict[str, Any]:
        """Returns the parameters of the ledger's statements."""
        return {
            **self.arrival.__dict__,
            "version": self.arrival.version,
            "feed": self.feed.name,
            "target": self.feed.target.table,
            "replaces_feed": self.replaces_feed,
            "in_order": self.feed.target.is_whole,
            "by": self.by,
            "attempt": self.attempt,
            **more,
        }


class Claim(NamedTuple):
    """A claim of an arrival. `has_rows`: whether its rows are in the target already."""

    load_id: int
    has_rows: bool


class NewerLoad(NamedTuple):
    """A load that makes an arrival stale."""

    load_id: int
    loaded_by: str


def lock(connection: Connection, claimant: Claimant) -> None:
    """Waits until no other load of the object, or of a feed of whole files, is under way.

    Raises: DataError when the database's encoding lacks a letter of the object's key.
    """
    feed, uri = claimant.feed.name, claimant.arrival.uri
    scope = feed if claimant.feed.target.is_whole else f"{feed}\n{uri}"
    # The key goes along also where the lock is the feed's: the ledger must be able to have it.
    query = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0)) WHERE %s <> ''"
    try:
        connection.execute(query, [scope, uri])
    except psycopg.errors.UntranslatableCharacter as error:
        raise DataError(
            "the ledger cannot have the object's key: the database's encoding lacks a letter of it",
            found=claimant.arrival.key,
            expected=f"letters of {connection.info.parameter_status('server_encoding')}",
            do="ask the sender for another name, or use a database in UTF8",
        ) from error


def newer(connection: Connection, claimant: Claimant) -> NewerLoad | None:
    """Returns the newer load that makes this arrival stale."""
    with connection.cursor(row_factory=class_row(NewerLoad)) as cursor:
        return cursor.execute(statement("ledger/newer"), claimant.values()).fetchone()


def claim(connection: Connection, claimant: Claimant, force: bool) -> Claim | None:
    """Claims the arrival, or returns None when it is loaded already and not forced."""
    advance_sequences(connection)
    with connection.cursor(row_factory=class_row(Claim)) as cursor:
        parameters = claimant.values(force=force)
        return cursor.execute(statement("ledger/claim"), parameters).fetchone()


def last_with_rows(connection: Connection) -> int:
    """Returns the highest id of the loads that brought rows; 0 when there is none."""
    query = (
        "SELECT max(load_id) FROM landfall.ledger"
        " WHERE status IN ('loaded', 'superseded') OR coalesce(rows, 0) > 0"
    )
    return int(value(connection, query) or 0)


def supersede(connection: Connection, claimant: Claimant, load_id: int) -> list[int]:
    """Marks the loads that this one replaces, and returns their ids."""
    rows = connection.execute(statement("ledger/supersede"), claimant.values(load_id=load_id))
    return [row[0] for row in rows.fetchall()]


def close(
    connection: Connection,
    load_id: int,
    status: str,
    rows: int | None = None,
    reasons: dict[str, int] | None = None,
    deduplicated: int | None = None,
    content_hash: bytes = b"",
    duplicate_of: int | None = None,
) -> None:
    """Closes the row as loaded or superseded, with the rows in the target and the others.

    Without `rows` and `reasons` it keeps those of an earlier load.
    """
    parameters = {
        "load_id": load_id,
        "status": status,
        "rows": rows,
        "rejected": None if reasons is None else sum(reasons.values()),
        "reasons": None if reasons is None else Jsonb(reasons),
        "deduplicated": deduplicated,
        "content_hash": content_hash or None,
        "duplicate_of": duplicate_of,
    }
    connection.execute(statement("ledger/close"), parameters)


def keep_failure(
    connection: Connection,
    claimant: Claimant,
    error: str,
    seconds: float,
    reasons: dict[str, int] | None = None,
    duplicate_of: int | None = None,
    *,
    force: bool = False,
) -> tuple[Entry | None, int | None]:
    """Writes the failure. Waits for a COMMIT that is still under way.

    With `duplicate_of` it is a duplicate: the load that brought the same content. `force`: whether
    it was a try to load again what is loaded.

    Returns the row when this very attempt is loaded after all, because its COMMIT had arrived
    though the answer had not; and the id of the row where the failure was written.
    """
    parameters = claimant.values(
        status="failed" if duplicate_of is None else "duplicate",
        duplicate_of=duplicate_of,
        error=error,
        force=force,
        seconds=seconds,
        rejected=None if reasons is None else sum(reasons.values()),
        reasons=None if reasons is None else Jsonb(reasons),
    )
    load_id = value(connection, statement("ledger/fail_again"), parameters)
    load_id = load_id or value(connection, statement("ledger/fail"), parameters)
    loaded = find(connection, claimant, "AND attempt = %(attempt)s AND status = 'loaded'")
    return loaded, load_id


def find(connection: Connection, claimant: Claimant, rule: LiteralString = "") -> Entry | None:
    """Returns the arrival's row, if there is one that keeps the rule."""
    arrival = "feed = %(feed)s AND bucket = %(bucket)s AND key = %(key)s AND version = %(version)s"
    entries = select_entries(connection, sql.SQL(f"{arrival} {rule}"), claimant.values())
    return entries[0] if entries else None
