"""Cuts JSON that is no array into records: members of an object, and values one after the other.

A record that is whole in what was read, and JSON of few brackets, is cut by one match. Any other is
cut bracket by bracket, so that a bad one fails alone.
"""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterator
from functools import cache
from typing import BinaryIO, ClassVar

import msgspec

from include.landfall.errors import MisshapenRow
from include.landfall.read.formats.json_elements import (
    INSIDE,
    LAST_PART,
    MOST_TRIES,
    REST_OF_TEXT,
    Elements,
    array_of,
)
from include.landfall.read.formats.json_text import DEPTH, key_pattern, nested_pattern

_BETWEEN = re.compile(rb"\}[ \t\r\n]*+\{")  # objects
_END = re.compile(rb"\}[ \t\r\n]*+(?=\{)")
_COMMA = re.compile(rb"\}[ \t\r\n]*+,[ \t\r\n]*+\{")
_STRAY = re.compile(rb"[^\n{\[]*+")
_EMPTY = re.compile(rb"\{[ \t\r\n]*+\}")


def values(stream: BinaryIO, ahead: bytes, line: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yields the values of a file one by one, each with the line where it begins; see `Values`."""
    return Values(stream, ahead, line).elements()


class _Pieces(Elements):
    """Records of which each that is whole in the data is cut by a match of a pattern."""

    def _whole_ones(self) -> Iterator[tuple[int, bytes]]:
        pattern = self._pattern()
        while match := pattern.match(self._data, self._at):
            self.line += self._data.count(b"\n", self._at, match.start(1))
            yield self.line, match[1]
            self.line += self._data.count(b"\n", match.start(1), match.end())
            self._at = self._start = match.end()

    @abstractmethod
    def _pattern(self) -> re.Pattern[bytes]:
        """Returns the pattern of a record in its first group, with the spaces before it."""


class Members(_Pieces):
    """The members of an object, each with its key."""

    _brackets = b"{}"
    _what: ClassVar[str] = "the JSON object with the rows is never closed"

    def _pattern(self) -> re.Pattern[bytes]:
        return _member()


class Values(_Pieces):
    """Objects, or arrays, that follow one another, with spaces between them or none.

    Other text is a record up to the end of its line, or to the next bracket.
    """

    # The last is what RFC 7464 has before each value.
    _spaces = re.compile(rb"[ \t\r\n\x1e]*+")
    _what: ClassVar[str] = "the last JSON object is never closed"
    _brackets = b"{}"

    def _begin(self, ahead: bytes) -> int:
        return 0

    def elements(self) -> Iterator[tuple[int, bytes]]:
        """Yields the values, each with the line where it begins.

        Raises: TruncatedFile when the last one is not closed, MisshapenRow when one is nested too
        deep.
        """
        while self._pass_spaces():
            yield from self._whole_ones()
            if self._pass_spaces():
                line = self.line
                yield line, self._next()[0]

    def _whole_ones(self) -> Iterator[tuple[int, bytes]]:
        if not self._is_tried:
            self._is_tried = True
            yield from self._many_objects()
        yield from super()._whole_ones()

    def _many_objects(self) -> Iterator[tuple[int, bytes]]:
        """Yields the objects that are read already, when they are JSON with commas between them.

        The commas are put where a bracket closes and the next opens. None may be there before:
        then one that is put into a text makes fewer objects than there should be.
        """
        start, data = self._start, self._data
        last = max(start, len(data) - LAST_PART)
        stops = [match.end() for match in _END.finditer(data, last)]
        for stop in reversed(stops[-MOST_TRIES:]):
            part = data[start:stop]
            joined, count = _BETWEEN.subn(b"},{", part)
            try:
                raws = [] if _COMMA.search(part) else array_of(b"[" + joined + b"]")
            except (msgspec.DecodeError, RecursionError):
                continue
            if len(raws) == count + 1:
                self._at = self._start = stop
                yield from self._with_lines(map(bytes, raws), start, stop)
            return

    def _pattern(self) -> re.Pattern[bytes]:
        return _value()

    def _next(self) -> tuple[bytes, bytes]:
        if self._data[self._at : self._at + 1] not in (b"{", b"["):
            return self._stray(), b""
        depth, in_text, line = 0, False, self.line
        while True:
            match = (REST_OF_TEXT if in_text else INSIDE).match(self._data, self._at)
            assert match is not None  # each pattern takes any bytes
            token, self._at = match[1], match.end()
            if not token:
                self._more_of(line)
            elif token == b'"':
                in_text = not in_text
            else:
                depth = self._checked(depth + (1 if token in (b"[", b"{") else -1))
                if not depth:
                    return self._taken(self._at), b""

    def _more_of(self, line: int) -> None:
        """Reads on within the value that begins in this line.

        Raises: TruncatedFile at the end of the file.
        """
        if not self._read():
            self.line = line
            raise self._truncated()

    def _stray(self) -> bytes:
        while True:
            match = _STRAY.match(self._data, self._at)
            assert match is not None  # it takes nothing, too
            self._at = match.end()
            if self._at < len(self._data) or not self._read():
                return self._taken(self._at)


class Ids:
    """Makes a record of a member: its key becomes the value of `ids`.

    Where the value is no object that has the other columns, it is that of the key `values`.
    """

    def __init__(self, ids: str, values: str) -> None:
        self._ids = _quoted(ids)
        self._values = _quoted(values) if values else b""

    def record(self, member: bytes, line: int) -> bytes:
        """Returns the member as an object. One whose value cannot be a row stays as it is.

        Raises: MisshapenRow when it has no key.
        """
        match = _key().match(member)
        if match is None:
            raise MisshapenRow(
                "the file is no JSON",
                found=member[:60].decode(errors="backslashreplace"),
                expected="a key in double quotes, and a colon",
                do="ask the sender for a whole file of JSON; its new version is a new arrival",
            ).at(line=line)
        begin = b"{%b: %b" % (self._ids, match[1])
        value = member[match.end() :]
        if self._values:
            return b"%b, %b: %b}" % (begin, self._values, value)
        if not value.startswith(b"{"):
            return member
        return begin + b"}" if _EMPTY.fullmatch(value) else b"%b, %b" % (begin, value[1:])


def _quoted(key: str) -> bytes:
    return json.dumps(key, ensure_ascii=False).encode()


@cache
def _member() -> re.Pattern[bytes]:
    """Returns the pattern of a member that another one follows. Made when it is needed first."""
    spaces = rb"[ \t\r\n]*+"
    return re.compile(rb"%b(%b%b)%b," % (spaces, key_pattern(), nested_pattern(DEPTH), spaces))


@cache
def _value() -> re.Pattern[bytes]:
    return re.compile(rb"[ \t\r\n\x1e]*+(?=[\[{])(%b)" % nested_pattern(DEPTH))


@cache
def _key() -> re.Pattern[bytes]:
    # Also of a text that is no JSON: the row is then a reject.
    return re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
