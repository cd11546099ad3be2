"""Rows with fewer or more fields than the file has columns, where a feed pads such rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from include.landfall.contract import Match
from include.landfall.feed.dialect import AS_POSTGRES, Spelling
from include.landfall.read.rows import numbers_without
from include.landfall.read.spelling import Step, spelt_without_type

Cells = list[str | None]
Text = TypeVar("Text", str, bytes)


class LeftOut(NamedTuple):
    """A record of a wrong number of fields: its place in the block, its text if Arrow gave it."""

    at: int
    fields: int
    text: str | None = None


@dataclass(frozen=True)
class Shape:
    """How many fields a row should have, and what becomes of other rows.

    With `pads`, missing last cells are NULL, and empty cells beyond the columns are left out. With
    `rescues`, cells beyond the columns are kept. `spelling` says whether blanks and quoted texts
    count as empty.
    """

    match: Match
    columns: int
    pads: bool = False
    rescues: bool = False
    spelling: Spelling = AS_POSTGRES

    @cached_property
    def spelt_beyond(self) -> Step:
        """The step that rewrites the cells beyond the file's columns."""
        return spelt_without_type(self.spelling)

    def _is_empty(self, cell: str | bytes | None) -> bool:
        if cell is None:
            return True
        text = cell if isinstance(cell, str) else cell.decode(errors="replace")
        return bool(self.spelt_beyond(pa.array([text])).null_count)

    def fitted(self, cells: Sequence[Text | None]) -> list[Text | None] | None:
        """Returns the cells of a row, at least one for each column; None if the row is refused."""
        missing = self.columns - len(cells)
        if missing and not self.pads:
            return None
        if missing < 0 and not self.rescues:
            if not all(map(self._is_empty, cells[self.columns :])):
                return None
            return list(cells[: self.columns])
        fitted: list[Text | None] = list(cells)
        return fitted + [None] * missing

    def row(self, cells: Sequence[Text | None]) -> list[Text | None]:
        """Returns the cells that are read of those that `fitted` returned."""
        return [cells[place] for place in self.match.places]

    def whole_row(self, cells: Sequence[Text | None]) -> list[Text | None]:
        """Returns the cells that are read, and behind them those beyond the file's columns."""
        return self.row(cells) + list(cells[self.columns :])


@dataclass(frozen=True)
class Padded:
    """Rows of a block, with those that were padded.

    `beyond` are the cells that are too many, by the rows' positions; `padded` are the indexes of
    the records that had too few.
    """

    batch: pa.RecordBatch
    left_out: list[LeftOut]
    beyond: Mapping[int, Cells] = field(default_factory=dict)
    padded: list[int] = field(default_factory=list)


def pad(
    batch: pa.RecordBatch,
    left_out: list[LeftOut],
    shape: Shape,
    cells_of: Callable[[int], Cells | None],
) -> Padded:
    """Puts rows of other widths where they stand in the file.

    The batch has, behind the columns that are read, those beyond the file's columns. `cells_of`
    returns the cells of a record by its index as `Shape.fitted` does.
    """
    wanted = len(shape.match.places)
    count = batch.num_rows + len(left_out)
    indexes = list(numbers_without(0, count, [each.at for each in left_out]))
    beyond = _beyond([shape.spelt_beyond(each) for each in batch.columns[wanted:]], indexes)
    fields = shape.columns + batch.num_columns - wanted
    batch = batch.select(range(wanted))
    if beyond and not shape.rescues:
        kept = [index not in beyond for index in indexes]
        batch = batch.filter(pa.array(kept))
        indexes = [index for index in indexes if index not in beyond]
        more = [LeftOut(index, fields) for index in beyond]
        left_out, beyond = sorted([*left_out, *more], key=lambda each: each.at), {}
    rows = {each.at: cells for each in left_out if (cells := cells_of(each.at)) is not None}
    beyond |= {i: spare for i, cells in rows.items() if (spare := cells[shape.columns :])}
    batch, indexes = _merged(batch, indexes, {i: shape.row(cells) for i, cells in rows.items()})
    positions = {index: position for position, index in enumerate(indexes)} if beyond else {}
    return Padded(
        batch,
        [each for each in left_out if each.at not in rows],
        {positions[index]: cells for index, cells in beyond.items()},
        [e.at for e in left_out if e.at in rows and e.fields < shape.columns],
    )


def _beyond(columns: Sequence[pa.Array], indexes: Sequence[int]) -> dict[int, Cells]:
    """Returns the cells beyond the file's columns, by the rows' indexes, where one is not NULL."""
    if not any(len(each) > each.null_count for each in columns):
        return {}
    is_more = columns[0].is_valid()
    for each in columns[1:]:
        is_more = pc.or_(is_more, each.is_valid())
    positions = pc.indices_nonzero(is_more).to_pylist()
    return {indexes[at]: [each[at].as_py() for each in columns] for at in positions}


def _merged(
    batch: pa.RecordBatch, indexes: list[int], rows: Mapping[int, Cells]
) -> tuple[pa.RecordBatch, list[int]]:
    """Returns the batch with the rows among its own, and the indexes of all, which ascend."""
    if not rows:
        return batch, indexes
    columns = [pa.array(column, pa.string()) for column in zip(*rows.values(), strict=True)]
    whole = pa.concat_batches([batch, pa.record_batch(columns, batch.schema.names)])
    indexes = [*indexes, *rows]
    order = sorted(range(len(indexes)), key=indexes.__getitem__)
    return whole.take(pa.array(order, pa.int64())), sorted(indexes)
