"""What a merge must leave in the table, in plain Python: row by row, without a thought of speed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

# Texts that a comparison of concatenated keys, or a careless quoting, would confuse.
REGIONS = ["a", "ab", "", 'a"b', "a,b", "é", "A", "a\nb"]
NAMES = ["b", "c", "bc", " ", "b "]
COLUMNS = ["history", "region", "name", "value", "at", "op"]
Key = tuple[int, str, str]
Version = tuple[Any, Any, str | None]  # valid from, valid to (None: still), value


@dataclass(frozen=True)
class Row:
    """A row of a file. `at` is what `newest` names; None is NULL."""

    key: Key
    value: str | None
    at: int | None
    deletes: bool

    def cells(self) -> list[str | None]:
        """Returns the cells in the order of COLUMNS."""
        at = None if self.at is None else str(self.at)
        return [str(self.key[0]), *self.key[1:], self.value, at, "D" if self.deletes else "U"]


def random_row(rng: random.Random, history: int, nulls: bool) -> Row:
    """Makes a row of few keys, values and times, so that they meet often."""
    key = (history, rng.choice(REGIONS[:3]), rng.choice(NAMES[:3]))
    if rng.random() < 0.2:
        key = (history, rng.choice(REGIONS), rng.choice(NAMES))
    at = None if nulls and rng.random() < 0.15 else rng.randrange(8)
    return Row(key, rng.choice(["x", "y", None, ""]), at, rng.random() < 0.2)


def random_files(rng: random.Random, history: int, nulls: bool) -> list[list[Row]]:
    """Makes the files of a history: late, repeated, out of order, some of them empty."""
    files = [
        [random_row(rng, history, nulls) for _ in range(rng.randrange(7))]
        for _ in range(rng.randrange(1, 6))
    ]
    if rng.random() < 0.3:
        files.insert(rng.randrange(len(files) + 1), rng.choice(files))
    return files


def as_csv(rows: list[Row]) -> str:
    """Returns the file of the rows. A cell without quotes is NULL."""
    lines = [",".join(_quoted(cell) for cell in row.cells()) for row in rows]
    return "\n".join([",".join(COLUMNS), *lines, ""])


def _quoted(cell: str | None) -> str:
    return "" if cell is None else '"' + cell.replace('"', '""') + '"'


@dataclass
class Table:
    """A table with one row for each key, into which files are merged.

    Of snapshots a file has all keys.
    """

    by_newest: bool
    of_snapshots: bool = False
    rows: dict[Key, Row] = field(default_factory=dict)

    def merge(self, rows: list[Row]) -> int:
        """Merges a file, and returns how many of its rows lost to another row."""
        chosen: dict[Key, Row] = {}
        for row in rows:
            if row.key not in chosen or self._is_as_new(row, chosen[row.key]):
                chosen[row.key] = row
        merged = 0
        for key, row in chosen.items():
            if key in self.rows and not self._is_as_new(row, self.rows[key]):
                continue
            merged += 1
            self.rows.pop(key, None)
            if not row.deletes:
                self.rows[key] = row
        if self.of_snapshots:
            self.rows = {key: row for key, row in self.rows.items() if key in chosen}
        return len(rows) - merged

    def _is_as_new(self, row: Row, other: Row) -> bool:
        def age(each: Row) -> int:
            return -1 if each.at is None else each.at

        return not self.by_newest or age(row) >= age(other)


@dataclass
class Versions:
    """A table with every version of each key. `at` is the time from which a row is valid.

    A version that ended before the file came ends there too when a row of the file takes its place.
    """

    versions: dict[Key, list[Version]] = field(default_factory=dict)
    ends: dict[Key, list[Any]] = field(default_factory=dict)  # as they were before the file

    def merge(self, rows: list[Row]) -> int:
        """Merges a file, and returns how many of its rows lost to another row."""
        chosen = {(row.key, row.at): row for row in rows}
        self.ends = {
            key: [end for _, end, _ in versions if end is not None]
            for key, versions in self.versions.items()
        }
        for row in sorted(chosen.values(), key=lambda row: row.at or 0):
            self._apply(row)
        return len(rows) - len(chosen)

    def _apply(self, row: Row) -> None:
        versions = self.versions.setdefault(row.key, [])
        begins = [v for v in versions if v[0] == row.at]
        covering = [v for v in versions if v[0] <= row.at and (v[1] is None or row.at < v[1])]
        value = None if row.deletes else [row.value]
        if value == ([covering[0][2]] if covering else None):
            return
        moments = [*(v[0] for v in versions), *self.ends.get(row.key, [])]
        later = [moment for moment in moments if moment > row.at]
        end = covering[0][1] if covering else min(later, default=None)
        if begins:
            versions.remove(begins[0])
        elif covering:
            versions[versions.index(covering[0])] = (covering[0][0], row.at, covering[0][2])
        if not row.deletes:
            versions.append((row.at, end, row.value))
        versions.sort(key=lambda version: version[0])
