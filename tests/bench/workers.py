"""`make bench-celery`: the same files through one worker and through two, on the Celery stack.

Time is from the start of the first task that loads to the end of the last; the database's share is
the warehouse's part of the CPU that all containers took meanwhile.
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

PAGE = ROOT / "include/local/celery/README.md"
CHART = "workers.png"
BEGIN, END = "<!-- bench-celery:begin -->", "<!-- bench-celery:end -->"
LARGE = [f"flights/large-{number:02}.csv" for number in range(10)]
TIMES = 2  # how often a large file has each flight of the year
SETS = {"months": "12 monthly files", "large": "10 files of 673,552 rows"}
INK, QUIET, ONE, TWO = "#22272e", "#6b7480", "#b9c0c8", "#2f6f9f"


@dataclass(frozen=True)
class Pass:
    """One run: rows loaded, seconds, CPU seconds of the warehouse and of all containers."""

    rows: int
    seconds: float
    warehouse_cpu: float
    all_cpu: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, and writes the page where every way ran as often as it should."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.workers", description=__doc__)
    parser.add_argument("--runs", type=int, default=2, help="measured runs of each (2)")
    options = parser.parse_args(arguments)
    try:
        with running_stack() as running:
            found = _measure(running, options.runs)
    except LocalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("\n".join(table(found)))
    write(found, options.runs)
    return 0


def _measure(running: RunningStack, rounds: int) -> dict[tuple[str, int], list[Pass]]:
    """The passes of each set of files and number of workers, in turn, after one that warms up."""
    found: dict[tuple[str, int], list[Pass]] = {(s, n): [] for s in SETS for n in (1, 2)}
    _settle(running)
    for kind in SETS:
        with _files(running, kind) as rows:
            for number in range(0 if kind == "months" else 1, rounds + 1):
                for workers in (1, 2):
                    one = _pass(running, workers, rows)
                    _tell(f"{number}/{rounds}" if number else "warm-up", kind, workers, one)
                    if number:
                        found[kind, workers].append(one)
    return found


def _settle(running: RunningStack) -> None:
    """The feed's own first run, which its schedule makes, is over."""
    running.wait_healthy()
    running.wait_for_run(running.start_run())


@contextmanager
def _files(running: RunningStack, kind: str) -> Iterator[int]:
    """The files of this set alone in the bucket; their rows."""
    if kind == "months":
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
    """One run of the feed, all its files new. Raises LocalError."""
    _listen(running, workers == 2)
    running.forget_flights()
    before = _cpu(running)
    run = running.start_run()
    running.wait_for_run(run, seconds=900)
    used = {name: seconds - before.get(name, 0) for name, seconds in _cpu(running).items()}
    loads = running.loads(run)
    took_part = {load["hostname"] for load in loads}
    if len(took_part) != workers:
        raise LocalError(f"expected {workers} workers to load, seen: {sorted(took_part)}")
    return Pass(rows, _span(loads), used["warehouse"], sum(used.values()))


def _listen(running: RunningStack, listens: bool) -> None:
    """Whether the second worker takes tasks from now on; it runs on either way."""
    word, second = ("add" if listens else "remove"), f"celery@{WORKERS[1]}"
    docker(
        "exec", running.container(WORKERS[0]),
        "airflow", "celery", f"{word}-queue", "--celery-hostname", second, "--queues", "default",
    )  # fmt: skip


def _span(loads: Sequence[dict[str, Any]]) -> float:
    times = [
        datetime.fromisoformat(load[at]) for load in loads for at in ("start_date", "end_date")
    ]
    return (max(times) - min(times)).total_seconds()


def _cpu(running: RunningStack) -> dict[str, float]:
    """CPU seconds that each running service has taken since it started."""
    from docker import from_env

    found = {}
    with closing(from_env()) as client:
        for name, service in running.services().items():
            if service["State"]["Running"]:
                stats = client.containers.get(service["Id"]).stats(stream=False, one_shot=True)
                found[name] = stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9
    return found


def _tell(where: str, kind: str, workers: int, one: Pass) -> None:
    print(
        f"{where:8} {SETS[kind]:28} {workers} worker{'s' * (workers > 1)}  {one.seconds:6.1f} s"
        f"  {one.rate:9,.0f} rows/s  CPU {one.all_cpu:.0f} s, warehouse {one.warehouse_cpu:.0f} s",
        flush=True,
    )


def table(found: dict[tuple[str, int], list[Pass]]) -> list[str]:
    """The medians, as a table of Markdown."""
    lines = [
        "| files | workers | seconds (fastest to slowest) | rows a second | of one worker's time"
        " | CPU s, all containers | of it the warehouse's |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (kind, workers), passes in found.items():
        seconds = [each.seconds for each in passes]
        alone = median(each.seconds for each in found[kind, 1])
        share = median(each.warehouse_cpu / each.all_cpu for each in passes)
        lines.append(
            f"| {SETS[kind]} | {workers} | {median(seconds):.1f} ({min(seconds):.1f} to"
            f" {max(seconds):.1f}) | {median(each.rate for each in passes):,.0f} |"
            f" {median(seconds) / alone:.2f} | {median(each.all_cpu for each in passes):.0f} |"
            f" {share:.0%} |"
        )
    return lines


def write(found: dict[tuple[str, int], list[Pass]], rounds: int) -> None:
    """The chart, and the table between the page's markers."""
    draw(found, PAGE.with_name(CHART))
    facts = (
        f"Median of {rounds} runs, measured on {datetime.now(UTC):%Y-%m-%d}: {os.cpu_count()} cores"
        " for all containers together, two tasks at once in each worker."
    )
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    picture = f"![Rows a second through one worker and through two]({CHART})"
    section = "\n\n".join([facts, picture, "\n".join(table(found))])
    PAGE.write_text(f"{before}{BEGIN}\n{section}\n{END}{after}", encoding="utf-8")


def draw(found: dict[tuple[str, int], list[Pass]], path: Path) -> None:
    """The bars, as a PNG."""
    os.environ.setdefault("MPLCONFIGDIR", str(local_folder() / "matplotlib"))
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 2.6), layout="constrained")
    axes = figure.subplots()
    for place, ((_, workers), passes) in enumerate(found.items()):
        rates = [each.rate for each in passes]
        axes.barh(place, median(rates), height=0.62, color=ONE if workers == 1 else TWO)
        axes.plot([min(rates), max(rates)], [place, place], color=INK, linewidth=1)
        axes.text(max(rates), place, f"  {median(rates):,.0f}", va="center", color=INK, fontsize=9)
    labels = [f"{SETS[kind]}, {n} worker{'s' * (n > 1)}" for kind, n in found]
    axes.set_yticks(range(len(found)), labels)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.15 * max(each.rate for passes in found.values() for each in passes))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("rows a second; thin lines from the slowest run to the fastest", color=QUIET)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False, colors=INK)
    figure.savefig(path, dpi=160, facecolor="white", metadata={"Software": None})


if __name__ == "__main__":
    sys.exit(main())
