"""What a reader yields, for tests of formats: the rows by their numbers, and the rejects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from include.landfall.read.rows import Rows

Cells = Callable[[pa.RecordBatch], Iterable[tuple[Any, ...]]]


def cells_of(batch: pa.RecordBatch) -> list[tuple[Any, ...]]:
    """Returns the cells of each row."""
    return [tuple(row.values()) for row in batch.to_pylist()]


def gather(parts: Iterable[Rows], cells: Cells = cells_of) -> tuple[dict[int, Any], list[Any]]:
    """Gathers rows and misshapen records; each number from 1 must be that of one of them."""
    rows: dict[int, Any] = {}
    misshapen: list[Any] = []
    first = 1
    for part in parts:
        assert part.first == first
        numbers = part.numbers or range(first, first + part.batch.num_rows)
        rows |= zip(numbers, cells(part.batch), strict=True)
        misshapen += part.misshapen
        first += part.count
    assert sorted([*rows, *(record.number for record in misshapen)]) == list(range(1, first))
    return rows, misshapen
