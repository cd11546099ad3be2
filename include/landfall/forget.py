"""Takes an object's rows, rejects and ledger rows away, so that the next run loads it again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.connections import Warehouse
from include.landfall.errors import FeedError, LandfallError, ObjectMissing
from include.landfall.feed.model import Feed
from include.landfall.job import LOAD_ID
from include.landfall.ledger import claims, forgetting
from include.landfall.ledger.claims import Claimant
from include.landfall.ledger.entries import Entry, create_ledger, ledger_exists
from include.landfall.postgres.catalog import has_column, has_relation
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.statements import table
from include.landfall.write.dependents import check_dependents
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.replaced import check_removed


@dataclass(frozen=True)
class Forgotten:
    """What was taken away: rows of the target, rejects, replays, and rows of the ledger."""

    feed: str
    bucket: str
    key: str
    rows: int
    rejects: int
    replays: int
    entries: int

    def as_dict(self) -> dict[str, Any]:
        """Returns the counts in values that JSON can carry."""
        return asdict(self)


def forget(feed: Feed, key: str, *, warehouse: Warehouse) -> Forgotten:
    """Takes everything away that was loaded from an object of the feed, in one transaction.

    It waits for a load of the object that is under way. The next run loads the object again if it
    is in the bucket.

    Of a merge it brings back the rows that the object's loads replaced.

    Raises: ObjectMissing when the ledger has no such object; FeedError when its rows are in another
    table than the feed names, or cannot be deleted, or when what it replaced was not kept or was
    changed since. Then nothing has changed.
    """
    # The lock and the rows are those of the object, whatever its version.
    arrival = Arrival(feed.source.bucket, key, "", 0, datetime.now(UTC))
    replaces_feed = disposition_of(feed).replaces_feed
    claimant = Claimant.new(feed, arrival, replaces_feed=replaces_feed)
    try:
        with (
            connect(warehouse, f"landfall forget {feed.name} {key}") as connection,
            postgres_errors(),
        ):
            if ledger_exists(connection):
                create_ledger(connection)
                with connection.transaction():
                    claims.lock(connection, claimant)
                    return _forget(connection, claimant)
            raise _unknown()
    except LandfallError as error:
        error.at(feed=feed.name, object=arrival.uri)
        raise


def _unknown() -> ObjectMissing:
    return ObjectMissing(
        "the ledger has no such object",
        do="look for its key: landfall status --feed ...",
    )


def _forget(connection: Connection, claimant: Claimant) -> Forgotten:
    feed, arrival = claimant.feed, claimant.arrival
    entries = forgetting.entries_of_object(connection, feed.name, arrival.bucket, arrival.key)
    if not entries:
        raise _unknown()
    _check_load_id(feed)
    _check_target(connection, feed, entries)
    load_ids = [entry.load_id for entry in entries]
    rows = _delete_rows(connection, claimant, load_ids)
    counts = forgetting.delete_loads(connection, load_ids)
    return Forgotten(feed.name, arrival.bucket, arrival.key, rows, *counts)


def _check_load_id(feed: Feed) -> None:
    if not feed.target.load_id:
        raise FeedError(
            "the file's rows cannot be told from others: rows of this feed carry no load id",
            found="target.load_id: false",
            do="delete the rows by hand; to load the file again, use landfall load --force",
        )


def _check_target(connection: Connection, feed: Feed, entries: list[Entry]) -> None:
    """Checks that the object's rows are in the feed's table, or in none."""
    for entry in entries:
        if entry.status != "loaded" or entry.target == feed.target.table:
            continue
        if has_relation(connection, *entry.target.split(".", 1)):
            raise FeedError(
                f"the file is loaded into {entry.target}",
                found=f"target.table: {feed.target.table}",
                do=f"name {entry.target} in the feed, and forget the file then",
            )


def _delete_rows(connection: Connection, claimant: Claimant, load_ids: list[int]) -> int:
    """Takes away what the loads brought, and returns how many rows that were."""
    target = claimant.feed.target
    name = table(target.table)
    is_there = has_relation(connection, target.schema_name, target.table_name)
    if not is_there or not has_column(connection, name, LOAD_ID):
        return 0
    disposition = disposition_of(claimant.feed)
    if not disposition.keeps_rows:
        check_dependents(connection, target.table, load_ids)
    rows = disposition.forget(connection, claimant.feed, load_ids)
    if not disposition.keeps_rows:
        check_removed(connection, claimant.feed, load_ids)
    return rows
