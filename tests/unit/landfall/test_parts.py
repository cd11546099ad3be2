"""A row's number in an arrival of several files leads to its file, and its number there."""

from __future__ import annotations

from include.landfall.arrival import PartStart, numbers_by_part

FIRST, EMPTY, SECOND, LAST = (
    PartStart("a.zip", name, first) for name, first in (("a", 1), ("b", 4), ("c", 4), ("d", 9))
)


def test_each_row_is_found_in_its_part_and_a_part_without_rows_has_none():
    parts = [FIRST, EMPTY, SECOND, LAST]
    assert list(numbers_by_part(parts, range(1, 11))) == [
        (FIRST, [1, 2, 3]), (SECOND, [1, 2, 3, 4, 5]), (LAST, [1, 2]),
    ]  # fmt: skip
    assert list(numbers_by_part(parts, [3, 8])) == [(FIRST, [3]), (SECOND, [5])]
    assert list(numbers_by_part(parts, [])) == []
