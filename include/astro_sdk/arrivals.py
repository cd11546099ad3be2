"""A file that is one version of one object, with its feed: what a mapped `load_file` loads."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import attr
from astro.constants import FileType
from astro.files import File

from include.airflow_bridge import load_warnings, loader, shortened, store_of
from include.landfall.arrival import Arrival
from include.landfall.connections import Warehouse
from include.landfall.errors import FeedError, ObjectChanged, printable
from include.landfall.feed.model import Feed
from include.landfall.load import Receipt, load

from .tables import Name

log = logging.getLogger(__name__)

LONGEST_LABEL = 250  # characters that Airflow's database takes for the label of a mapped task


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
            filetype=_file_type(feed),
            arrival=arrival,
            feed=feed,
        )

    @property
    def key(self) -> str:
        """The object's key."""
        return self.arrival.key if self.arrival else ""

    @property
    def label(self) -> str:
        """What the UI calls the task that loads the file: its key, or the ends of a long one."""
        return shortened(self.key, LONGEST_LABEL)


def _file_type(feed: Feed) -> FileType:
    """Returns astro's name of the feed's format, or text where astro knows no such format.

    Nothing reads an arrival by it, but astro refuses a file without any.
    """
    names = {each.value for each in FileType}
    return FileType(feed.format.type) if feed.format.type in names else FileType.CSV


def _check_source(feed: Feed, arrival: Arrival) -> None:
    """Checks that the object is still the feed's, which may have been edited since the listing.

    Raises: ObjectChanged when it is not.
    """
    source, key = feed.source, arrival.key
    is_folder = bool(source.snapshot)
    names_key = source.names_folder if is_folder else source.matches
    if arrival.bucket == source.bucket and is_folder == key.endswith("/") and names_key(key):
        return
    raise ObjectChanged(
        "the feed has been edited since the object was listed, and does not name it any more",
        expected=f"s3://{source.bucket}/{source.pattern}",
    ).at(feed=feed.name, object=arrival.uri)


def load_arrival(file: ArrivalFile, warehouse: Warehouse, table: Any) -> Receipt:
    """Loads an arrival as its feed says; when it is loaded already, it only logs by whom.

    Raises: LandfallError; ObjectChanged also when the object is the feed's no more.
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
    _check_source(feed, file.arrival)
    store = store_of(feed.source.connection)
    receipt = load(feed, file.arrival, store=store, warehouse=warehouse, by=loader())
    log.info(_message(receipt))
    for warning in load_warnings(receipt):
        log.warning(warning)
    return receipt


def _message(receipt: Receipt) -> str:
    where = printable(f"s3://{receipt.bucket}/{receipt.key}")
    if receipt.outcome == "already_loaded":
        return f"{where} was loaded before, by {receipt.by}: {receipt.rows} rows"
    if receipt.outcome == "superseded":
        return f"{where} is not loaded: a newer version is, by {receipt.by}"
    text = f"{where}: {receipt.rows} rows in {receipt.seconds} s, load {receipt.load_id}"
    if receipt.deduplicated:
        text += f"; {receipt.deduplicated} rows lost to a newer row of their key"
    return text
