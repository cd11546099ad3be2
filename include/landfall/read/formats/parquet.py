"""Parquet: rows in the file's own types, which must fit the feed's."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from include.landfall.errors import TruncatedFile
from include.landfall.feed.dialect import ParquetDialect
from include.landfall.job import Job
from include.landfall.read.formats.own_batches import Source, origins_in_batches, rows_of_batches
from include.landfall.read.formats.parquet_batches import read_batches
from include.landfall.read.rows import Origin, Rows

RANDOM_ACCESS = True


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names of the file's columns, and of those that paths lead to.

    Raises: TruncatedFile.
    """
    with _whole_file():
        return _source(pq.ParquetFile(pa.PythonFile(stream, "r")), job).names


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows.

    Raises: HeaderMismatch when the columns or their types are not the feed's, TruncatedFile.
    """
    yield from rows_of_batches(_batches(stream, job), job)


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the match's order, of the rows with these numbers."""
    yield from origins_in_batches(_batches(stream, job), job, numbers)


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    def read(names: list[str]) -> Iterator[pa.RecordBatch]:
        enums = _enums(file)
        for batch in read_batches(file, stream, names):
            yield _with_plain_types(batch, enums)

    with _whole_file():
        file = pq.ParquetFile(pa.PythonFile(stream, "r"))
        yield from _source(file, job).batches(job, read)


def _source(file: pq.ParquetFile, job: Job) -> Source:
    return Source.of(file.schema_arrow.names, job, cast(ParquetDialect, job.dialect).paths)


@contextmanager
def _whole_file() -> Iterator[None]:
    """Turns the error of a file that is not whole into one that says so."""
    try:
        yield
    except pa.ArrowInvalid as error:
        raise TruncatedFile(
            "the file is not whole Parquet",
            found=str(error),
            expected="a Parquet file",
            do="check the feed's format, or ask the sender for the file again",
        ) from error


def _with_plain_types(batch: pa.RecordBatch, enums: Collection[str]) -> pa.RecordBatch:
    """Returns the batch with UUID, JSON and ENUM as the types that hold them: 16 bytes, text."""
    plain = [_plain(field.type, field.name in enums) for field in batch.schema]
    if plain == batch.schema.types:
        return batch
    columns = [
        column if column.type == own else column.cast(own)
        for column, own in zip(batch.columns, plain)
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def _plain(own: pa.DataType, is_enum: bool) -> pa.DataType:
    if pa.types.is_list(own) or pa.types.is_large_list(own) or pa.types.is_fixed_size_list(own):
        inner = _plain(own.value_type, is_enum)
        return own if inner == own.value_type else pa.list_(inner)
    if isinstance(own, pa.BaseExtensionType):
        return own.storage_type
    if pa.types.is_binary_view(own):
        return pa.binary()  # Arrow takes no rows of a view
    return pa.string() if is_enum else own


def _enums(file: pq.ParquetFile) -> set[str]:
    """Names the columns of the logical type ENUM, or lists of it: texts that Arrow calls binary."""
    leaves = [file.schema.column(i) for i in range(len(file.schema.names))]
    return {leaf.path.split(".")[0] for leaf in leaves if leaf.logical_type.type == "ENUM"}
