"""Rows with too few fields, or too many empty ones, where a feed says `ragged: pad`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.read.rows import numbers_without

Cells = list[str | None]
Text = TypeVar("Text", str, bytes)


@dataclass(frozen=True)
class LeftOut:
    """A record of a wrong number of fields, by its index in the block."""

    index: int
    fields: int


def padded(cells: Sequence[Text | None], columns: int) -> list[Text | None] | None:
    """Returns as many cells as there are columns, or None where a cell too many is not empty."""
    if any(cell is not None for cell in cells[columns:]):
        return None
    cut: list[Text | None] = list(cells[:columns])
    return cut + [None] * (columns - len(cut))


def without_beyond(
    batch: pa.RecordBatch, columns: int, left_out: list[LeftOut], fields: int
) -> tuple[pa.RecordBatch, list[LeftOut]]:
    """Takes off what stands behind the first `columns`, and the rows where it is not empty.

    `fields` is how many fields each of the batch's rows has.
    """
    beyond, batch = batch.columns[columns:], batch.select(range(columns))
    if not any(len(each) > each.null_count for each in beyond):
        return batch, left_out
    too_wide = beyond[0].is_valid()
    for each in beyond[1:]:
        too_wide = pc.or_(too_wide, each.is_valid())
    count = batch.num_rows + len(left_out)
    indexes = numbers_without(0, count, [each.index for each in left_out])
    more = [LeftOut(indexes[at], fields) for at in pc.indices_nonzero(too_wide).to_pylist()]
    both = sorted([*left_out, *more], key=lambda each: each.index)
    return batch.filter(pc.invert(too_wide)), both


def with_padded(
    batch: pa.RecordBatch, left_out: list[LeftOut], cells_of: Callable[[int], Cells | None]
) -> tuple[pa.RecordBatch, list[LeftOut]]:
    """Puts the rows that can be padded where they stand in the file.

    `cells_of` returns the padded cells of a record by its index, or None where it has none.
    """
    rows = {each.index: cells for each in left_out if (cells := cells_of(each.index)) is not None}
    if not rows:
        return batch, left_out
    count = batch.num_rows + len(left_out)
    names = batch.schema.names
    more = pa.RecordBatch.from_pylist(
        [dict(zip(names, row, strict=True)) for row in rows.values()], batch.schema
    )
    indexes = [*numbers_without(0, count, [each.index for each in left_out]), *rows]
    order = sorted(range(len(indexes)), key=indexes.__getitem__)
    whole = pa.concat_batches([batch, more]).take(pa.array(order, pa.int64()))
    return whole, [each for each in left_out if each.index not in rows]
