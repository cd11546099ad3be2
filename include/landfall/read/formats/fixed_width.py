"""Fixed width: each column at the same characters of every line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.feed.dialect import FixedDialect
from include.landfall.feed.maxima import LONGEST_ROW
from include.landfall.job import BLOCK_BYTES, Job
from include.landfall.read.formats.csv_stream import Tail
from include.landfall.read.formats.text_blocks import (
    Block,
    Cells,
    Unreadable,
    batch_rows,
    expected_names,
    line_blocks,
    origins_in,
    rows_of,
    text_of,
)
from include.landfall.read.rows import Fault, Origin, Rows
from include.landfall.read.transcode import as_utf8

RANDOM_ACCESS = False
BOM = b"\xef\xbb\xbf"
_BAD_FILE = "22P04"


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the columns that the feed declares; none of a file without a byte."""
    return expected_names(stream, job)


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text.

    A block with a line that is not as the feed says is cut line by line.
    """
    cutter = _Cutter(job)
    for block in _blocks(stream, cutter.dialect):
        batch = cutter.batch(block.raws)
        if batch is None:
            yield rows_of(block, cutter.cells, job)
        else:
            yield batch_rows(block, batch, [])
            del batch


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the feed's order, of the lines with these numbers."""
    cutter = _Cutter(job)
    blocks = _blocks(stream, cutter.dialect)
    yield from origins_in(blocks, cutter.cells, numbers)


def _blocks(stream: BinaryIO, dialect: FixedDialect) -> Iterator[Block]:
    stream = as_utf8(stream, dialect.encoding)
    if dialect.skip_footer:
        stream = cast(BinaryIO, Tail(stream, "auto", dialect.skip_footer))
    ahead = stream.read(BLOCK_BYTES).removeprefix(BOM)
    skipped = 0
    while skipped < dialect.skip_rows:
        _, end, rest = ahead.partition(b"\n")
        skipped += len(end)
        ahead = rest or stream.read(BLOCK_BYTES)
        if not ahead:
            return
    yield from line_blocks(stream, ahead, 1 + skipped)


class _Cutter:
    """Cuts lines into the cells of one job."""

    def __init__(self, job: Job) -> None:
        self.dialect = dialect = cast(FixedDialect, job.dialect)
        self._job = job
        spans = {field.name: (field.start, field.stop) for field in dialect.fields}
        self._spans = [spans[name] for name in job.names]
        self._end = max(stop for _, stop in self._spans)
        self._nulls = ("", *dialect.nulls)

    def cells(self, raw: bytes) -> Cells:
        """Returns the cells of a line.

        Raises: Unreadable when it is no text, too short, or has text behind its last field.
        """
        text = text_of(raw)
        if len(text) < self._end and not self.dialect.pads:
            message = f"the row has {len(text)} characters, not {self._end}"
            raise Unreadable(Fault("short", _BAD_FILE, message))
        if text[self._end :].strip(" ") and not self.dialect.ignores_rest:
            message = f"the row has text behind its {self._end} characters"
            raise Unreadable(Fault("rest", _BAD_FILE, message))
        texts = (text[start:stop] for start, stop in self._spans)
        if self.dialect.trims:
            texts = (text.strip(" ") for text in texts)
        return [None if text in self._nulls else text for text in texts]

    def batch(self, raws: Sequence[bytes]) -> pa.RecordBatch | None:
        """Returns the lines as a batch of texts, or None when one is not as the feed says."""
        lines = self._lines(raws)
        if lines is None:
            return None
        if not self.dialect.pads and pc.min(pc.utf8_length(lines)).as_py() < self._end:
            return None
        if not self.dialect.ignores_rest:
            rest = pc.utf8_trim(pc.utf8_slice_codeunits(lines, self._end), " ")
            if pc.max(pc.binary_length(rest)).as_py():
                return None
        cells = [self._column(lines, *span) for span in self._spans]
        return pa.record_batch(cells, names=self._job.names)

    def _lines(self, raws: Sequence[bytes]) -> pa.Array | None:
        """Returns the lines as texts, or None when the database could not hold one of them."""
        if max(map(len, raws)) > LONGEST_ROW:
            return None
        try:
            text = b"\n".join(raws).decode()
            text.encode(self._job.encoding or "utf-8")
        except UnicodeError:
            return None
        lines = text.split("\n")
        if "\0" in text or len(lines) != len(raws):
            return None
        return pa.array(lines, pa.string())

    def _column(self, lines: pa.Array, start: int, stop: int) -> pa.Array:
        cells = pc.utf8_slice_codeunits(lines, start, stop)
        if self.dialect.trims:
            cells = pc.utf8_trim(cells, " ")
        is_null = pc.is_in(cells, pa.array(self._nulls, pa.string()))
        return pc.if_else(is_null, pa.scalar(None, pa.string()), cells)
