"""Turns batches of rows into frames: rows that are vouched for, typed, suspects and rejects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.frames import Frame, FrameType
from include.landfall.job import LOAD_ID, Job, PlannedColumn
from include.landfall.read import dates
from include.landfall.read.casts.columns import RefusedTexts, cast_column
from include.landfall.read.casts.guards import Mask, either
from include.landfall.read.casts.own_types import as_text, is_text
from include.landfall.read.casts.types import fast_cast_of
from include.landfall.read.encode import Encoder
from include.landfall.read.rows import Misshapen, Rows, numbers_of

SUSPECTS = pa.schema(
    [
        ("number", pa.int64()),
        ("line", pa.int64()),
        ("raw", pa.string()),
        ("cells", pa.list_(pa.string())),
    ]
)
REJECTS = pa.schema(
    [
        ("number", pa.int64()),
        ("line", pa.int64()),
        ("column", pa.string()),
        *((name, pa.string()) for name in ("reason", "sqlstate", "message", "raw")),
    ]
)
Item = TypeVar("Item")
PART_BYTES = 1 << 20  # of raw text in a frame of suspects or rejects


class Framer:
    """Casts and encodes the batches of one job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        scales = dict(job.dialect.scales)
        self._casts = [fast_cast_of(column, scales.get(column.name)) for column in job.columns]
        self._refused = [RefusedTexts() for _ in self._casts]
        jsonb = frozenset(c.name for c in job.columns if c.type.name == "jsonb")
        typed = [
            (name, c.arrow if c else pa.string())
            for name, c in zip(job.names, self._casts, strict=True)
        ]
        if job.is_numbered or job.load_id is not None:
            typed.append((LOAD_ID, pa.int64()))
        self._typed = pa.schema(typed)
        self._encode_typed = Encoder(self._typed, jsonb - set(self.text_columns))
        self._encode_suspects = Encoder(SUSPECTS)
        self._encode_rejects = Encoder(REJECTS)

    @property
    def text_columns(self) -> list[str]:
        """The columns that have no fast cast."""
        return [name for name, c in zip(self._job.names, self._casts, strict=True) if c is None]

    def frames(self, rows: Rows) -> Iterator[Frame]:
        """Yields the rows that are vouched for, then the suspects, then the misshapen records."""
        columns, suspects = self._cast(rows.batch)
        if suspects is not None and not pc.any(suspects).as_py():
            suspects = None
        if suspects is None:
            yield from self._row_frames(columns, rows, None)
        else:
            yield from self._row_frames(columns, rows, pc.invert(suspects))
            yield from self._suspect_frames(rows, pc.indices_nonzero(suspects).to_pylist())
        yield from self._reject_frames(rows.misshapen)

    def _cast(self, batch: pa.RecordBatch) -> tuple[list[pa.Array], Mask | None]:
        """Returns the columns, typed, and which rows are suspect."""
        columns: list[pa.Array] = []
        suspects: Mask | None = None
        for values, fast_cast, planned, refused in zip(
            batch.columns, self._casts, self._job.columns, self._refused, strict=True
        ):
            if not planned.nullable and values.null_count:
                suspects = either(suspects, values.is_null())
            if fast_cast is None:
                column, doubtful = self._judged_texts(values, planned), None
            else:
                column, doubtful = cast_column(values, fast_cast, planned.read_as, refused)
            columns.append(column)
            suspects = either(suspects, doubtful)
        return columns, suspects

    def _row_frames(
        self, columns: list[pa.Array], rows: Rows, good: Mask | None
    ) -> Iterator[Frame]:
        count = rows.batch.num_rows
        first, numbers = rows.first, b""
        all_numbers = None
        if good is not None or rows.numbers is not None or self._job.is_numbered:
            all_numbers = numbers_of(rows)
            if good is not None:
                columns = [column.filter(good) for column in columns]
                all_numbers = all_numbers.filter(good)
            count = len(all_numbers)
            first = all_numbers[0].as_py() if count else 0
            numbers = all_numbers.buffers()[1].to_pybytes()[: 8 * count]
        if count == 0:
            return
        if self._job.is_numbered:
            columns = [*columns, all_numbers]
        elif self._job.load_id is not None:
            columns = [*columns, pa.repeat(pa.scalar(self._job.load_id, pa.int64()), count)]
        batch = pa.record_batch(columns, schema=self._typed)
        yield Frame(FrameType.ROWS, count, self._encode_typed.rows(batch), first, numbers)

    def _suspect_frames(self, rows: Rows, positions: list[int]) -> Iterator[Frame]:
        for part in _parts(positions, rows.batch.nbytes // max(1, rows.batch.num_rows)):
            origins = rows.origins(part)
            at = pa.array(part, pa.int64())
            columns = [
                numbers_of(rows).take(at),
                pa.array([origin.line for origin in origins], pa.int64()),
                pa.array([origin.raw for origin in origins], pa.string()),
            ]
            del origins  # a row may be large
            columns.append(self._cells(rows.batch.take(at)))
            batch = pa.record_batch(columns, schema=SUSPECTS)
            yield Frame(FrameType.SUSPECTS, len(part), self._encode_suspects.rows(batch))

    def _judged_texts(self, values: pa.Array, column: PlannedColumn) -> pa.Array:
        """Returns the cells as Postgres judges them: a date that has two readings is none."""
        texts = as_text(values, column.read_as)
        if self._job.dialect.spelling.session_dates:
            return texts
        is_date = column.read_as.name in dates.READ_DATES and is_text(values.type)
        has_dates = bool(self._job.dialect.spelling.dates)
        return dates.note_undecided(texts, has_dates) if is_date else texts

    def _cells(self, batch: pa.RecordBatch) -> pa.Array:
        """Returns the cells of each row as a list of texts."""
        texts = pa.concat_arrays(list(map(self._judged_texts, batch.columns, self._job.columns)))
        width, count = batch.num_columns, batch.num_rows
        cell = pa.arange(0, width * count)  # row by row
        row = pc.divide(cell, width)
        column = pc.subtract(cell, pc.multiply(row, width))
        cells = texts.take(pc.add(pc.multiply(column, count), row))
        offsets = pa.array(range(0, width * count + 1, width), pa.int32())
        return pa.ListArray.from_arrays(offsets, cells)

    def _reject_frames(self, misshapen: Sequence[Misshapen]) -> Iterator[Frame]:
        average = sum(len(record.raw) for record in misshapen) // max(1, len(misshapen))
        for part in _parts(misshapen, average):
            values = [
                [r.number, r.line, r.column, r.reason, r.sqlstate, r.message, r.raw] for r in part
            ]
            columns = [
                pa.array(v, f.type) for v, f in zip(zip(*values, strict=True), REJECTS, strict=True)
            ]
            batch = pa.record_batch(columns, schema=REJECTS)
            yield Frame(FrameType.REJECTS, len(part), self._encode_rejects.rows(batch))


def _parts(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yields so many items of about that size at a time that they make no large frame."""
    at_once = max(1, PART_BYTES // max(1, size))
    return (items[start : start + at_once] for start in range(0, len(items), at_once))
