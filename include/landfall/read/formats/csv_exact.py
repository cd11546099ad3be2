"""CSV, read slowly and exactly, to name the line of what the fast reader refused.

Its grammar is the fast reader's (Arrow's): a quote opens a quoted field only at the field's
start, is doubled inside it, and what follows a closing quote belongs to the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from include.landfall.errors import LandfallError, MisshapenRow, Place
from include.landfall.feed.dialect import CsvDialect

SLICE = 1 << 20


@dataclass(frozen=True)
class Record:
    """One row of the file: its number (the first after the header is 1), line and bytes."""

    number: int
    line: int
    raw: bytes
    closed: bool = True

    @property
    def text(self) -> str:
        """The row for a person to read."""
        return _readable(self.raw)


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


def find_record(stream: BinaryIO, dialect: CsvDialect, width: int, number: int) -> Record | None:
    """Returns the row of that number."""
    return next((r for r in records(stream, dialect, width) if r.number == number), None)


def find_fault(
    stream: BinaryIO, dialect: CsvDialect, width: int, count: int | None = None
) -> LandfallError | None:
    """Returns the first row that is misshapen or not UTF-8 text, as the error to raise.

    With `count`, the number of rows that the fast reader saw, another number is a fault too.
    """
    grammar = Grammar(dialect)
    last = 0
    for record in records(stream, dialect, width):
        error = _fault_of(record, grammar, width)
        if error:
            return error.at(line=record.line, row=record.number or None)
        last = record.number
    if count is not None and last != count:
        return MisshapenRow("the rows cannot be told apart", found=f"{count} or {last} rows")
    return None


def header_of(first: bytes, dialect: CsvDialect) -> tuple[list[str], int]:
    """Returns the names in the header, and how many bytes it takes. `first` holds all of it.

    Raises: MisshapenRow when it has an open quote or is not UTF-8.
    """
    grammar = Grammar(dialect)
    start = len(first) - len(first.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n"))
    raw, closed = next(_record_bytes(_lines(BytesIO(first[start:])), grammar))
    if not closed:
        raise MisshapenRow("the header's quote is never closed", place=Place(line=1))
    try:
        names = [grammar.value(f).decode() for f in grammar.split(_without_end(raw))[0]]
    except UnicodeDecodeError:
        raise _not_utf8(raw).at(line=1) from None
    return names, start + len(raw)


class Grammar:
    """The dialect as regular expressions over bytes."""

    def __init__(self, dialect: CsvDialect) -> None:
        self.quote = dialect.quote.encode()
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


def _fault_of(record: Record, grammar: Grammar, width: int) -> LandfallError | None:
    if not record.closed:
        return MisshapenRow(
            "a quote is opened and never closed", found=record.text, do="close it, or double it"
        )
    if b"\0" in record.raw:
        return _zero_byte(record.raw)
    try:
        record.raw.decode()
    except UnicodeDecodeError:
        return _not_utf8(record.raw)
    fields, _ = grammar.split(_without_end(record.raw))
    if len(fields) != width:
        return _wrong_width(record, len(fields), width)
    if any(b"\r" in grammar.outside(field) for field in fields):
        return _lone_return(record)
    return None


def _without_end(raw: bytes) -> bytes:
    """Returns the row without the LF or CRLF that ends it."""
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _readable(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").rstrip("\r\n")


def _wrong_width(record: Record, count: int, width: int) -> LandfallError:
    return MisshapenRow(
        f"a row has {count} fields, not {width}",
        found=record.text,
        expected=f"{width} fields, as in the header",
        do="quote a field that holds the delimiter, or correct the row",
    )


def _lone_return(record: Record) -> LandfallError:
    return MisshapenRow(
        "a carriage return stands inside an unquoted field",
        found=record.text,
        expected="rows that end with LF or CRLF",
        do="quote the field, or write line ends as LF",
    )


def _zero_byte(raw: bytes) -> LandfallError:
    return MisshapenRow(
        "the row holds a zero byte, which no Postgres text can",
        found=_readable(raw),
        expected="UTF-8 text",
        do="write the file again without it (UTF-16 files are full of them)",
    )


def _not_utf8(raw: bytes) -> LandfallError:
    return MisshapenRow(
        "the row is not UTF-8 text",
        found=_readable(raw),
        expected="UTF-8",
        do="convert the file, for instance: iconv -f LATIN1 -t UTF-8",
    )
