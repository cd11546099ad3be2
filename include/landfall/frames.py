"""Frames: what crosses from the reading side of a load to the writing side.

The two sides are a generator in one process, or two processes with a pipe between them.
"""

from __future__ import annotations

from array import array
from enum import Enum
from typing import NamedTuple


class FrameType(Enum):
    """What a frame holds."""

    SHAPE = b"S"  # JSON: the columns that go as text; always the first frame
    ROWS = b"R"  # rows of a binary COPY, typed
    SUSPECTS = b"T"  # rows of a binary COPY: number, line, raw text, every cell as text
    REJECTS = b"J"  # the same: number, line, column, reason, SQLSTATE, message, raw text
    END = b"Z"  # nothing more; `count` is all rows read
    ERROR = b"E"  # a pickled error; only between processes


class Frame(NamedTuple):
    """One step of the stream; `count` rows end in `payload`.

    Of typed rows, `first` is the number of the first in the file, and `numbers` are all of them
    (int64, native order) where they do not follow one another.
    """

    type: FrameType
    count: int = 0  # type: ignore[assignment]  # tuple.count is never asked of a frame
    payload: bytes | memoryview = b""
    first: int = 0
    numbers: bytes = b""

    @property
    def row_numbers(self) -> array[int]:
        """The numbers of the frame's rows in the file."""
        if self.numbers:
            return array("q", self.numbers)
        return array("q", range(self.first, self.first + self.count))
