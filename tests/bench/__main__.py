"""`make bench`: how long a load takes, and with how much CPU and memory, beside psql's \\copy."""

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
from .contest import WAYS, Ring
from .data import make_files
from .machine import Facts
from .measure import Usage
from .minio import put_files, serve_minio
from .verdict import PSQL, THEIRS, promises, summarise

LARGER = 3  # the scale at which memory is looked at again
LARGER_WAYS = ["csv", "parquet"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the verdict, writes the page on speed; 1 when a promise is not kept."""
    options = _parser().parse_args(arguments)
    folder = Path(os.environ.get("LANDFALL_BENCH") or local_folder() / "bench").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _ring(folder) as ring:
            return _bench(ring, options)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each way (5)")
    parser.add_argument("--scale", type=int, default=1, help="TPC-H's scale factor (1)")
    parser.add_argument(
        "--quick", action="store_true", help="one run, no warm-up, no larger scale, no page"
    )
    parser.add_argument(
        "--ways", nargs="+", choices=WAYS[1:], default=WAYS[1:], help="which to run beside psql"
    )
    return parser


@contextmanager
def _ring(folder: Path) -> Iterator[Ring]:
    with serve_minio(folder) as minio:
        postgres = start_postgres(folder / "postgres")
        try:
            yield Ring(folder, postgres, minio)
        finally:
            postgres.stop()


def _bench(ring: Ring, options: argparse.Namespace) -> int:
    ways = [PSQL, *(way for way in WAYS if way in options.ways)]
    rounds = 1 if options.quick else options.runs
    runs = _rounds(ring, ways, options.scale, rounds, warm_up=not options.quick)
    larger = {} if options.quick else _larger(ring, [w for w in LARGER_WAYS if w in ways])
    summaries = summarise(runs)
    verdict = promises(summaries, larger)
    print(page.plain(summaries, verdict))
    if not options.quick and ways == WAYS:
        page.write(summaries, verdict, Facts.of(ring.postgres.warehouse, rounds, options.scale))
    return 0 if all(promise.kept for promise in verdict) else 1


def _rounds(
    ring: Ring, ways: list[str], scale: int, rounds: int, warm_up: bool
) -> dict[str, list[Usage]]:
    """The ways in turn, round after round, psql beside each; the warm-up is run and forgotten.

    psql is what all others are held against, so it is measured as often as all of them together.
    """
    files = _files(ring, ways, scale)

    def run(where: str, way: str) -> Usage:
        usage = ring.run(way, scale, files)
        _tell(where, way, usage)
        return usage

    for way in ways if warm_up else []:
        run("warm-up", way)
    runs: dict[str, list[Usage]] = {way: [] for way in ways}
    for number in range(1, rounds + 1):
        for way in ways[1:]:
            # By turns before and after: what runs first leaves the machine warm and its disk busy.
            for each in (PSQL, way) if number % 2 else (way, PSQL):
                runs[each].append(run(f"{number}/{rounds}", each))
    return runs


def _larger(ring: Ring, ways: list[str]) -> dict[str, Usage]:
    files = _files(ring, ways, LARGER)
    found = {}
    for way in ways:
        found[way] = ring.run(way, LARGER, files)
        _tell(f"scale {LARGER}", way, found[way])
    return found


def _files(ring: Ring, ways: list[str], scale: int) -> dict[str, Path]:
    needed = [way for way in WAYS if way == "csv" or (way in ways and way not in THEIRS)]
    files = make_files(ring.folder, scale, needed)
    put_files(ring.minio.store, list(files.values()), f"scale-{scale}")
    return files


def _tell(where: str, way: str, usage: Usage) -> None:
    cpu = "  ".join(f"{name} {seconds:.1f}" for name, seconds in usage.cpu.items())
    memory = f"{usage.rss / 1e6:.0f} MB ({usage.pss / 1e6:.0f} shared once)"
    print(f"{where:8} {way:8} {usage.seconds:6.2f} s  CPU {cpu}  {memory}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
