"""Where quotes, and so records, begin and end in CSV bytes: quickly, for whole blocks at once.

It is strict (RFC 4180): a quote opens at a field's start alone, is doubled inside, and after the
closing one comes the delimiter, a line end or the end. Then every other quote opens, if a doubled
quote counts as one that closes and one that opens again, and their parity tells what is inside.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.dialect import CsvDialect

Bytes = bytes | bytearray
# Stands for the quote where a dialect has none: no text holds these bytes.
NO_QUOTE = b"\xff\0\xff\0"
NEAR = 1 << 10  # bytes in which quotes are looked for one by one
SMALL = 1 << 17  # bytes that regular expressions scan faster than Arrow, which has to be set up


class Misplaced(NamedTuple):
    """A quote that is not strict: where it is, and whether it opens a field."""

    at: int
    opens: bool


@dataclass(frozen=True)
class Layout:
    """How records are written, and how many fields each has."""

    quote: bytes
    delimiter: bytes
    width: int

    @classmethod
    def of(cls, dialect: CsvDialect, width: int) -> Layout:
        """Returns the layout of a dialect's records with so many fields."""
        return cls(dialect.quote.encode() or NO_QUOTE, dialect.delimiter.encode(), width)

    @cached_property
    def _record(self) -> bytes:
        q, d = re.escape(self.quote), re.escape(self.delimiter)
        plain, inside = b"[^%b%b\n]*+" % (q, d), b"[^%b\n]*+" % q
        # A carriage return behind the closing quote is found later, as a fault of its own.
        quoted = b"%b%b(?:%b%b%b)*+%b(?:\r%b)?+" % (q, inside, q, q, inside, q, plain)
        field = b"(?:%b|%b)" % (quoted, plain)
        return b"%b(?:%b%b){%d}" % (field, d, field, self.width - 1)

    @cached_property
    def _whole(self) -> re.Pattern[bytes]:
        return re.compile(self._record + b"\n?")

    @cached_property
    def _whole_behind_line(self) -> re.Pattern[bytes]:
        return re.compile(b"\n(?=%b\n)" % self._record)

    def is_whole(self, data: Bytes, end: int) -> bool:
        """Returns whether the line up to `end` is a record by itself."""
        return self._whole.fullmatch(data, 0, end) is not None

    def next_whole(self, data: Bytes, end: int) -> int:
        """Returns where, behind the first line, a line begins that is a record by itself.

        Without one, that is `end`, at which a line ends.
        """
        match = self._whole_behind_line.search(data, 0, end)
        return match.end() if match else end

    def index(self, data: Bytes, start: int, end: int) -> QuoteIndex | None:
        """Returns an index of the quotes of whole lines, or None where `scan` takes less time."""
        return QuoteIndex(self, data, start, end) if end - start > SMALL else None

    def has_quotes(self, data: Bytes, start: int, end: int) -> bool:
        """Returns whether there is a quote in the lines."""
        return self.quote is not NO_QUOTE and data.find(self.quote, start, end) >= 0

    def scan(
        self, data: Bytes, start: int, end: int, is_open: bool
    ) -> tuple[Misplaced | None, bool]:
        """Checks the quotes of whole lines. `is_open` is whether `start` is inside quotes.

        Returns the first quote that is not strict, or whether `end` is inside quotes.
        """
        if is_open:
            match = self._rest_of_field.match(data, start, end)
            if match is None:
                inside = self._inside.match(data, start, end)
                at = inside.end() if inside else end
                return (None, True) if at == end else (Misplaced(at, opens=False), False)
            start = match.end()
        match = self._strict.match(data, start, end)
        at = match.end() if match else start
        if at == end:
            return None, False
        if at > 0 and data[at - 1 : at] not in (self.delimiter, b"\n"):
            return Misplaced(at, opens=True), False
        inside = self._inside.match(data, at + 1, end)
        closing = inside.end() if inside else end
        return (None, True) if closing == end else (Misplaced(closing, opens=False), False)

    @cached_property
    def _inside(self) -> re.Pattern[bytes]:
        """What may stand in a quoted field, up to the quote that closes it."""
        q = re.escape(self.quote)
        return re.compile(b"[^%b]*+(?:%b%b[^%b]*+)*+" % (q, q, q, q))

    @cached_property
    def _rest_of_field(self) -> re.Pattern[bytes]:
        """The rest of a quoted field, with the quote that closes it rightly."""
        q, d = re.escape(self.quote), re.escape(self.delimiter)
        return re.compile(b"%b%b(?=[%b\r\n]|\\Z)" % (self._inside.pattern, q, d))

    @cached_property
    def _strict(self) -> re.Pattern[bytes]:
        """As much as is strict from a place outside of quotes on."""
        q, d = re.escape(self.quote), re.escape(self.delimiter)
        opening = b"(?:(?<=[%b\n])|(?<![\\s\\S]))%b" % (d, q)
        field = b"%b%b[^%b]*+" % (opening, self._rest_of_field.pattern, q)
        return re.compile(b"[^%b]*+(?:%b)*+" % (q, field))

    def last_end(self, data: Bytes, start: int, end: int, is_open: bool) -> int:
        """Returns the end of the last record that ends between `start` and `end`; without, `start`.

        `is_open` is whether `end` is inside quotes.
        """
        while True:
            feed = data.rfind(b"\n", start, end)
            if feed < 0:
                return start
            if is_open == bool(data.count(self.quote, feed, end) % 2):
                return feed + 1
            end, is_open = data.rfind(self.quote, start, feed), False
            if end < 0:
                return start

    def first_end(self, data: Bytes, start: int, is_open: bool) -> int:
        """Returns the end of the first record that ends behind `start`, or the end of the data.

        `is_open` is whether `start` is inside quotes.
        """
        while (feed := data.find(b"\n", start)) >= 0:
            if is_open == bool(data.count(self.quote, start, feed) % 2):
                return feed + 1
            start, is_open = data.find(self.quote, feed) + 1, False
            if start == 0:
                break
        return len(data)

    def records(self, data: bytes) -> list[bytes]:
        """Returns whole records, which are strict, without the LF of each. Blank lines are some."""
        if self.quote not in data:
            lines = data.split(b"\n")
            lines.pop()
            return lines
        records, start = [], 0
        while start < len(data):
            end = self.first_end(data, start, False)
            records.append(data[start : end - 1])
            start = end
        return records


class QuoteIndex:
    """The quotes of whole lines, and the bytes around each.

    It finds what `Layout.scan` finds, in less time where the lines are many, and from every place
    in them on. `start` and `end` are where the lines are in the data.
    """

    def __init__(self, layout: Layout, data: Bytes, start: int, end: int) -> None:
        before = data[start - 1 : start] if start else b"\n"
        cells = _cells(b"".join((before, data[start:end], b"\n")))
        self._quotes = pc.equal(cells[1:-1], pa.scalar(layout.quote[0], pa.uint8()))
        befores, afters = cells[:-2].filter(self._quotes), cells[2:].filter(self._quotes)
        self._not_opening = _others(befores, layout.delimiter + b"\n" + layout.quote)
        self._not_closing = _others(afters, layout.delimiter + b"\n\r" + layout.quote)
        self._count, self._quote = len(befores), layout.quote
        self._first, self.start, self.end = start, start, end

    def move(self, size: int) -> None:
        """Follows the lines, of which `size` bytes before `end` are taken off the data."""
        self._first -= size
        self.end -= size
        self.start = max(0, self.start - size)

    def scan(self, data: Bytes, start: int, is_open: bool) -> tuple[Misplaced | None, bool]:
        """Returns the first quote behind `start` that is not strict, or whether `end` is open."""
        at = max(0, start - self._first)
        first = self._quotes[:at].true_count
        opening = _next_mark(self._not_opening, first + is_open)
        closing = _next_mark(self._not_closing, first + 1 - is_open)
        index = min(opening, closing)
        if index < self._count:
            return Misplaced(self._place(data, at, index - first), opens=index == opening), False
        return None, is_open ^ bool((self._count - first) % 2)

    def _place(self, data: Bytes, start: int, before: int) -> int:
        """Returns the place of the quote behind `start` that has so many others before it there."""
        end = len(self._quotes)
        while end - start > NEAR:  # halves, since Arrow counts quotes far faster than it lists them
            middle = (start + end) // 2
            count = self._quotes[start:middle].true_count
            if count > before:
                end = middle
            else:
                start, before = middle, before - count
        place = self._first + start - 1
        for _ in range(before + 1):
            place = data.find(self._quote, place + 1)
        return place


def _cells(data: bytes) -> pa.Array:
    return pa.Array.from_buffers(pa.uint8(), len(data), [None, pa.py_buffer(data)])


def _others(cells: pa.Array, allowed: bytes) -> tuple[bytes, bytes]:
    """Marks the bytes that are not allowed with 1: those of even indexes, and those of odd ones."""
    table = bytearray(b"\1" * 256)
    for byte in allowed:
        table[byte] = 0
    marks = cells.buffers()[1].to_pybytes()[: len(cells)].translate(table)
    return marks[::2], marks[1::2]


def _next_mark(marks: tuple[bytes, bytes], first: int) -> int:
    """Returns the first index that is marked of `first` and every second one behind it.

    Without one, that is beyond all.
    """
    odd = first % 2
    at = marks[odd].find(1, first // 2)
    return 2 * at + odd if at >= 0 else sys.maxsize
