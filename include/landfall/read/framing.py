"""Turns batches of rows into frames: rows that are vouched for, typed, and suspects as text."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.errors import RefusedCell
from include.landfall.frames import Frame, FrameType
from include.landfall.job import LOAD_ID, ROW_NUMBER, Job
from include.landfall.read.casts.columns import cast_column
from include.landfall.read.casts.guards import Mask, either
from include.landfall.read.casts.own_types import as_text
from include.landfall.read.casts.types import fast_cast_of
from include.landfall.read.encode import Encoder
from include.landfall.read.rows import Rows


class Framer:
    """Casts and encodes the batches of one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._casts = [fast_cast_of(column) for column in job.columns]
        jsonb = frozenset(c.name for c in job.columns if c.type.name == "jsonb")
        typed = [(name, c.arrow if c else pa.string()) for name, c in zip(job.names, self._casts)]
        texts = [(name, pa.string()) for name in job.names]
        self._typed = pa.schema([*typed, (LOAD_ID, pa.int64())])
        self._texts = pa.schema([(ROW_NUMBER, pa.int64()), *texts])
        self._encode_typed = Encoder(self._typed, jsonb - set(self.text_columns))
        self._encode_texts = Encoder(self._texts)

    @property
    def text_columns(self) -> list[str]:
        """The columns that have no fast cast."""
        return [name for name, c in zip(self._job.names, self._casts) if c is None]

    def frames(self, rows: Rows) -> Iterator[Frame]:
        """Yields the batch's rows: those that are vouched for, then the suspects.

        Raises: RefusedCell when a cell is NULL in a column that takes none.
        """
        self._check_nulls(rows)
        if self._job.mode.all_as_text:
            yield from self._suspect_frames(rows, None)
            return
        columns, suspects = self._cast(rows.batch)
        if suspects is None:
            yield from self._row_frames(columns, rows.batch.num_rows)
            return
        good = pc.invert(suspects)
        count = pc.sum(good).as_py() or 0
        if count:
            yield from self._row_frames([c.filter(good) for c in columns], count)
        yield from self._suspect_frames(rows, suspects)

    def _check_nulls(self, rows: Rows) -> None:
        for column, values in zip(self._job.columns, rows.batch.columns):
            if not column.nullable and values.null_count:
                raise RefusedCell(
                    "a cell is NULL in a column that takes none",
                    expected=f"a value of type {column.type}",
                    do="ask the sender, or let the column be nullable in the feed",
                ).at(column=column.name, row=rows.first + pc.index(values.is_null(), True).as_py())

    def _cast(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], Mask | None]:
        """Returns the columns, typed, and which rows are suspect."""
        columns: list[pa.Array] = []
        suspects: Mask | None = None
        for values, fast_cast, planned in zip(batch.columns, self._casts, self._job.columns):
            typed, doubtful = cast_column(values, fast_cast, planned.type)
            columns.append(typed)
            if doubtful is not None and pc.any(doubtful).as_py():
                suspects = either(suspects, doubtful)
        return columns, suspects

    def _row_frames(self, columns: list[pa.Array], count: int) -> Iterator[Frame]:
        load_id = pa.repeat(pa.scalar(self._job.load_id, pa.int64()), count)
        batch = pa.record_batch([*columns, load_id], schema=self._typed)
        yield from _in_parts(FrameType.ROWS, count, self._encode_typed.rows(batch))

    def _suspect_frames(self, rows: Rows, mask: Mask | None) -> Iterator[Frame]:
        count = rows.batch.num_rows
        numbers = pa.array(range(rows.first, rows.first + count), pa.int64())
        types = [column.type for column in self._job.columns]
        columns = [numbers, *map(as_text, rows.batch.columns, types)]
        batch = pa.record_batch(columns, schema=self._texts)
        batch = batch if mask is None else batch.filter(mask)
        encoded = self._encode_texts.rows(batch)
        yield from _in_parts(FrameType.SUSPECTS, batch.num_rows, encoded)


def _in_parts(
    frame_type: FrameType, count: int, parts: tuple[bytes, memoryview]
) -> Iterator[Frame]:
    """Yields two frames rather than one for large rows: joining megabytes would copy them."""
    first, rest = parts
    if first:
        yield Frame(frame_type, 0, first)
    yield Frame(frame_type, count, rest)
