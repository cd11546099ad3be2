"""Cuts a JSON array into its elements, without parsing them: a bad element fails alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from include.landfall.errors import MisshapenRow, TruncatedFile
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES
from include.landfall.read.formats.text_blocks import Block

# Each skips what is of no interest, whole texts included, and gives the next byte that is: in an
# element brackets, between elements commas too. A quote is one whose text is not whole yet.
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|%b)*+(["\[\]{}]?)' % _TEXT, re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"\[\]{},]++|%b)*+(["\[\]{},]?)' % _TEXT, re.DOTALL)
_REST_OF_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
_SPACE = b" \t\r\n"
DEEPEST = 100_000  # of brackets, one within another: no parser takes so many


def element_blocks(stream: BinaryIO, ahead: bytes, line: int = 1) -> Iterator[Block]:
    """Yields the elements of an array in blocks of about 1 MiB, with the lines where they begin.

    `ahead` is what was read of the stream before, with the opening bracket, and `line` the number
    of its first line.

    Raises: TruncatedFile when the array is not closed, MisshapenRow when more follows it, or when
    it is nested too deep.
    """
    first, raws, lines, size = 1, [], [], 0
    for at, raw in elements(stream, ahead, line):
        raws.append(raw)
        lines.append(at)
        size += len(raw)
        if size >= BLOCK_BYTES:
            yield Block(first, raws, lines)
            first, raws, lines, size = first + len(raws), [], [], 0
    if raws:
        yield Block(first, raws, lines)


def elements(stream: BinaryIO, ahead: bytes, line: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yields the elements one by one, each with the line where it begins; see `element_blocks`."""
    return _Elements(stream, ahead, line).elements()


class _Elements:
    """The bytes of an array, and how far they are cut."""

    def __init__(self, stream: BinaryIO, ahead: bytes, line: int) -> None:
        self._stream = stream
        start = ahead.index(b"[") + 1
        self._data = ahead[start:]
        self._at = 0  # up to here the data is looked at
        self._element = b""  # what of the element is no longer in the data
        self._line = line + ahead.count(b"\n", 0, start)

    def elements(self) -> Iterator[tuple[int, bytes]]:
        count = 0
        while True:
            raw, end = self._next()
            line = self._line + raw[: len(raw) - len(raw.lstrip(_SPACE))].count(b"\n")
            self._line += raw.count(b"\n")
            if end == b"," or count or raw.strip(_SPACE):
                yield line, raw.strip(_SPACE)
            count += 1
            if end == b"]":
                self._check_end()
                return

    def _next(self) -> tuple[bytes, bytes]:
        """Returns the next element with the spaces around it, and what ends it: , or ]."""
        depth, in_text = 0, False
        while True:
            outside = _INSIDE if depth else _BETWEEN
            match = (_REST_OF_TEXT if in_text else outside).match(self._data, self._at)
            assert match is not None  # each pattern takes any bytes
            token, self._at = match[1], match.end()
            if not token:
                self._more()
            elif depth == 0 and not in_text and token in (b",", b"]"):
                return self._taken(), token
            elif token == b'"':
                in_text = not in_text
            else:
                depth = self._checked(max(0, depth + (1 if token in (b"[", b"{") else -1)))

    def _checked(self, depth: int) -> int:
        if depth > DEEPEST:
            raise MisshapenRow(
                "the JSON array is nested too deep",
                found=f"more than {DEEPEST:,} brackets, one within another",
                do="ask the sender for another file; its new version is a new arrival",
            ).at(line=self._line)
        return depth

    def _taken(self) -> bytes:
        raw = (self._element + self._data[: self._at - 1])[: LONGEST_ROW + 1]
        self._data, self._at, self._element = self._data[self._at :], 0, b""
        return raw

    def _more(self) -> None:
        """Reads on, and keeps of the element no more than what shows that it is too long."""
        room = max(0, LONGEST_ROW + 1 - len(self._element))
        self._element += self._data[: self._at][:room]
        chunk = self._stream.read(BLOCK_BYTES)
        if not chunk:
            raise TruncatedFile(
                "the JSON array is never closed",
                expected="a ] at the end of the file",
                do="ask the sender for the file again; its new version is a new arrival",
            ).at(line=self._line)
        self._data, self._at = self._data[self._at :] + chunk, 0

    def _check_end(self) -> None:
        while not self._data.strip(_SPACE):
            self._data = self._stream.read(BLOCK_BYTES)
            if not self._data:
                return
        raise MisshapenRow(
            "text follows the JSON array",
            found=self._data.strip(_SPACE)[:100].decode(errors="backslashreplace"),
            expected="one array, or one object a line",
            do="ask the sender for one of these",
        ).at(line=self._line)
