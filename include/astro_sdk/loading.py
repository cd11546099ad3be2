"""A plain `load_file` as loads of the engine: from table, files and if_exists to receipts.

The documented meaning holds: it loads whenever it runs. Underneath, each file is an arrival with
a row in the ledger, so a task that is run again puts the same rows in the place of its own.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, FeedError
from include.landfall.feed.model import Column, Feed, Source, Target
from include.landfall.load import Receipt, load

from . import inference, tables
from .sources import S3Files
from .tables import Name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PlainLoad:
    """One `load_file`: what to load, into which table, and how. `by` is who, for the ledger."""

    database: Any
    table: Any
    files: S3Files
    if_exists: str
    by: str
    sample_rows: int

    @property
    def name(self) -> Name:
        """The target."""
        return Name.of(self.table)

    def run(self) -> list[Receipt]:
        """Loads all files; raises LandfallError."""
        with self.database.psycopg() as connection:
            existing = tables.data_columns(tables.columns_of(connection, self.name))
        if self.if_exists == "append" and existing:
            return self._append(self._shared(existing))
        wanted, inferred = self._wanted(existing)
        with _telling_of_inference(inferred):
            if self.if_exists == "append":
                with self._new_table(self.name, wanted) as columns:
                    return self._append(columns)
            if existing == wanted and len(self.files.arrivals) == 1:
                return [self._load(self.files.arrivals[0], self.name, wanted, "replace")]
            return self._by_another_table(wanted)

    def _shared(self, existing: dict[str, str]) -> dict[str, str]:
        """The file's columns in an existing table; one that is not there the engine refuses."""
        present = inference.header(self.files)
        shared = {name: kind for name, kind in existing.items() if name in present}
        return shared or existing

    def _wanted(self, existing: dict[str, str]) -> tuple[dict[str, str], bool]:
        """The columns that the table is to have, and whether their types are inferred."""
        if self.table.columns:
            return self.database.declared_columns(self.table), False
        if existing and set(inference.header(self.files)) in (set(existing), set()):
            return existing, False
        return inference.infer(self.files, self.sample_rows), True

    def _append(self, columns: dict[str, str]) -> list[Receipt]:
        return [self._load(a, self.name, columns, "append") for a in self.files.arrivals]

    def _by_another_table(self, wanted: dict[str, str]) -> list[Receipt]:
        """Several files, or other columns: all of it in a table aside, then one exchange."""
        aside = self.name.scratch()
        with self._new_table(aside, wanted):
            made = [self._load(a, aside, wanted, "append") for a in self.files.arrivals]
            with self.database.transaction() as connection:
                tables.take_place(connection, aside, self.name)
                connection.execute(
                    "UPDATE landfall.ledger SET target = %s WHERE target = %s",
                    [_written(self.name), _written(aside)],
                )
        return made

    @contextmanager
    def _new_table(self, name: Name, wanted: dict[str, str]) -> Iterator[dict[str, str]]:
        """A table made for the load, which is gone again when the load fails."""
        with self.database.transaction() as connection:
            if self.table.columns:
                self.database.create_declared(connection, self.table, name)
            else:
                tables.create(connection, name, wanted)
        try:
            yield wanted
        except BaseException:
            with self.database.transaction() as connection:
                tables.drop(connection, name)
            raise

    def _load(
        self, arrival: Arrival, into: Name, columns: dict[str, str], disposition: str
    ) -> Receipt:
        # Appending today's version of a file must not take yesterday's rows away, so there the
        # version is part of the feed's name; a replacement replaces whatever came before.
        parts = [arrival.uri, arrival.version] if self.if_exists == "append" else []
        feed = self._feed(feed_name(self.name, *parts), arrival, into, columns, disposition)
        receipt = load(
            feed,
            arrival,
            store=self.files.store,
            warehouse=self.database.warehouse,
            force=True,
            by=self.by,
        )
        log.info("Loaded %s rows of %s into %s", receipt.rows, arrival.uri, self.name.quoted)
        return receipt

    def _feed(
        self, name: str, arrival: Arrival, into: Name, columns: dict[str, str], disposition: Any
    ) -> Feed:
        try:
            return Feed(
                feed=name,
                description=self.table.name,
                source=Source(bucket=arrival.bucket, pattern=arrival.key),
                format=self.files.format,
                target=Target(
                    connection=self.table.conn_id, table=_written(into), disposition=disposition
                ),
                columns={column: Column(type=kind) for column, kind in columns.items()},
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise FeedError(
                f"the table {self.name.quoted} cannot be loaded into: {first['msg']}",
                found=str(first["input"]),
            ) from None


def feed_name(name: Name, *more: str) -> str:
    """A feed's name for a table that has no feed: readable, and its own."""
    plain = re.sub(r"[^a-z0-9]+", "_", f"{name.schema}_{name.table}".lower()).strip("_")[:30]
    told_apart = "\0".join([name.schema, name.table, *more]).encode()
    return f"load_file_{plain}_{hashlib.sha256(told_apart).hexdigest()[:10]}"


def _written(name: Name) -> str:
    return f"{name.schema}.{name.table}"


@contextmanager
def _telling_of_inference(inferred: bool) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        if inferred and error.place.column:
            error.do = (
                "nobody declared the column's type, and it was inferred from the first rows:"
                " declare it, with Table(columns=[Column(...)])"
            )
        raise
