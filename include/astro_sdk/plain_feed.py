"""The feed that the engine takes for a file that has none, and its load."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from include.airflow_bridge.task import loader
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


@dataclass(frozen=True)
class FileColumns:
    """The columns of a file, by place: their names in the table, and the scales of numbers.

    A name is empty where the column is left out.
    """

    names: tuple[str, ...] = ()
    scales: tuple[int | None, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The names, with one for each column that is left out."""
        return tuple(name or f"left out {place}" for place, name in enumerate(self.names))

    @property
    def left_out(self) -> dict[str, Column]:
        """The columns that are left out."""
        pairs = zip(self.labels, self.names, strict=True)
        return {label: LEFT_OUT for label, name in pairs if not name}

    @property
    def known_scales(self) -> tuple[tuple[str, int], ...]:
        """The scales by name."""
        pairs = zip(self.names, self.scales, strict=False)
        return tuple((name, scale) for name, scale in pairs if scale is not None)


class PlainCsv(CsvFormat):
    """CSV with the names that the file's columns have in the table."""

    names: tuple[str, ...] = ()
    scales: tuple[tuple[str, int], ...] = ()

    def dialect(self) -> CsvDialect:
        """Returns the dialect with these names."""
        dialect = super().dialect()
        # The SDK left it to Postgres which part of 03/04/2013 is the month.
        spelling = replace(dialect.spelling, session_dates=True)
        return replace(dialect, names=self.names, scales=self.scales, spelling=spelling)


class PlainParquet(ParquetFormat):
    """Parquet with the names that the file's columns have in the table."""

    names: tuple[str, ...] = ()
    scales: tuple[tuple[str, int], ...] = ()

    def dialect(self) -> ParquetDialect:
        """Returns the dialect with these names."""
        return replace(super().dialect(), names=self.names)


def load_plain(
    to: Destination, files: S3Files, arrival: Arrival, columns: FileColumns, **options: Any
) -> Receipt:
    """Loads one of the files, which has these columns.

    Raises: LandfallError.
    """
    feed = feed_of(to, arrival, files.format, columns)
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
    file_columns: FileColumns | None = None,
) -> Feed:
    """Makes the feed for one file.

    Raises: FeedError when the table or a column cannot be loaded into.
    """
    own = file_columns or FileColumns()
    # An existing table may have more columns than the file. The engine refuses any other.
    present = {c: t for c, t in to.columns.items() if c in own.names} if _may_lack(to) else {}
    columns = {name: Column(type=t) for name, t in (present or to.columns).items()}
    try:
        return Feed(
            feed=_feed_name(to, arrival),
            description=to.table.name,
            source=Source(bucket=arrival.bucket, pattern=arrival.key),
            format=_format(form, own),
            target=Target(
                connection=to.table.conn_id,
                table=to.into.written,
                disposition=to.disposition,
                load_id=False,
            ),
            columns={**columns, **own.left_out},
        )
    except ValidationError as error:
        raise _misfit(to, error) from None


def _misfit(to: Destination, error: ValidationError) -> FeedError:
    first = error.errors()[0]
    reason = first["msg"].removeprefix("Value error, ")
    what = f"the table {Name.of(to.table).quoted} cannot be loaded into: {reason}"
    return FeedError(what, found=str(first["input"]))


def _format(form: CsvFormat | ParquetFormat, own: FileColumns) -> PlainCsv | PlainParquet:
    plain = PlainCsv if isinstance(form, CsvFormat) else PlainParquet
    return plain(**form.model_dump(), names=own.labels, scales=own.known_scales)


def _may_lack(to: Destination) -> bool:
    return to.disposition == "append" and not to.table.columns and to.into == Name.of(to.table)


def _feed_name(to: Destination, arrival: Arrival) -> str:
    """Returns the feed's name: of each table, and of each file that a task instance appends."""
    if not to.task:
        return feed_name(Name.of(to.table))
    return feed_name(Name.of(to.table), to.task, arrival.uri, arrival.version)


def feed_name(name: Name, *more: str) -> str:
    """Returns a feed's name for a table without a feed: readable, and different for each table."""
    plain = re.sub(r"[^a-z0-9]+", "_", f"{name.schema}_{name.table}".lower()).strip("_")[:30]
    exact = "\0".join([name.schema, name.table, *more]).encode()
    return f"load_file_{plain}_{hashlib.sha256(exact).hexdigest()[:10]}"
