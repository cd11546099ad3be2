"""`make bench-polluted`: cells of polluted files that Landfall and DuckDB recover, as a table."""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import duckdb

from include.local.state import PROJECT
from tests.support.polluted_readings import Tally, by_landfall, duckdb_reader
from tests.support.polluter import polluted_files

from . import page

PAGE = PROJECT / "docs" / "polluted.md"
LANDFALL, DUCKDB = "Landfall", "DuckDB"
HEADS = [
    "pollution", "files", "cells", "of rows with one reading", LANDFALL, DUCKDB,
    f"{LANDFALL}: files that lose cells without a trace", f"{DUCKDB}: such files",
]  # fmt: skip
LEAST = 0.999


def main() -> int:
    """Reads all files, and writes the page; returns 1 when Landfall recovers too few cells."""
    with tempfile.TemporaryDirectory() as folder:
        readers = {LANDFALL: by_landfall, DUCKDB: duckdb_reader(Path(folder))}
        tallies: dict[str, Tally] = defaultdict(Tally)
        for polluted in polluted_files():
            readings = {name: read(polluted) for name, read in readers.items()}
            tallies[polluted.kind].add(polluted, readings)
    section = section_of(tallies)
    print(section)
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(page.between_markers(text, section, "polluted"), encoding="utf-8")
    return int(sum_of(tallies).share_recovered(LANDFALL) < LEAST)


def sum_of(tallies: Mapping[str, Tally]) -> Tally:
    """Returns the tally of all kinds together."""
    total = Tally()
    for each in tallies.values():
        total.merge(each)
    return total


def section_of(tallies: Mapping[str, Tally]) -> str:
    """Makes the Markdown between the markers."""
    total = sum_of(tallies)
    rows = [row_of(kind, each) for kind, each in tallies.items()]
    rows += [row_of("**all**", total), _shares(total)]
    return f"DuckDB {duckdb.__version__}.\n\n{page.table_of(HEADS, rows)}"


def row_of(kind: str, tally: Tally) -> list[str]:
    """Returns the cells of one line of the table."""
    recovered = [f"{tally.cells - tally.lost[name]:,}" for name in (LANDFALL, DUCKDB)]
    silent = [f"{tally.silent[name]:,}" for name in (LANDFALL, DUCKDB)]
    counts = [f"{each:,}" for each in (tally.files, tally.cells, tally.recoverable)]
    return [kind, *counts, *recovered, *silent]


def _shares(total: Tally) -> list[str]:
    shares = []
    for name in (LANDFALL, DUCKDB):
        of_all = 1 - total.lost[name] / total.cells
        shares.append(f"{of_all:.2%} of all, {total.share_recovered(name):.2%} of those")
    return ["**share**", "", "", f"{total.recoverable / total.cells:.2%}", *shares, "", ""]


if __name__ == "__main__":
    sys.exit(main())
