"""Parquet: rows in the file's own types, which must fit the feed's."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from include.landfall.contract import Match
from include.landfall.errors import HeaderMismatch, TruncatedFile
from include.landfall.feed.column_types import ColumnType
from include.landfall.job import Job
from include.landfall.read.casts.guards import bytes_of
from include.landfall.read.casts.own_types import as_text, check_types, is_text
from include.landfall.read.formats.parquet_batches import read_batches
from include.landfall.read.rows import (
    NOT_UTF8,
    UNTRANSLATABLE,
    ZERO_BYTE,
    Fault,
    Misshapen,
    Origin,
    Rows,
    numbers_without,
    readable,
)

RANDOM_ACCESS = True


def names_of(stream: BinaryIO, job: Job) -> list[str]:
    """Returns the names of the file's columns.

    Raises: TruncatedFile.
    """
    with _whole_file():
        names: list[str] = pq.ParquetFile(pa.PythonFile(stream, "r")).schema_arrow.names
        return names


def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
    """Yields the file's rows.

    Raises: HeaderMismatch when the columns or their types are not the feed's, TruncatedFile.
    """
    first = 1
    for batch in _batches(stream, job):
        if first == 1:
            check_types(job.columns, batch.schema)
        yield _rows(first, batch, job.encoding)
        first += batch.num_rows


def origins_of(
    stream: BinaryIO, job: Job, numbers: Sequence[int]
) -> Iterator[tuple[int, Origin, list[str | None] | None]]:
    """Yields number, origin and cells, in the feed's order, of the rows with these numbers."""
    types = {column.name: column.type for column in job.columns}
    first, wanted = 1, list(reversed(numbers))
    for batch in _batches(stream, job):
        while wanted and wanted[-1] < first + batch.num_rows:
            number = wanted.pop()
            row = batch.slice(number - first, 1)
            cells = [
                _text(column, types.get(label))
                for label, column in zip(row.schema.names, row.columns)
            ]
            yield number, _origin(batch, number - first), cells
        if not wanted:
            return
        first += batch.num_rows


def _batches(stream: BinaryIO, job: Job) -> Iterator[pa.RecordBatch]:
    with _whole_file():
        file = pq.ParquetFile(pa.PythonFile(stream, "r"))
        names = file.schema_arrow.names
        match = job.match_columns(names)
        _check_once(names, match)
        enums = _enums(file)
        for batch in read_batches(file, stream, [names[place] for place in match.places]):
            yield _with_plain_types(batch, enums).rename_columns(match.labels)


def _check_once(names: list[str], match: Match) -> None:
    """Checks that no column that is read stands twice: Arrow reads Parquet's columns by name."""
    twice = sorted({names[place] for place in match.places if names.count(names[place]) > 1})
    if twice:
        raise HeaderMismatch(
            "columns of the file stand twice",
            found=", ".join(map(repr, twice)),
            do="ask the sender for other names, or ignore the columns",
        )


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


def _rows(first: int, batch: pa.RecordBatch, encoding: str | None) -> Rows:
    """Returns the batch with its texts as strings, without rows that Postgres cannot hold."""
    texts = [as_text(c) if is_text(c.type) else c for c in batch.columns]
    whole = pa.record_batch(texts, names=batch.schema.names)
    faults: dict[int, tuple[Fault, str]] = {}
    for name, column in zip(batch.schema.names, texts):
        if column.type == pa.string() and not _is_storable(column, encoding):
            faults = dict(_faults_of(name, column, encoding)) | faults
    if not faults:
        return Rows(first, whole, partial(_origins, whole))
    left_out = sorted(faults)
    numbers = numbers_without(first, len(whole), [first + position for position in left_out])
    misshapen = [_misshapen(first, whole, at, *faults[at], encoding) for at in left_out]
    good = whole.take(pa.array([number - first for number in numbers], pa.int64()))
    return Rows(first, good, partial(_origins, good), numbers, misshapen)


def _is_storable(texts: pa.Array, encoding: str | None) -> bool:
    """Returns whether the database can hold the texts. Most are ASCII, which is quickly seen."""
    data = bytes_of(texts)
    if b"\0" in data:
        return False
    return data.isascii() or (encoding is None and _is_utf8(texts))


def _is_utf8(texts: pa.Array) -> bool:
    try:
        texts.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def _faults_of(
    name: str, column: pa.Array, encoding: str | None
) -> Iterator[tuple[int, tuple[Fault, str]]]:
    for position, text in enumerate(column.cast(pa.binary()).to_pylist()):
        if text is not None and (fault := _fault_of(text, encoding)):
            message = fault.message.replace("the row", f"the text of column {name}")
            yield position, (fault._replace(message=message), name)


def _fault_of(text: bytes, encoding: str | None) -> Fault | None:
    if b"\0" in text:
        return ZERO_BYTE
    try:
        text.decode().encode(encoding or "utf-8")
    except UnicodeDecodeError:
        return NOT_UTF8
    except UnicodeEncodeError:
        return UNTRANSLATABLE
    return None


def _misshapen(
    first: int, batch: pa.RecordBatch, at: int, fault: Fault, column: str, encoding: str | None
) -> Misshapen:
    raw = readable(_origin(batch, at).raw.encode(), encoding)
    return Misshapen(first + at, None, *fault, raw, column)


def _origins(batch: pa.RecordBatch, positions: Sequence[int]) -> list[Origin]:
    return [_origin(batch, position) for position in positions]


def _origin(batch: pa.RecordBatch, position: int) -> Origin:
    """Returns a row as one line of JSON: a Parquet file has no lines of its own."""
    row = batch.slice(position, 1)
    cells = {name: _value(column) for name, column in zip(batch.schema.names, row.columns)}
    return Origin(None, json.dumps(cells, ensure_ascii=False))


def _text(cell: pa.Array, declared: ColumnType | None) -> str | None:
    """Returns a cell as text; that of a new column may be nested, and is JSON then."""
    if declared is None and pa.types.is_nested(cell.type):
        return json.dumps(cell[0].as_py(), ensure_ascii=False, default=str)
    text: str | None = as_text(cell, declared)[0].as_py()
    return text


def _value(cell: pa.Array) -> str | float | bool | None:
    """Returns a cell as JSON has it: what is no number is a text, as Postgres would read it."""
    own = cell.type
    if own == pa.string():
        text = cell.cast(pa.binary())[0].as_py()
        return None if text is None else readable(text)
    if pa.types.is_integer(own) or pa.types.is_boolean(own) or pa.types.is_floating(own):
        value: float | bool | None = cell[0].as_py()
        return value
    return _text(cell, None)
