"""Rejects rows that are longer than the feed allows, whatever the file's format is."""

from __future__ import annotations

from array import array
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.job import Job
from include.landfall.read.rows import TOO_LONG, Misshapen, Rows

SHOWN_CHARACTERS = 1000


def bounded(rows: Rows, job: Job) -> Rows:
    """Returns the rows without those whose texts have more bytes than the job's bound.

    They become misshapen records.
    """
    most = job.bounds.row_bytes
    if most is None or not len(rows.batch):
        return rows
    is_long = pc.greater(_sizes(rows.batch), most)
    if not pc.any(is_long).as_py():
        return rows
    message = f"the row has more than {most} bytes, the most by limits: row of the feed"
    return _without(rows, is_long, message)


def _sizes(batch: pa.RecordBatch) -> pa.Array:
    total = pa.repeat(pa.scalar(0, pa.int64()), len(batch))
    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            total = pc.add(total, pc.fill_null(pc.binary_length(column), 0).cast(pa.int64()))
    return total


def _without(rows: Rows, is_long: pa.BooleanArray, message: str) -> Rows:
    long = pc.indices_nonzero(is_long).to_pylist()
    kept = pc.indices_nonzero(pc.invert(is_long)).to_pylist()
    numbers = rows.numbers or range(rows.first, rows.first + len(rows.batch))
    fault = TOO_LONG._replace(message=message)
    rejects = [
        Misshapen(numbers[at], origin.line, *fault, origin.raw[:SHOWN_CHARACTERS])
        for at, origin in zip(long, rows.origins(long), strict=True)
    ]
    return replace(
        rows,
        batch=rows.batch.filter(pc.invert(is_long)),
        origins=lambda positions: rows.origins([kept[position] for position in positions]),
        numbers=array("q", [numbers[at] for at in kept]),
        misshapen=sorted([*rows.misshapen, *rejects], key=lambda record: record.number),
        beyond={new: rows.beyond[old] for new, old in enumerate(kept) if old in rows.beyond},
    )
