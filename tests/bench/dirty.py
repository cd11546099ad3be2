"""Measures loads of files with bad rows beside loads of the clean file.

`.venv/bin/python -m tests.bench.dirty` prints each share of the clean load's time, writes the
table of docs/benchmarks.md, and returns 1 when a share or the memory is above its limit.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from include.landfall.errors import LandfallError

from . import page
from .__main__ import bench_folder, prepare_files, print_run, run_servers
from .machine import Machine
from .measure import Usage
from .minio import upload_files
from .runs import Bench
from .verdict import MEMORY_LIMIT

ROWS = 6_001_215
MIDDLE = ROWS // 2
CHECK = "CHECK (l_linenumber < 1000)"
Spoil = Callable[[int, bytes], bytes]  # a row's number and text: the text in the dirty file


@dataclass(frozen=True)
class Dirt:
    """A dirty file: which rows are spoiled, how many, and the limit of its share of the time."""

    name: str
    spoil: Spoil
    bad: int
    limit: float
    rule: str = ""  # a constraint of the table, for the clean file too

    @property
    def file(self) -> str:
        """The name of the file."""
        return f"dirty-{self.name.replace(' ', '-').replace('%', '')}.csv"


def _cell(row: bytes, position: int, text: bytes) -> bytes:
    cells = row.split(b",", 15)  # the last cell is quoted, and may hold commas
    cells[position] = text
    return b",".join(cells)


KINDS: list[Callable[[bytes], bytes]] = [
    lambda row: _cell(row, 4, b"x"),
    lambda row: _cell(row, 10, b"1996-02-30"),
    lambda row: row[: row.index(b",")] + b"\n",
    lambda row: row.rstrip(b"\n") + b"x\n",  # text after the closing quote
    lambda row: _cell(row, 8, b""),  # NULL where none may be
]


def _one(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda number, row: change(row) if number == MIDDLE else row


def _every_hundredth(number: int, row: bytes) -> bytes:
    return KINDS[number // 100 % len(KINDS)](row) if number % 100 == 0 else row


DIRTS = [
    Dirt("one bad cell", _one(KINDS[0]), 1, 1.15),
    Dirt("one misshapen row", _one(KINDS[2]), 1, 1.15),
    Dirt("one row that a CHECK refuses", _one(lambda row: _cell(row, 3, b"1000")), 1, 2, CHECK),
    Dirt("1 % bad rows of five kinds", _every_hundredth, ROWS // 100, 1.5),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures clean and dirty in turn, prints the shares, and writes the page's table."""
    options = _parser().parse_args(arguments)
    try:
        with run_servers(bench_folder()) as bench:
            files = prepare_files(bench, ["csv"], 1)
            runs = {dirt: _measure(bench, dirt, files["csv"], options.runs) for dirt in DIRTS}
            machine = Machine.of(bench.postgres.warehouse, options.runs, 1)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2
    table = _table(runs)
    print(table)
    if options.runs >= 3:
        section = f"{machine.sentence('the clean file')}\n\n{table}"
        text = page.PAGE.read_text(encoding="utf-8")
        page.PAGE.write_text(page.between_markers(text, section, "dirty"), encoding="utf-8")
    return 0 if all(_is_kept(dirt, *pair) for dirt, pair in runs.items()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.dirty", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each (5)")
    return parser


def _measure(bench: Bench, dirt: Dirt, clean: Path, rounds: int) -> tuple[list[Usage], list[Usage]]:
    """Returns the runs of the clean file and of the dirty one. A warm-up is not counted."""
    dirty = _make(dirt, clean)
    upload_files(bench.minio.store, [dirty], "dirty")
    both: tuple[list[Usage], list[Usage]] = ([], [])
    for number in range(rounds + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            usage = _run(
                bench, dirt, "scale-1/lineitem.csv" if which == 0 else f"dirty/{dirty.name}"
            )
            bad = dirt.bad if which else 0
            if bench.rows() != ROWS - bad:
                raise LandfallError(f"{dirt.name}: {bench.rows()} rows, not {ROWS - bad}")
            print_run(f"{number}/{rounds}", dirt.name if which else "clean", usage)
            if number:
                both[which].append(usage)
    dirty.unlink()
    return both


def _run(bench: Bench, dirt: Dirt, key: str) -> Usage:
    changes: dict[str, Any] = {"rejects": {"at_most": "2%"}}
    if not dirt.rule:
        changes["columns"] = bench.columns() | {"l_returnflag": {"type": "text", "nullable": False}}
    return bench.load(key, changes, dirt.rule)


def _make(dirt: Dirt, clean: Path) -> Path:
    path = clean.parent / dirt.file
    with clean.open("rb") as source, path.open("wb") as target:
        target.write(next(source))
        target.writelines(dirt.spoil(number, row) for number, row in enumerate(source, 1))
    return path


def _share(clean: list[Usage], dirty: list[Usage]) -> float:
    return median(run.seconds for run in dirty) / median(run.seconds for run in clean)


def _memory(runs: list[Usage]) -> int:
    return max(run.pss for run in runs)


def _is_kept(dirt: Dirt, clean: list[Usage], dirty: list[Usage]) -> bool:
    return _share(clean, dirty) <= dirt.limit and _memory(dirty) <= MEMORY_LIMIT


def _table(runs: dict[Dirt, tuple[list[Usage], list[Usage]]]) -> str:
    heads = ["file", "rejects", "clean, s", "dirty, s", "share", "at most", "memory, MB"]
    rows = [
        [
            dirt.name, f"{dirt.bad:,}",
            f"{median(run.seconds for run in clean):.1f}",
            f"{median(run.seconds for run in dirty):.1f}",
            f"{_share(clean, dirty):.2f}", f"{dirt.limit:.2f}", f"{_memory(dirty) / 1e6:.0f}",
        ]
        for dirt, (clean, dirty) in runs.items()
    ]  # fmt: skip
    return page.table_of(heads, rows)


if __name__ == "__main__":
    sys.exit(main())
