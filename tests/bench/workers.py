"""`make bench-celery`: the same files through one worker and through two, on the Celery stack.

The time is from the start of the first loading task to the end of the last. The database's share is
the part of the warehouse in the CPU time of all containers.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from include.local.celery.docker import docker
from include.local.celery.stack import PROJECT as ROOT
from include.local.state import LocalError, local_folder
from tests.support.celery_stack import (
    FLIGHTS,
    WORKERS,
    RunningStack,
    put_large_file,
    remove_file,
    running_stack,
)

from .page import between_markers

PAGE = ROOT / "docs/benchmarks.md"
CHART = "pictures/workers.png"
MARKERS = "bench-celery"
LARGE = [f"flights/large-{number:02}.csv" for number in range(10)]
TIMES = 2  # how often a large file has each flight of the year
SETS = {"months": "12 monthly files", "large": "10 files of 673,552 rows"}
INK, QUIET, ONE, TWO = "#22272e", "#6b7480", "#b9c0c8", "#2f6f9f"


@dataclass(frozen=True)
class Pass:
    """One run: its rows, its time, and the CPU seconds of the warehouse and of all containers."""

    rows: int
    seconds: float
    warehouse_cpu: float
    all_cpu: float

    @property
    def rate(self) -> float:
        """Rows per second."""
        return self.rows / self.seconds


Passes = dict[tuple[str, int], list[Pass]]  # by set of files and number of workers


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints the table and writes it into the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.workers", description=__doc__)
    parser.add_argument("--runs", type=int, default=2, help="measured runs of each (2)")
    options = parser.parse_args(arguments)
    try:
        with running_stack() as running:
            passes = _measure(running, options.runs)
    except LocalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(table(passes)))
    write(passes, options.runs)
    return 0


def _measure(running: RunningStack, rounds: int) -> Passes:
    """Measures each set of files with one worker and with two, in turn, after a warm-up."""
    passes: Passes = {(s, n): [] for s in SETS for n in (1, 2)}
    _wait_for_first_run(running)
    for files in SETS:
        with _upload(running, files) as rows:
            for number in range(0 if files == "months" else 1, rounds + 1):
                for workers in (1, 2):
                    one = _pass(running, workers, rows)
                    _print_pass(f"{number}/{rounds}" if number else "warm-up", files, workers, one)
                    if number:
                        passes[files, workers].append(one)
    return passes


def _wait_for_first_run(running: RunningStack) -> None:
    """Waits until the first run of the feed, which its schedule starts, has ended."""
    running.wait_healthy()
    running.wait_for_run(running.start_run())


@contextmanager
def _upload(running: RunningStack, files: str) -> Iterator[int]:
    """Puts only the files of this set into the bucket, and returns the number of their rows."""
    if files == "months":
        yield FLIGHTS
        return
    from include.landfall.s3.client import make_client
    from include.local.demo.seed import BUCKET

    with closing(make_client(running.stack.store)) as client:
        listed = client.list_objects_v2(Bucket=BUCKET, Prefix="flights/").get("Contents", [])
        for entry in listed:
            client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    yield sum(put_large_file(running, key, TIMES) for key in LARGE)
    for key in LARGE:
        remove_file(running, key)


def _pass(running: RunningStack, workers: int, rows: int) -> Pass:
    """Measures one run of the feed that loads all files.

    Raises: LocalError when another number of workers has loaded.
    """
    _use_second_worker(running, workers == 2)
    running.forget_flights()
    before = _cpu(running)
    run = running.start_run()
    running.wait_for_run(run, seconds=900)
    used = {name: seconds - before.get(name, 0) for name, seconds in _cpu(running).items()}
    loads = running.loads(run)
    loading = {load["hostname"] for load in loads}
    if len(loading) != workers:
        raise LocalError(f"expected {workers} workers to load, seen: {sorted(loading)}")
    return Pass(rows, _span(loads), used["warehouse"], sum(used.values()))


def _use_second_worker(running: RunningStack, use: bool) -> None:
    """Lets the second worker take tasks, or not. It keeps running in both cases."""
    action, second = ("add" if use else "remove"), f"celery@{WORKERS[1]}"
    docker(
        "exec", running.container(WORKERS[0]),
        "airflow", "celery", f"{action}-queue", "--celery-hostname", second, "--queues", "default",
    )  # fmt: skip


def _span(loads: Sequence[dict[str, Any]]) -> float:
    times = [
        datetime.fromisoformat(load[at]) for load in loads for at in ("start_date", "end_date")
    ]
    return (max(times) - min(times)).total_seconds()


def _cpu(running: RunningStack) -> dict[str, float]:
    """Reads the CPU seconds of each running service since its start."""
    from docker import from_env

    cpu_seconds = {}
    with closing(from_env()) as client:
        for name, service in running.services().items():
            if service["State"]["Running"]:
                stats = client.containers.get(service["Id"]).stats(stream=False, one_shot=True)
                cpu_seconds[name] = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
    return cpu_seconds


def _print_pass(round_name: str, files: str, workers: int, one: Pass) -> None:
    print(
        f"{round_name:8} {SETS[files]:28} {workers} worker{'s' * (workers > 1)}"
        f"  {one.seconds:6.1f} s  {one.rate:9,.0f} rows/s"
        f"  CPU {one.all_cpu:.0f} s, warehouse {one.warehouse_cpu:.0f} s",
        flush=True,
    )


def table(measured: Passes) -> list[str]:
    """Makes a Markdown table of the medians."""
    lines = [
        "| files | workers | seconds (fastest to slowest) | rows a second | of one worker's time"
        " | CPU s, all containers | of it the warehouse's |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (files, workers), passes in measured.items():
        seconds = [each.seconds for each in passes]
        alone = median(each.seconds for each in measured[files, 1])
        share = median(each.warehouse_cpu / each.all_cpu for each in passes)
        lines.append(
            f"| {SETS[files]} | {workers} | {median(seconds):.1f} ({min(seconds):.1f} to"
            f" {max(seconds):.1f}) | {median(each.rate for each in passes):,.0f} |"
            f" {median(seconds) / alone:.2f} | {median(each.all_cpu for each in passes):.0f} |"
            f" {share:.0%} |"
        )
    return lines


def write(measured: Passes, rounds: int) -> None:
    """Draws the chart, and writes the table between the page's markers."""
    draw(measured, PAGE.parent / CHART)
    sentence = (
        f"Median of {rounds} runs, measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores"
        " for all containers together, two tasks at once in each worker."
    )
    text = PAGE.read_text(encoding="utf-8")
    picture = f"![Rows a second through one worker and through two]({CHART})"
    section = "\n\n".join([sentence, picture, "\n".join(table(measured))])
    PAGE.write_text(between_markers(text, section, MARKERS), encoding="utf-8")


def draw(measured: Passes, path: Path) -> None:
    """Draws the bars as a PNG."""
    os.environ.setdefault("MPLCONFIGDIR", str(local_folder() / "matplotlib"))
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    for place, ((_, workers), passes) in enumerate(measured.items()):
        rates = [each.rate for each in passes]
        axes.barh(place, median(rates), height=0.62, color=ONE if workers == 1 else TWO)
        axes.plot([min(rates), max(rates)], [place, place], color=INK, linewidth=1)
        axes.text(max(rates), place, f"  {median(rates):,.0f}", va="center", color=INK, fontsize=9)
    labels = [f"{SETS[files]}, {n} worker{'s' * (n > 1)}" for files, n in measured]
    axes.set_yticks(range(len(measured)), labels)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * max(each.rate for passes in measured.values() for each in passes))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("rows a second; thin lines from the slowest run to the fastest", color=QUIET)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, colors=INK)
    figure.savefig(path, dpi=160, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    sys.exit(main())
