"""Frames: what crosses from the reading side of a load to the writing side.

The two sides are a generator in one process, or two processes with a pipe between them.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class FrameType(Enum):
    """What a frame holds. Rows are those of a binary COPY, without its header and trailer."""

    SHAPE = b"S"  # JSON: the columns that go as text; always the first frame
    ROWS = b"R"  # typed rows
    SUSPECTS = b"T"  # number bigint, line bigint, raw text, cells text[] (the feed's order)
    # number bigint, line bigint, then as text column_name, reason, sqlstate, message and raw
    REJECTS = b"J"
    END = b"Z"  # nothing more; `count` is all records: rows, suspects and rejects
    ERROR = b"E"  # a pickled error; only between processes


class Frame(NamedTuple):
    """One step of the stream; `payload` holds `count` rows.

    For ROWS, `first` is the number of the first one, and `numbers` are all of them as
    little-endian int64, or nothing where they are consecutive.
    """

    type: FrameType
    count: int = 0  # type: ignore[assignment]  # tuple.count is never asked of a frame
    payload: bytes | memoryview = b""
    first: int = 0
    numbers: bytes = b""
