"""Parquet: rows in the file's own types, which must fit the feed's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from include.landfall.contract import check_header
from include.landfall.errors import LandfallError, RefusedCell, TruncatedFile
from include.landfall.job import Job
from include.landfall.read.casts.guards import bytes_of
from include.landfall.read.casts.own_types import as_text, check_types, is_text
from include.landfall.read.formats.parquet_batches import read_batches
from include.landfall.read.rows import Rows

RANDOM_ACCESS = True


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows.

    Raises: HeaderMismatch when the columns or their types are not the feed's, TruncatedFile.
    """
    first = 1
    for batch in _batches(stream, job):
        if first == 1:
            check_types(job.columns, batch.schema)
        yield Rows(first, _with_checked_texts(batch, first))
        first += batch.num_rows


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    try:
        file = pq.ParquetFile(pa.PythonFile(stream, "r"))
        check_header(file.schema_arrow.names, job.names)
        enums = _enums(file)
        for batch in read_batches(file, stream, job.names):
            yield _with_plain_types(batch, enums)
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
    return pa.string() if is_enum else own


def _enums(file: pq.ParquetFile) -> set[str]:
    """Names the columns of the logical type ENUM, or lists of it: texts that Arrow calls binary."""
    leaves = [file.schema.column(i) for i in range(len(file.schema.names))]
    return {leaf.path.split(".")[0] for leaf in leaves if leaf.logical_type.type == "ENUM"}


def _with_checked_texts(batch: pa.RecordBatch, first: int) -> pa.RecordBatch:
    """Returns the batch with its texts as strings, which Postgres can hold.

    Raises: RefusedCell when one is not UTF-8 or holds a zero byte.
    """
    columns = [as_text(c) if is_text(c.type) else c for c in batch.columns]
    for name, column in zip(batch.schema.names, columns):
        if column.type == pa.string() and not _is_storable(column):
            raise _bad_text(column, first).at(column=name)
    return pa.record_batch(columns, names=batch.schema.names)


def _is_storable(texts: pa.Array) -> bool:
    """Returns whether Postgres can hold the texts. Most are ASCII, which is quickly seen."""
    data = bytes_of(texts)
    return b"\0" not in data and (data.isascii() or _is_utf8(texts))


def _bad_text(column: pa.Array, first: int) -> RefusedCell:
    texts = enumerate(column.cast(pa.binary()).to_pylist(), first)
    number, text = next(
        (number, text)
        for number, text in texts
        if text is not None and (b"\0" in text or not _is_utf8(pa.array([text])))
    )
    return RefusedCell(
        "a text is not UTF-8, or holds a zero byte, which no Postgres text can",
        found=text.decode("utf-8", "backslashreplace"),
        do="ask the sender, or declare the column as bytea",
    ).at(row=number)


def _is_utf8(texts: pa.Array) -> bool:
    try:
        texts.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def find_fault(stream: BinaryIO, job: Job, count: int | None) -> LandfallError | None:
    """Returns None: Parquet is read once, and `rows` says what is wrong with it."""
    return None


def line_of(stream: BinaryIO, job: Job, number: int) -> int | None:
    """Returns None: Parquet has no lines."""
    return None
