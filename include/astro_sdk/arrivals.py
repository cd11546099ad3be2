"""A file that is one version of one object, bound by its feed: what a mapped `load_file` loads."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import attr
from astro.constants import FileType
from astro.files import File

from include.landfall.arrival import Arrival
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.load import Receipt, load

from .airflow_errors import who
from .connections import store_of
from .tables import Name

log = logging.getLogger(__name__)


@attr.define(eq=False)
class ArrivalFile(File):
    """A listed arrival with its feed. `load_file` loads exactly that version, exactly once.

    The feed's contract rules (types, NULLs, dialect, disposition); `if_exists` is not asked.
    """

    arrival: Arrival | None = None
    feed: Feed | None = None

    @classmethod
    def of(cls, arrival: Arrival | Mapping[str, Any], feed: Feed) -> ArrivalFile:
        """The file of an arrival, as the sensor hands it on or as the engine lists it."""
        if not isinstance(arrival, Arrival):
            arrival = Arrival.from_dict(dict(arrival))
        return cls(  # type: ignore[call-arg]  # astro's own fields: it ships no types
            path=arrival.uri,
            conn_id=feed.source.connection,
            filetype=FileType(feed.format.type),
            arrival=arrival,
            feed=feed,
        )

    @property
    def key(self) -> str:
        """The object's key."""
        return self.arrival.key if self.arrival else ""


def load_arrival(file: ArrivalFile, database: Any, table: Any) -> Receipt:
    """Loads the arrival under its feed; a no-op that says by whom, when it is loaded already.

    Raises: LandfallError.
    """
    assert file.arrival is not None  # ArrivalFile.of sets both
    assert file.feed is not None
    feed, name = file.feed, Name.of(table)
    if (name.schema, name.table) != (feed.target.schema_name, feed.target.table_name):
        raise FeedError(
            f"the feed {feed.name} loads into another table",
            found=f"{name.schema}.{name.table}",
            expected=feed.target.table,
            do="output_table=feed_table(feed)",
        )
    store = store_of(feed.source.connection)
    receipt = load(feed, file.arrival, store=store, warehouse=database.warehouse, by=who())
    log.info(_told(receipt))
    return receipt


def _told(receipt: Receipt) -> str:
    where = f"s3://{receipt.bucket}/{receipt.key}"
    if receipt.outcome == "already_loaded":
        return f"{where} was loaded before, by {receipt.by}: {receipt.rows} rows"
    if receipt.outcome == "superseded":
        return f"{where} is not loaded: a newer version is, by {receipt.by}"
    return f"{where}: {receipt.rows} rows in {receipt.seconds} s, load {receipt.load_id}"
