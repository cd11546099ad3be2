"""Cuts a JSON array into its elements, without parsing them: a bad element fails alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, ClassVar

import msgspec

from include.landfall.errors import MisshapenRow, TruncatedFile
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES
from include.landfall.read.formats.json_text import DEEPEST
from include.landfall.read.formats.text_blocks import Block

# Each skips what is of no interest, whole texts included, and gives the next byte that is: in an
# element brackets, between elements commas too. A quote is one whose text is not whole yet.
_TEXT = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
INSIDE = re.compile(rb'(?:[^"\[\]{}]++|%b)*+(["\[\]{}]?)' % _TEXT, re.DOTALL)
_BETWEEN = re.compile(rb'(?:[^"\[\]{},]++|%b)*+(["\[\]{},]?)' % _TEXT, re.DOTALL)
REST_OF_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+("?)', re.DOTALL)
# What may end an element in the last part of what was read.
_ENDS = {b"{": re.compile(rb"}[ \t\r\n]*+,"), b"[": re.compile(rb"\][ \t\r\n]*+,")}
LAST_PART = 1 << 16
MOST_TRIES = 8
_SPACE = b" \t\r\n"
_SPACES = re.compile(rb"[ \t\r\n]*+")
array_of = msgspec.json.Decoder(list[msgspec.Raw]).decode


def blocks_of(each: Iterable[tuple[int, bytes]]) -> Iterator[Block]:
    """Yields blocks of about 1 MiB of elements that come with the lines where they begin."""
    first, raws, lines, size = 1, [], [], 0
    for at, raw in each:
        raws.append(raw)
        lines.append(at)
        size += len(raw)
        if size >= BLOCK_BYTES:
            yield Block(first, raws, lines)
            first, raws, lines, size = first + len(raws), [], [], 0
    if raws:
        yield Block(first, raws, lines)


def elements(
    stream: BinaryIO, ahead: bytes, line: int = 1, are_many: bool = False
) -> Iterator[tuple[int, bytes]]:
    """Yields the elements of an array one by one, each with the line where it begins.

    `ahead` is what was read of the stream before, with the opening bracket, and `line` the number
    of its first line. With `are_many` more arrays may follow the first one.

    Raises: TruncatedFile when the array is not closed, MisshapenRow when more follows it, or when
    it is nested too deep.
    """
    array = Elements(stream, ahead, line)
    yield from array.elements()
    while are_many and array.opens_another():
        yield from array.elements()
    array.check_end()


class Elements:
    """The bytes of an array, and how far they are cut. `line` is the one up to which they are."""

    _brackets: ClassVar[bytes] = b"[]"
    _spaces: ClassVar[re.Pattern[bytes]] = _SPACES
    _what: ClassVar[str] = "the JSON array is never closed"

    def __init__(self, stream: BinaryIO, ahead: bytes, line: int) -> None:
        self._stream, self._data = stream, ahead
        self._at = self._begin(ahead)  # up to here the data is looked at
        self._start = self._at  # of the element, as far as it is in the data
        self._element = b""  # what of the element is no longer in the data
        self._is_tried = False  # whether all of the data was looked at as JSON
        self.line = line + ahead.count(b"\n", 0, self._at)

    def _begin(self, ahead: bytes) -> int:
        """Returns where the first element may begin."""
        return ahead.index(self._brackets[:1]) + 1

    @property
    def rest(self) -> bytes:
        """What was read of the stream, and is not cut yet."""
        return self._data[self._at :]

    def elements(self) -> Iterator[tuple[int, bytes]]:
        """Yields the elements up to the end of the array, each with the line where it begins.

        Raises: TruncatedFile when the array is not closed, MisshapenRow when it is nested too deep.
        """
        count, end = 0, b""
        while end != self._brackets[1:]:
            self._go_to_more()
            for many in self._whole_ones():
                count += 1
                yield many
            self._go_to_more()
            line = self.line
            raw, end = self._next()
            if raw or end == b"," or count:
                yield line, raw
            count += 1

    def opens_another(self) -> bool:
        """Goes into an array that follows the one that was closed. Returns whether there is one."""
        if not self._pass_spaces() or self._data[self._at : self._at + 1] != self._brackets[:1]:
            return False
        self._at = self._start = self._at + 1
        return True

    def _go_to_more(self) -> None:
        """Goes to where the next element begins.

        Raises: TruncatedFile at the end of the file.
        """
        if not self._pass_spaces():
            raise self._truncated()

    def _pass_spaces(self) -> bool:
        """Passes over spaces, and counts lines. Returns whether more follows."""
        while True:
            match = self._spaces.match(self._data, self._at)
            assert match is not None  # it takes no space, too
            begin = match.end()
            self.line += self._data.count(b"\n", self._at, begin)
            self._at = self._start = begin
            if begin < len(self._data):
                return True
            if not self._read():
                return False

    def _whole_ones(self) -> Iterator[tuple[int, bytes]]:
        """Yields those elements that are read already, when they are JSON. It tries this once.

        Where a bracket and a comma end an element, all up to there is an array without its end.
        """
        if self._is_tried:
            return
        self._is_tried = True
        start, data = self._start, self._data
        ends = _ENDS.get(data[start : start + 1])
        first = max(start, min(len(data), start + LONGEST_ROW) - LAST_PART)
        stops = [match.end() for match in ends.finditer(data, first)] if ends else []
        for stop in reversed(stops[-MOST_TRIES:]):
            try:
                raws = array_of(b"[" + data[start : stop - 1] + b"]")
            except (msgspec.DecodeError, RecursionError):
                continue
            self._at = self._start = stop
            yield from self._with_lines(map(bytes, raws), start, stop)
            return

    def _with_lines(
        self, raws: Iterable[bytes], start: int, stop: int
    ) -> Iterator[tuple[int, bytes]]:
        """Yields elements that follow one another in the data with the lines where they begin."""
        data, counted = self._data, start
        if data.find(b"\n", start, stop) < 0:
            for raw in raws:
                yield self.line, raw
            return
        for raw in raws:
            begin = data.index(raw, start)
            self.line += data.count(b"\n", counted, begin)
            yield self.line, raw
            counted, start = begin, begin + len(raw)
        self.line += data.count(b"\n", counted, stop)

    def _next(self) -> tuple[bytes, bytes]:
        """Returns the next element, and what ends it: , or ]."""
        depth, in_text = 0, False
        while True:
            outside = INSIDE if depth else _BETWEEN
            match = (REST_OF_TEXT if in_text else outside).match(self._data, self._at)
            assert match is not None  # each pattern takes any bytes
            token, self._at = match[1], match.end()
            if not token:
                self._more()
            elif depth == 0 and not in_text and token in (b",", self._brackets[1:]):
                return self._taken(self._at - 1), token
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
            ).at(line=self.line)
        return depth

    def _taken(self, end: int) -> bytes:
        """Returns what goes from the start to this end, and goes on from the place."""
        raw = self._data[self._start : end]
        self.line += raw.count(b"\n")
        self._start = self._at
        if self._element:
            raw, self._element = self._element + raw, b""
        return raw[: LONGEST_ROW + 1] if len(raw) > LONGEST_ROW else raw.rstrip(_SPACE)

    def _more(self) -> None:
        """Reads on within an element.

        Raises: TruncatedFile at the end of the file.
        """
        if not self._read():
            raise self._truncated()

    def _read(self) -> bool:
        """Reads on. Keeps of the element no more than what shows that it is too long.

        Returns whether there was more.
        """
        end = min(self._at, self._start + LONGEST_ROW + 1 - len(self._element))
        self._element += self._data[self._start : end]
        self.line += self._data.count(b"\n", self._start, self._at)
        chunk = self._stream.read(BLOCK_BYTES)
        self._data, self._at, self._start = self._data[self._at :] + chunk, 0, 0
        self._is_tried = False
        return bool(chunk)

    def _truncated(self) -> TruncatedFile:
        return TruncatedFile(
            self._what,
            expected=f"a {self._brackets[1:].decode()} at the end of the file",
            do="ask the sender for the file again; its new version is a new arrival",
        ).at(line=self.line)

    def check_end(self) -> None:
        """Checks that nothing follows the array.

        Raises: MisshapenRow.
        """
        rest = self.rest
        while not rest.strip(_SPACE):
            rest = self._stream.read(BLOCK_BYTES)
            if not rest:
                return
        raise MisshapenRow(
            "text follows the JSON array",
            found=rest.strip(_SPACE)[:100].decode(errors="backslashreplace"),
            expected="one array, or one object a line",
            do="write objects: concatenated, where several arrays follow one another; else ask the"
            " sender for one of these",
        ).at(line=self.line)
