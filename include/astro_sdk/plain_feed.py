"""The feed that the engine takes for a file that has none, and its load."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from include.airflow_bridge import loader
from include.landfall.arrival import Arrival
from include.landfall.connections import Warehouse
from include.landfall.errors import FeedError
from include.landfall.feed.columns import Column
from include.landfall.feed.dialect import CsvDialect, ParquetDialect
from include.landfall.feed.formats import CsvFormat, ParquetFormat
from include.landfall.feed.model import Feed
from include.landfall.feed.source import Source
from include.landfall.feed.target import Target
from include.landfall.load import Receipt, load

from .sources import S3Files
from .tables import Name

log = logging.getLogger(__name__)
LEFT_OUT = Column(type="text", ignore=True)


@dataclass(frozen=True)
class Destination:
    """Where files go: the table of astro's, the one that is filled, its columns, and how.

    `task` is whose load it is: a file that this task instance has appended is not appended again.
    """

    warehouse: Warehouse
    table: Any
    into: Name
    columns: dict[str, str]
    disposition: str
    task: str = ""


class PlainCsv(CsvFormat):
    """CSV with the names that the file's columns have in the table."""

    names: tuple[str, ...] = ()

    def dialect(self) -> CsvDialect:
        """Returns the dialect with these names."""
        dialect = super().dialect()
        # The SDK left it to Postgres which part of 03/04/2013 is the month.
        spelling = replace(dialect.spelling, session_dates=True)
        return replace(dialect, names=self.names, spelling=spelling)


class PlainParquet(ParquetFormat):
    """Parquet with the names that the file's columns have in the table."""

    names: tuple[str, ...] = ()

    def dialect(self) -> ParquetDialect:
        """Returns the dialect with these names."""
        return replace(super().dialect(), names=self.names)


def load_plain(
    to: Destination, files: S3Files, arrival: Arrival, names: Sequence[str], **options: Any
) -> Receipt:
    """Loads one of the files; `names` are those that its columns have in the table, by place.

    Raises: LandfallError.
    """
    feed = feed_of(to, arrival, files.format, names)
    receipt = load(
        feed, arrival, store=files.store, warehouse=to.warehouse, by=loader(),
        **{"force": to.disposition == "replace", **options},
    )  # fmt: skip
    if receipt.outcome == "already_loaded":
        log.info("An earlier try of this task loaded %s: %s rows", arrival.uri, receipt.rows)
    else:
        log.info("Loaded %s rows of %s into %s", receipt.rows, arrival.uri, to.into.quoted)
    return receipt


def feed_of(
    to: Destination,
    arrival: Arrival,
    form: CsvFormat | ParquetFormat,
    names: Sequence[str] = (),
) -> Feed:
    """Makes the feed for one file.

    Raises: FeedError when the table or a column cannot be loaded into.
    """
    plain = PlainCsv if isinstance(form, CsvFormat) else PlainParquet
    # An existing table may have more columns than the file. The engine refuses any other.
    present = {c: t for c, t in to.columns.items() if c in names} if _may_lack(to) else {}
    columns = {name: Column(type=t) for name, t in (present or to.columns).items()}
    left_out = {f"left out {place}": LEFT_OUT for place, name in enumerate(names) if not name}
    names = [name or f"left out {place}" for place, name in enumerate(names)]
    try:
        return Feed(
            feed=_feed_name(to, arrival),
            description=to.table.name,
            source=Source(bucket=arrival.bucket, pattern=arrival.key),
            format=plain(**form.model_dump(), names=tuple(names)),
            target=Target(
                connection=to.table.conn_id,
                table=to.into.written,
                disposition=to.disposition,
                load_id=False,
            ),
            columns={**columns, **left_out},
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise FeedError(
            f"the table {Name.of(to.table).quoted} cannot be loaded into: {first['msg']}",
            found=str(first["input"]),
        ) from None


def _may_lack(to: Destination) -> bool:
    return to.disposition == "append" and not to.table.columns and to.into == Name.of(to.table)


def _feed_name(to: Destination, arrival: Arrival) -> str:
    """Gives the feed's name: of each table, and of each file that a task instance appends."""
    if not to.task:
        return feed_name(Name.of(to.table))
    return feed_name(Name.of(to.table), to.task, arrival.uri, arrival.version)


def feed_name(name: Name, *more: str) -> str:
    """Gives a feed's name for a table without a feed: readable, and different for each table."""
    plain = re.sub(r"[^a-z0-9]+", "_", f"{name.schema}_{name.table}".lower()).strip("_")[:30]
    exact = "\0".join([name.schema, name.table, *more]).encode()
    return f"load_file_{plain}_{hashlib.sha256(exact).hexdigest()[:10]}"
