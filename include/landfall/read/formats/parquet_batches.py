"""Batches of a Parquet file, bounded in bytes however wide or long its rows are.

Arrow reads all columns of a row group side by side, and holds a page of each. Where that is too
much, the columns are read in stripes, a few at a time, into temporary files, and then put together.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.landfall.read.formats.parquet_chunks import check_cells
from include.landfall.read.formats.parquet_sizes import ColumnSize, Sizes, sizes_of

BATCH_ROWS = 8192  # about what a block of CSV has; half as many cost a tenth more CPU
BATCH_BYTES = 4 << 20  # of a batch as it is read
PIECE_BYTES = 2 << 20  # of a batch as it is handed on: it becomes text and frames, each a copy
HELD_BYTES = 48 << 20  # of pages that are held at a time
STRIPE_BYTES = 24 << 20
BUFFER_BYTES = 1 << 20  # of a column that is read; also what one request brings
_TEXTS = (pa.StringArray, pa.LargeStringArray, pa.BinaryArray, pa.LargeBinaryArray)


def read_batches(
    file: pq.ParquetFile, stream: BinaryIO, names: Sequence[str], extra_memory: int = 0
) -> Iterator[pa.RecordBatch]:
    """Yields the rows of the file in batches of a few megabytes, the columns in this order.

    Raises: DataError when a page or a cell is too large to be read within the limit.
    """
    if not file.metadata.num_rows:
        return
    sizes = sizes_of(stream, file.metadata, frozenset(names), extra_memory)
    reader = _Reader(file.metadata, stream, sizes)
    batches: Iterator[pa.RecordBatch]
    if sum(column.held for column in sizes.columns) <= HELD_BYTES:
        batches = chain.from_iterable(reader.batches(names, run) for run in reader.runs())
    else:
        batches = _striped(reader)
    for batch in batches:
        for piece in pieces(batch.select(list(names))):
            if len(piece) == 1:  # as a long one is
                check_cells(piece)
            yield piece


@dataclass
class _Run:
    """Row groups that follow one another, and of how many rows their batches are."""

    row_groups: list[int]
    rows: int


@dataclass(frozen=True)
class _Reader:
    """Reads columns of the file. The batches of a run all have the same number of rows."""

    metadata: Any
    stream: BinaryIO
    sizes: Sizes

    def runs(self) -> Iterator[_Run]:
        """Yields the row groups that have rows; together those whose rows are about as long."""
        run: _Run | None = None
        for one in self.row_groups():
            if run and max(run.rows, one.rows) <= 2 * min(run.rows, one.rows):
                run = _Run(run.row_groups + one.row_groups, min(run.rows, one.rows))
                continue
            if run:
                yield run
            run = one
        if run:
            yield run

    def row_groups(self) -> Iterator[_Run]:
        """Yields each row group that has rows."""
        for number, row in enumerate(self.sizes.rows):
            if self.metadata.row_group(number).num_rows:
                rows = max(1, min(BATCH_ROWS, int(BATCH_BYTES / max(row, 1))))
                yield _Run([number], rows)

    def batches(self, names: Sequence[str], run: _Run) -> Iterator[pa.RecordBatch]:
        """Yields the rows of these columns."""
        file = pq.ParquetFile(
            pa.PythonFile(self.stream, "r"),
            metadata=self.metadata,
            buffer_size=BUFFER_BYTES,
            pre_buffer=False,
            # As nanoseconds, years before 1678 and after 2262 would be others.
            coerce_int96_timestamp_unit="us",
            read_dictionary=[size.name for size in self.sizes.columns if size.repeats],
        )
        yield from file.iter_batches(
            run.rows, row_groups=run.row_groups, columns=list(names), use_threads=False
        )


def _striped(reader: _Reader) -> Iterator[pa.RecordBatch]:
    for run in reader.row_groups():
        with tempfile.TemporaryDirectory(prefix="landfall-") as folder:
            paths = [
                _spooled(reader.batches(stripe, run), Path(folder) / str(number))
                for number, stripe in enumerate(_stripes(reader.sizes.columns))
            ]
            yield from _side_by_side(paths)


def _stripes(sizes: list[ColumnSize]) -> Iterator[list[str]]:
    """Yields columns that can be read together."""
    names: list[str] = []
    held = 0
    for size in sizes:
        if names and held + size.held > STRIPE_BYTES:
            yield names
            names, held = [], 0
        names.append(size.name)
        held += size.held
    yield names


def _spooled(batches: Iterator[pa.RecordBatch], path: Path) -> Path:
    """Writes the batches to a file, in pieces of the same rows."""
    first = next(batches)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_stream(file, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)
    return path


def _side_by_side(paths: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    """Yields the batches of all files put together, row by row."""
    with ExitStack() as stack:
        files = [stack.enter_context(pa.OSFile(str(path))) for path in paths]
        readers = [pa.ipc.open_stream(file) for file in files]
        batches = [reader.read_next_batch() for reader in readers]
        while batches:
            # Arrow may cut one column's batch shorter, where its dictionary changes.
            rows = min(map(len, batches))
            columns = [column for batch in batches for column in batch[:rows].columns]
            names = [name for batch in batches for name in batch.schema.names]
            yield pa.record_batch(columns, names=names)
            batches = [batch[rows:] for batch in batches]
            batches = _filled(batches, readers)


def _filled(batches: list[pa.RecordBatch], readers: list[Any]) -> list[pa.RecordBatch]:
    """Returns the batches with the next one in place of each that has ended, or none at the end."""
    try:
        return [
            b if len(b) else reader.read_next_batch()
            for b, reader in zip(batches, readers, strict=True)
        ]
    except StopIteration:
        return []


def pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Yields the batch in pieces of a few megabytes, with its texts out of their dictionaries."""
    if len(batch) > 1 and sum(map(_bytes, batch.columns)) > PIECE_BYTES:
        middle = len(batch) // 2
        yield from pieces(batch[:middle])
        yield from pieces(batch[middle:])
        return
    columns = [
        c.dictionary_decode() if isinstance(c, pa.DictionaryArray) else c for c in batch.columns
    ]
    yield pa.record_batch(columns, names=batch.schema.names)


def _bytes(column: pa.Array) -> int:
    """Returns the bytes of a column, of a dictionary as if it were decoded."""
    if not (isinstance(column, pa.DictionaryArray) and isinstance(column.dictionary, _TEXTS)):
        return int(column.nbytes)
    sizes = pc.binary_length(column.dictionary)
    at_most = (pc.max(sizes).as_py() or 0) * len(column)
    if at_most <= PIECE_BYTES // 16:  # most are short, and need no closer look
        return int(at_most)
    return int(pc.sum(pc.take(sizes, column.indices)).as_py() or 0)
