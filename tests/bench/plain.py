"""Measures `load_file` of lineitem without a feed beside the load of the same file by a feed.

`make bench-plain` prints the plain load's share of the feed's time, CPU and memory, and returns 1
when one of them is above the limit. Once the types are inferred, and the table is larger: dates are
text, as in the Astro SDK. Once the DAG declares those of the feed. All run in processes that import
Airflow and astro.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from include.landfall.errors import LandfallError
from include.local.state import LocalError

from .__main__ import bench_folder, prepare_files, print_run, run_servers
from .beside import shares_of
from .measure import Usage
from .runs import Bench

FEED, INFERRED, DECLARED = "feed", "inferred", "declared"
WAYS = (FEED, INFERRED, DECLARED)
LIMIT = 1.1
MEASURED = ("main", "reading", "postgres", "time", "memory")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures all in turn and prints the shares."""
    options = _parser().parse_args(arguments)
    try:
        with run_servers(bench_folder()) as bench:
            runs = _runs(bench, options.runs, options.scale)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2
    above = False
    for way in (INFERRED, DECLARED):
        shares = shares_of(runs[way], runs[FEED])
        above |= max(shares["time"], shares["memory"]) > options.at_most
        print(f"load_file, types {way}, of a feed's: "
              + "  ".join(f"{name} {shares[name]:.2f}" for name in MEASURED))  # fmt: skip
    return int(above)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plain", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="measured runs of each (3)")
    parser.add_argument("--scale", type=float, default=1, help="TPC-H's scale factor (1)")
    parser.add_argument("--at-most", type=float, default=LIMIT, help=f"the limit ({LIMIT})")
    return parser


def _runs(bench: Bench, rounds: int, scale: float) -> dict[str, list[Usage]]:
    """Runs all in turn, in another order in each round. A warm-up is not counted."""
    files, folder = prepare_files(bench, ["csv"], scale), f"scale-{scale}"
    runs: dict[str, list[Usage]] = {way: [] for way in WAYS}
    for number in range(rounds + 1):
        for way in WAYS[number % 3 :] + WAYS[: number % 3]:
            usage = bench.run_module("tests.bench.plain_run", way, f"{folder}/{files['csv'].name}")
            if not bench.rows():
                raise LocalError(f"{way} brought no rows", do=f"read {bench.folder / 'run.log'}")
            print_run(f"{number}/{rounds}", way, usage)
            if number:
                runs[way].append(usage)
    return runs


if __name__ == "__main__":
    sys.exit(main())
