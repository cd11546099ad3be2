"""Batches of files that have types of their own, as rows and rejects.

Such a file has no lines and no text: a reject's text is its row as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, cast

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.contract import NEW_LABEL, Match
from include.landfall.errors import HeaderMismatch, TruncatedFile
from include.landfall.feed.column_types import ColumnType
from include.landfall.feed.dialect import NestedDialect
from include.landfall.job import Job
from include.landfall.read.casts.guards import bytes_of
from include.landfall.read.casts.own_types import as_text, check_types, is_text, needs_text
from include.landfall.read.complete import json_values
from include.landfall.read.formats import OriginOf
from include.landfall.read.local_faults import local_fault
from include.landfall.read.packings import packing_in
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

Read = Callable[[list[str]], Iterable[pa.RecordBatch]]
Batches = Callable[[BinaryIO, Job], Iterator[pa.RecordBatch]]
RowsOf = Callable[[BinaryIO, Job], Iterator[Rows]]
OriginsOf = Callable[[BinaryIO, Job, Sequence[int]], Iterator[OriginOf]]


@dataclass(frozen=True)
class Source:
    """The columns that a file offers: its own, and those that paths of the feed lead to.

    `names` are the columns' names, `paths` where each is. A column that only holds others comes
    last, where the feed declares it, so that the places of all others depend on the file alone.
    """

    names: list[str]
    paths: list[tuple[str, ...]]

    @classmethod
    def of(cls, names: Sequence[str], job: Job) -> Source:
        """Makes the source of a file with these columns."""
        paths = cast(NestedDialect, job.dialect).paths
        holders = {path[0] for _, path in paths}
        lead_to = dict(paths)
        declared = {c.name for c in job.columns if c.name not in lead_to}
        pairs: list[tuple[str, tuple[str, ...]]] = [
            (name, (name,)) for name in names if name not in holders
        ]
        pairs += [(name, path) for name, path in paths if path[0] in names]
        pairs += [(name, (name,)) for name in names if name in holders and name in declared]
        return cls([name for name, _ in pairs], [path for _, path in pairs])

    def batches(self, job: Job, read: Read) -> Iterator[pa.RecordBatch]:
        """Yields batches of the columns to read, with their labels. `read` gives those of the file.

        Raises: HeaderMismatch when the file's columns are not the feed's.
        """
        match = job.match_columns(self.names)
        paths = [self.paths[place] for place in match.places]
        self._check_once({path[0] for path in paths})
        for batch in read(list(dict.fromkeys(path[0] for path in paths))):
            yield _picked(batch, match, paths)

    def _check_once(self, holders: set[str]) -> None:
        """Checks that no column that is read stands twice: Arrow reads columns by their names."""
        own = [path[0] for path in self.paths if len(path) == 1]
        if twice := sorted(name for name in holders if own.count(name) > 1):
            raise HeaderMismatch(
                "columns of the file stand twice",
                found=", ".join(map(repr, twice)),
                do="ask the sender for other names, or ignore the columns",
            )


def _picked(batch: pa.RecordBatch, match: Match, paths: Sequence[Sequence[str]]) -> pa.RecordBatch:
    columns = [_at(batch, label, path) for label, path in zip(match.labels, paths, strict=True)]
    return pa.record_batch(columns, names=list(match.labels))


def _at(batch: pa.RecordBatch, name: str, path: Sequence[str]) -> pa.Array:
    """Returns the column that the path leads to.

    Raises: HeaderMismatch when it leads to nothing.
    """
    column = batch.column(path[0])
    for step in path[1:]:
        own = column.type
        if pa.types.is_map(own) and is_text(own.key_type):
            column = pc.map_lookup(column, pa.scalar(step, own.key_type), "first")
        elif pa.types.is_struct(own) and step in own.names:
            column = pc.struct_field(column, step)
        else:
            raise HeaderMismatch(
                f"the path {'.'.join(path)} leads to nothing in the file",
                found=f"no {step!r} in a column of the type {own}",
                expected="a struct with this field, or a map with texts as keys",
                do="write under format.paths: where the file has it, or ask the sender",
            ).at(column=name)
    return column


@contextmanager
def whole_file(name: str, stream: BinaryIO) -> Iterator[None]:
    """Turns the error of a file that is not whole, in the format of this name, into a clear one.

    Raises: TruncatedFile; ServerUnavailable when the machine is short of memory or disk space.
    """
    try:
        yield
    except (pa.ArrowException, MemoryError, OSError) as error:
        raise local_fault(error) or _not_whole(name, stream, error) from error


def _not_whole(name: str, stream: BinaryIO, error: BaseException) -> TruncatedFile:
    stream.seek(0)
    packing = packing_in(stream.read(8))
    inside = f"check the feed's format, or ask for {name} itself, which is packed within"
    return TruncatedFile(
        f"the file is not whole {name}",
        found=f"a file packed with {packing}" if packing else str(error),
        expected=f"a file of {name}",
        do=inside if packing else "check the feed's format, or ask the sender for the file again",
    )


def plain_types(batch: pa.RecordBatch, enums: Collection[str] = ()) -> pa.RecordBatch:
    """Returns the batch with UUID, JSON and ENUM as the types that hold them: 16 bytes, text."""
    plain = [_plain(field.type, field.name in enums) for field in batch.schema]
    if plain == batch.schema.types:
        return batch
    columns = [
        column if column.type == own else column.cast(own)
        for column, own in zip(batch.columns, plain, strict=True)
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


def no_rows(schema: pa.Schema, names: Sequence[str]) -> pa.RecordBatch:
    """Returns a batch without rows: the columns of a file without rows have types, too."""
    none = [pa.nulls(0, schema.field(name).type) for name in names]
    return pa.record_batch(none, names=list(names))


def functions_of(batches: Batches) -> tuple[RowsOf, OriginsOf]:
    """Makes `rows` and `origins_of`, which every format has, of what opens a file's batches.

    `rows` raises HeaderMismatch when the columns or their types are not the feed's, and both raise
    what `batches` raises.
    """

    def rows(stream: BinaryIO, job: Job) -> Iterator[Rows]:
        first = 1
        for batch in _worth_reading(batches(stream, job), job):
            if first == 1:
                check_types(job.columns, batch.schema)
            yield _rows(first, batch, job)
            first += batch.num_rows

    def origins_of(stream: BinaryIO, job: Job, numbers: Sequence[int]) -> Iterator[OriginOf]:
        first, wanted = 1, list(reversed(numbers))
        for batch in batches(stream, job):
            while wanted and wanted[-1] < first + batch.num_rows:
                number = wanted.pop()
                cells = _cells(batch.slice(number - first, 1), job)
                yield number, _origin(batch, number - first), cells
            if not wanted:
                return
            first += batch.num_rows

    return rows, origins_of


def _worth_reading(batches: Iterator[pa.RecordBatch], job: Job) -> Iterator[pa.RecordBatch]:
    """Leaves out batches without rows, except where the types of new columns are looked for."""
    return (batch for batch in batches if len(batch) or not job.columns)


def _cells(row: pa.RecordBatch, job: Job) -> list[str | None]:
    """Returns the cells of one row: as JSON those that are rescued, as text the others."""
    types, rescues = _types(job), job.rules.new_columns == "rescue"
    return [
        json_values(column)[0]
        if rescues and label.startswith(NEW_LABEL)
        else _text(column, types.get(label))
        for label, column in zip(row.schema.names, row.columns, strict=True)
    ]


def _types(job: Job) -> Mapping[str, ColumnType]:
    return {column.name: column.read_as for column in job.columns}


def _rows(first: int, batch: pa.RecordBatch, job: Job) -> Rows:
    """Returns the batch with its texts as strings, without rows that Postgres cannot hold."""
    encoding, types = job.encoding, _types(job)
    texts = [
        as_text(column, types.get(name)) if needs_text(column.type, types.get(name)) else column
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    whole = pa.record_batch(texts, names=batch.schema.names)
    faults: dict[int, tuple[Fault, str]] = {}
    for name, column in zip(batch.schema.names, texts, strict=True):
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
    """Returns a row as one line of JSON."""
    row = batch.slice(position, 1)
    cells = {
        name: _value(column) for name, column in zip(batch.schema.names, row.columns, strict=True)
    }
    return Origin(None, json.dumps(cells, ensure_ascii=False))


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


def _text(cell: pa.Array, declared: ColumnType | None) -> str | None:
    text: str | None = as_text(cell, declared)[0].as_py()
    return text
