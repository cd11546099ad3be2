"""CSV, read fast: Arrow cuts rows and cells, and every cell comes as text.

Arrow takes some files silently in another way than they were meant. So the stream is watched while
it passes, and `csv_exact` reads the file once more where Arrow refused it or may be wrong.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from include.landfall.contract import check_header
from include.landfall.errors import LandfallError, RowTooLong
from include.landfall.feed.dialect import CsvDialect
from include.landfall.job import Job
from include.landfall.read.formats import csv_exact
from include.landfall.read.rows import FastPathFailed, FastPathUnsure, Rows

RANDOM_ACCESS = False
BOM = b"\xef\xbb\xbf"
READ_BYTES = 1 << 16


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows, every cell as text.

    Raises: HeaderMismatch, FastPathFailed, and FastPathUnsure after the last row.
    """
    first = 1
    for batch in _batches(stream, job):
        if batch.num_rows:
            yield Rows(first, batch)
            first += batch.num_rows


def find_fault(stream: BinaryIO, job: Job, count: int | None) -> LandfallError | None:
    """Returns the first row that is misshapen or not UTF-8 text, as the error to raise."""
    fault = csv_exact.find_fault(stream, _dialect_of(job), len(job.columns), count)
    if fault is None and count is None and not job.mode.long_rows:
        # Arrow refused what the exact reader takes: a row that does not fit a block.
        return RowTooLong(f"a row is longer than {job.mode.block_bytes} bytes")
    return fault


def line_of(stream: BinaryIO, job: Job, number: int) -> int | None:
    """Returns the physical line on which the row begins."""
    record = csv_exact.find_record(stream, _dialect_of(job), len(job.columns), number)
    return record.line if record else None


def _dialect_of(job: Job) -> CsvDialect:
    return cast(CsvDialect, job.dialect)


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    watched = WatchedStream(stream, _dialect_of(job))
    names = watched.take_header(job.mode.block_bytes)
    if names is None:
        return  # a file without a byte: no rows
    check_header(names, job.names)
    if watched.at_end(blank_rows=len(names) == 1):
        return  # a header alone: Arrow would call that an error
    try:
        yield from _read(watched, job, names)
    except pa.ArrowInvalid as error:
        raise FastPathFailed(str(error)) from error
    if watched.is_doubtful:
        raise FastPathUnsure("quotes or carriage returns do not pair up")


def _read(stream: WatchedStream, job: Job, names: list[str]) -> Iterator[pa.RecordBatch]:
    last = None
    for batch in _open(stream, job, names):
        last = batch if batch.num_rows else last
        yield batch
    # A quote that is never closed swallows the rest of the file into its last cells.
    if last is not None and any("\n" in (c[-1].as_py() or "") for c in last.columns):
        raise FastPathUnsure("the last row spans lines")


def _open(stream: WatchedStream, job: Job, names: list[str]) -> csv.CSVStreamingReader:
    dialect = _dialect_of(job)
    return csv.open_csv(
        pa.PythonFile(stream, "r"),
        read_options=csv.ReadOptions(
            block_size=job.mode.block_bytes, column_names=names, use_threads=False
        ),
        parse_options=csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote,
            newlines_in_values=True,
            # To Postgres a blank line is a NULL where there is one column.
            ignore_empty_lines=len(names) > 1,
        ),
        convert_options=csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            include_columns=job.names,
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            check_utf8=False,  # WatchedStream does, by the chunk and not by the cell
            null_values=["", *dialect.nulls],
        ),
    )


class WatchedStream:
    """A stream that notes, while it passes, what the fast reader would take silently."""

    def __init__(self, stream: BinaryIO, dialect: CsvDialect) -> None:
        self._stream = stream
        self._dialect = dialect
        self._quote = ord(dialect.quote)  # ASCII: the feed takes no other
        self._ahead = b""
        self._quotes = 0
        self._lone_returns = 0
        self._ends_in_return = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self.closed = False

    @property
    def is_doubtful(self) -> bool:
        """Whether a quote may be open at the end, or a CR may stand alone."""
        return self._quotes % 2 == 1 or self._lone_returns > 0 or self._ends_in_return

    def take_header(self, limit: int) -> list[str] | None:
        """Reads the header off the stream and returns its names, or None when there is nothing.

        Raises: FastPathFailed when it has a zero byte.
        """
        while len(self._ahead) < limit and (chunk := self._stream.read(limit)):
            self._ahead += chunk
        if not self._ahead.removeprefix(BOM).strip(b"\r\n"):
            return None
        if b"\0" in self._ahead[:limit]:
            raise FastPathFailed("a zero byte")
        names, size = csv_exact.header_of(self._ahead, self._dialect)
        self._ahead = self._ahead[size:]
        return names

    def at_end(self, blank_rows: bool) -> bool:
        """Returns whether nothing is left. Blank lines are nothing, unless they are rows."""
        while not blank_rows and not self._ahead.strip(b"\r\n"):
            self._ahead = self._stream.read(READ_BYTES)
            if not self._ahead:
                return True
        self._ahead = self._ahead or self._stream.read(READ_BYTES)
        return not self._ahead

    def read(self, size: int) -> bytes:
        """Returns the next bytes, at most `size`.

        Raises: FastPathFailed at a zero byte, or bytes that are not UTF-8.
        """
        if self._ahead:
            chunk, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            chunk = self._stream.read(size)
        self._note(chunk)
        return chunk

    def _note(self, chunk: bytes) -> None:
        if b"\0" in chunk:
            raise FastPathFailed("a zero byte")
        self._check_utf8(chunk)
        if self._quote in chunk:  # a search is many times faster than a count
            self._quotes += _count(chunk, self._quote)
        if b"\r" in chunk or self._ends_in_return:
            joined = b"\r" + chunk if self._ends_in_return else chunk
            self._ends_in_return = joined.endswith(b"\r")
            whole = joined[:-1] if self._ends_in_return else joined
            self._lone_returns += whole.count(b"\r") - whole.count(b"\r\n")

    def _check_utf8(self, chunk: bytes) -> None:
        if chunk.isascii() and not self._utf8.getstate()[0]:
            return
        try:
            self._utf8.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise FastPathFailed(str(error)) from error

    def close(self) -> None:
        """Marks the stream as closed, which Arrow asks of every file."""
        self.closed = True


def _count(chunk: bytes, byte: int) -> int:
    """Counts a byte with Arrow's comparison: bytes.count() takes twice the time."""
    cells = pa.Array.from_buffers(pa.uint8(), len(chunk), [None, pa.py_buffer(chunk)])
    return int(pc.equal(cells, pa.scalar(byte, pa.uint8())).true_count)
