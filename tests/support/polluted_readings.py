"""Reads polluted files with Landfall and with DuckDB, and counts the cells that come back."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.column_types import parse_type
from include.landfall.feed.formats import read_format
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.formats import format_of
from tests.support.polluter import COLUMNS, Polluted, Row, readings_of

REPAIR = {"quotes": "repair", "ragged": "pad"}
# What DuckDB calls the same options; it has none for a footer, and finds a mix of line ends itself.
LENIENT = (
    "null_padding=true, strict_mode=false, ignore_errors=true, auto_detect=false, parallel=false"
)
LINE_ENDS = {"CR": r"\r", "LF": r"\n", "CRLF": r"\r\n"}
WRONG_DELIMITERS = {"a delimiter missing", "a delimiter too many", "another delimiter"}
Cells = Sequence[str | None]


@dataclass
class Reading:
    """The rows that were read of a file, and how many others have a trace: a reject or a note."""

    rows: list[Cells]
    traced: int = 0


@dataclass
class Tally:
    """What became of the cells of one kind of pollution.

    `recoverable` are the cells of rows that have one reading. `lost` are cells by reader. `silent`
    are files of which a reader lost cells without any trace.
    """

    files: int = 0
    cells: int = 0
    recoverable: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    lost_recoverable: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)

    def add(self, polluted: Polluted, readings: dict[str, Reading]) -> None:
        """Counts one file, as each reader read it."""
        is_ambiguous = has_several_readings(polluted)
        cells = len(polluted.rows) * len(COLUMNS)
        self.files += 1
        self.cells += cells
        self.recoverable += cells - (len(COLUMNS) if is_ambiguous else 0)
        for name, reading in readings.items():
            lost = lost_cells(polluted.rows, reading.rows)
            self.lost[name] += sum(lost)
            beyond = max(lost) if is_ambiguous and lost else 0
            self.lost_recoverable[name] += sum(lost) - beyond
            self.silent[name] += bool(lost) and not reading.traced

    def merge(self, other: Tally) -> None:
        """Adds the counts of another tally."""
        self.files += other.files
        self.cells += other.cells
        self.recoverable += other.recoverable
        self.lost += other.lost
        self.lost_recoverable += other.lost_recoverable
        self.silent += other.silent

    def share_recovered(self, reader: str) -> float:
        """Returns the share of the cells of rows with one reading that came back."""
        return 1 - self.lost_recoverable[reader] / self.recoverable


def has_several_readings(polluted: Polluted) -> bool:
    """Returns whether the polluted row may stand for another row than the one that was written.

    That is so where delimiters are wrong, unless only one row can have become this line.
    """
    return polluted.kind in WRONG_DELIMITERS and len(readings_of(polluted.line)) > 1


def lost_cells(wanted: Sequence[Row], rows: Sequence[Cells]) -> list[int]:
    """Returns, for each row that did not come back whole, how many of its cells did not."""
    left = Counter(tuple(row) for row in rows)
    missing = []
    for row in map(tuple, wanted):
        if left[row]:
            left[row] -= 1
        else:
            missing.append(row)
    others = list(left.elements())
    lost = []
    for row in missing:
        best = max(others, key=lambda other, row=row: _equal(row, other), default=())
        lost.append(len(row) - _equal(row, best))
        if best:
            others.remove(best)
    return lost


def _equal(one: Cells, other: Cells) -> int:
    return sum(a == b for a, b in zip(one, other))


def by_landfall(polluted: Polluted) -> Reading:
    """Reads the file as a load does."""
    options = {"type": "csv", **REPAIR, **polluted.options}
    planned = tuple(PlannedColumn(name, parse_type("text")) for name in COLUMNS)
    arrival = Arrival("b", "k", "e", len(polluted.data), datetime(2026, 1, 1, tzinfo=UTC))
    job = Job("f", arrival, Store(), planned, 1, read_format(options).dialect())
    reading = Reading([])
    for part in format_of(job).rows(io.BytesIO(polluted.data), job):
        reading.rows += [tuple(row.values()) for row in part.batch.to_pylist()]
        reading.traced += len(part.misshapen) + len(part.padded)
    return reading


def duckdb_reader(folder: Path) -> Callable[[Polluted], Reading]:
    """Makes a function that reads a file with DuckDB and those of the options that it has."""
    path = folder / "polluted.csv"
    connection = duckdb.connect(config={"threads": 1})

    def read(polluted: Polluted) -> Reading:
        path.write_bytes(polluted.data)
        try:
            rows = connection.execute(_query(polluted.options), [str(path)]).fetchall()
        except duckdb.Error:
            return Reading([], 1)  # the whole file is refused
        counted = connection.execute("SELECT count(*) FROM reject_errors").fetchall()
        connection.execute("DROP TABLE reject_errors; DROP TABLE reject_scans")
        return Reading(rows, counted[0][0])

    return read


def _query(options: dict[str, Any]) -> str:
    header = int(options.get("header", 1))
    encoding = options.get("encoding", "utf-8")
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in COLUMNS)
    arguments = {
        "delim": f"'{options.get('delimiter', ',')}'",
        "quote": "'\"'", "escape": "'\"'", "columns": f"{{{columns}}}",
        "header": str(header == 1).lower(),
        "skip": str(options.get("skip_rows", 0) + (header if header > 1 else 0)),
        "encoding": f"'{encoding.removesuffix('-sig')}'",
        "comment": f"'{options.get('comment', '')}'",
        "new_line": f"'{LINE_ENDS.get(options.get('newline', ''), '')}'",
        "store_rejects": "true",
    }  # fmt: skip
    written = ", ".join(f"{name}={value}" for name, value in arguments.items() if value != "''")
    return f"SELECT * FROM read_csv(?, {written}, {LENIENT})"
