"""Scan: reads a CSV file slowly and exactly, to name the line of what the fast way refused.

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
from include.landfall.job import Dialect

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
        return self.raw.decode("utf-8", "backslashreplace").rstrip("\r\n")


def records(stream: BinaryIO, dialect: Dialect, width: int) -> Iterator[Record]:
    """Every row of the stream, the header being number 0.

    A blank line is no row, but where there is one column: there it is a NULL, as to Postgres.
    """
    number, line = 0, 1
    for raw, closed in _record_bytes(_lines(stream), Grammar(dialect)):
        if raw.strip(b"\r\n") or (width == 1 and number):
            yield Record(number, line, raw, closed)
            number += 1
        line += raw.count(b"\n")


def find_record(stream: BinaryIO, dialect: Dialect, width: int, number: int) -> Record | None:
    """The row of that number."""
    return next((r for r in records(stream, dialect, width) if r.number == number), None)


def find_fault(
    stream: BinaryIO, dialect: Dialect, width: int, rows: int | None = None
) -> LandfallError | None:
    """The first row that is misshapen or not UTF-8 text, as the error to raise.

    It is one too when there are not as many `rows` as the fast way has read.
    """
    grammar = Grammar(dialect)
    found = 0
    for record in records(stream, dialect, width):
        error = _fault(record, grammar, width)
        if error:
            return error.at(line=record.line, row=record.number or None)
        found = record.number
    if rows is not None and found != rows:
        return MisshapenRow("the rows cannot be told apart", found=f"{rows} or {found} rows")
    return None


def header_of(first: bytes, dialect: Dialect) -> tuple[list[str], int]:
    """The names in the header, and how many bytes it takes; `first` holds all of it."""
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

    def __init__(self, dialect: Dialect) -> None:
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
        """The row's fields, quotes and all, and whether the last one's quote is still open."""
        found, at = [], 0
        while True:
            match = self._field.match(raw, at)
            assert match is not None  # some alternative takes any bytes
            found.append(match["whole"] or match["open"] or match["plain"] or b"")
            at = match.end()
            if not match["more"]:
                return found, match["open"] is not None

    def stays_open(self, line: bytes, was_open: bool) -> bool:
        """Whether a quoted field is open after the line."""
        if self.quote not in line:
            return was_open
        return self.split(self.quote + line if was_open else line)[1]

    def value(self, field: bytes) -> bytes:
        """The field without its quotes."""
        match = self._quoted.match(field)
        if not match:
            return field
        inner = match[0][1:-1].replace(self.quote * 2, self.quote)
        return inner + field[match.end() :]

    def outside(self, field: bytes) -> bytes:
        """What of the field stands outside its quotes."""
        match = self._quoted.match(field)
        return field[match.end() :] if match else field


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The stream's lines, ended by LF alone: a CR is judged with its row."""
    rest = b""
    while chunk := stream.read(SLICE):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest


def _record_bytes(lines: Iterable[bytes], grammar: Grammar) -> Iterator[tuple[bytes, bool]]:
    """Rows, which may span lines, and whether each was closed."""
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


def _fault(record: Record, grammar: Grammar, width: int) -> LandfallError | None:
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
        return MisshapenRow(
            f"a row has {len(fields)} fields, not {width}",
            found=record.text,
            expected=f"{width} fields, as in the header",
            do="quote a field that holds the delimiter, or mend the row",
        )
    if any(b"\r" in grammar.outside(field) for field in fields):
        return MisshapenRow(
            "a carriage return stands inside an unquoted field",
            found=record.text,
            expected="rows that end with LF or CRLF",
            do="quote the field, or write line ends as LF",
        )
    return None


def _without_end(raw: bytes) -> bytes:
    return raw.removesuffix(b"\n").removesuffix(b"\r")


def _zero_byte(raw: bytes) -> LandfallError:
    shown = raw.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return MisshapenRow(
        "the row holds a zero byte, which no Postgres text can",
        found=shown,
        expected="UTF-8 text",
        do="write the file again without it (UTF-16 files are full of them)",
    )


def _not_utf8(raw: bytes) -> LandfallError:
    shown = raw.decode("utf-8", "backslashreplace").rstrip("\r\n")
    return MisshapenRow(
        "the row is not UTF-8 text",
        found=shown,
        expected="UTF-8",
        do="convert the file, for instance: iconv -f LATIN1 -t UTF-8",
    )
