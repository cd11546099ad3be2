"""The rejected rows of one load, in a temporary table until the load is settled.

A row may be refused for several reasons, and has a row in the table for each.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.arrival import PartStart
from include.landfall.feed.model import Feed
from include.landfall.ledger.rejects import RejectedRow
from include.landfall.postgres.statements import statement, value

# A row's number, its line, its text, and its cells where it can be cut into cells.
Located = tuple[int, int | None, str, list[str | None] | None]
REJECTED = sql.Identifier("pg_temp", "landfall_rejected")
ORIGINS_AT_ONCE = 500_000  # rows whose texts one more pass over the file finds: some 30 MB
FETCHED = 10_000  # numbers that are fetched at a time
SAMPLE_BYTES = 16 << 20  # of the texts of all samples
ENOUGH = 100_000  # rejects above the budget, after which a file is not read on
REJECTED_COLUMNS = ["number", "line", "column_name", "reason", "sqlstate", "message", "raw"]


class RejectedRows:
    """What of one load was refused."""

    def __init__(self, connection: Connection, feed: Feed) -> None:
        self._connection = connection
        self.names = list(feed.table_columns)  # of the cells
        self._secret = [name for name, column in feed.columns.items() if column.secret]
        self._keep = feed.rejects.keep
        self._exists = False
        self.misshapen = 0  # rows that the reading side rejected
        self.parts: list[PartStart] = []  # of the arrival, in the order of their rows
        # So many rejected rows refuse the file, however it goes on, and no more need be known.
        most = feed.rejects.budget.rows
        self.enough = None if most is None else most + ENOUGH

    def create(self) -> None:
        """Creates the table, unless it is there."""
        if not self._exists:
            self._connection.execute(statement("write/rejected"))
        self._exists = True

    def count(self) -> int:
        """Returns how many rows are rejected so far."""
        if not self._exists:
            return 0
        query = "SELECT count(DISTINCT number) FROM pg_temp.landfall_rejected WHERE NOT nulled"
        return int(value(self._connection, query))

    def count_among(self, bits: bytes) -> int:
        """Returns how many rows of a RowSet are rejected."""
        if not self._exists:
            return 0
        query = (
            "SELECT count(DISTINCT number) FROM pg_temp.landfall_rejected WHERE NOT nulled"
            " AND CASE WHEN number < %(size)s THEN get_bit(%(bits)s::bytea, number) = 1 END"
        )
        return int(value(self._connection, query, {"bits": bits, "size": 8 * len(bits)}))

    def are_enough(self) -> bool:
        """Returns whether so many rows are rejected that no more need be known."""
        return self.enough is not None and self.count() > self.enough

    def counts(self) -> dict[str, int]:
        """Returns how many rows were refused, by their first reason."""
        if not self._exists:
            return {}
        rows = self._connection.execute(
            "SELECT reason, count(*) FROM pg_temp.landfall_rejects GROUP BY reason"
            " ORDER BY min(number)"
        )
        return dict(rows.fetchall())

    def without_origin(self) -> Iterator[array[int]]:
        """Yields the numbers of rows whose line and text are not known yet.

        They ascend, and come in arrays of at most ORIGINS_AT_ONCE. Origins may be set in between.
        """
        if not self._exists:
            return
        query = (
            "SELECT DISTINCT number FROM pg_temp.landfall_rejected WHERE raw IS NULL"
            " ORDER BY number"
        )
        with self._connection.cursor("landfall_without_origin") as cursor:
            cursor.execute(query)
            numbers = array("q")
            while fetched := cursor.fetchmany(min(FETCHED, ORIGINS_AT_ONCE)):
                numbers.extend(number for (number,) in fetched)
                if len(numbers) + FETCHED > ORIGINS_AT_ONCE:
                    yield numbers
                    numbers = array("q")
            if numbers:
                yield numbers

    def set_origins(self, origins: Iterable[Located]) -> None:
        """Fills in line, text and cells, as the file has them, by the rows' numbers."""
        self._connection.execute(
            "CREATE TEMP TABLE landfall_origins"
            " (number bigint, line bigint, raw text, cells text[]) ON COMMIT DROP"
        )
        with (
            self._connection.cursor() as cursor,
            cursor.copy("COPY pg_temp.landfall_origins FROM STDIN") as copy,
        ):
            copy.set_types(["int8", "int8", "text", "text[]"])
            for number, line, raw, cells in origins:
                copy.write_row((number, line, raw.replace("\0", "\\x00"), cells))
        # One statement: without an index an UPDATE a row would look through all rows each time.
        self._connection.execute(
            "UPDATE pg_temp.landfall_rejected AS r SET line = o.line, raw = o.raw,"
            " cells = coalesce(o.cells, r.cells)"
            " FROM pg_temp.landfall_origins AS o WHERE r.number = o.number"
        )
        self._connection.execute("DROP TABLE pg_temp.landfall_origins")

    def set_parts(self) -> None:
        """Fills in of which part each row is, and its number there. A single file has no parts."""
        if self._exists and self.parts:
            keys, members, firsts = map(list, zip(*self.parts))
            self._connection.execute(
                statement("write/set_parts"),
                {"keys": keys, "members": members, "firsts": firsts},
            )

    def samples(self, limit: int) -> list[RejectedRow]:
        """Returns at most so many rows: the first of each reason, then the second of each.

        They are fewer where their texts take more than SAMPLE_BYTES. Their numbers count in the
        whole arrival until `set_parts` is called.
        """
        if not self._exists:
            return []
        with self._connection.cursor(row_factory=class_row(RejectedRow)) as cursor:
            return cursor.execute(
                statement("write/samples"),
                {"names": self.names, "limit": limit, "bytes": SAMPLE_BYTES},
            ).fetchall()

    def conceal(self) -> None:
        """Takes out of the table what the feed does not want to be kept of a row."""
        if self._exists and (self._keep != "raw" or self._secret):
            self._connection.execute(
                statement("write/conceal"), {"keep": self._keep, "secret": self._secret}
            )

    def keep(self, values: dict[str, Any]) -> None:
        """Writes the rows into landfall.rejects, beside the data; `values` are the load's own."""
        if self._exists and self._keep != "count":
            parameters = {**values, "names": self.names}
            self._connection.execute(statement("write/keep_rejects"), parameters)
            self._connection.execute(statement("write/keep_nulled"), parameters)

    def null_cells(self, positions: list[int]) -> None:
        """Makes bad cells of columns at these places, from 1, NULL where their rows are good."""
        if positions:
            self._connection.execute(statement("write/null_cells"), {"positions": positions})

    def nulled(self) -> dict[str, int]:
        """Returns how many cells of which column became NULL."""
        if not self._exists:
            return {}
        rows = self._connection.execute(
            "SELECT column_name, count(*) FROM pg_temp.landfall_rejected WHERE nulled"
            " AND number NOT IN (SELECT number FROM pg_temp.landfall_rejects)"
            " GROUP BY column_name, position ORDER BY position"
        )
        return dict(rows.fetchall())
