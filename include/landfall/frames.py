"""Frames: what crosses from the reading side of a load to the writing side.

The two sides are a generator in one process, or two processes with a pipe between them.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from include.landfall.arrival import PartStart
from include.landfall.contract import Change
from include.landfall.feed.column_types import ColumnType, parse_type


class FrameType(Enum):
    """What a frame holds."""

    SHAPE = b"S"  # JSON of a Shape; always the first frame
    PART = b"P"  # JSON of a PartBegins
    ROWS = b"R"  # rows of a binary COPY, typed
    SUSPECTS = b"T"  # rows of a binary COPY: number, line, raw text, every cell as text
    REJECTS = b"J"  # the same: number, line, column, reason, SQLSTATE, message, raw text
    END = b"Z"  # an Ending; `count` is all rows read
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


class RowSet:
    """A set of rows of a file, which takes a bit for each row up to the last in it.

    In `bits` the row of number n is bit n % 8 of byte n // 8, as in Postgres's get_bit().
    """

    def __init__(self) -> None:
        self._bits = bytearray()

    @property
    def bits(self) -> bytes:
        """The set as bytes."""
        return bytes(self._bits)

    def add(self, numbers: Sequence[int]) -> None:
        """Adds rows by their numbers, which ascend."""
        if not numbers:
            return
        self._bits.extend(bytes(max(0, numbers[-1] // 8 + 1 - len(self._bits))))
        for number in numbers:
            self._bits[number // 8] |= 1 << number % 8


class NewColumn(NamedTuple):
    """A column that a file brings and the table lacks."""

    name: str
    type: str

    @property
    def parsed(self) -> ColumnType:
        """The type, taken apart."""
        return parse_type(self.type)


@dataclass(frozen=True)
class Shape:
    """What the rows of the stream have.

    `columns` are theirs, in order; those of the feed that are not among them get the table's
    default. `text_columns` go as text. `added` the table must get first. `changes` are the file's
    departures.
    """

    columns: list[str]
    text_columns: list[str]
    added: tuple[NewColumn, ...] = ()
    changes: tuple[Change, ...] = ()

    def frame(self) -> Frame:
        """Returns the frame that carries the shape."""
        return Frame(FrameType.SHAPE, payload=json.dumps(self.__dict__).encode())

    @classmethod
    def of(cls, frame: Frame) -> Shape:
        """Returns the shape that a frame carries."""
        values = json.loads(bytes(frame.payload))
        return cls(
            values["columns"],
            values["text_columns"],
            tuple(NewColumn(*each) for each in values["added"]),
            tuple(Change(*each) for each in values["changes"]),
        )


@dataclass(frozen=True)
class PartBegins:
    """A part of the arrival begins: which, and its departures from the contract."""

    start: PartStart
    changes: tuple[Change, ...]

    def frame(self) -> Frame:
        """Returns the frame that says so."""
        return Frame(FrameType.PART, payload=json.dumps(self.__dict__).encode())

    @classmethod
    def of(cls, frame: Frame) -> PartBegins:
        """Returns what the frame says."""
        values = json.loads(bytes(frame.payload))
        changes = tuple(Change(*each) for each in values["changes"])
        return cls(PartStart(*values["start"]), changes)


@dataclass(frozen=True)
class Ending:
    """The end of an arrival: the hash of its content, if taken, and the RowSet of padded rows."""

    content_hash: bytes = b""
    padded: bytes = b""

    def frame(self, rows: int) -> Frame:
        """Returns the frame that says so; `rows` are all that were read."""
        payload = bytes([len(self.content_hash)]) + self.content_hash + self.padded
        return Frame(FrameType.END, rows, payload)

    @classmethod
    def of(cls, frame: Frame) -> Ending:
        """Returns what the frame says."""
        payload = bytes(frame.payload) or b"\0"
        size = payload[0] + 1
        return cls(payload[1:size], payload[size:])
