"""Tells whether the files of a feed are overdue (source.late_after).

A file has come when the store says so: its last-modified time, in the ledger or in the bucket. So a
file that is refused has come, and one that is loaded again has not. The bucket is listed only where
the ledger has no file that is young enough.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import Connection

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import FilesLate, WrongUse, printable
from include.landfall.feed.duration import in_words
from include.landfall.feed.model import Feed
from include.landfall.ledger.arrivals import Reason, plan
from include.landfall.ledger.queries import last_try, newest_taken
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import list_arrivals

FORGOTTEN = (Reason.NEW, Reason.CHANGED)
SHOWN = 3  # folders that are not complete
Newest = tuple[datetime, str] | None


@dataclass(frozen=True)
class Look:
    """What a look has shown: time and key of the newest file, and the error if the feed is late."""

    newest: Newest
    late: FilesLate | None


def look(
    feed: Feed, store: Store, warehouse: Warehouse, now: datetime, since: datetime | None = None
) -> Look:
    """Looks whether a feed with `late_after` is late.

    A feed without any file is late so long after `since`, when somebody began to look; without
    `since` at once.

    Raises: WrongUse where the feed has no `late_after`; LandfallError.
    """
    _check_watched(feed)

    def is_in_time(came: datetime) -> bool:
        return now <= feed.source.in_time_until(came)

    with (
        connect(warehouse, f"landfall late {feed.name}") as connection,
        postgres_errors(),
        connection.transaction(),
    ):
        newest = newest_taken(connection, feed.name)
        if newest and is_in_time(newest[0]):
            return Look(newest, None)
        bucket = _list(connection, feed, store)
        tried = last_try(connection, feed.name)
    newest = max(filter(None, [newest, bucket.newest]), default=None)
    if bucket.oldest and not any(is_in_time(each) for each in (bucket.oldest[0], tried) if each):
        return Look(newest, _untaken(feed, bucket, now))
    begun = newest[0] if newest else since
    if begun and is_in_time(begun):
        return Look(newest, None)
    return Look(newest, _silent(feed, newest, bucket.incomplete, now))


def _check_watched(feed: Feed) -> None:
    if feed.source.late_after is None:
        raise WrongUse(
            "the feed does not say when its files are late",
            expected="source.late_after, such as 26 hours",
        ).at(feed=feed.name)


@dataclass(frozen=True)
class _Bucket:
    newest: Newest
    oldest: Newest  # of the files that no run has taken
    untaken: int
    incomplete: list[str]


def _list(connection: Connection, feed: Feed, store: Store) -> _Bucket:
    incomplete: list[str] = []
    with closing(make_client(store)) as client:
        listed = list_arrivals(
            client, feed.source, lambda each: incomplete.append(each.arrival.key)
        )
        new, others = plan(connection, feed, listed)
    untaken = [arrival.newness for arrival, reason in new if reason in FORGOTTEN]
    newest = max((arrival.newness for arrival, _ in (*new, *others)), default=None)
    return _Bucket(newest, min(untaken, default=None), len(untaken), incomplete)


def _silent(feed: Feed, newest: Newest, incomplete: list[str], now: datetime) -> FilesLate:
    late = FilesLate(
        f"no new file has come for {in_words(now - newest[0])}" if newest else "no file has come",
        found=f"the last one, {_named(newest)}" if newest else "no file yet",
        expected=f"a new file within {feed.source.silence} (source.late_after)",
        do="ask the sender whether it still sends, and into this bucket under this name",
    )
    if incomplete:
        more = f" and {len(incomplete) - SHOWN} more" if len(incomplete) > SHOWN else ""
        late.more.append(("not complete", f"{', '.join(incomplete[:SHOWN])}{more}"))
    return _placed(late, feed)


def _untaken(feed: Feed, bucket: _Bucket, now: datetime) -> FilesLate:
    assert bucket.oldest is not None
    files = "1 file has" if bucket.untaken == 1 else f"{bucket.untaken:,} files have"
    late = FilesLate(
        f"{files} come, and nothing has taken them for {in_words(now - bucket.oldest[0])}",
        found=f"the oldest, {_named(bucket.oldest)}",
        expected=f"a load within {feed.source.silence} (source.late_after)",
        do=f"see whether the DAG feed_{feed.name} is paused, or waits; landfall load takes them",
    )
    return _placed(late, feed)


def _named(file: tuple[datetime, str]) -> str:
    came, key = file
    return f"{printable(key)}, came at {came.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def _placed(late: FilesLate, feed: Feed) -> FilesLate:
    late.more.append(("owner", feed.owner))
    return late.at(feed=feed.name, object=f"s3://{feed.source.bucket}/{feed.source.pattern}")


def in_time(feed: Feed, newest: Newest) -> str:
    """Returns what is said of a feed that is not late: its newest file, and until when."""
    if newest is None or feed.source.late_after is None:
        return f"{feed.name} is in time"
    until = f"{feed.source.in_time_until(newest[0]):%Y-%m-%d %H:%M:%SZ}"
    return f"{feed.name} is in time until {until}: the last file, {_named(newest)}"
