"""Moves or deletes the objects of files that are loaded, as their feed says."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import (
    FeedError,
    LandfallError,
    ObjectChanged,
    ObjectMissing,
    ServerUnavailable,
)
from include.landfall.feed.loaded_files import LoadedFiles
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import Feeds
from include.landfall.ledger.arrivals import Reason, keep_times, missing_rows, plan
from include.landfall.ledger.kept_rejects import keys_with_lost_rejects, keys_with_open_rejects
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.s3 import moving
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import list_arrivals

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DAY = 86_400
FINISHED = (Reason.LOADED, Reason.SUPERSEDED)
OPEN_REJECTS = "it has open rejects: replay or dismiss them"
LOST_REJECTS = (
    "it has rejected rows that are kept nowhere else: look at them, and delete it by hand"
)
LONGEST_KEY = 1_024  # bytes, on any S3
TOO_LONG = "its key is too long behind source.loaded_files.move_to"


@dataclass(frozen=True)
class Tidied:
    """What became of an object whose file is loaded.

    `action` is moved, deleted or kept; `moved_to` is its new key, `reason` why it was kept.
    """

    feed: str
    bucket: str
    key: str
    action: str
    moved_to: str | None = None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns it in values that JSON can carry."""
        return asdict(self)


def tidy(
    feed: Feed,
    *,
    store: Store,
    warehouse: Warehouse,
    others: Feeds | None = None,
    only_look: bool = False,
) -> Iterator[Tidied]:
    """Moves or deletes the objects that the feed has loaded and that are old enough.

    Yields each with what became of it; with `only_look` what would become of it. An object stays
    while its file has open rejects, and when it has changed since it was loaded; it is not deleted
    where it alone still has the file's rejected rows. `others` are the feeds beside this one: a
    file that one of them takes too is not touched.

    Raises: FeedError when the feed does not say what to do, when another feed takes the files or
    cannot be read, and when the table is gone or, before objects are deleted, empty; other
    LandfallErrors of servers.
    """
    rule = _rule_of(feed)
    try:
        with closing(make_client(store)) as client:
            arrivals, waiting = _finished(client, feed, rule, warehouse, only_look)
            if arrivals and others:
                _check_readable(others)
            _check_takers(feed, rule, arrivals, others.feeds if others else [])
            for arrival in arrivals:
                if reason := waiting.get(arrival.key) or _has_no_key(rule, arrival):
                    yield _kept(arrival, feed, reason)
                else:
                    yield _tidied(client, feed, rule, arrival, only_look=only_look)
    except LandfallError as error:
        error.at(feed=feed.name)
        raise


def _rule_of(feed: Feed) -> LoadedFiles:
    if feed.source.loaded_files is None:
        raise FeedError(
            "the feed does not say what becomes of its loaded files",
            expected="source.loaded_files, with move_to or delete",
            do="add it to the feed; without it the objects stay where they are",
        ).at(feed=feed.name)
    return feed.source.loaded_files


def _finished(
    client: S3Client, feed: Feed, rule: LoadedFiles, warehouse: Warehouse, only_look: bool
) -> tuple[list[Arrival], dict[str, str]]:
    """Returns the old objects that are loaded, and why those of some keys stay."""
    latest = time.time() - rule.after_days * DAY
    with (
        connect(warehouse, f"landfall tidy {feed.name}", feed.limits) as connection,
        postgres_errors(),
        connection.transaction(),
    ):
        listed = list_arrivals(client, feed.source)
        old = (each for each in listed if each.last_modified.timestamp() <= latest)
        _, rest = plan(connection, feed, old)
        finished = [arrival for arrival, reason in rest if reason in FINISHED]
        if finished and rule.delete:
            _check_rows(connection, feed)
        if not only_look:
            keep_times(connection, feed, finished)
        waiting = _waiting(connection, feed, rule) if finished else {}
    return finished, waiting


def _waiting(connection: Connection, feed: Feed, rule: LoadedFiles) -> dict[str, str]:
    """Returns which keys have rejected rows that somebody may still need, with the reason."""
    lost = keys_with_lost_rejects(connection, feed.name) if rule.delete else set()
    kept = keys_with_open_rejects(connection, feed.name)
    return {**dict.fromkeys(lost, LOST_REJECTS), **dict.fromkeys(kept, OPEN_REJECTS)}


def _check_rows(connection: Connection, feed: Feed) -> None:
    """Checks that nobody has emptied the table: then the files are needed once more."""
    rows = missing_rows(connection, feed)
    if rows is None:
        raise ServerUnavailable(
            f"the table {feed.target.table} is locked by another session",
            do="retry: before files are deleted, it is looked whether their rows are there",
        )
    if rows:
        raise FeedError(
            f"the table {feed.target.table} is empty, and the ledger has {rows:,} rows in it",
            do="load the files again with --force; where rows are taken out of the table on"
            " purpose, move the files (source.loaded_files.move_to) and delete them elsewhere",
        )


def _check_readable(others: Feeds) -> None:
    """Checks that every feed of the folder can be read: else nobody knows what it takes."""
    for path, error in others.broken.items():
        raise FeedError(
            f"{path.name} beside the feed cannot be read, so nobody knows which files it takes",
            found=str(error).splitlines()[0],
            do="correct it, or take it out of the folder",
        )


def _check_takers(
    feed: Feed, rule: LoadedFiles, arrivals: Sequence[Arrival], others: Sequence[Feed]
) -> None:
    """Checks that no other feed takes the objects, and none at all what they are moved to."""
    beside = [
        each
        for each in others
        if each.name != feed.name and each.source.bucket == feed.source.bucket
    ]
    for arrival in arrivals:
        _check_key(arrival, arrival.key, beside)
        if rule.move_to:
            _check_key(arrival, f"{rule.move_to}{arrival.key}", [feed, *beside])


def _check_key(arrival: Arrival, key: str, takers: Sequence[Feed]) -> None:
    taker = next((each for each in takers if each.source.takes(key)), None)
    if taker:
        raise FeedError(
            f"the feed {taker.name!r} takes {key}"
            + (", to which the file would be moved" if key != arrival.key else " too"),
            found=f"its source.pattern: {taker.source.pattern}",
            do="narrow its pattern, or change source.loaded_files of this feed",
        ).at(object=arrival.uri)


def _has_no_key(rule: LoadedFiles, arrival: Arrival) -> str | None:
    """Returns why the object cannot be moved: S3 would not take its key."""
    longest = f"{rule.move_to}{arrival.key}.{arrival.etag}"  # see moving.move
    return TOO_LONG if rule.move_to and len(longest.encode()) > LONGEST_KEY else None


def _tidied(
    client: S3Client, feed: Feed, rule: LoadedFiles, arrival: Arrival, *, only_look: bool
) -> Tidied:
    moved_to = f"{rule.move_to}{arrival.key}" if rule.move_to else None
    try:
        if moved_to and not only_look:
            moved_to = moving.move(client, arrival, moved_to)
        elif not only_look:
            moving.delete(client, arrival)
    except (ObjectChanged, ObjectMissing) as error:
        return _kept(arrival, feed, error.what)
    action = "moved" if moved_to else "deleted"
    return Tidied(feed.name, arrival.bucket, arrival.key, action, moved_to=moved_to)


def _kept(arrival: Arrival, feed: Feed, reason: str) -> Tidied:
    return Tidied(feed.name, arrival.bucket, arrival.key, "kept", reason=reason)
