"""What stands around the rows of a CSV file: lines before the header, and lines after the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from include.landfall.errors import MisshapenRow
from include.landfall.feed.dialect import CsvDialect
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES
from include.landfall.read.rows import MIB
from include.landfall.read.transcode import as_utf8

LINE_ENDS = {
    "auto": re.compile(b"\n"),
    "LF": re.compile(b"\n"),
    "CRLF": re.compile(b"\r\n"),
    "CR": re.compile(b"\r"),
    "mixed": re.compile(b"\r\n|\r|\n"),
}
TAIL_ENDS = {"CRLF": (b"\r\n",), "CR": (b"\r",), "mixed": (b"\r", b"\n")}  # else LF


class Lines(Iterator[bytes]):
    """The lines of a stream with their ends. Of a line that is too long the middle is missing."""

    def __init__(self, stream: BinaryIO, newline: str) -> None:
        self._stream, self._line_end = stream, LINE_ENDS[newline]
        self._data, self._at, self._ended = b"", 0, False

    def __next__(self) -> bytes:
        """Returns the next line."""
        while True:
            end = self._line_end.search(self._data, self._at)
            # A CR at the end of what is read may belong to an LF.
            if end and (self._ended or end.end() < len(self._data) or end[0] != b"\r"):
                break
            if self._ended:
                end = None
                break
            self._read()
        start, self._at = self._at, end.end() if end else len(self._data)
        if start == self._at:
            raise StopIteration
        return self._data[start : self._at]

    def _read(self) -> None:
        rest, chunk = self.rest(), self._stream.read(BLOCK_BYTES)
        if len(rest) > LONGEST_ROW:
            rest = rest[:LONGEST_ROW] + rest[-1:]
        self._data, self._at, self._ended = rest + chunk, 0, not chunk

    def rest(self) -> bytes:
        """Returns what was read and is in no line yet."""
        return self._data[self._at :]


class Joined:
    """A stream behind bytes that were read from it already."""

    def __init__(self, ahead: bytes, stream: BinaryIO) -> None:
        self._ahead, self._stream = ahead, stream

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Reads at most so many bytes; none at the end alone."""
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data or self._stream.read(size)


class Tail:
    """A stream without its last lines, which are in `text` at the end. Blank lines do not count."""

    def __init__(self, stream: BinaryIO, newline: str, lines: int) -> None:
        self._stream, self._lines = stream, lines
        self._ends = TAIL_ENDS.get(newline, (b"\n",))
        self._data, self._ended = b"", False
        self.text = b""

    def read(self, size: int = BLOCK_BYTES) -> bytes:
        """Reads at most so many bytes; none at the end alone.

        Raises: MisshapenRow when the last lines are too long.
        """
        while not self._ended and (cut := self._cut()) == 0:
            chunk = self._stream.read(BLOCK_BYTES)
            self._data, self._ended = self._data + chunk, not chunk
            if len(self._data) > 2 * LONGEST_ROW:
                raise MisshapenRow(f"the lines after the rows are longer than {MIB} MiB")
        cut = min(size, self._cut())
        data, self._data = self._data[:cut], self._data[cut:]
        if not data:
            self.text = self._data.strip(b"\r\n")
        return data

    def _cut(self) -> int:
        """Returns where the last lines begin, as far as the stream is read."""
        end = len(self._data.rstrip(b"\r\n"))
        for _ in range(self._lines):
            at, size = max((self._data.rfind(each, 0, end), len(each)) for each in self._ends)
            if at < 0:
                return 0
            cut, end = at + size, at - (self._data[at - 1 : at + 1] == b"\r\n")
        return cut


@dataclass
class Body:
    """The stream of the header and the rows, as UTF-8, and the number of its first line."""

    dialect: CsvDialect
    stream: BinaryIO
    line: int = 1
    tail: Tail | None = None

    @classmethod
    def of(cls, stream: BinaryIO, dialect: CsvDialect) -> Body:
        """Skips the lines before the header, and keeps back those after the rows."""
        body = cls(dialect, as_utf8(stream, dialect.encoding))
        if dialect.skip_rows:
            lines = Lines(body.stream, dialect.newline)
            body.line += sum(1 for _ in zip(range(dialect.skip_rows), lines))
            body.stream = cast(BinaryIO, Joined(lines.rest(), body.stream))
        if kept_back := 1 if dialect.footer else dialect.skip_footer:
            body.tail = Tail(body.stream, dialect.newline, kept_back)
            body.stream = cast(BinaryIO, body.tail)
        return body
