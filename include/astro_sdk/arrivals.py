"""A file that is one version of one object, with its feed: what a mapped `load_file` loads."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import attr
from astro.constants import FileType
from astro.files import File

from include.airflow_bridge import load_warnings, loader, store_of
from include.landfall.arrival import Arrival
from include.landfall.connections import Warehouse
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.load import Receipt, load

from .tables import Name

log = logging.getLogger(__name__)


@attr.define(eq=False)
class ArrivalFile(File):
    """A listed arrival with its feed. `load_file` loads exactly that version, exactly once.

    The feed says how it is loaded (types, NULLs, dialect, disposition); `if_exists` has no effect.
    """

    arrival: Arrival | None = None
    feed: Feed | None = None

    @classmethod
    def of(cls, arrival: Arrival | Mapping[str, Any], feed: Feed) -> ArrivalFile:
        """Makes the file of an arrival, which may be the dict that the sensor hands on."""
        if not isinstance(arrival, Arrival):
            arrival = Arrival.from_dict(dict(arrival))
        return cls(  # type: ignore[call-arg]  # astro's fields, and astro has no type hints
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


def load_arrival(file: ArrivalFile, warehouse: Warehouse, table: Any) -> Receipt:
    """Loads an arrival as its feed says; when it is loaded already, it only logs by whom.

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
    receipt = load(feed, file.arrival, store=store, warehouse=warehouse, by=loader())
    log.info(_message(receipt))
    for warning in load_warnings(receipt):
        log.warning(warning)
    return receipt


def _message(receipt: Receipt) -> str:
    where = f"s3://{receipt.bucket}/{receipt.key}"
    if receipt.outcome == "already_loaded":
        return f"{where} was loaded before, by {receipt.by}: {receipt.rows} rows"
    if receipt.outcome == "superseded":
        return f"{where} is not loaded: a newer version is, by {receipt.by}"
    text = f"{where}: {receipt.rows} rows in {receipt.seconds} s, load {receipt.load_id}"
    if receipt.deduplicated:
        text += f"; {receipt.deduplicated} rows lost to a newer row of their key"
    return text
