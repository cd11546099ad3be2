r"""`make bench`: time, CPU and memory of a load, compared with psql's \copy."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from include.landfall.errors import LandfallError
from include.local.services.postgres_server import start_postgres
from include.local.state import local_folder

from . import page
from .data import make_files
from .machine import Machine
from .measure import Usage
from .minio import run_minio, upload_files
from .runs import WAYS, Bench
from .verdict import BY_PSQL, PSQL, promises, summarise

LARGER = 3  # the scale at which memory is measured a second time
LARGER_WAYS = ["csv", "parquet"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the verdict and writes the page; returns 1 when a promise is broken."""
    options = _parser().parse_args(arguments)
    try:
        with run_servers(bench_folder()) as bench:
            return _measure(bench, options)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2


def bench_folder() -> Path:
    """Returns the folder for files and servers: LANDFALL_BENCH, or one in .local."""
    folder = Path(os.environ.get("LANDFALL_BENCH") or local_folder() / "bench").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each way (5)")
    parser.add_argument("--scale", type=int, default=1, help="TPC-H's scale factor (1)")
    parser.add_argument(
        "--quick", action="store_true", help="one run, no warm-up, no larger scale, no page"
    )
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS[1:], default=WAYS[1:], help="which to measure beside psql"
    )
    return parser


@contextmanager
def run_servers(folder: Path) -> Iterator[Bench]:
    """Runs MinIO and PostgreSQL for the measurements, with their files in the folder."""
    with run_minio(folder) as minio:
        postgres = start_postgres(folder / "postgres")
        try:
            yield Bench(folder, postgres, minio)
        finally:
            postgres.stop()


def _measure(bench: Bench, options: argparse.Namespace) -> int:
    ways = [PSQL, *(way for way in WAYS if way in options.ways)]
    rounds = 1 if options.quick else options.runs
    runs = _rounds(bench, ways, options.scale, rounds, warm_up=not options.quick)
    larger = {} if options.quick else _larger(bench, [w for w in LARGER_WAYS if w in ways])
    summaries = summarise(runs)
    verdict = promises(summaries, larger)
    print(page.plain(summaries, verdict))
    if not options.quick and ways == WAYS:
        page.write(summaries, verdict, Machine.of(bench.postgres.warehouse, rounds, options.scale))
    return 0 if all(promise.kept for promise in verdict) else 1


def _rounds(
    bench: Bench, ways: list[str], scale: int, rounds: int, warm_up: bool
) -> dict[str, list[Usage]]:
    """Runs the ways in turn, round after round, with a run of psql beside each.

    All others are compared with psql, so it is measured as often as all of them together. The
    warm-up is not counted.
    """
    files = prepare_files(bench, ways, scale)

    def run(round_name: str, way: str) -> Usage:
        usage = bench.run(way, scale, files)
        print_run(round_name, way, usage)
        return usage

    for way in ways if warm_up else []:
        run("warm-up", way)
    runs: dict[str, list[Usage]] = {way: [] for way in ways}
    for number in range(1, rounds + 1):
        for way in ways[1:]:
            # psql is first in one round and second in the next: the first run leaves the machine
            # warm and its disk busy.
            for each in (PSQL, way) if number % 2 else (way, PSQL):
                runs[each].append(run(f"{number}/{rounds}", each))
    return runs


def _larger(bench: Bench, ways: list[str]) -> dict[str, Usage]:
    files = prepare_files(bench, ways, LARGER)
    runs = {}
    for way in ways:
        runs[way] = bench.run(way, LARGER, files)
        print_run(f"scale {LARGER}", way, runs[way])
    return runs


def prepare_files(bench: Bench, ways: list[str], scale: float) -> dict[str, Path]:
    needed = [way for way in WAYS if way == "csv" or (way in ways and way not in BY_PSQL)]
    files = make_files(bench.folder, scale, needed)
    upload_files(bench.minio.store, list(files.values()), f"scale-{scale}")
    return files


def print_run(round_name: str, way: str, usage: Usage) -> None:
    """Prints a run on one line."""
    cpu = "  ".join(f"{name} {seconds:.1f}" for name, seconds in usage.cpu.items())
    memory = f"{usage.rss / 1e6:.0f} MB ({usage.pss / 1e6:.0f} with shared pages counted once)"
    print(f"{round_name:8} {way:8} {usage.seconds:6.2f} s  CPU {cpu}  {memory}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
