"""Copy: frames into the target, or into staging and from there with set-based SQL.

The only house that knows COPY and the staging tables. It runs in the load's transaction.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator

from psycopg import Connection, sql
from psycopg.copy import LibpqWriter

from include.landfall.errors import DataError
from include.landfall.feed.model import Feed
from include.landfall.frames import Frame, Kind
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.statements import identifiers, table
from include.landfall.write.staging import TYPED
from include.landfall.write.target import LOAD_ID, TargetColumn

# What stands around the rows of a binary COPY:
# https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS-BINARY
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)


TRAILER = b"\xff\xff"


TEXTS = sql.Identifier("pg_temp", "landfall_texts")


ROW = "_load_row"  # no column of a feed begins so


PIECE = 1 << 16  # bytes of a message: the server holds it whole, and a megabyte leaves its cache


class Copier:
    """Copies the frames of one arrival into one target."""

    def __init__(
        self, connection: Connection, feed: Feed, columns: list[TargetColumn], load_id: int
    ) -> None:
        self.connection = connection
        self.columns = columns
        self._target = table(feed.target.table)
        self._load_id = load_id
        self._text_columns: list[str] = []
        self._has_texts = False

    def copy(self, frames: Iterator[Frame]) -> int:
        """Takes every frame; gives back the rows read, all of which are in the target.

        Raises what the reading side raises, RefusedCell when Postgres refuses a row, and
        DataError when a row is unaccounted for.
        """
        self._text_columns = json.loads(bytes(next(frames).payload))
        if self._text_columns:
            self._widen(self._text_columns)
        counts = self._copy_frames(frames)
        straight = self._insert(TYPED) if self._text_columns else counts[Kind.ROWS]
        staged = self._insert(TEXTS) if self._has_texts else 0
        check_counts(straight + staged, counts[Kind.END])
        return counts[Kind.END]

    def stage(self, frames: Iterator[Frame]) -> int:
        """Takes the frames of a careful reading into the staging of texts; the rows read."""
        next(frames)  # the shape, which matters only to typed rows
        return self._copy_frames(frames)[Kind.END]

    def _copy_frames(self, frames: Iterator[Frame]) -> dict[Kind, int]:
        counts = {Kind.ROWS: 0, Kind.SUSPECTS: 0, Kind.END: 0}
        for kind, run in itertools.groupby(frames, key=lambda frame: frame.kind):
            if kind == Kind.END:
                counts[kind] += sum(frame.count for frame in run)
            else:
                counts[kind] += self._copy_run(kind, run)
        return counts

    def _copy_run(self, kind: Kind, run: Iterable[Frame]) -> int:
        """One COPY of frames of one kind; the rows that the server counted."""
        if kind == Kind.SUSPECTS and not self._has_texts:
            self._create_texts()
        with self.connection.cursor() as cursor:
            # Sent at once: what waits in libpq's buffer is moved at every step.
            writer = LibpqWriter(cursor, flush_threshold=0)
            with postgres_errors(), cursor.copy(self._copy_statement(kind), writer=writer) as copy:
                copy.write(SIGNATURE)
                for frame in run:
                    for piece in _pieces(frame.payload):
                        copy.write(piece)
                copy.write(TRAILER)
            return cursor.rowcount

    def _copy_statement(self, kind: Kind) -> sql.Composed:
        names = [column.planned.name for column in self.columns]
        into, names = {
            Kind.SUSPECTS: (TEXTS, [ROW, *names]),
            Kind.ROWS: (TYPED if self._text_columns else self._target, [*names, LOAD_ID]),
        }[kind]
        return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(into, identifiers(names))

    def _widen(self, text_columns: list[str]) -> None:
        """Turns the table of the feed's columns into staging: some as text, and the load id."""
        changes = [sql.SQL("ADD {} bigint").format(sql.Identifier(LOAD_ID))]
        changes += [sql.SQL("ALTER {} TYPE text").format(sql.Identifier(c)) for c in text_columns]
        self.connection.execute(
            sql.SQL("ALTER TABLE {} {}").format(TYPED, sql.SQL(", ").join(changes))
        )

    def _create_texts(self) -> None:
        columns = [
            sql.SQL("{} text").format(sql.Identifier(column.planned.name))
            for column in self.columns
        ]
        self.connection.execute(
            sql.SQL("CREATE TEMP TABLE landfall_texts ({} bigint, {}) ON COMMIT DROP").format(
                sql.Identifier(ROW), sql.SQL(", ").join(columns)
            )
        )
        self._has_texts = True

    def _insert(self, staging: sql.Identifier) -> int:
        with postgres_errors():
            return self.connection.execute(self.insert_statement(staging)).rowcount

    def insert_statement(self, staging: sql.Identifier = TEXTS) -> sql.Composed:
        """The INSERT from staging into the target, ready for a WHERE."""
        as_text = set(self._text_columns) if staging is TYPED else None
        values = [
            column.from_text
            if as_text is None or column.planned.name in as_text
            else sql.Identifier(column.planned.name)
            for column in self.columns
        ]
        names = [*(column.planned.name for column in self.columns), LOAD_ID]
        return sql.SQL("INSERT INTO {} ({}) SELECT {}, {} FROM {}").format(
            self._target,
            identifiers(names),
            sql.SQL(", ").join(values),
            sql.Literal(self._load_id),
            staging,
        )


def _pieces(payload: bytes | memoryview) -> Iterator[memoryview]:
    view = memoryview(payload)
    return (view[start : start + PIECE] for start in range(0, len(view), PIECE))


def check_counts(loaded: int, read: int) -> None:
    """Raises DataError unless every row that was read is in the table."""
    if loaded != read:
        raise DataError(
            "rows were lost on the way to the table",
            found=f"{loaded} rows loaded",
            expected=f"the {read} rows read (a rule or trigger may drop rows)",
        )
