"""Decode: a stream of bytes to Arrow batches, each with the number of its first row.

CSV comes as text cells; Parquet as the file's own types. Columns are matched by name.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv

from include.landfall.contract import check_header
from include.landfall.job import Dialect, Job
from include.landfall.read.formats.csv_exact import header_of
from include.landfall.read.formats.parquet import _parquet
from include.landfall.read.rows import Rows, Suspicious, Unvouched


def decode(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """The file's rows; raises Suspicious, Unvouched (last), HeaderMismatch, TruncatedFile."""
    batches = _parquet(stream, job) if job.dialect.format == "parquet" else _csv(stream, job)
    first = 1
    for batch in batches:
        if batch.num_rows:
            yield Rows(first, batch)
            first += batch.num_rows


def _csv(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    guarded = GuardedStream(stream, job.dialect)
    names = guarded.take_header(job.manner.block_size)
    if names is None:
        return  # a file without a byte: no rows
    check_header(names, job.names)
    if guarded.at_end(blank_rows=len(names) == 1):
        return  # a header alone: Arrow would call that an error
    try:
        yield from _read_csv(guarded, job, names)
    except pa.ArrowInvalid as error:
        raise Suspicious(str(error)) from error
    if guarded.suspicious:
        raise Unvouched("quotes or carriage returns do not pair up")


def _read_csv(stream: GuardedStream, job: Job, names: list[str]) -> Iterator[pa.RecordBatch]:
    last = None
    for batch in _open_csv(stream, job, names):
        last = batch if batch.num_rows else last
        yield batch
    # A quote that is never closed swallows the rest of the file into its last cells.
    if last is not None and any("\n" in (c[-1].as_py() or "") for c in last.columns):
        raise Unvouched("the last row spans lines")


def _open_csv(stream: GuardedStream, job: Job, names: list[str]) -> csv.CSVStreamingReader:
    dialect = job.dialect
    return csv.open_csv(
        pa.PythonFile(stream, "r"),
        read_options=csv.ReadOptions(
            block_size=job.manner.block_size, column_names=names, use_threads=False
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
            check_utf8=False,  # GuardedStream does, by the chunk and not by the cell
            null_values=["", *dialect.nulls],
        ),
    )


class GuardedStream:
    """A stream that notes, as it passes, what the fast reader would take without a word."""

    def __init__(self, stream: BinaryIO, dialect: Dialect) -> None:
        self._stream = stream
        self._dialect = dialect
        self._quote = ord(dialect.quote)  # ASCII, as the feed holds it to
        self._ahead = b""
        self._quotes = 0
        self._lone_returns = 0
        self._ends_in_return = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self.closed = False

    @property
    def suspicious(self) -> bool:
        """Whether a quote may be open at the end, or a CR may stand alone."""
        return self._quotes % 2 == 1 or self._lone_returns > 0 or self._ends_in_return

    def take_header(self, limit: int) -> list[str] | None:
        """The header's names, read off the stream; None when there is nothing at all."""
        while len(self._ahead) < limit and (chunk := self._stream.read(limit)):
            self._ahead += chunk
        if not self._ahead.removeprefix(b"\xef\xbb\xbf").strip(b"\r\n"):
            return None
        if b"\0" in self._ahead[:limit]:
            raise Suspicious("a zero byte")
        names, size = header_of(self._ahead, self._dialect)
        self._ahead = self._ahead[size:]
        return names

    def at_end(self, blank_rows: bool) -> bool:
        """Whether nothing is left; blank lines are nothing, unless they are rows."""
        while not blank_rows and not self._ahead.strip(b"\r\n"):
            self._ahead = self._stream.read(1 << 16)
            if not self._ahead:
                return True
        self._ahead = self._ahead or self._stream.read(1 << 16)
        return not self._ahead

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; raises Suspicious at what no text may have."""
        if self._ahead:
            chunk, self._ahead = self._ahead[:size], self._ahead[size:]
        else:
            chunk = self._stream.read(size)
        self._note(chunk)
        return chunk

    def _note(self, chunk: bytes) -> None:
        if b"\0" in chunk:
            raise Suspicious("a zero byte")
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
            raise Suspicious(str(error)) from error

    def close(self) -> None:
        self.closed = True


def _count(chunk: bytes, byte: int) -> int:
    """How often the byte is there; bytes.count() takes twice the time of Arrow's comparison."""
    cells = pa.Array.from_buffers(pa.uint8(), len(chunk), [None, pa.py_buffer(chunk)])
    return int(pc.equal(cells, pa.scalar(byte, pa.uint8())).true_count)
