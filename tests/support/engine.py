"""Loads files of one feed through the engine, for tests with a bucket and a database."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import psycopg

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.feed.model import Feed
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.ledger.entries import Entry
from include.landfall.ledger.queries import entries_of
from include.landfall.load import Receipt, load
from include.landfall.postgres.connection import connect
from include.landfall.replay import Replayed, rejects_to_replay, replay
from include.landfall.s3.listing import find_arrival, list_arrivals

COLUMNS = {"id": "integer", "name": "text"}


@dataclass
class Engine:
    """Loads files of one feed. Its table is `raw.t` with COLUMNS unless a test changes it."""

    warehouse: Warehouse
    store: Store
    client: Any
    bucket: str
    feed: Feed = field(init=False)
    _clock: Any = field(default_factory=itertools.count, repr=False)

    def __post_init__(self) -> None:
        self.feed = self.make_feed()

    def make_feed(self, columns=COLUMNS, table="raw.t", disposition="append", **more) -> Feed:
        """Makes a feed with these columns and this table."""
        return Feed.model_validate(
            {
                "feed": "t",
                "source": {"bucket": self.bucket, "pattern": "**"},
                "target": {"table": table, "disposition": disposition},
                "columns": columns,
                **more,
            }
        )

    def be(self, **changes) -> Engine:
        """Changes the feed."""
        self.feed = self.make_feed(**changes)
        return self

    def put(self, body: str | bytes, key: str = "a.csv") -> Arrival:
        """Puts a file into the bucket, later than all before it."""
        data = body.encode() if isinstance(body, str) else body
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)
        arrival = find_arrival(self.client, self.bucket, key)
        # S3's times have whole seconds, and a test must not wait for the next one.
        later = arrival.last_modified + timedelta(seconds=next(self._clock))
        return replace(arrival, last_modified=later)

    def load(self, what: str | bytes | Arrival, key: str = "a.csv", **options) -> Receipt:
        """Loads an arrival, or a text as a file with this key.

        The client of the store is the test's own: making one is half of a small load.
        """
        arrival = what if isinstance(what, Arrival) else self.put(what, key)
        servers = {"store": self.store, "warehouse": self.warehouse, "client": self.client}
        if "store" in options:
            del servers["client"]
        return load(self.feed, arrival, **{**servers, **options})

    def new_arrivals(self, *arrivals: Arrival, due_only: bool = False) -> list[Arrival]:
        """Returns those that a run would load now, of these arrivals or of all in the bucket."""
        listed = arrivals or list_arrivals(self.client, self.feed.source)
        with connect(self.warehouse) as connection:
            return new_arrivals(connection, self.feed, listed, due_only=due_only)

    def new_keys(self, *arrivals: Arrival) -> list[str]:
        """Returns their keys."""
        return [arrival.key for arrival in self.new_arrivals(*arrivals)]

    def replay(self, **choice: Any) -> list[Replayed]:
        """Replays the feed's open rejects, or those that are chosen: a result for each file."""
        chosen = rejects_to_replay(self.feed, warehouse=self.warehouse, **choice)
        servers = {"warehouse": self.warehouse, "by": "me"}
        return [replay(self.feed, batch, **servers) for batch in chosen.batches]

    def sql(self, query: str, *values: Any) -> list[Any]:
        """Runs a query, and returns its rows, or the values where it has one column."""
        with psycopg.connect(self.warehouse.conninfo(), autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            rows = cursor.fetchall() if cursor.description else []
        return [row[0] for row in rows] if rows and len(rows[0]) == 1 else rows

    def rows(self) -> list[Any]:
        """Reads `raw.t`, without the load ids."""
        return self.sql("SELECT id, name FROM raw.t ORDER BY id, name")

    def entries(self) -> list[Entry]:
        """Reads the ledger."""
        with connect(self.warehouse) as connection:
            return list(entries_of(connection, "t"))

    def statuses(self) -> list[str]:
        """Reads the statuses in the ledger, oldest load first."""
        return [entry.status for entry in self.entries()]


def many(rows: int, first: int = 1) -> str:
    """Makes the text of a file with this many rows; LARGE rows are more than 8 MiB."""
    return "id,name\n" + "".join(f"{i},{i:070}\n" for i in range(first, first + rows))


LARGE = 120_000
