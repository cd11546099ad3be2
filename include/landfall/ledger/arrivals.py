"""Which arrivals are new: a set difference against the ledger, never a time cursor."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import Entry
from include.landfall.ledger.queries import entries_of


def new_arrivals(connection: Connection, feed: Feed, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Returns the arrivals that are not loaded, oldest first."""
    entries = {
        (entry.bucket, entry.key, entry.version_id or entry.etag): entry
        for entry in entries_of(connection, feed.name)
    }
    new = [a for a in arrivals if _is_new(a, entries.get((a.bucket, a.key, a.version)))]
    return sorted(new, key=lambda a: (a.last_modified, a.key))


def _is_new(arrival: Arrival, entry: Entry | None) -> bool:
    if entry is None or entry.status == "failed":
        return True
    # The same content, put again after another version had replaced it.
    return entry.status == "superseded" and arrival.last_modified > entry.last_modified
