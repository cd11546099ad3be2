"""Rows as a format gives them, and the records that cannot be cut into cells."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import pyarrow as pa

from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.read.transcode import original_bytes

MIB = LONGEST_ROW >> 20
SHOWN_CHARACTERS = 1000  # of a record that is too long to be kept whole


class Fault(NamedTuple):
    """Why a record is misshapen: a short code, the SQLSTATE of a like error, and one sentence."""

    reason: str
    sqlstate: str
    message: str


_BAD_COPY_FILE = "22P04"
_NOT_IN_REPERTOIRE = "22021"
_UNTRANSLATABLE = "22P05"
TEXT_AFTER_QUOTE = Fault("quote", _BAD_COPY_FILE, "text follows a closing quote")
QUOTE_INSIDE = Fault("quote", _BAD_COPY_FILE, "a quote stands inside an unquoted field")
NEVER_CLOSED = Fault("quote", _BAD_COPY_FILE, "a quote is opened and never closed")
NOT_CLOSED_SOON = Fault(
    "quote", _BAD_COPY_FILE, f"a quote is opened and not closed within {MIB} MiB"
)
LONE_RETURN = Fault("carriage_return", _BAD_COPY_FILE, "a carriage return stands outside quotes")
TOO_LONG = Fault("too_long", _BAD_COPY_FILE, f"the row is longer than {MIB} MiB")
NOT_UTF8 = Fault("encoding", _NOT_IN_REPERTOIRE, "the row is not UTF-8 text")
ZERO_BYTE = Fault("zero_byte", _NOT_IN_REPERTOIRE, "the row holds a zero byte")
UNTRANSLATABLE = Fault(
    "encoding", _UNTRANSLATABLE, "the row holds a letter that the database's encoding lacks"
)


def wrong_width(fields: int, width: int) -> Fault:
    """Returns the fault of a record that has more or fewer fields than the header."""
    plural = "" if fields == 1 else "s"
    return Fault("fields", _BAD_COPY_FILE, f"the row has {fields} field{plural}, not {width}")


class Misshapen(NamedTuple):
    """One record that cannot be cut into cells. `raw` is its text without the line end."""

    number: int
    line: int | None
    reason: str
    sqlstate: str
    message: str
    raw: str
    column: str | None = None


def in_encoding(record: Misshapen, encoding: str) -> Misshapen:
    """Returns the record; where it is not text, its message names the file's encoding."""
    if record.message != NOT_UTF8.message or encoding == "utf-8":
        return record
    return record._replace(message=f"the row is not {encoding} text")


class Origin(NamedTuple):
    """A row as the file has it: without its line end, or as JSON where the format has no text."""

    line: int | None
    raw: str


@dataclass(frozen=True)
class Rows:
    """A stretch of the file: a batch, its columns in the feed's order, and what is not in it.

    `first` is the number of the stretch's first record. `numbers` are those of the batch's rows,
    where they are not `first` and those that follow it. `misshapen` are the other records.
    `origins` finds rows of the batch by their positions, which ascend; it is for suspects alone.
    `beyond` are the cells of rows that have more of them than the header, by position. `padded` are
    the numbers of the rows that have fewer, and were padded with NULL.
    """

    first: int
    batch: pa.RecordBatch
    origins: Callable[[Sequence[int]], list[Origin]]
    numbers: array[int] | None = None
    misshapen: Sequence[Misshapen] = ()
    beyond: Mapping[int, Sequence[str | None]] = field(default_factory=dict)
    padded: Sequence[int] = ()

    @property
    def count(self) -> int:
        """How many records the stretch has."""
        rows: int = self.batch.num_rows
        return rows + len(self.misshapen)

    def behind(self, rows: int) -> Rows:
        """Returns the stretch with its numbers raised by the rows of the files before it."""
        if not rows:
            return self
        numbers = self.numbers and array("q", (number + rows for number in self.numbers))
        misshapen = [each._replace(number=each.number + rows) for each in self.misshapen]
        padded = [number + rows for number in self.padded]
        return replace(
            self, first=self.first + rows, numbers=numbers, misshapen=misshapen, padded=padded
        )


def numbers_without(first: int, count: int, left_out: Sequence[int]) -> array[int]:
    """Returns the numbers of `count` records from `first` on, without those left out, ascending."""
    numbers, start = array("q"), 0
    whole = memoryview(pa.arange(first, first + count).buffers()[1])[: 8 * count]
    for number in left_out:
        end = 8 * (number - first)
        numbers.frombytes(whole[start:end])
        start = end + 8
    numbers.frombytes(whole[start:])
    return numbers


def numbers_of(rows: Rows) -> pa.Array:
    """Returns the numbers of the batch's rows, without a copy where they are listed."""
    count = rows.batch.num_rows
    if rows.numbers is None:
        return pa.arange(rows.first, rows.first + count)
    return pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(rows.numbers)])


def readable(raw: bytes, encoding: str | None = None) -> str:
    r"""Returns bytes as text that a database can keep: others than text become \x and digits.

    `encoding` is the Python codec of a database that is not UTF-8.
    """
    text = original_bytes(raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00"))
    if encoding is None:
        return text
    return text.encode(encoding, "backslashreplace").decode(encoding)
