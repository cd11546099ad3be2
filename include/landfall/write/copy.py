"""Copies frames into the target, or into staging and from there with set-based SQL."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from psycopg import sql
from psycopg.copy import LibpqWriter

from include.landfall.frames import Frame, FrameType
from include.landfall.job import LOAD_ID, ROW_NUMBER
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.statements import identifiers
from include.landfall.write import judge
from include.landfall.write.staging import TEXTS, Staging
from include.landfall.write.target import TYPED

# What stands around the rows of a binary COPY:
# https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS-BINARY
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
MESSAGE_BYTES = 1 << 16  # the server holds a message whole, and a megabyte leaves its cache


class Written(NamedTuple):
    """How many rows were read from the file, and how many of them the target took."""

    read: int
    written: int


def copy(frames: Iterator[Frame], staging: Staging) -> Written:
    """Takes every frame of a fast reading.

    Raises: what the reading side raises, and RefusedCell when Postgres refuses a row.
    """
    text_columns = json.loads(bytes(next(frames).payload))
    if text_columns:
        staging.keep_as_text(text_columns)
    counts = _copy_frames(frames, staging)
    typed = staging.insert(TYPED) if text_columns else counts[FrameType.ROWS]
    texts = staging.insert(TEXTS) if staging.has_texts else 0
    return Written(counts[FrameType.END], typed + texts)


def copy_judged(frames: Iterator[Frame], staging: Staging) -> Written:
    """Takes every frame of a reading of all rows as text, for Postgres to judge each cell.

    Raises: what the reading side raises, and RefusedCell with the row and the column.
    """
    next(frames)  # the shape, which matters only to typed rows
    count = _copy_frames(frames, staging)[FrameType.END]
    return Written(count, judge.insert(staging, count))


def _copy_frames(frames: Iterator[Frame], staging: Staging) -> dict[FrameType, int]:
    """Returns how many rows the frames of each type held."""
    counts = {FrameType.ROWS: 0, FrameType.SUSPECTS: 0, FrameType.END: 0}
    for frame_type, run in itertools.groupby(frames, key=lambda frame: frame.type):
        if frame_type is FrameType.END:
            counts[frame_type] += sum(frame.count for frame in run)
        else:
            counts[frame_type] += _copy_run(frame_type, run, staging)
    return counts


def _copy_run(frame_type: FrameType, run: Iterable[Frame], staging: Staging) -> int:
    """Makes one COPY of frames of one type, and returns the rows that the server counted."""
    statement = _copy_statement(frame_type, staging)
    with staging.connection.cursor() as cursor:
        # Sent at once: what waits in libpq's buffer is moved at every step.
        writer = LibpqWriter(cursor, flush_threshold=0)
        with postgres_errors(), cursor.copy(statement, writer=writer) as copy:
            copy.write(SIGNATURE)
            for frame in run:
                for piece in _pieces(frame.payload):
                    copy.write(piece)
            copy.write(TRAILER)
        return cursor.rowcount


def _copy_statement(frame_type: FrameType, staging: Staging) -> sql.Composed:
    if frame_type is FrameType.SUSPECTS:
        staging.create_texts()
        into, names = TEXTS, [ROW_NUMBER, *staging.names]
    else:
        into, names = TYPED if staging.text_columns else staging.target, [*staging.names, LOAD_ID]
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(into, identifiers(names))


def _pieces(payload: bytes | memoryview) -> Iterator[memoryview]:
    view = memoryview(payload)
    return (view[start : start + MESSAGE_BYTES] for start in range(0, len(view), MESSAGE_BYTES))
