"""Loaded files whose objects are no longer in the bucket, where a command would load them again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.cli.output import counted, show
from include.landfall.connections import store_from_environ
from include.landfall.errors import FeedError, ObjectMissing, WrongUse
from include.landfall.feed.model import Feed
from include.landfall.ledger.queries import entries_of, newest_loaded
from include.landfall.postgres.catalog import has_relation
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival

SHOWN = 3


def tell_of_absent(connection: Connection, feed: Feed, listed: Sequence[Arrival]) -> None:
    """Says on standard error which loaded files `--force` does not load again.

    Raises: WrongUse where one file is the whole table, and the bucket has only older ones.
    """
    if feed.target.is_whole and listed:
        _check_newest(connection, feed, listed)
        return
    here = {arrival.key for arrival in listed}
    loaded = (entry for entry in entries_of(connection, feed.name) if entry.status == "loaded")
    absent = [(entry.key, entry.rows or 0) for entry in loaded if entry.key not in here]
    if not absent:
        return
    rows = counted(sum(rows for _, rows in absent), "row")
    are = "is" if len(absent) == 1 else "are"
    names = ", ".join(key for key, _ in absent[:SHOWN])
    more = f" and {len(absent) - SHOWN:,} more" if len(absent) > SHOWN else ""
    show(
        f"{counted(len(absent), 'loaded file')} with {rows} {are} not in the bucket, and {are} not"
        f" loaded again: {names}{more}",
        error=True,
    )


def _check_newest(connection: Connection, feed: Feed, listed: Sequence[Arrival]) -> None:
    target = feed.target
    if not has_relation(connection, target.schema_name, target.table_name):
        return
    loaded = newest_loaded(connection, feed.name)
    newest = max(listed, key=lambda arrival: arrival.newness)
    if loaded and loaded > newest.newness:
        raise WrongUse(
            "the newest file in the bucket is older than the one that is loaded",
            found=newest.key,
            expected=f"{loaded[1]}, which is no longer in the bucket, or a newer one",
            do="put the loaded one back; to load the older one all the same: --key",
        ).at(feed=feed.name)


def check_in_bucket(feed: Feed, keys: Sequence[str]) -> None:
    """Checks that files which a command forgets can be loaded again, where the feed moves them.

    Raises: FeedError where one is not in the bucket: then only the table has its rows.
    """
    with closing(make_client(store_from_environ(feed.source.connection))) as client:
        for key in keys:
            try:
                find_arrival(client, feed.source.bucket, key)
            except ObjectMissing:
                raise FeedError(
                    "the object is not in the bucket: nothing could load its rows again",
                    do="put it back first (source.loaded_files of the feed says where it went); to"
                    " take its rows away for good: --for-good",
                ).at(feed=feed.name, object=f"s3://{feed.source.bucket}/{key}") from None
