"""Which arrivals are new: the bucket's listing against the ledger, never a time cursor.

The rule, for the version of an object that the bucket shows now:

1. Where the ledger has a loaded version of the object, the arrival is new when it is another one:
   another version id, ETag or size. Times of versions of one object never count, because clocks
   and restored versions go back: what the bucket shows is what counts.
2. Where it has none, the arrival is new, unless another object replaced it (a feed whose newest
   file is the whole table) and it is not newer than that object. Within one second, which is how
   exactly S3 tells times, the later key is the newer object.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import Entry
from include.landfall.ledger.queries import entries_of, loaded_by_others
from include.landfall.postgres.catalog import has_relation


def new_arrivals(connection: Connection, feed: Feed, arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Returns the arrivals that are not loaded: first those never tried, then the failed ones.

    Each oldest first. So files that fail again and again never keep a good one waiting.

    Raises: FeedError when the table that the ledger tells of is gone or has another name in the
    feed, and when another feed loaded one of the arrivals into the same table.
    """
    entries = entries_of(connection, feed.name)
    loaded = {(e.bucket, e.key): e for e in entries if e.status == "loaded"}
    _check_target(connection, feed, list(loaded.values()))
    superseded = {(e.bucket, e.key, e.version) for e in entries if e.status == "superseded"}
    newest = max(((e.last_modified, e.key) for e in loaded.values()), default=None)

    def is_new(arrival: Arrival) -> bool:
        entry = loaded.get((arrival.bucket, arrival.key))
        if entry:
            return (arrival.version, arrival.size) != (entry.version, entry.size)
        was_replaced = (arrival.bucket, arrival.key, arrival.version) in superseded
        return not was_replaced or newest is None or (arrival.last_modified, arrival.key) > newest

    failed = {(e.bucket, e.key, e.version) for e in entries if e.status == "failed"}

    def turn(arrival: Arrival) -> tuple[bool, datetime, str]:
        was_tried = (arrival.bucket, arrival.key, arrival.version) in failed
        return was_tried, arrival.last_modified, arrival.key

    new = sorted(filter(is_new, arrivals), key=turn)
    _check_other_feeds(connection, feed, new)
    return new


def _check_target(connection: Connection, feed: Feed, loaded: list[Entry]) -> None:
    """Checks that the rows which the ledger tells of are in the feed's table."""
    target = feed.target
    for elsewhere in sorted({entry.target for entry in loaded} - {target.table}):
        if has_relation(connection, *elsewhere.split(".", 1)):
            raise FeedError(
                f"files of this feed are loaded into {elsewhere}",
                found=f"target.table: {target.table}",
                do=f"rename the table {elsewhere} too, or load the files again with --force",
            ).at(feed=feed.name)
    if loaded and not has_relation(connection, target.schema_name, target.table_name):
        raise FeedError(
            f"the table {target.table} is gone, and the ledger has {len(loaded)} files in it",
            do="restore the table, or load the files again with --force",
        ).at(feed=feed.name)


def _check_other_feeds(connection: Connection, feed: Feed, new: list[Arrival]) -> None:
    """Checks that no other feed, such as this one before it was renamed, loaded the same files."""
    if not new:
        return
    others = {(e.bucket, e.key, e.version): e for e in loaded_by_others(connection, feed)}
    for arrival in new:
        entry = others.get((arrival.bucket, arrival.key, arrival.version))
        if entry:
            raise FeedError(
                f"the feed {entry.feed!r} loaded this file into {feed.target.table} already",
                do=f"give the feed its old name {entry.feed!r} again, or another table",
            ).at(feed=feed.name, object=arrival.uri)
