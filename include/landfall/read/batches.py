"""Produce: an arrival to frames, through open, decode, cast and encode. No database here."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.errors import RefusedCell
from include.landfall.frames import Frame, Kind
from include.landfall.job import Job
from include.landfall.read.casts.columns import cast_column
from include.landfall.read.casts.guards import Mask
from include.landfall.read.casts.own_types import as_text, check_types
from include.landfall.read.casts.types import fast_cast_of
from include.landfall.read.encode import Encoder
from include.landfall.read.rows import Rows

LOAD_ID = "_load_id"


ROW = "_load_row"


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
        self._ways = [fast_cast_of(column) for column in job.columns]
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
            check_types(self._job.columns, rows.batch.schema)
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

    def _cast(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], Mask | None]:
        columns: list[pa.Array] = []
        suspects: Mask | None = None
        for values, way, planned in zip(batch.columns, self._ways, self._job.columns):
            typed, doubtful = cast_column(values, way, planned.type)
            columns.append(typed)
            if doubtful is not None and pc.any(doubtful).as_py():
                suspects = doubtful if suspects is None else pc.or_(suspects, doubtful)
        return columns, suspects

    def _rows(self, columns: list[pa.Array], count: int) -> Iterator[Frame]:
        load_id = pa.repeat(pa.scalar(self._job.load_id, pa.int64()), count)
        batch = pa.record_batch([*columns, load_id], schema=self._typed)
        yield from _in_parts(Kind.ROWS, count, self._encode_typed.rows(batch))

    def _suspects(self, rows: Rows, mask: Mask | None) -> Iterator[Frame]:
        count = rows.batch.num_rows
        numbers = pa.array(range(rows.first, rows.first + count), pa.int64())
        kinds = [column.type for column in self._job.columns]
        columns = [numbers, *map(as_text, rows.batch.columns, kinds)]
        batch = pa.record_batch(columns, schema=self._texts)
        batch = batch if mask is None else batch.filter(mask)
        yield from _in_parts(Kind.SUSPECTS, batch.num_rows, self._encode_texts.rows(batch))
