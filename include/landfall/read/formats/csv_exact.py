"""CSV, record by record: the header, single cells, and what no block can be made of.

Its grammar is the fast reader's (Arrow's): a quote opens a quoted field only at the field's
start, is doubled inside it, and what follows a closing quote belongs to the field.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from include.landfall.errors import LandfallError, MisshapenRow, Place
from include.landfall.feed.dialect import CsvDialect
from include.landfall.read.formats.csv_quotes import NO_QUOTE
from include.landfall.read.rows import readable

SLICE = 1 << 20
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Record:
    """One row of the file: its number (the first after the header is 1), line and bytes."""

    number: int
    line: int
    raw: bytes
    closed: bool = True


def records(stream: BinaryIO, dialect: CsvDialect, width: int) -> Iterator[Record]:
    """Yields every row of the stream; the header has number 0.

    A blank line is no row, except where there is one column: there it is a NULL, as to Postgres.
    """
    number, line = 0, 1
    for raw, closed in _record_bytes(_lines(stream), Grammar(dialect)):
        if raw.strip(b"\r\n") or (width == 1 and number):
            yield Record(number, line, raw, closed)
            number += 1
        line += raw.count(b"\n")


def header_of(first: bytes, dialect: CsvDialect, line: int = 1) -> tuple[list[str], int]:
    """Returns the names in the header, and how many bytes it takes. `first` holds all of it.

    `line` is where it begins, for the error.

    Raises: MisshapenRow when it cannot be read.
    """
    grammar = Grammar(dialect)
    start = len(first) - len(first.removeprefix(BOM).lstrip(b"\r\n"))
    raw, closed = next(_record_bytes(_lines(BytesIO(first[start:])), grammar))
    fields = grammar.split(_without_end(raw))[0]
    if b"\0" in raw:
        raise _not_text(raw, "the header holds a zero byte: UTF-16 files are full of them", line)
    if not closed:
        raise MisshapenRow("the header's quote is never closed", place=Place(line=line))
    if any(b"\r" in grammar.outside(field) for field in fields):
        raise MisshapenRow(
            "a carriage return stands outside quotes in the header",
            found=readable(raw[:1000]),
            expected="lines that end with LF or CRLF",
            do="write the file with such line ends",
            place=Place(line=line),
        )
    try:
        names = [grammar.value(field).decode() for field in fields]
    except UnicodeDecodeError:
        raise _not_text(raw, f"the header is not {dialect.encoding.upper()} text", line) from None
    return names, start + len(raw)


def _not_text(raw: bytes, what: str, line: int) -> LandfallError:
    return MisshapenRow(
        what,
        found=readable(_without_end(raw[:1000])),
        expected="text in the encoding of the feed's format, which is UTF-8 unless it says other",
        do="name the file's own, for instance format: {encoding: latin-1}, or convert the file",
        place=Place(line=line),
    )


class Grammar:
    """The dialect as regular expressions over bytes."""

    def __init__(self, dialect: CsvDialect) -> None:
        self.quote = dialect.quote.encode() or NO_QUOTE
        q, d = re.escape(self.quote), re.escape(dialect.delimiter.encode())
        inside = b"%b[^%b]*(?:%b%b[^%b]*)*" % (q, q, q, q, q)
        self._quoted = re.compile(b"%b%b(?!%b)" % (inside, q, q))
        self._field = re.compile(
            b"(?:(?P<whole>%b%b(?!%b)[^%b]*)|(?P<open>%b.*)|(?P<plain>[^%b]*))(?P<more>%b|\\Z)"
            % (inside, q, q, d, q, d, d),
            re.DOTALL,
        )

    def split(self, raw: bytes) -> tuple[list[bytes], bool]:
        """Returns the row's fields, quotes and all, and whether the last one's quote is open."""
        fields, at = [], 0
        while True:
            match = self._field.match(raw, at)
            assert match is not None  # some alternative takes any bytes
            fields.append(match["whole"] or match["open"] or match["plain"] or b"")
            at = match.end()
            if not match["more"]:
                return fields, match["open"] is not None

    def stays_open(self, line: bytes, was_open: bool) -> bool:
        """Returns whether a quoted field is open after the line."""
        if self.quote not in line:
            return was_open
        return self.split(self.quote + line if was_open else line)[1]

    def value(self, field: bytes) -> bytes:
        """Returns the field without its quotes."""
        match = self._quoted.match(field)
        if not match:
            return field
        inner = match[0][1:-1].replace(self.quote * 2, self.quote)
        return inner + field[match.end() :]

    def outside(self, field: bytes) -> bytes:
        """Returns what of the field stands outside its quotes."""
        match = self._quoted.match(field)
        return field[match.end() :] if match else field

    def cells(self, raw: bytes, nulls: Collection[str]) -> list[str | None]:
        """Returns the cells of a record without its line end. `nulls` are NULL without quotes."""
        texts = [
            (field.startswith(self.quote), self.value(field).decode())
            for field in self.split(raw)[0]
        ]
        return [text if quoted or text not in nulls else None for quoted, text in texts]


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yields the stream's lines, ended by LF alone: a CR is judged with its row."""
    rest = b""
    while chunk := stream.read(SLICE):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def _record_bytes(lines: Iterable[bytes], grammar: Grammar) -> Iterator[tuple[bytes, bool]]:
    """Yields rows, which may span lines, and whether each was closed."""
    parts: list[bytes] = []
    is_open = False
    for line in lines:
        parts.append(line)
        is_open = grammar.stays_open(line, is_open)
        if not is_open:
            yield b"".join(parts), True
            parts = []
    if parts:
        yield b"".join(parts), False


def _without_end(raw: bytes) -> bytes:
    """Returns the row without the LF or CRLF that ends it."""
    return raw.removesuffix(b"\n").removesuffix(b"\r")
