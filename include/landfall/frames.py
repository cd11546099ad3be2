"""Frames: what crosses from the reading side of a load to the writing side.

The two sides are a generator in one process, or two processes with a pipe between them.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class FrameType(Enum):
    """What a frame holds."""

    SHAPE = b"S"  # JSON: the columns that go as text; always the first frame
    ROWS = b"R"  # rows of a binary COPY, typed
    SUSPECTS = b"T"  # rows of a binary COPY: the row's number, then every cell as text
    END = b"Z"  # nothing more; `count` is all rows read
    ERROR = b"E"  # a pickled error; only between processes


class Frame(NamedTuple):
    """One step of the stream; `count` rows end in `payload`, which is good until the next frame."""

    type: FrameType
    count: int = 0  # type: ignore[assignment]  # tuple.count is never asked of a frame
    payload: bytes | memoryview = b""
