"""Cuts a CSV stream of any dialect into records, one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.read.formats.csv_grammar import BLANKS, Cut, ExactGrammar
from include.landfall.read.formats.csv_pad import Shape
from include.landfall.read.formats.csv_stream import Body, Lines
from include.landfall.read.rows import (
    NEVER_CLOSED,
    NOT_CLOSED_SOON,
    NOT_UTF8,
    SHOWN_CHARACTERS,
    TOO_LONG,
    UNTRANSLATABLE,
    ZERO_BYTE,
    Fault,
    wrong_width,
)

BOM = b"\xef\xbb\xbf"
# Where quotes are repaired, so many lines and bytes may be one cell; beyond, its quote is text.
MOST_LINES, MOST_BYTES = 1000, 1 << 20
REPAIRED_LINES = 20  # of a record whose quotes are in the wrong place


@dataclass
class Record:
    """A record: its first line, its bytes without the last line end, and its cells or its fault.

    `is_padded` is whether the file has fewer cells for it.
    """

    line: int
    raw: bytes
    cells: list[str | None] | None = None
    fault: Fault | None = None
    is_padded: bool = False


class Records(Iterator[Record]):
    """The records of a stream. Blank lines and comments are none.

    `shape` is what a record must fit; None while the header is read. `line` is the number of the
    next line.
    """

    def __init__(self, body: Body, encoding: str | None = None) -> None:
        self.shape: Shape | None = None
        self._dialect, self._encoding = body.dialect, encoding
        self._lines, self.line = Lines(body.stream, body.dialect.newline), body.line
        self._ahead: deque[bytes] = deque()
        self._grammar = ExactGrammar(body.dialect)
        self._comment = body.dialect.comment.encode()
        self._indent = BLANKS if body.dialect.blanks else b""
        self._is_first = True

    def __next__(self) -> Record:
        """Returns the next record."""
        while (line := self._next_line()) is not None:
            if self._is_first:
                line, self._is_first = line.removeprefix(BOM), False
            is_comment = self._comment and line.lstrip(self._indent).startswith(self._comment)
            is_blank = not line.strip(self._indent + b"\r\n") and self._needs_cells
            if is_comment or is_blank:
                self.line += 1
            else:
                return self._record(line)
        raise StopIteration

    def next_names(self) -> Record | None:
        """Returns the next record, in which a text of `nulls` is a name; None without one."""
        grammar, self._grammar = self._grammar, ExactGrammar(replace(self._dialect, nulls=()))
        try:
            return next(self, None)
        finally:
            self._grammar = grammar

    # ---- lines -----------------------------------------------------------------------------------

    def _next_line(self) -> bytes | None:
        return self._ahead.popleft() if self._ahead else next(self._lines, None)

    def _without_end(self, raw: bytes) -> bytes:
        if self._dialect.newline == "LF":
            return raw.removesuffix(b"\n")
        if self._dialect.newline in {"auto", "CRLF"}:
            return raw.removesuffix(b"\n").removesuffix(b"\r") if raw.endswith(b"\n") else raw
        return raw[:-2] if raw.endswith(b"\r\n") else raw[: len(raw) - raw.endswith((b"\r", b"\n"))]

    # ---- records ---------------------------------------------------------------------------------

    def _record(self, first: bytes) -> Record:
        taken, cut = self._whole(first)
        raw = self._without_end(b"".join(taken))
        record = self._judged(raw, cut)
        # The quotes of a whole line that can be cut are right: its number of fields is wrong.
        if record.fault and self._dialect.repair and (cut.fault or len(taken) > 1):
            return self._repaired(taken, record)
        if record.fault and cut.fault and cut.fault is not TOO_LONG:
            return self._swallowed(taken, cut.fault)
        self.line += len(taken)
        return record

    def _whole(self, first: bytes) -> tuple[list[bytes], Cut]:
        """Returns the lines of a record, and what they are cut into."""
        taken, size = [first], len(first)
        if size > LONGEST_ROW:
            return taken, Cut(fault=TOO_LONG)
        cut = self._grammar.cut(self._without_end(first))
        while cut.is_open:
            line = self._next_line()
            if line is None:
                return taken, Cut(fault=NEVER_CLOSED)
            taken.append(line)
            size += len(line)
            if self._is_too_long(size, len(taken)):
                return taken, Cut(fault=NOT_CLOSED_SOON)
            if self._may_close(line):
                cut = self._grammar.cut(self._without_end(b"".join(taken)))
        return taken, cut

    def _is_too_long(self, size: int, lines: int) -> bool:
        if self._dialect.repair:
            return size > MOST_BYTES or lines > MOST_LINES
        return size > LONGEST_ROW

    def _may_close(self, line: bytes) -> bool:
        return self._dialect.escape == "backslash" or self._grammar.quote in line

    def _swallowed(self, taken: list[bytes], fault: Fault) -> Record:
        """Returns the bad record, with the lines that it may have swallowed.

        Reading goes on at the next line that is a record by itself, as the fast reader does.
        """
        lines, size, start = [taken[0]], len(taken[0]), self.line
        self._ahead.extendleft(reversed(taken[1:]))
        while (line := self._next_line()) is not None:
            if self._is_whole(line):
                self._ahead.appendleft(line)
                break
            size += len(line)
            if size <= LONGEST_ROW:
                lines.append(line)
            else:  # only the beginning is shown
                self.line += 1
        self.line += len(lines)
        raw = self._without_end(b"".join(lines))
        return Record(start, raw if size <= LONGEST_ROW else _shown(raw), fault=fault)

    def _is_whole(self, line: bytes) -> bool:
        if len(line) > LONGEST_ROW:
            return False
        cut = self._grammar.cut(self._without_end(line))
        return bool(cut.cells) and self._fitted(cut.cells) is not None

    def _judged(self, raw: bytes, cut: Cut) -> Record:
        """Returns the record with its cells as text, or with its fault."""
        if cut.fault:
            raw = _shown(raw) if cut.fault is TOO_LONG else raw
            return Record(self.line, raw, fault=cut.fault)
        if fault := self._fault_of_text(raw):
            return Record(self.line, raw, fault=fault)
        if b"\\0" in raw and any(cell and b"\0" in cell for cell in cut.cells):
            return Record(self.line, raw, fault=ZERO_BYTE)
        cells = self._fitted(cut.cells)
        if cells is None:
            fault = wrong_width(len(cut.cells), self._columns or 0)
            return Record(self.line, raw, fault=fault)
        is_padded = len(cut.cells) < (self._columns or 0)
        texts = [None if cell is None else cell.decode() for cell in cells]
        return Record(self.line, raw, texts, is_padded=is_padded)

    def _fault_of_text(self, raw: bytes) -> Fault | None:
        if b"\0" in raw:
            return ZERO_BYTE
        if raw.isascii():
            return None
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return NOT_UTF8
        try:
            text.encode(self._encoding or "utf-8")
        except UnicodeEncodeError:
            return UNTRANSLATABLE
        return None

    def _fitted(self, cells: list[bytes | None]) -> list[bytes | None] | None:
        """Returns the cells where their number is right, or can be made right."""
        return self.shape.fitted(cells) if self.shape else cells

    @property
    def _needs_cells(self) -> bool:
        """Whether a blank line is no row: else it is a NULL, where there is one column."""
        return self._dialect.blanks or self._columns != 1

    @property
    def _columns(self) -> int | None:
        return self.shape.columns if self.shape else None

    # ---- repair ----------------------------------------------------------------------------------

    def _repaired(self, taken: list[bytes], strict: Record) -> Record:
        """Returns the record with its quotes repaired: of one line, or else of several."""
        widths = (self._columns, None) if self.shape and self.shape.pads else (self._columns,)
        at_most = min(len(taken), REPAIRED_LINES)
        for width in widths:
            for count in range(1, at_most + 1):
                raw = self._without_end(b"".join(taken[:count]))
                cells = self._grammar.repaired(raw, width)
                record = self._judged(raw, Cut(cells)) if cells else strict
                if record.fault is None:
                    return self._taken(taken, count, record)
        raw = self._without_end(taken[0])
        fault = strict.fault if len(taken) == 1 or not strict.fault else NEVER_CLOSED
        return self._taken(taken, 1, Record(self.line, raw, fault=fault))

    def _taken(self, lines: list[bytes], count: int, record: Record) -> Record:
        """Returns the record of the first lines, and puts the others back."""
        self._ahead.extendleft(reversed(lines[count:]))
        self.line += count
        return record


def _shown(raw: bytes) -> bytes:
    """Returns the beginning of a record that is too long to be kept whole."""
    text = raw[: 4 * SHOWN_CHARACTERS].decode("utf-8", "surrogateescape")
    return text[:SHOWN_CHARACTERS].encode("utf-8", "surrogateescape")
