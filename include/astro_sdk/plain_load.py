"""One `load_file` into Postgres by the engine: files without a feed.

The documented meaning holds: `replace` loads whenever it runs, and `append` adds the rows whenever
a task runs. Only a retry of the same task instance finds in the ledger what an earlier try has
loaded, and does not load it again. The table has the file's columns and no other.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from astro import settings
from psycopg import Connection

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, LandfallError
from include.landfall.feed.formats import ParquetFormat
from include.landfall.ledger.entries import can_record
from include.landfall.load import Receipt
from include.landfall.postgres.catalog import lock_name

from . import declared, inference, recording, tables
from .matching import match
from .parquet_fit import misfit_of
from .plain_feed import Destination, FileColumns, load_plain
from .scratch import scratch_of
from .sources import S3Files
from .tables import Name
from .wording import in_words_of_tables

if TYPE_CHECKING:
    from .database import PostgresDatabase

log = logging.getLogger(__name__)
warned_of: set[str] = set()  # databases that have no ledger


@dataclass(frozen=True)
class PlainLoad:
    """One `load_file` by the engine: which files, into which table, and what if it exists.

    `task` names the task instance that loads. Without one each call is a load of its own.
    """

    database: PostgresDatabase
    table: Any
    files: S3Files
    if_exists: str
    task: str = ""

    @property
    def name(self) -> Name:
        """The target."""
        return Name.of(self.table)

    def run(self) -> list[Receipt]:
        """Loads all files.

        Raises: LandfallError.
        """
        with in_words_of_tables():
            return self._run()

    def _run(self) -> list[Receipt]:
        with self.database.connect() as connection:
            existing = tables.columns_of(connection, self.name)
        if self.if_exists == "append" and existing:
            return self._append(tables.data_columns(existing))
        with _advice_on_inference(is_inferred=not self.table.columns):
            columns = self._new_columns()
            if self.if_exists == "append":
                return self._append_to_new_table(columns)
            if list(existing.items()) == list(columns.items()) and len(self.files.arrivals) == 1:
                return [self._load(self.files.arrivals[0], self.name, columns, "replace")]
            return self._replace_whole(columns)

    def reason_for_pandas(self) -> str:
        """Says why only pandas can load the files, for the log; empty when the engine can.

        Raises: LandfallError.
        """
        if not isinstance(self.files.format, ParquetFormat):
            return ""
        with self.database.connect() as connection:
            if self.table.columns:
                return misfit_of(self.files, self._new_columns())
            if self.if_exists != "append":
                return ""
            return misfit_of(self.files, tables.columns_of(connection, self.name))

    def _new_columns(self) -> dict[str, str]:
        """The columns that a new table gets."""
        if not self.table.columns:
            return inference.infer(self.files, settings.LOAD_TABLE_AUTODETECT_ROWS_COUNT)
        with self.database.connect() as connection:
            return declared.types_of(connection, self.table.columns, self.name)

    # ---- append ------------------------------------------------------------------------------

    def _append(self, columns: dict[str, str]) -> list[Receipt]:
        return [self._append_once(arrival, columns) for arrival in self.files.arrivals]

    def _append_once(self, arrival: Arrival, columns: dict[str, str]) -> Receipt:
        """Appends a file, unless an earlier try of the task has done so and its rows are there."""
        receipt = self._load(arrival, self.name, columns, "append")
        if receipt.outcome == "already_loaded" and receipt.rows and self._is_empty():
            return self._load(arrival, self.name, columns, "append", force=True)
        return receipt

    def _is_empty(self) -> bool:
        with self.database.connect() as connection:
            return tables.is_empty(connection, self.name)

    def _append_to_new_table(self, columns: dict[str, str]) -> list[Receipt]:
        """Creates the table and loads the files into it.

        Other tasks may append to the same table at the same time. The first one creates it, and
        after a failure it stays when another one has loaded something.
        """
        if not self._create(self.name, columns):
            with self.database.connect() as connection:
                return self._append(tables.data_columns_of(connection, self.name))
        with self._removed_after_failure(self.name, tables.drop_unused):
            return self._append(columns)

    # ---- replace -----------------------------------------------------------------------------

    def _replace_whole(self, columns: dict[str, str]) -> list[Receipt]:
        """Loads all files into another table, which then replaces the target at once."""
        with (
            scratch_of(self.database, self.name) as scratch,
            self._removed_after_failure(scratch, tables.drop),
        ):
            self._create(scratch, columns)
            receipts = [self._load_unrecorded(a, scratch, columns) for a in self.files.arrivals]
            return self._put_in_place(scratch, columns, receipts)

    def _put_in_place(
        self, scratch: Name, columns: dict[str, str], receipts: list[Receipt]
    ) -> list[Receipt]:
        destination = self._destination(self.name, columns, "replace")
        is_recorded = self._is_recorded
        with self.database.transaction() as connection:
            recording.lock(connection, destination, self.files)
            tables.replace(connection, self.name, scratch)
            if is_recorded:
                receipts = recording.record(connection, destination, self.files, receipts)
        return receipts

    def _load_unrecorded(self, arrival: Arrival, into: Name, columns: dict[str, str]) -> Receipt:
        """Loads into a table that nobody sees yet; the ledger keeps only a failure."""
        try:
            return self._load(arrival, into, columns, "append", recorded=False)
        except LandfallError as error:
            if self._is_recorded:
                destination = self._destination(self.name, columns, "replace")
                recording.keep_failure(self.database, destination, self.files, arrival, error)
            raise

    # ---- both --------------------------------------------------------------------------------

    def _create(self, name: Name, columns: dict[str, str]) -> bool:
        """Creates a table and returns True; returns False when it has been created meanwhile."""
        with self.database.transaction() as connection:
            lock_name(connection, f"create {name.written}")
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
        self,
        arrival: Arrival,
        into: Name,
        columns: dict[str, str],
        disposition: str,
        **options: Any,
    ) -> Receipt:
        layout = inference.layout_of(self.files, arrival)
        names = match(layout.names, list(columns))
        scales = [layout.scales.get(name) for name in layout.names]
        destination = self._destination(into, columns, disposition)
        options = {"recorded": self._is_recorded, **options}
        file_columns = FileColumns(tuple(names), tuple(scales))
        return load_plain(destination, self.files, arrival, file_columns, **options)

    def _destination(self, into: Name, columns: dict[str, str], disposition: str) -> Destination:
        # Of a `replace` only the table counts: it replaces every version of every file.
        task = (self.task or uuid.uuid4().hex) if disposition == "append" else ""
        return Destination(self.database.warehouse, self.table, into, columns, disposition, task)

    @cached_property
    def _is_recorded(self) -> bool:
        """Whether there is a ledger. Files are loaded without the right to make one, too."""
        with self.database.connect() as connection:
            if can_record(connection):
                return True
        if self.database.warehouse.name not in warned_of:
            warned_of.add(self.database.warehouse.name)
            log.warning(
                "The role may not write into the schema landfall, so this load has no ledger: a"
                " retry after a lost connection may append a file twice. What to do, once, as an"
                " owner of the database: CREATE SCHEMA landfall AUTHORIZATION <the role>"
            )
        return False


@contextmanager
def _advice_on_inference(is_inferred: bool) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        if is_inferred and error.place.column:
            error.do = (
                "nobody declared the column's type, and it was inferred from the first rows:"
                " declare it, with Table(columns=[Column(...)])"
            )
        raise
