"""The arrivals of a feed, as the commands ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from include.landfall.arrival import Arrival
from include.landfall.connections import store_from_environ, warehouse_from_environ
from include.landfall.errors import FeedError, ObjectMissing, TerminalError
from include.landfall.feed.model import Feed
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import postgres_errors
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import find_arrival, list_arrivals


def all_of(feed: Feed) -> list[Arrival]:
    """Returns every arrival of the feed that is in its bucket."""
    with closing(make_client(store_from_environ(feed.source.connection))) as client:
        return list(list_arrivals(client, feed.source))


def named(feed: Feed, keys: list[str]) -> Iterator[tuple[str, Arrival | TerminalError]]:
    """Yields each key with its arrival, or with the error where there is no such object."""
    with closing(make_client(store_from_environ(feed.source.connection))) as client:
        for key in keys:
            try:
                yield key, find_arrival(client, feed.source.bucket, key)
            except (ObjectMissing, FeedError) as error:
                yield key, error


def new_of(feed: Feed) -> list[Arrival]:
    """Returns the arrivals of the feed that are not loaded, oldest first."""
    warehouse = warehouse_from_environ(feed.target.connection)
    with (
        closing(make_client(store_from_environ(feed.source.connection))) as client,
        connect(warehouse) as connection,
        postgres_errors(),
    ):
        return new_arrivals(connection, feed, list_arrivals(client, feed.source))
