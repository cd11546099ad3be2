"""The arrivals of a feed, as the commands ask for them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.cli.absent import tell_of_absent
from include.landfall.cli.output import show
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.errors import ConnectionUnusable, TerminalError
from include.landfall.feed.model import Feed
from include.landfall.ledger.arrivals import (
    Reason,
    check_is_there,
    check_loaded_otherwise,
    missing_rows,
    new_arrivals,
    plan,
)
from include.landfall.ledger.entries import ledger_exists
from include.landfall.ledger.parts import checked_parts
from include.landfall.ledger.queries import newest_loaded, refused_duplicates
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.locks import holder_of
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import (
    find_named,
    list_arrivals,
    list_objects,
    list_snapshots,
    why_ignored,
)
from include.landfall.s3.snapshots import Snapshot

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass
class Plan:
    """The arrivals that would be loaded, in their order, and the objects that would be skipped.

    Each with its reason.
    """

    to_load: list[tuple[Arrival, str]] = field(default_factory=list)
    skipped: list[tuple[Arrival, str]] = field(default_factory=list)


def all_files(feed: Feed) -> list[Arrival]:
    """Returns every file of the feed that is in its bucket: of snapshots, their parts."""
    source = feed.source
    with closing(make_client(store_from_environ(source.connection))) as client:
        if source.snapshot:
            return [part for each in list_snapshots(client, source) for part in each.parts]
        return list(list_arrivals(client, source))


def all_to_force(feed: Feed) -> list[Arrival]:
    """Returns every arrival of the feed that is in its bucket, but for refused duplicates.

    Standard error says which loaded files are not in the bucket.

    Raises: FeedError when parts of one export would replace each other.
    """
    warehouse = warehouse_from_environ(feed.target.connection)
    with (
        closing(make_client(store_from_environ(feed.source.connection))) as client,
        connect(warehouse) as connection,
        postgres_errors(),
    ):
        refused = refused_duplicates(connection, feed.name)
        arrivals = list_arrivals(client, feed.source, _tell_of_incomplete)
        listed = list(checked_parts(feed, arrivals))
        forced = [each for each in listed if (each.key, each.version) not in refused]
        tell_of_absent(connection, feed, forced)
        return forced


def named(feed: Feed, keys: list[str]) -> Iterator[tuple[str, Arrival | TerminalError]]:
    """Yields each key with its arrival, or with the error where there is no such object."""
    with closing(make_client(store_from_environ(feed.source.connection))) as client:
        for key in keys:
            try:
                yield key, find_named(client, feed.source, key)
            except ConnectionUnusable:
                raise  # no other object can be read either
            except TerminalError as error:
                yield key, error


def check_target_to_force(feed: Feed) -> None:
    """Checks that the feed's table is there before single files are loaded into it again.

    Raises: FeedError when it is gone: the rows of the other files would be missed by nobody.
    """
    with connect(warehouse_from_environ(feed.target.connection)) as connection, postgres_errors():
        check_is_there(connection, feed)


def check_own(feed: Feed, arrivals: list[Arrival]) -> None:
    """Checks that the files which somebody names or forces are no other feed's.

    Raises: FeedError when one is, as after the feed was renamed: its rows would be there twice.
    """
    if feed.target.is_whole:
        return
    with connect(warehouse_from_environ(feed.target.connection)) as connection, postgres_errors():
        check_loaded_otherwise(connection, feed, arrivals)


def new_of(feed: Feed) -> list[Arrival]:
    """Returns the arrivals of the feed that are not loaded, oldest first.

    Those that changed a moment ago are left out, and standard error says so.
    """
    warehouse = warehouse_from_environ(feed.target.connection)
    with (
        closing(make_client(store_from_environ(feed.source.connection))) as client,
        connect(warehouse) as connection,
        postgres_errors(),
    ):
        listed = list_arrivals(client, feed.source, _tell_of_incomplete)
        new = new_arrivals(connection, feed, _telling_of_none(feed, listed))
        _tell_of_missing_rows(connection, feed)
    now = time.time()
    settling = [each for each in new if _is_settling(feed, each, now)]
    for each in settling:
        show(
            f"{each.key} changed a moment ago, and is not taken before it is unchanged for"
            f" source.settle_seconds: {feed.source.settle_seconds:g} (--key takes it at once)",
            error=True,
        )
    return [each for each in new if each not in settling]


def _telling_of_none(feed: Feed, arrivals: Iterator[Arrival]) -> Iterator[Arrival]:
    """Yields the arrivals; where there is none, standard error says what was looked for."""
    number = 0
    for number, arrival in enumerate(arrivals, 1):  # noqa: B007
        yield arrival
    if not number and not feed.source.snapshot:  # of folders the incomplete ones are told
        show(no_match(feed), error=True)


def no_match(feed: Feed) -> str:
    """Returns the message that no object of the bucket is the feed's."""
    return f"no object matches s3://{feed.source.bucket}/{feed.source.pattern}"


def nothing_new(feed: Feed) -> str:
    """Returns the message that every object of the feed is loaded."""
    return f"{feed.name}: nothing new under s3://{feed.source.bucket}/{feed.source.prefix}"


def _is_settling(feed: Feed, arrival: Arrival, now: float) -> bool:
    return now - arrival.last_modified.timestamp() < feed.source.settle_seconds


def plan_of(feed: Feed, now: float) -> Plan:
    """Returns what a run of the feed would do at this time (seconds since the epoch)."""
    result = Plan()
    warehouse = warehouse_from_environ(feed.target.connection)
    with (
        closing(make_client(store_from_environ(feed.source.connection))) as client,
        connect(warehouse) as connection,
        postgres_errors(),
        connection.transaction(),
    ):
        to_load, skipped = plan(connection, feed, _arrivals(client, feed, result))
        newest = _newest_table(connection, feed)
        _tell_of_missing_rows(connection, feed)
    for arrival, reason in to_load:
        if newest and arrival.key != newest[1] and arrival.newness < newest:
            result.skipped.append((arrival, Reason.SUPERSEDED))
        elif _is_settling(feed, arrival, now):
            result.skipped.append((arrival, "settling"))
        else:
            result.to_load.append((arrival, reason))
    result.skipped += skipped
    return result


def _tell_of_missing_rows(connection: Connection, feed: Feed) -> None:
    rows = missing_rows(connection, feed)
    if rows is None:
        holder = holder_of(connection, feed.target.schema_name, feed.target.table_name)
        show(
            f"{feed.target.table} is locked by another session: whether others emptied it cannot"
            " be seen now, and loads may wait",
            *([f"  locked by: {holder}"] if holder else []),
            error=True,
        )
    elif rows:
        show(
            f"{feed.target.table} is empty, and the ledger has {rows:,} rows in it: others took"
            " them away. To load the files again: --force",
            error=True,
        )


def _tell_of_incomplete(snapshot: Snapshot) -> None:
    key = snapshot.arrival.key
    show(f"{key} is not complete yet: landfall plan says what it waits for", error=True)


def _arrivals(client: S3Client, feed: Feed, plan: Plan) -> Iterator[Arrival]:
    """Yields the objects or snapshots that are the feed's, and puts the others into the plan."""
    if feed.source.snapshot:
        yield from list_arrivals(
            client,
            feed.source,
            lambda each: plan.skipped.append((each.arrival, f"no_{each.waits_for}")),
        )
        return
    for each in list_objects(client, feed.source):
        reason = why_ignored(feed.source, each.key)
        if reason is None:
            yield each
        else:
            plan.skipped.append((each, reason))


def _newest_table(connection: Connection, feed: Feed) -> tuple[datetime, str] | None:
    """Returns time and key of the object that is the whole table, where the newest one is that.

    A load of an older object ends without loading it (ledger/newer.sql).
    """
    if not (feed.target.is_whole and ledger_exists(connection)):
        return None
    return newest_loaded(connection, feed.name)
