"""Takes an object's rows, rejects and ledger rows away, so that the next run loads it again."""

from __future__ import annotations

from collections.abc import Sequence
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
from include.landfall.write.dependents import check_dependents, keep_dependents_away
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


def forget(feed: Feed, key: str, *, warehouse: Warehouse, gone: bool = False) -> Forgotten:
    """Takes everything away that was loaded from an object of the feed, as `forget_together`."""
    return forget_together(feed, [key], warehouse=warehouse, gone=gone)[0]


def forget_together(
    feed: Feed, keys: Sequence[str], *, warehouse: Warehouse, gone: bool = False
) -> list[Forgotten]:
    """Takes everything away that was loaded from objects of the feed, in one transaction.

    It waits for loads of the objects that are under way. The next run loads an object again if it
    is in the bucket.

    Of a merge it brings back the rows that the objects' loads replaced. Objects that had the same
    keys can be undone only with those that had them later. With `gone` the table may be missing.

    Raises: ObjectMissing when the ledger has no such object; FeedError when its rows are in another
    table than the feed names or the table is missing, when they cannot be deleted, or when what it
    replaced was not kept or was changed since. Then nothing has changed.
    """
    keys = list(dict.fromkeys(keys))
    try:
        with (
            connect(warehouse, f"landfall forget {feed.name} {keys[0]}", feed.limits) as connection,
            postgres_errors(),
        ):
            if not ledger_exists(connection):
                raise _unknown(feed, keys[0])
            create_ledger(connection)
            with connection.transaction():
                for key in sorted(keys):  # in this order two runs never wait for each other
                    claims.lock(connection, _claimant(feed, key))
                return _forget(connection, feed, keys, gone=gone)
    except LandfallError as error:
        error.at(feed=feed.name, object=", ".join(_uri(feed, key) for key in keys))
        raise


def _claimant(feed: Feed, key: str) -> Claimant:
    # The lock is that of the object, whatever its version.
    arrival = Arrival(feed.source.bucket, key, "", 0, datetime.now(UTC))
    return Claimant.new(feed, arrival, replaces_feed=disposition_of(feed).replaces_feed)


def _uri(feed: Feed, key: str) -> str:
    return f"s3://{feed.source.bucket}/{key}"


def _unknown(feed: Feed, key: str) -> ObjectMissing:
    pattern = feed.source.pattern
    return ObjectMissing(
        "the ledger has no such object",
        expected=None
        if feed.source.matches(key)
        else f"a key that source.pattern matches: {pattern}",
        do="look for its key: landfall status --feed ...",
    ).at(object=_uri(feed, key))


def _forget(connection: Connection, feed: Feed, keys: list[str], *, gone: bool) -> list[Forgotten]:
    objects = []
    for key in keys:
        entries = forgetting.entries_of_object(connection, feed.name, feed.source.bucket, key)
        if not entries:
            raise _unknown(feed, key)
        _check_load_id(feed)
        _check_target(connection, feed, entries)
        if not gone:
            _check_is_there(connection, feed, entries)
        objects.append([entry.load_id for entry in entries])
        _check_merged(connection, feed, objects[-1])
    rows = _delete_rows(connection, feed, objects)
    return [
        Forgotten(
            feed.name, feed.source.bucket, key, taken, *forgetting.delete_loads(connection, ids)
        )
        for key, ids, taken in zip(keys, objects, rows, strict=True)
    ]


def _check_load_id(feed: Feed) -> None:
    if not feed.target.load_id:
        raise FeedError(
            "the file's rows cannot be told from others: rows of this feed carry no load id",
            found="target.load_id: false",
            do="delete the rows by hand; landfall load --force loads the file again once the"
            " table is empty, because it cannot take the file's own rows away either",
        )


def _check_merged(connection: Connection, feed: Feed, load_ids: list[int]) -> None:
    """Checks that a file that was merged is undone: its rows had other values before."""
    if not disposition_of(feed).is_merged and forgetting.keep_what_they_replaced(
        connection, load_ids
    ):
        raise FeedError(
            "the file was merged, and the rows that it changed would be deleted",
            found=f"target.disposition: {feed.target.disposition}",
            expected="merge, as when the file was loaded: the rows get their earlier values back",
            do="write disposition: merge, and the key, in the feed, and forget the file then",
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


def _check_is_there(connection: Connection, feed: Feed, entries: list[Entry]) -> None:
    """Checks that the table of a loaded object is there: elsewhere its rows would stay."""
    target = feed.target
    if has_relation(connection, target.schema_name, target.table_name):
        _check_has_ids(connection, feed, entries)
        return
    if any(entry.status == "loaded" for entry in entries):
        raise FeedError(
            f"the table {target.table} is gone, and the ledger has the file in it",
            do="restore the table, or give it its name again: under another name it keeps the"
            " file's rows, and the next run would load them twice. Where the table is gone for"
            " good, forget the file with --gone, or load all files again: landfall load --feed ..."
            " --force",
        )


def _check_has_ids(connection: Connection, feed: Feed, entries: list[Entry]) -> None:
    """Checks that the rows of a loaded object can be told from others."""
    rows = sum(entry.rows or 0 for entry in entries if entry.status == "loaded")
    if rows and not has_column(connection, table(feed.target.table), LOAD_ID):
        raise FeedError(
            f"the file's rows in {feed.target.table} cannot be told from others",
            found=f"no column {LOAD_ID}; the ledger counts {rows:,} rows of the file",
            do="bring the table back with its column; or delete the rows by hand, add the column,"
            f" and forget the file then: ALTER TABLE ... ADD COLUMN {LOAD_ID} bigint",
        )


def _delete_rows(connection: Connection, feed: Feed, objects: list[list[int]]) -> list[int]:
    """Takes away what the loads of each object brought, and returns how many rows that were."""
    target = feed.target
    name = table(target.table)
    is_there = has_relation(connection, target.schema_name, target.table_name)
    if not is_there or not has_column(connection, name, LOAD_ID):
        return [0 for _ in objects]
    load_ids = [load_id for ids in objects for load_id in ids]
    disposition = disposition_of(feed)
    if not disposition.keeps_rows:
        keep_dependents_away(connection, name)
        check_dependents(connection, target.table, load_ids)
    rows = disposition.forget(connection, feed, objects)
    if not disposition.keeps_rows:
        check_removed(connection, feed, load_ids)
    return rows
