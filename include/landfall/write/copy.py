"""Copies frames into the target part by part, so that a refused row costs its part and no more.

A part is some megabytes of typed rows, copied in a savepoint and held until the server has taken
them. Where it refuses them, their rows go into staging as texts, for Postgres to judge.
"""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Iterable, Iterator

import psycopg
from psycopg import sql
from psycopg.copy import LibpqWriter

from include.landfall.frames import Ending, Frame, FrameType, PartBegins, Shape
from include.landfall.postgres.errors import postgres_errors, refuses_rows
from include.landfall.write.rejected import REJECTED, REJECTED_COLUMNS
from include.landfall.write.staging import (
    TEXTS,
    TEXTS_COLUMNS,
    WIRE,
    Staging,
    copy_statement,
)
from include.landfall.write.target import TYPED

# What stands around the rows of a binary COPY:
# https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS-BINARY
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
MESSAGE_BYTES = 1 << 16  # the server holds a message whole, and a megabyte leaves its cache
PART_BYTES = 16 << 20


class Part:
    """Some megabytes of the stream: typed rows, and what came between them."""

    def __init__(self) -> None:
        self.rows: list[Frame] = []
        self.suspects: list[Frame] = []
        self.rejects: list[Frame] = []
        self.begun: list[Frame] = []  # parts of the arrival that begin
        self.read: int | None = None  # all rows of the file, once it has ended
        self.ending = Ending()

    def take(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """Yields typed rows until the part is full or the file ends, and keeps every frame."""
        kept = {
            FrameType.PART: self.begun,
            FrameType.ROWS: self.rows,
            FrameType.SUSPECTS: self.suspects,
            FrameType.REJECTS: self.rejects,
        }
        size = 0
        for frame in frames:
            if frame.type is FrameType.END:
                self.read, self.ending = frame.count, Ending.of(frame)
                return
            kept[frame.type].append(frame)
            if frame.type is FrameType.ROWS:
                yield frame
            size += len(frame.payload)
            if size >= PART_BYTES:
                return

    @property
    def count(self) -> int:
        """How many rows of the file are in the part."""
        return sum(frame.count for frame in [*self.rows, *self.suspects, *self.rejects])

    def row_numbers(self) -> array[int]:
        """Returns the typed rows' numbers in the file."""
        numbers = array("q")
        for frame in self.rows:
            numbers.extend(frame.row_numbers)
        return numbers


def copy(frames: Iterator[Frame], staging: Staging) -> tuple[int, int]:
    """Takes every frame of a file; suspects and what the target refused are in TEXTS afterwards.

    Returns how many rows were read, and how many the target or INCOMING took. Reading stops early
    when so many rows are rejected that the file is refused, however it goes on.

    Raises: what the reading side raises.
    """
    with postgres_errors():
        staging.take_shape(Shape.of(next(frames)))
    read = written = 0
    while True:
        part = Part()
        written += _write(part, frames, staging)
        read += part.count
        for frame in part.begun:
            staging.begin_part(PartBegins.of(frame))
        if part.read is not None or _are_enough(staging):
            staging.ending = part.ending
            return part.read or read, written


def _are_enough(staging: Staging) -> bool:
    enough = staging.rejected.enough
    return enough is not None and staging.rejected.misshapen > enough


def _write(part: Part, frames: Iterator[Frame], staging: Staging) -> int:
    """Writes one part, and returns how many of its rows are in the target."""
    typed = part.take(frames)
    written = 0
    if first := next(typed, None):
        try:
            written = _copy_typed(itertools.chain([first], typed), staging)
        except psycopg.Error as error:
            if not refuses_rows(error):
                raise
            for _ in typed:  # the rest of the part
                pass
            _stage_as_texts(part, staging)
    _stage(part, staging)
    return written


def _copy_typed(frames: Iterator[Frame], staging: Staging) -> int:
    with staging.connection.transaction():
        into = TYPED if staging.text_columns else staging.into
        count = _copy(copy_statement(into, staging.copied_names), frames, staging)
        return staging.insert_typed() if staging.text_columns else count


def _stage(part: Part, staging: Staging) -> None:
    """Puts the suspects and the rejects of the part into their tables."""
    with postgres_errors():
        if part.suspects:
            staging.create_texts()
            _copy(copy_statement(TEXTS, TEXTS_COLUMNS), part.suspects, staging)
        if part.rejects:
            staging.rejected.create()
            staging.rejected.misshapen += _copy(
                copy_statement(REJECTED, REJECTED_COLUMNS), part.rejects, staging
            )


def _stage_as_texts(part: Part, staging: Staging) -> None:
    """Puts typed rows that the target refused into TEXTS."""
    with postgres_errors():
        staging.create_wire()
        _copy(copy_statement(WIRE, staging.copied_names), part.rows, staging)
        staging.move_wire_to_texts(part.row_numbers())


def _copy(statement: sql.Composed, frames: Iterable[Frame], staging: Staging) -> int:
    """Makes one COPY of the frames, and returns the rows that the server counted."""
    with staging.connection.cursor() as cursor:
        # Sent at once: what waits in libpq's buffer is moved at every step.
        writer = LibpqWriter(cursor, flush_threshold=0)
        with cursor.copy(statement, writer=writer) as copy:
            copy.write(SIGNATURE)
            for frame in frames:
                for piece in _pieces(frame.payload):
                    copy.write(piece)
            copy.write(TRAILER)
        return cursor.rowcount


def _pieces(payload: bytes | memoryview) -> Iterator[memoryview]:
    view = memoryview(payload)
    return (view[start : start + MESSAGE_BYTES] for start in range(0, len(view), MESSAGE_BYTES))
