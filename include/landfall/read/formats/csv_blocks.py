"""Cuts a CSV stream into blocks of whole, clean records, and finds those that are misshapen.

A record whose quotes are wrong may have swallowed the lines behind it. So reading goes on at the
next line that is a whole record by itself; the lines up to it belong to the misshapen record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import BinaryIO

from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES
from include.landfall.read.formats.csv_lines import LineRecords
from include.landfall.read.formats.csv_quotes import Layout, Misplaced, QuoteIndex
from include.landfall.read.formats.csv_text import first_fault
from include.landfall.read.rows import (
    NEVER_CLOSED,
    NOT_CLOSED_SOON,
    QUOTE_INSIDE,
    SHOWN_CHARACTERS,
    TEXT_AFTER_QUOTE,
    TOO_LONG,
    Fault,
    Misshapen,
    readable,
)

ZERO = b"\0"  # begins the line that stands for a misshapen record: no clean record has one


@dataclass
class Block:
    """Whole records. A line that begins with ZERO stands for each of the misshapen ones.

    `line` is the number of the first line, and `lines` how many there are in `data`. The misshapen
    have no numbers yet, and `spans` are the lines of the file that each takes.
    """

    layout: Layout
    line: int
    data: bytes = b""
    lines: int = 0
    misshapen: list[Misshapen] = field(default_factory=list)
    spans: list[range] = field(default_factory=list)
    count: int | None = None  # of the records, once they are parsed

    @cached_property
    def records(self) -> Sequence[tuple[int, bytes]]:
        """Line and bytes of every record, without its LF; blank lines are left out."""
        # With as many lines as records, no record spans lines, and no line is blank.
        if self.lines == self.count or self._is_line_by_line():
            return LineRecords(self.data, self.lines, self.line, self.spans)
        return self._spanning_records()

    def _is_line_by_line(self) -> bool:
        """Returns whether the records are a line each, which is known before they are parsed."""
        data = b"\n" + self.data
        if self.layout.width > 1 and (b"\n\n" in data or b"\n\r\n" in data):
            return False
        # What is inside quotes, since they are strict: every second part.
        return b"\n" not in b"".join(self.data.split(self.layout.quote)[1::2])

    def line_of(self, index: int) -> int:
        """Returns the number of the line on which a record begins."""
        if isinstance(self.records, LineRecords):
            return self.records.line_of(index)
        return self.records[index][0]

    def _spanning_records(self) -> list[tuple[int, bytes]]:
        raws = self.layout.records(self.data)
        blank_is_none = self.layout.width > 1 and (b"" in raws or b"\r" in raws)
        records, line, spans = [], self.line, iter(self.spans)
        for raw in raws:
            if not blank_is_none or raw not in (b"", b"\r"):
                records.append((line, raw))
            line += len(next(spans)) if raw.startswith(ZERO) else 1 + raw.count(b"\n")
        return records


class Cutter:
    """Cuts what is left of a stream behind the header, of which `ahead` was read already.

    `line` is the number of the first line. `window` bytes are scanned at once, at the most; no
    record may be longer than `longest` bytes. `encoding` is what the database needs, if not UTF-8.
    """

    def __init__(
        self,
        stream: BinaryIO,
        layout: Layout,
        *,
        ahead: bytes = b"",
        line: int = 1,
        encoding: str | None = None,
        longest: int = LONGEST_ROW,
        window: int = BLOCK_BYTES,
    ) -> None:
        self._stream, self._layout, self._encoding = stream, layout, encoding
        self._longest, self._window = longest, window
        self._buffer = bytearray(ahead)  # begins with a record
        self._line = line  # of the buffer's first byte
        self._ended = False
        self._scanned = 0  # up to here the buffer holds one record that goes on, and is strict
        self._is_open = False  # whether that is inside quotes
        self._index: QuoteIndex | None = None  # of lines that are being scanned
        self._block = _Pending(layout, line)

    def blocks(self) -> Iterator[Block]:
        """Yields the blocks, in the file's order."""
        while self._step():
            # Lines that are scanned already belong to it, so that misshapen records make no small
            # blocks.
            if 2 * self._block.size > self._window and not self._is_indexed:
                yield self._block.take(self._line)
        if self._block.size:
            yield self._block.take(self._line)

    def _step(self) -> bool:
        """Scans some lines. Returns False when nothing is left."""
        end = self._next_end()
        if end is None:
            self._skip_long()
            return True
        if not self._buffer:
            return False
        misplaced, is_open = self._scan(end)
        if misplaced:
            self._skip_misplaced(misplaced)
            return True
        cut = self._layout.last_end(self._buffer, self._scanned, end, True) if is_open else end
        is_last = self._ended and end == len(self._buffer)
        if cut > self._scanned:
            self._take(cut)
            end -= cut
        self._scanned, self._is_open = end, is_open
        if is_open and is_last:
            self._skip(NEVER_CLOSED)
        return True

    def _scan(self, end: int) -> tuple[Misplaced | None, bool]:
        """Returns the first misplaced quote of the lines to scan, or whether a quote stays open."""
        if not self._is_indexed:
            if not self._layout.has_quotes(self._buffer, self._scanned, end):
                return None, self._is_open
            self._index = self._layout.index(self._buffer, self._scanned, end)
        if self._index:
            return self._index.scan(self._buffer, self._scanned, self._is_open)
        return self._layout.scan(self._buffer, self._scanned, end, self._is_open)

    @property
    def _is_indexed(self) -> bool:
        """Whether there is an index of the lines to scan."""
        return self._index is not None and self._index.start <= self._scanned < self._index.end

    # ---- the buffer -----------------------------------------------------------------------------

    def _read(self, size: int) -> bool:
        """Reads on. Returns whether anything came."""
        chunk = self._stream.read(size)
        self._buffer += chunk
        self._ended = not chunk
        return bool(chunk)

    def _next_end(self) -> int | None:
        """Returns where the lines to scan end. None when a record is too long."""
        if self._index and self._is_indexed:
            return self._index.end
        wanted = self._scanned + self._window
        while len(self._buffer) < wanted and not self._ended:
            self._read(wanted - len(self._buffer))
        end = self._buffer.rfind(b"\n", self._scanned, min(wanted, self._longest)) + 1
        return end or self._line_end(self._scanned)

    def _line_end(self, start: int) -> int | None:
        """Returns the end of the line at `start`. None when it is beyond what a record may be."""
        searched = start
        while (end := self._buffer.find(b"\n", searched) + 1) == 0:
            searched = len(self._buffer)
            if searched > self._longest or self._ended or not self._read(self._window):
                end = searched
                break
        return end if end <= self._longest else None

    def _move(self, size: int) -> bytes:
        """Takes bytes off the buffer's beginning."""
        with memoryview(self._buffer) as view:
            data = bytes(view[:size])
        del self._buffer[:size]
        if self._index:
            self._index.move(size)
        # Twice as fast as data.count(), since lines are long.
        self._line += size - len(data.replace(b"\n", b""))
        return data

    # ---- clean records --------------------------------------------------------------------------

    def _take(self, end: int) -> None:
        """Takes strict records off the buffer."""
        line, data = self._line, self._move(end)
        at = 0
        while fault := first_fault(data, at, self._layout, self._encoding):
            where = fault.at
            start = self._layout.last_end(data, at, where, fault.is_open)
            stop = self._layout.first_end(data, where, fault.is_open)
            self._block.add(data[at:start])
            line += data.count(b"\n", at, start)
            record = data[start:stop]
            self._block.add_misshapen(self._misshapen(line, fault.fault, record), record)
            line += record.count(b"\n")
            at = stop
        self._block.add(data[at:] if at else data)

    # ---- misshapen records ----------------------------------------------------------------------

    def _misshapen(self, line: int, fault: Fault, raw: bytes) -> Misshapen:
        text = readable(raw.removesuffix(b"\n").removesuffix(b"\r"), self._encoding)
        return Misshapen(0, line, *fault, text)

    def _skip_misplaced(self, misplaced: Misplaced) -> None:
        """Takes what stands before the record of a misplaced quote, then skips that record."""
        scanned, at = self._scanned, misplaced.at
        start = self._layout.last_end(self._buffer, scanned, at, not misplaced.opens)
        self._take(start if start > scanned else 0)
        self._skip(QUOTE_INSIDE if misplaced.opens else TEXT_AFTER_QUOTE)

    def _skip_long(self) -> None:
        """Skips the record at the buffer's beginning, which is too long."""
        self._skip(NOT_CLOSED_SOON if self._line_end(0) else TOO_LONG)

    def _skip(self, fault: Fault) -> None:
        """Skips the record at the buffer's beginning, and the lines that it may have swallowed."""
        line, record = self._line, _Skipped(self._longest)
        self._skip_line(record)
        # Behind a long line whose quotes pair up, nothing is in doubt.
        if fault is not TOO_LONG or record.has_open_quote:
            while not self._is_at_whole_line():
                self._skip_lines(record)
        self._block.add_misshapen(
            self._misshapen(line, fault, record.raw), record.raw, record.height
        )
        self._scanned, self._is_open = 0, False

    def _is_at_whole_line(self) -> bool:
        """Returns whether reading can go on: at a line that is a record, or at the end."""
        end = self._line_end(0)
        if not self._buffer:
            return True
        return end is not None and self._layout.is_whole(self._buffer, end)

    def _skip_lines(self, record: _Skipped) -> None:
        """Moves lines to the record, at the most up to one that is whole by itself."""
        end = self._buffer.rfind(b"\n", 0, self._window) + 1
        if end:
            record.add(self._move(self._layout.next_whole(self._buffer, end)), self._layout.quote)
        else:
            self._skip_line(record)

    def _skip_line(self, record: _Skipped) -> None:
        """Moves a line, which may be longer than the buffer ever is, to the record."""
        while (end := self._buffer.find(b"\n") + 1) == 0:
            record.add(self._move(len(self._buffer)), self._layout.quote)
            if self._ended or not self._read(self._window):
                return
        record.add(self._move(end), self._layout.quote)


class _Skipped:
    """The text of a record that is skipped: all of it, or its beginning when it is too long."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._data = bytearray()
        self._size = 0
        self.height = 0
        self.has_open_quote = False

    def add(self, data: bytes, quote: bytes) -> None:
        """Adds bytes behind the others."""
        self.height += data.count(b"\n")
        self.has_open_quote ^= bool(data.count(quote) % 2)
        self._data += data
        self._size += len(data)
        if self._size > self._longest:
            del self._data[4 * SHOWN_CHARACTERS :]

    @property
    def raw(self) -> bytes:
        """The bytes, of a long record only so many characters."""
        if self._size <= self._longest:
            return bytes(self._data)
        text = self._data.decode("utf-8", "surrogateescape")
        return text[:SHOWN_CHARACTERS].encode("utf-8", "surrogateescape")


class _Pending:
    """Collects a block."""

    def __init__(self, layout: Layout, line: int) -> None:
        # Of a wrong number of fields, so that the parser counts it and leaves it out. Arrow sees no
        # line end within 16 bytes behind a zero byte, and would take two records for one.
        letters = next(b for b in (b"x", b"y", b"z") if b not in layout.delimiter + layout.quote)
        more = layout.delimiter if layout.width == 1 else b""
        self._substitute = ZERO + more + 32 * letters + b"\n"
        self._block = Block(layout, line)
        self._pieces: list[bytes] = []
        self.size = 0

    def add(self, data: bytes) -> None:
        """Adds clean records."""
        if data:
            self._pieces.append(data)
            self.size += len(data)

    def add_misshapen(self, misshapen: Misshapen, raw: bytes, height: int | None = None) -> None:
        """Adds a misshapen record, for which a line stands."""
        self._pieces.append(self._substitute)
        self._block.misshapen.append(misshapen)
        line = misshapen.line or 0  # a record of CSV always has a line; the type allows None
        height = raw.count(b"\n") if height is None else height
        self._block.spans.append(range(line, line + height))
        self.size += len(raw) + len(self._substitute)

    def take(self, line: int) -> Block:
        """Returns the block, and begins another one at that line."""
        block, self._block = self._block, Block(self._block.layout, line)
        # Arrow takes an empty cell behind a quoted one for text and not for NULL at a file's end.
        ends = b"" if self._pieces[-1].endswith(b"\n") else b"\n"
        several = len(self._pieces) > 1 or ends
        block.data = b"".join([*self._pieces, ends]) if several else self._pieces[0]
        block.lines = line - block.line - sum(len(span) - 1 for span in block.spans) + len(ends)
        self._pieces, self.size = [], 0
        return block
