"""Measures loads of lineitem in other formats beside loads of the same rows as CSV.

`.venv/bin/python -m tests.bench.formats` prints each share of the CSV's time, writes the table of
docs/benchmarks.md, and returns 1 when a share or the memory is above its limit.
"""

from __future__ import annotations

import argparse
import lzma
import shutil
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from include.landfall.errors import LandfallError
from include.local.state import LocalError

from . import page
from .__main__ import bench_folder, prepare_files, print_run, run_servers
from .machine import Machine
from .measure import Usage
from .minio import upload_files
from .runs import Bench
from .verdict import MEMORY_LIMIT

DUCKDB = "DuckDB"
COPIED = 1 << 20  # bytes that are written at once


@dataclass(frozen=True)
class Kind:
    """A form of the file: its name, what a feed has under `format:`, and what makes it of the CSV.

    `limit` is that of its share of the CSV's time, where one is promised.
    """

    name: str
    file: str
    format: Any
    write: Callable[[Path, Path], None]
    limit: float | None = None
    beside: str = ""  # another program that loads the same file, and must not be faster


def _utf16(csv: Path, path: Path) -> None:
    with (
        csv.open(encoding="utf-8", newline="") as source,
        path.open("w", encoding="utf-16", newline="") as target,
    ):
        shutil.copyfileobj(source, target, COPIED)


def _zip(csv: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(csv, csv.name)


def _xz(csv: Path, path: Path) -> None:
    with csv.open("rb") as source, lzma.open(path, "wb") as target:
        shutil.copyfileobj(source, target, COPIED)


def _by_duckdb(options: str) -> Callable[[Path, Path], None]:
    def write(csv: Path, path: Path) -> None:
        # Imported here: the measured loads need none of it.
        import duckdb

        rows = "SELECT * FROM read_csv($csv, header=true, all_varchar=false)"
        duckdb.execute(f"COPY ({rows}) TO '{path}' ({options})", {"csv": str(csv)})

    return write


KINDS = [
    Kind("pipes, no header", "lineitem.tbl", {"type": "csv", "delimiter": "|", "header": False},
         _by_duckdb("FORMAT csv, DELIMITER '|', HEADER false"), 1.02),
    Kind("UTF-16", "lineitem.utf16", {"type": "csv", "encoding": "utf-16"}, _utf16),
    Kind("JSON", "lineitem.ndjson", "json", _by_duckdb("FORMAT json"), beside=DUCKDB),
    Kind("zip", "lineitem.zip", "csv", _zip),
    Kind("xz", "lineitem.csv.xz", "csv", _xz),
]  # fmt: skip
Runs = dict[str, list[Usage]]  # by name: csv, the kind's, and that of the other program


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures each kind beside the CSV, prints the shares, and writes the page's table."""
    options = _parser().parse_args(arguments)
    chosen = [kind for kind in KINDS if not options.only or kind.name in options.only]
    try:
        with run_servers(bench_folder()) as bench:
            csv = prepare_files(bench, ["csv"], options.scale)["csv"]
            measured = [(kind, _measure(bench, kind, csv, options)) for kind in chosen]
            machine = Machine.of(bench.postgres.warehouse, options.runs, options.scale)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2
    table = _table(measured)
    print(table)
    if options.runs >= 3 and options.scale == 1 and chosen == KINDS:
        text = page.PAGE.read_text(encoding="utf-8")
        section = f"{machine.sentence('the CSV')}\n\n{table}"
        page.PAGE.write_text(page.between_markers(text, section, "formats"), encoding="utf-8")
    return 0 if all(_is_kept(*each) for each in measured) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.formats", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each (5)")
    parser.add_argument("--scale", type=float, default=1, help="TPC-H's scale factor (1)")
    parser.add_argument("--only", nargs="+", default=[], help="only kinds of these names")
    return parser


def _measure(bench: Bench, kind: Kind, csv: Path, options: argparse.Namespace) -> Runs:
    """Runs CSV and kind in turn: which one is first changes. A warm-up is not counted."""
    path = make(kind, csv)
    folder = f"scale-{options.scale:g}"
    upload_files(bench.minio.store, [path], folder)
    ways = ["csv", kind.name, *filter(None, [kind.beside])]
    runs: Runs = {way: [] for way in ways}
    for number in range(options.runs + 1):
        for way in ways if number % 2 else reversed(ways):
            usage = _run(bench, kind, way, path, f"{folder}/")
            print_run(f"{number}/{options.runs}", way, usage)
            if number:
                runs[way].append(usage)
    return runs


def _run(bench: Bench, kind: Kind, way: str, path: Path, folder: str) -> Usage:
    if way == DUCKDB:
        usage = bench.run_module("tests.bench.duckdb_run", str(path))
    elif way == "csv":
        usage = bench.load(f"{folder}lineitem.csv", {})
    else:
        usage = bench.load(f"{folder}{path.name}", {"format": kind.format})
    if not bench.rows():
        raise LocalError(f"{way} brought no rows", do=f"read {bench.folder / 'run.log'}")
    return usage


def make(kind: Kind, csv: Path) -> Path:
    """Makes the file of a kind beside the CSV, where it is missing."""
    path = csv.parent / kind.file
    if not path.exists():
        print(f"making {path.name}", file=sys.stderr)
        fresh = path.with_name(f"new-{path.name}")
        kind.write(csv, fresh)
        fresh.rename(path)
    return path


def _seconds(runs: Sequence[Usage]) -> float:
    return median(run.seconds for run in runs)


def _limit(kind: Kind, runs: Runs) -> float | None:
    """Returns at most which share of the CSV's time the kind may take."""
    return _seconds(runs[kind.beside]) / _seconds(runs["csv"]) if kind.beside else kind.limit


def _share(kind: Kind, runs: Runs) -> float:
    return _seconds(runs[kind.name]) / _seconds(runs["csv"])


def _memory(kind: Kind, runs: Runs) -> int:
    return max(run.pss for run in runs[kind.name])


def _is_kept(kind: Kind, runs: Runs) -> bool:
    limit = _limit(kind, runs)
    is_fast = limit is None or _share(kind, runs) <= limit
    return is_fast and _memory(kind, runs) <= MEMORY_LIMIT


def _table(measured: Sequence[tuple[Kind, Runs]]) -> str:
    heads = ["file", "CSV, s", "seconds", "of the CSV's time", "at most", "memory, MB", ""]
    rows = []
    for kind, runs in measured:
        limit = _limit(kind, runs)
        at_most = "" if limit is None else f"{limit:.2f}" + f" ({kind.beside})" * bool(kind.beside)
        rows.append([
            kind.name, f"{_seconds(runs['csv']):.1f}", f"{_seconds(runs[kind.name]):.1f}",
            f"{_share(kind, runs):.2f}", at_most, f"{_memory(kind, runs) / 1e6:.0f}",
            "kept" if _is_kept(kind, runs) else "BROKEN",
        ])  # fmt: skip
    return page.table_of(heads, rows)


if __name__ == "__main__":
    sys.exit(main())
