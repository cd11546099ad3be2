"""Measures the loads of this checkout beside those of another commit, on the same servers.

`.venv/bin/python -m tests.bench.beside COMMIT` prints this checkout's share of the other's CPU and
memory, and returns 1 when a share of CPU is above the limit.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from include.landfall.errors import LandfallError
from include.local.state import PROJECT, LocalError

from .__main__ import bench_folder, prepare_files, print_run, run_servers
from .data import NAMES
from .measure import Usage
from .runs import Bench

HERE, OTHER = "here", "other"
PARTS = ("main", "reading", "postgres")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures both in turn and prints the shares."""
    options = _parser().parse_args(arguments)
    folder = bench_folder()
    try:
        with checkout(options.commit, folder) as other, run_servers(folder) as bench:
            runs = _runs(bench, {HERE: PROJECT, OTHER: other}, options.ways, options.runs)
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2
    shares = {way: shares_of(runs[way][HERE], runs[way][OTHER]) for way in options.ways}
    for way, parts in shares.items():
        print(f"{way:8} " + "  ".join(f"{name} {share:.3f}" for name, share in parts.items()))
    return 0 if all(is_kept(each, options.at_most) for each in shares.values()) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.beside", description=__doc__)
    parser.add_argument("commit", help="the commit to compare with")
    parser.add_argument("--runs", type=int, default=5, help="measured runs of each (5)")
    parser.add_argument("--at-most", type=float, default=1.03, help="the limit of a share (1.03)")
    parser.add_argument("--ways", nargs="+", choices=list(NAMES), default=list(NAMES))
    return parser


@contextmanager
def checkout(commit: str, folder: Path) -> Iterator[Path]:
    """Checks the commit out into a folder of its own, and removes it afterwards."""
    path = folder / "other"
    command = ["git", "worktree", "add", "--force", "--detach", path, commit]
    made = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if made.returncode:
        raise LocalError(f"the commit {commit!r} cannot be checked out", found=made.stderr.strip())
    try:
        yield path
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", path], cwd=PROJECT, check=True)


def _runs(
    bench: Bench, projects: Mapping[str, Path], ways: Sequence[str], rounds: int
) -> dict[str, dict[str, list[Usage]]]:
    """Runs both in turn: which one is first changes with each round. A warm-up is not counted."""
    files = prepare_files(bench, list(ways), 1)
    runs: dict[str, dict[str, list[Usage]]] = {way: {HERE: [], OTHER: []} for way in ways}
    for number in range(rounds + 1):
        for way in ways:
            for name in (HERE, OTHER) if number % 2 else (OTHER, HERE):
                usage = bench.run(way, 1, files, projects[name])
                print_run(f"{number}/{rounds} {name}", way, usage)
                if number:
                    runs[way][name].append(usage)
    return runs


def shares_of(here: Sequence[Usage], other: Sequence[Usage]) -> dict[str, float]:
    """Returns each part's CPU, the time and the memory here as a share of the other's medians."""
    shares = {
        part: median(u.cpu[part] for u in here) / median(u.cpu[part] for u in other)
        for part in PARTS
    }
    shares["time"] = median(u.seconds for u in here) / median(u.seconds for u in other)
    shares["memory"] = median(u.rss for u in here) / median(u.rss for u in other)
    return shares


def is_kept(shares: Mapping[str, float], limit: float) -> bool:
    """Returns whether no part's CPU is above the limit."""
    return all(round(shares[part], 3) <= limit for part in PARTS)


if __name__ == "__main__":
    sys.exit(main())
