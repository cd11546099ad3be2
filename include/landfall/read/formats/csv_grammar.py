"""The grammar of any CSV dialect, record by record: exact, and slower than the fast reader's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from include.landfall.feed.dialect import CsvDialect
from include.landfall.read.rows import LONE_RETURN, QUOTE_INSIDE, TEXT_AFTER_QUOTE, Fault

# As in Postgres's own text format: https://www.postgresql.org/docs/current/sql-copy.html
# MySQL writes a zero byte as \0, which no text of Postgres can hold.
CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v",
            b"0": b"\0"}  # fmt: skip
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
MOST_CLOSINGS = 10  # quotes that may close a cell, of those that are tried
BLANKS = b" \t"  # of which a run may be a delimiter
NULL_ESCAPED = b"\\N"  # alone and without quotes


@dataclass
class Cut:
    """The cells of a record as bytes, NULL as None; or whether it goes on in the next line."""

    cells: list[bytes | None] = field(default_factory=list)
    is_open: bool = False
    fault: Fault | None = None


class Way(NamedTuple):
    """A cell that may begin at a place, where it ends, and whether it has a quote too many."""

    cell: bytes | None
    end: int
    is_odd: bool = False


class ExactGrammar:
    """One dialect as regular expressions over bytes."""

    def __init__(self, dialect: CsvDialect) -> None:
        self._delimiter, self.quote = dialect.delimiter.encode(), dialect.quote.encode()
        self._blanks = dialect.blanks
        self._nulls = {b"", *(text.encode() for text in dialect.nulls)}
        self._escape, self._backslash = dialect.escape, dialect.escape == "backslash"
        self._has_returns = dialect.newline != "auto"
        if self._backslash:
            self._nulls.add(NULL_ESCAPED)
        d = b"[ \\t]+" if dialect.blanks else re.escape(self._delimiter)
        self._between = re.compile(d)
        self._ends = b"(?=%b|\\Z)" % d
        self._quoted = re.compile(b"(%b)%b" % (self._open_pattern(), self._ends), re.DOTALL)
        self._unclosed = re.compile(b"%b\\Z" % self._inside, re.DOTALL)
        self._closing = re.compile(re.escape(self.quote) + self._ends)
        self._plain = re.compile(b"(%b)%b" % (self._plain_pattern(d), self._ends), re.DOTALL)

    @property
    def _inside(self) -> bytes:
        """What begins with a quote and is within quotes; it matches nothing without a quote."""
        if not self.quote:
            return b"(?!)"
        q = re.escape(self.quote)
        other = {
            "doubled": b"(?:[^%b]|%b%b)" % (q, q, q),
            "backslash": b"(?:[^%b\\\\]|\\\\.)" % q,
            "none": b"[^%b]" % q,
        }[self._escape]
        return b"%b%b*+" % (q, other)

    def _open_pattern(self) -> bytes:
        return self._inside + re.escape(self.quote)

    def _plain_pattern(self, delimiter: bytes) -> bytes:
        q = b"|" + re.escape(self.quote) if self.quote else b""
        if self._backslash:
            return b"(?:\\\\.|(?!%b%b|\\\\).)*+" % (delimiter, q)
        return b"(?:(?!%b%b).)*+" % (delimiter, q)

    # ---- strict ----------------------------------------------------------------------------------

    def cut(self, raw: bytes) -> Cut:
        """Cuts a record, which is strict, into cells."""
        raw = self._without_ends(raw) if self._blanks else raw
        has_quotes = bool(self.quote) and self.quote in raw
        if not has_quotes and not (self._backslash and b"\\" in raw):
            if b"\r" in raw and not self._has_returns:
                return Cut(fault=LONE_RETURN)
            nulls = self._nulls
            fields = self._between.split(raw) if self._blanks else raw.split(self._delimiter)
            return Cut([None if field in nulls else field for field in fields])
        cells, at = [], 0
        while True:
            match = self._quoted.match(raw, at) or self._plain.match(raw, at)
            if match is None:
                return self._refused(raw, at)
            cells.append(match[1])
            between = self._between.match(raw, match.end())
            if between is None:
                return self._checked(raw, cells)
            at = between.end()

    def _without_ends(self, raw: bytes) -> bytes:
        """Returns a record without the blanks at its ends; one behind a backslash is none."""
        inner = raw.strip(BLANKS)
        return raw.lstrip(BLANKS)[: len(inner) + 1] if self._goes_on(inner) else inner

    def _checked(self, raw: bytes, fields: list[bytes]) -> Cut:
        if b"\r" in raw and not self._has_returns:
            outside = [each for each in fields if not self._is_quoted(each)]
            if self._backslash:
                outside = [ESCAPED.sub(b"", each) for each in outside]
            if any(b"\r" in each for each in outside):
                return Cut(fault=LONE_RETURN)
        return Cut([self.value(each) for each in fields])

    def _refused(self, raw: bytes, at: int) -> Cut:
        """Returns why the field there is none."""
        if self.quote and raw.startswith(self.quote, at):
            if self._unclosed.match(raw, at) or self._goes_on(raw):
                return Cut(is_open=True)
            return Cut(fault=TEXT_AFTER_QUOTE)
        return Cut(is_open=True) if self._goes_on(raw) else Cut(fault=QUOTE_INSIDE)

    def _goes_on(self, raw: bytes) -> bool:
        """Returns whether a backslash stands before the line end."""
        return self._backslash and (len(raw) - len(raw.rstrip(b"\\"))) % 2 == 1

    def _is_quoted(self, text: bytes) -> bool:
        return bool(self.quote) and text.startswith(self.quote)

    def value(self, text: bytes) -> bytes | None:
        """Returns the cell that a field stands for."""
        if self._is_quoted(text):
            inner = text[1:-1]
            if self._backslash:
                return _unescaped(inner)
            return inner.replace(self.quote * 2, self.quote)
        if text in self._nulls:
            return None
        return _unescaped(text) if self._backslash and b"\\" in text else text

    # ---- repair ----------------------------------------------------------------------------------

    def repaired(self, raw: bytes, width: int | None) -> list[bytes | None] | None:
        """Cuts a record whose quotes may stand in the wrong place, into `width` cells.

        Of all ways to read it, the one that takes most quotes for quotes. Returns None without any,
        and where two cells have a quote too many: the delimiter between them may be quoted.
        """
        dead: set[tuple[int, int, bool]] = set()  # places from which no way goes on
        path = [(0, False, self._ways(raw, 0))]
        cells: list[bytes | None] = []
        while path:
            at, is_odd, ways = path[-1]
            if not ways or (at, len(cells), is_odd) in dead:
                path.pop()
                dead.add((at, len(cells), is_odd))
                cells = cells[:-1]
                continue
            way = ways.pop(0)
            if is_odd and way.is_odd:
                continue
            if way.end == len(raw):
                if width in (None, len(cells) + 1):
                    return [*cells, way.cell]
            elif width is None or len(cells) + 1 < width:
                cells.append(way.cell)
                after = way.end + len(self._delimiter)
                path.append((after, is_odd or way.is_odd, self._ways(raw, after)))
        return None

    def _ways(self, raw: bytes, at: int) -> list[Way]:
        """Returns the cells that may begin there: the most quoted one first."""
        ways: list[Way] = []
        if raw.startswith(self.quote, at):
            if match := self._quoted.match(raw, at):
                ways.append(Way(self.value(match[1]), match.end()))
            for close in islice(self._closing.finditer(raw, at + 1), MOST_CLOSINGS):
                inner = raw[at + 1 : close.start()]
                ways.append(Way(inner.replace(self.quote * 2, self.quote), close.end()))
        end = raw.find(self._delimiter, at)
        end = len(raw) if end < 0 else end
        text = raw[at:end]
        is_odd = text.count(self.quote) % 2 == 1
        return [*ways, Way(None if text in self._nulls else text, end, is_odd)]


def _unescaped(text: bytes) -> bytes:
    return ESCAPED.sub(lambda match: CONTROLS.get(match[1], match[1]), text)
