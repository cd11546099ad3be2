"""Takes a refused set of rows apart: by halves, and a small part row by row.

Only the refused rows become rejects then. The judge of texts and the merge use it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from include.landfall.postgres.statements import statement
from include.landfall.write.rejected import REJECTED, RejectedRows
from include.landfall.write.staging import TEXTS

ONE_BY_ONE = 500  # rows: below this, halving a set again costs more than its rows
# The number of a row in PL/pgSQL that takes rows one by one.
THIS_ROW = sql.SQL("_load_number")


@dataclass(frozen=True)
class Halving:
    """How a range of rows, given by its first and last number, goes into the target.

    `at_once` returns how many rows the target took, or why it refuses them. `one_by_one` returns
    how many it took, and keeps the others as rejects.
    """

    rejected: RejectedRows
    at_once: Callable[[int, int], int | psycopg.Error]
    one_by_one: Callable[[int, int], int]

    def apply(self, first: int, last: int) -> int:
        """Takes the rows of a range that is refused as a whole; returns how many the target took.

        Earlier rows go first: of two rows with one key the first goes in.
        """
        middle = (first + last) // 2
        return self._half(first, middle) + self._half(middle + 1, last)

    def _half(self, first: int, last: int) -> int:
        if last - first < ONE_BY_ONE:
            return self.one_by_one(first, last)
        taken = self.at_once(first, last)
        if isinstance(taken, int):
            return taken
        return 0 if self.rejected.are_enough() else self.apply(first, last)


def rows_block(
    numbers: sql.Composable, steps: list[sql.Composed], taken: sql.Composable
) -> sql.Composed:
    """Returns the PL/pgSQL that takes rows one by one, each in a savepoint, and keeps the refused.

    `numbers` selects the numbers of the rows. `steps` come from `step_block`, for the row whose
    number is THIS_ROW. `taken` is how many rows they took, where `_load_rows` is the last step's
    row count.
    """
    return statement("write/one_by_one").format(
        numbers=numbers,
        steps=sql.SQL("\n").join(steps),
        taken=taken,
        rejected=REJECTED,
        texts=TEXTS,
    )


def step_block(query: sql.Composed, remaining: sql.Composed | None = None) -> sql.Composed:
    """Returns the PL/pgSQL of one step; `remaining` selects rows that must be gone after it."""
    block = sql.SQL("{};\nGET DIAGNOSTICS _load_rows = ROW_COUNT;").format(query)
    if remaining is None:
        return block
    return block + sql.SQL("\n_load_remain := _load_remain OR EXISTS ({});").format(remaining)
