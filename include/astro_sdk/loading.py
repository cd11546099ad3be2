"""`load_file` into Postgres: by the engine where it can, else through pandas.

The documented meaning holds: it loads whenever it runs. For the engine each file is an arrival
with a row in the ledger, so a task that runs again replaces the rows that it loaded before.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from astro import settings
from psycopg import Connection
from pydantic import ValidationError

from include.airflow_bridge import airflow_errors, arrival_errors, loader, push_xcom
from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, FeedError, LandfallError
from include.landfall.feed.columns import Column
from include.landfall.feed.model import Feed
from include.landfall.feed.source import Source
from include.landfall.feed.target import Target
from include.landfall.load import Receipt, load
from include.landfall.postgres.catalog import lock_name
from include.landfall.write.target import add_load_id

from . import dataframes, declared, inference, sources, tables
from .arrivals import ArrivalFile, load_arrival
from .sources import S3Files
from .tables import Name

if TYPE_CHECKING:
    from .database import PostgresDatabase

log = logging.getLogger(__name__)


def load_file(
    database: PostgresDatabase,
    file: Any,
    table: Any,
    if_exists: str,
    assume_schema_exists: bool,
    normalize_config: dict[str, Any] | None,
) -> None:
    """Loads astro's file into a table; the engine's receipts go to XCom as `receipts`.

    Raises: AirflowException or AirflowFailException, by whether a retry can help;
    AirflowSkipException when an arrival has changed since it was listed.
    """
    with airflow_errors():
        if isinstance(file, ArrivalFile):
            with arrival_errors():
                receipt = load_arrival(file, database.warehouse, table)
            push_xcom("receipts", [receipt.as_dict()])
            return
        database.create_schema_if_applicable(table.metadata.schema, assume_schema_exists)
        reason = sources.reason_for_pandas(file)
        if reason:
            log.warning("Loading %s through pandas, in memory: %s", file.path, reason)
            frames = dataframes.read_files(database, file, normalize_config)
            dataframes.load(database, frames, table, if_exists)
            return
        receipts = PlainLoad(database, table, sources.files_of(file), if_exists).run()
        push_xcom("receipts", [receipt.as_dict() for receipt in receipts])


@dataclass(frozen=True)
class PlainLoad:
    """One `load_file` by the engine: which files, into which table, and what if it exists."""

    database: PostgresDatabase
    table: Any
    files: S3Files
    if_exists: str

    @property
    def name(self) -> Name:
        """The target."""
        return Name.of(self.table)

    def run(self) -> list[Receipt]:
        """Loads all files.

        Raises: LandfallError.
        """
        existing = self._existing_columns()
        if self.if_exists == "append" and existing:
            return self._append(self._columns_in_file(existing))
        columns, inferred = self._target_columns(existing)
        with _advice_on_inference(inferred):
            if self.if_exists == "append":
                return self._append_to_new_table(columns)
            if existing != columns:
                return self._replace_whole(columns)
            if len(self.files.arrivals) == 1:
                return [self._load(self.files.arrivals[0], self.name, columns, "replace")]
            self._add_load_id(columns)
            return self._replace_whole(columns)

    def _existing_columns(self) -> dict[str, str]:
        with self.database.connect() as connection:
            return tables.data_columns(tables.columns_of(connection, self.name))

    def _columns_in_file(self, existing: dict[str, str]) -> dict[str, str]:
        """The columns of an existing table that the file has; the engine refuses any other."""
        header = inference.header(self.files)
        shared = {name: type_name for name, type_name in existing.items() if name in header}
        return shared or existing

    def _target_columns(self, existing: dict[str, str]) -> tuple[dict[str, str], bool]:
        """The columns that the target will have, and whether their types are inferred."""
        if self.table.columns:
            with self.database.connect() as connection:
                return declared.types_of(connection, self.table.columns, self.name), False
        if existing and set(inference.header(self.files)) in (set(existing), set()):
            return existing, False
        return inference.infer(self.files, settings.LOAD_TABLE_AUTODETECT_ROWS_COUNT), True

    def _append(self, columns: dict[str, str]) -> list[Receipt]:
        return [self._load(a, self.name, columns, "append") for a in self.files.arrivals]

    def _append_to_new_table(self, columns: dict[str, str]) -> list[Receipt]:
        """Creates the table and loads the files into it.

        Other tasks may append to the same table at the same time. The first one creates it, and
        after a failure it stays when another one has loaded something.
        """
        if not self._create(self.name, columns):
            return self._append(self._columns_in_file(self._existing_columns()))
        with self._removed_after_failure(self.name, tables.drop_unused):
            return self._append(columns)

    def _add_load_id(self, columns: dict[str, str]) -> None:
        """Adds the load id to the target, so that the new rows fit into it."""
        feed = self._feed(
            feed_name(self.name), self.files.arrivals[0], self.name, columns, "append"
        )
        with self.database.connect() as connection:
            add_load_id(connection, feed)

    def _replace_whole(self, columns: dict[str, str]) -> list[Receipt]:
        """Loads all files into another table, which then replaces the target at once."""
        scratch = self.name.scratch()
        self._create(scratch, columns)
        with self._removed_after_failure(scratch, tables.drop):
            receipts = [self._load(a, scratch, columns, "append") for a in self.files.arrivals]
            with self.database.transaction() as connection:
                tables.replace(connection, self.name, scratch)
                connection.execute(
                    "UPDATE landfall.ledger SET target = %s WHERE target = %s",
                    [_written(self.name), _written(scratch)],
                )
        return receipts

    def _create(self, name: Name, columns: dict[str, str]) -> bool:
        """Creates a table and returns True; returns False when it has been created meanwhile."""
        with self.database.transaction() as connection:
            lock_name(connection, f"create {_written(name)}")
            if tables.columns_of(connection, name):
                return False
            if self.table.columns:
                declared.create(connection, self.table.columns, name)
            else:
                tables.create(connection, name, columns)
        return True

    @contextmanager
    def _removed_after_failure(
        self, name: Name, drop: Callable[[Connection, Name], None]
    ) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with suppress(LandfallError), self.database.connect() as connection:
                drop(connection, name)
            raise

    def _load(
        self, arrival: Arrival, into: Name, columns: dict[str, str], disposition: str
    ) -> Receipt:
        # A new version of a file must not replace the rows of the old one when it is appended, so
        # then the version is part of the feed's name; a replacement replaces every version.
        parts = [arrival.uri, arrival.version] if self.if_exists == "append" else []
        feed = self._feed(feed_name(self.name, *parts), arrival, into, columns, disposition)
        receipt = load(
            feed,
            arrival,
            store=self.files.store,
            warehouse=self.database.warehouse,
            force=True,
            by=loader(),
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
                columns={column: Column(type=type_name) for column, type_name in columns.items()},
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise FeedError(
                f"the table {self.name.quoted} cannot be loaded into: {first['msg']}",
                found=str(first["input"]),
            ) from None


def feed_name(name: Name, *more: str) -> str:
    """Gives a feed's name for a table without a feed: readable, and different for each table."""
    plain = re.sub(r"[^a-z0-9]+", "_", f"{name.schema}_{name.table}".lower()).strip("_")[:30]
    exact = "\0".join([name.schema, name.table, *more]).encode()
    return f"load_file_{plain}_{hashlib.sha256(exact).hexdigest()[:10]}"


def _written(name: Name) -> str:
    return f"{name.schema}.{name.table}"


@contextmanager
def _advice_on_inference(inferred: bool) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        if inferred and error.place.column:
            error.do = (
                "nobody declared the column's type, and it was inferred from the first rows:"
                " declare it, with Table(columns=[Column(...)])"
            )
        raise
