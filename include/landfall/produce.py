"""Produce: an arrival to frames, through open, decode, cast and encode. No database here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from . import cast
from .decode import Rows, Suspicious, Unvouched, decode
from .encode import Encoder
from .errors import DataError, LandfallError, RefusedCell, RowTooLong
from .frames import Frame, Kind
from .open import open_file, open_text
from .plan import Job
from .scan import find_fault, find_record

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

LOAD_ID = "_load_id"
ROW = "_load_row"


def frames(client: S3Client, job: Job) -> Iterator[Frame]:
    """The arrival's rows as frames; raises the errors of every house on the way."""
    try:
        yield from _frames(client, job)
    except Suspicious as doubt:
        error = _fault(client, job) or DataError("the file cannot be read", found=str(doubt))
        raise error.at(feed=job.feed, object=job.arrival.uri) from doubt
    except LandfallError as error:
        if error.place.row and not error.place.line:
            error.at(line=line_of(client, job, error.place.row))
        error.at(feed=job.feed, object=job.arrival.uri)
        raise


def _frames(client: S3Client, job: Job) -> Iterator[Frame]:
    caster = Caster(job)
    yield Frame(Kind.SHAPE, payload=json.dumps(caster.text_columns).encode())
    read = 0
    vouched = True
    with opened(client, job) as stream:
        try:
            for rows in decode(stream, job):
                read += rows.batch.num_rows
                yield from caster.frames(rows)
        except Unvouched:
            vouched = False
    if not vouched:
        _vouch(client, job, read)
    yield Frame(Kind.END, read)


def _vouch(client: S3Client, job: Job, read: int) -> None:
    """Scans the file once more; raises its fault, if it has one."""
    with opened(client, job) as stream:
        fault = find_fault(stream, job.dialect, len(job.columns), read)
    if fault:
        raise fault


def opened(client: S3Client, job: Job) -> AbstractContextManager[BinaryIO]:
    """The arrival's bytes, as its format wants to read them."""
    parquet = job.dialect.format == "parquet"
    return open_file(client, job.arrival) if parquet else open_text(client, job.arrival)


def line_of(client: S3Client, job: Job, number: int) -> int | None:
    """The physical line on which the row of that number begins; None in Parquet."""
    if job.dialect.format == "parquet":
        return None
    with opened(client, job) as stream:
        record = find_record(stream, job.dialect, len(job.columns), number)
    return record.line if record else None


def _fault(client: S3Client, job: Job) -> LandfallError | None:
    with opened(client, job) as stream:
        fault = find_fault(stream, job.dialect, len(job.columns))
    if fault is None and not job.manner.long_rows:
        return RowTooLong(f"a row is longer than {job.manner.block_size} bytes")
    return fault


def _in_parts(kind: Kind, count: int, parts: tuple[bytes, memoryview]) -> Iterator[Frame]:
    """Two frames rather than one for large rows: putting megabytes together would copy them."""
    first, rest = parts
    if first:
        yield Frame(kind, 0, first)
    yield Frame(kind, count, rest)


class Caster:
    """Casts and encodes the batches of one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._ways = [cast.way_of(column) for column in job.columns]
        jsonb = frozenset(c.name for c in job.columns if c.type.name == "jsonb")
        typed = [(n, w.arrow if w else pa.string()) for n, w in zip(job.names, self._ways)]
        texts = [(name, pa.string()) for name in job.names]
        self._typed = pa.schema([*typed, (LOAD_ID, pa.int64())])
        self._texts = pa.schema([(ROW, pa.int64()), *texts])
        self._encode_typed = Encoder(self._typed, jsonb - set(self.text_columns))
        self._encode_texts = Encoder(self._texts)

    @property
    def text_columns(self) -> list[str]:
        """The columns that have no fast way."""
        names = self._job.names
        return [name for name, way in zip(names, self._ways) if way is None]

    def frames(self, rows: Rows) -> Iterator[Frame]:
        """The batch's rows: those that are vouched for, then the suspects."""
        if rows.first == 1 and self._job.dialect.format == "parquet":
            cast.check_types(self._job.columns, rows.batch.schema)
        self._check_nulls(rows)
        if self._job.manner.careful:
            yield from self._suspects(rows, None)
            return
        columns, suspects = self._cast(rows.batch)
        if suspects is None:
            yield from self._rows(columns, rows.batch.num_rows)
            return
        good = pc.invert(suspects)
        count = pc.sum(good).as_py() or 0
        if count:
            yield from self._rows([c.filter(good) for c in columns], count)
        yield from self._suspects(rows, suspects)

    def _check_nulls(self, rows: Rows) -> None:
        for column, values in zip(self._job.columns, rows.batch.columns):
            if not column.nullable and values.null_count:
                raise RefusedCell(
                    "a cell is NULL in a column that takes none",
                    expected=f"a value of type {column.type}",
                    do="ask the sender, or let the column be nullable in the feed",
                ).at(column=column.name, row=rows.first + pc.index(values.is_null(), True).as_py())

    def _cast(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], cast.Mask | None]:
        columns: list[pa.Array] = []
        suspects: cast.Mask | None = None
        for values, way, planned in zip(batch.columns, self._ways, self._job.columns):
            typed, doubtful = cast.cast_column(values, way, planned.type)
            columns.append(typed)
            if doubtful is not None and pc.any(doubtful).as_py():
                suspects = doubtful if suspects is None else pc.or_(suspects, doubtful)
        return columns, suspects

    def _rows(self, columns: list[pa.Array], count: int) -> Iterator[Frame]:
        load_id = pa.repeat(pa.scalar(self._job.load_id, pa.int64()), count)
        batch = pa.record_batch([*columns, load_id], schema=self._typed)
        yield from _in_parts(Kind.ROWS, count, self._encode_typed.rows(batch))

    def _suspects(self, rows: Rows, mask: cast.Mask | None) -> Iterator[Frame]:
        count = rows.batch.num_rows
        numbers = pa.array(range(rows.first, rows.first + count), pa.int64())
        kinds = [column.type for column in self._job.columns]
        columns = [numbers, *map(cast.as_text, rows.batch.columns, kinds)]
        batch = pa.record_batch(columns, schema=self._texts)
        batch = batch if mask is None else batch.filter(mask)
        yield from _in_parts(Kind.SUSPECTS, batch.num_rows, self._encode_texts.rows(batch))
