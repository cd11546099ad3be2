"""Staging: the temporary tables of one load, and how their rows go into the target.

TEXTS holds rows whose cells are texts, which Postgres reads and judges: suspects of the reading
side, and the rows of a part of the file that a COPY refused. TYPED holds typed rows of a feed that
has columns without a fast cast. WIRE takes what a COPY refused, whatever it is. INCOMING takes the
place of the target where the rows of a file wait until all of them are there: then they are merged.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from psycopg import Connection, sql

from include.landfall.contract import Change
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.frames import Ending, PartBegins, Shape
from include.landfall.job import LOAD_ID, ROW_NUMBER
from include.landfall.postgres.statements import identifiers, table
from include.landfall.write.alter import add_new
from include.landfall.write.dispositions import Disposition, StagedRows
from include.landfall.write.incoming import INCOMING, create_incoming
from include.landfall.write.rejected import RejectedRows
from include.landfall.write.target import TYPED, TargetColumn, add_columns, target_columns

TEXTS = sql.Identifier("pg_temp", "landfall_texts")
TEXTS_COLUMNS = ["number", "line", "raw", "cells"]
WIRE = sql.Identifier("pg_temp", "landfall_wire")
WIRE_NUMBER = "_load_number"
AS_BYTES = {"text", "varchar", "char", "json"}  # a binary COPY sends these as bytes of text


class Staging:
    """The target of one load, and the tables where rows wait that cannot be copied into it."""

    def __init__(
        self,
        connection: Connection,
        feed: Feed,
        disposition: Disposition,
        columns: list[TargetColumn],
        load_id: int,
    ) -> None:
        self.connection = connection
        self.feed = feed
        self.columns = columns
        self.disposition = disposition
        self.changes: list[Change] = []  # departures of the file, and what was altered for it
        self.target = table(feed.target.table)
        self.rejected = RejectedRows(connection, feed)
        self.has_texts = False
        self.text_columns: list[str] = []
        self.deduplicated = 0  # rows that lost to another row of their key
        self.ending = Ending()  # of the file, once it has ended
        self.load_id = load_id
        self.keeps_replaced = feed.target.keep_replaced is not None
        self._has_wire = False
        self._has_load_id = feed.target.load_id

    @property
    def names(self) -> list[str]:
        """The names of the columns that the load fills."""
        return [column.name for column in self.columns]

    @property
    def into(self) -> sql.Identifier:
        """The table that takes the file's rows: the target, or INCOMING."""
        return INCOMING if self.disposition.is_merged else self.target

    @property
    def last(self) -> str | None:
        """The column that follows those of the feed, if one does."""
        if self.disposition.is_merged:
            return ROW_NUMBER
        return LOAD_ID if self._has_load_id else None

    @property
    def copied_names(self) -> list[str]:
        """The names of the columns that a COPY of typed rows fills."""
        return self.names if self.last is None else [*self.names, self.last]

    def begin(self) -> None:
        """Creates INCOMING where the rows are merged.

        Raises: FeedError when the load does not fill a column by which rows are told apart.
        """
        if not self.disposition.is_merged:
            return
        missing = sorted(self.feed.target.named_columns - set(self.names))
        if missing:
            raise FeedError(
                "the file lacks columns that the merge needs",
                found=f"no {', '.join(missing)}",
                do="ask the sender, or leave the column out of target: in the feed",
            )
        create_incoming(self.connection, self.target, self.columns, self.feed)

    def take_shape(self, shape: Shape) -> None:
        """Takes the columns of the rows to come, and gives the target those that it lacks.

        Raises: FeedError when an added column has another type by now.
        """
        if shape.added:
            add_new(self.connection, self.target, shape.added)
            add_columns(self.connection, TYPED, shape.added)
            self.columns = target_columns(self.connection, self.feed, self.target)
        by_name = {column.name: column for column in self.columns}
        self.columns = [by_name[name] for name in shape.columns]
        self.rejected.names = self.names
        self.changes += shape.changes
        self.begin()
        if shape.text_columns:
            self.keep_as_text(shape.text_columns)

    def begin_part(self, part: PartBegins) -> None:
        """Takes note of a part of the arrival, and of departures that no part before it has."""
        self.rejected.parts.append(part.start)
        self.changes += [change for change in part.changes if change not in self.changes]

    def keep_as_text(self, text_columns: list[str]) -> None:
        """Makes TYPED a staging table for the typed rows: these columns as text, and a load id."""
        self.text_columns = text_columns
        changes = [sql.SQL("ALTER {} TYPE text").format(sql.Identifier(c)) for c in text_columns]
        if self.last is not None:
            changes.append(sql.SQL("ADD {} bigint").format(sql.Identifier(self.last)))
        self.connection.execute(
            sql.SQL("ALTER TABLE {} {}").format(TYPED, sql.SQL(", ").join(changes))
        )

    def create_texts(self) -> None:
        """Creates TEXTS, unless it is there."""
        if not self.has_texts:
            self.connection.execute(
                "CREATE TEMP TABLE landfall_texts"
                " (number bigint, line bigint, raw text, cells text[]) ON COMMIT DROP"
            )
        self.has_texts = True

    def create_wire(self) -> None:
        """Creates WIRE, or empties it. Its columns take every value that a binary COPY sends."""
        if self._has_wire:
            self.connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(WIRE))
            return
        columns = [
            sql.SQL("{} {}").format(sql.Identifier(c.name), sql.SQL(self._wire_type(c)))
            for c in self.columns
        ]
        if self.last is not None:
            columns.append(sql.SQL("{} bigint").format(sql.Identifier(self.last)))
        self.connection.execute(
            sql.SQL(
                "CREATE TEMP TABLE landfall_wire ({} bigint GENERATED ALWAYS AS IDENTITY, {})"
                " ON COMMIT DROP"
            ).format(sql.Identifier(WIRE_NUMBER), sql.SQL(", ").join(columns))
        )
        self._has_wire = True

    def move_wire_to_texts(self, numbers: array[int]) -> None:
        """Puts the rows of WIRE into TEXTS; `numbers` are theirs in the file, in order."""
        self.create_texts()
        cells = sql.SQL(", ").join(map(self._wire_text, self.columns))
        self.connection.execute(
            sql.SQL(
                "INSERT INTO {} (number, cells) SELECT numbers.number, ARRAY[{}]::text[] FROM {}"
                " JOIN unnest({}::bigint[]) WITH ORDINALITY AS numbers (number, nth)"
                " ON numbers.nth = {}"
            ).format(TEXTS, cells, WIRE, sql.Literal(numbers.tolist()), sql.Identifier(WIRE_NUMBER))
        )

    def insert_typed(self) -> int:
        """Puts the rows of TYPED where the file's rows go, empties it, returns how many went."""
        inserted = self.connection.execute(self._insert_typed_statement()).rowcount
        self.connection.execute(sql.SQL("TRUNCATE {}").format(TYPED))
        return inserted

    def insert_texts_statement(self) -> sql.Composed:
        """Returns the statement that puts rows of TEXTS where the file's rows go.

        It is ready for a WHERE.
        """
        values = [c.from_text(cell_of(position)) for position, c in enumerate(self.columns, 1)]
        return self._insert_statement(TEXTS, values, sql.Identifier("number"))

    def _insert_typed_statement(self) -> sql.Composed:
        texts = set(self.text_columns)
        values = [
            c.from_text(sql.Identifier(c.name)) if c.name in texts else sql.Identifier(c.name)
            for c in self.columns
        ]
        return self._insert_statement(TYPED, values, sql.Identifier(ROW_NUMBER))

    def _insert_statement(
        self, staging: sql.Identifier, values: Sequence[sql.Composable], number: sql.Identifier
    ) -> sql.Composed:
        if self.last is not None:
            last = number if self.disposition.is_merged else sql.Literal(self.load_id)
            values = [*values, last]
        rows = StagedRows(staging, self.copied_names, list(values))
        return self.disposition.insert(self.into, rows)

    def _wire_type(self, column: TargetColumn) -> str:
        declared = column.planned.type
        return "bytea" if self._is_sent_as_bytes(column) else declared.name

    def _wire_text(self, column: TargetColumn) -> sql.Composed:
        name: sql.Composable = sql.Identifier(column.name)
        if not self._is_sent_as_bytes(column):
            return sql.SQL("{}::text").format(name)
        if column.planned.type.name == "jsonb" and column.name not in self.text_columns:
            name = sql.SQL("substr({}, 2)").format(name)  # the first byte is a version
        return sql.SQL("convert_from({}, 'UTF8')").format(name)

    def _is_sent_as_bytes(self, column: TargetColumn) -> bool:
        declared, typtype = column.planned.type, column.planned.typtype
        if column.name in self.text_columns or typtype != "b" or declared.name == "jsonb":
            return True
        return declared.name in AS_BYTES


def cell_of(position: int) -> sql.SQL:
    """Returns the SQL of a row's cell in TEXTS, by its column's place in the feed, from 1."""
    return sql.SQL(f"cells[{position}]")


def copy_statement(into: sql.Identifier, names: list[str]) -> sql.Composed:
    """Returns the COPY of rows in binary form into columns of a table."""
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(into, identifiers(names))
