"""`python -m tests.bench.reports`: 200 requests for a report at once, with all workers busy."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError
from include.landfall.feed.yaml_file import read_feed
from include.landfall.load import load
from include.landfall.s3.client import make_client
from include.landfall.s3.listing import list_arrivals
from include.local.demo.seed import seed
from include.local.reports.programs import ReportService, report_service
from include.local.services import control as services
from include.local.services.environ import around_proxies
from include.local.services.process import wait_until
from include.local.state import PROJECT, LocalError, local_folder
from include.reports.records import Records

from .burst import Answer, burst
from .machine import Machine
from .page import between_markers

AT_ONCE = 200
ROUNDS = 3
MOST_SECONDS = 60
PROMISED = 0.2  # seconds, at the 99th percentile
PAGE = PROJECT / "docs" / "benchmarks.md"
DAY = {"report": "flights", "first": "2013-07-04", "last": "2013-07-04"}
LONG = {"report": "flights", "format": "csv.gz"}


@dataclass(frozen=True)
class BurstSummary:
    """The answers to a burst: seconds by rank, and the API's CPU seconds for each request."""

    way: str
    answered: int
    median: float
    p99: float
    slowest: float
    cpu: float

    @classmethod
    def of(cls, way: str, answers: Sequence[Answer], good: int, cpu: float) -> BurstSummary:
        """Summarises the answers that came in time; only those with the status `good` count."""
        seconds = sorted(answer.seconds for answer in answers if answer.status == good)
        if not seconds:
            raise LocalError(f"no request was answered with {good}, {way}")
        ranks = [seconds[min(len(seconds) - 1, int(share * len(seconds)))] for share in (0.5, 0.99)]
        return cls(way, len(seconds), *ranks, seconds[-1], cpu / AT_ONCE)


def main() -> int:
    """Measures, prints the table and writes it into the page; returns 1 for a broken promise."""
    os.environ.update(around_proxies())
    home = Path(os.environ.get("LANDFALL_BENCH") or local_folder() / "bench").resolve() / "reports"
    try:
        with (
            _warehouse(home) as (warehouse, store),
            report_service(home, warehouse, store) as service,
        ):
            summaries = _measure(service)
            machine = Machine.of(warehouse, ROUNDS, 1)
            text = _section(summaries, machine, _memory(service))
    except LandfallError as error:
        print(error, file=sys.stderr)
        return 2
    print(text)
    page = between_markers(PAGE.read_text(encoding="utf-8"), text, "bench-reports")
    PAGE.write_text(page, encoding="utf-8")
    return 0 if summaries[0].answered == AT_ONCE and summaries[0].p99 <= PROMISED else 1


@contextmanager
def _warehouse(home: Path) -> Iterator[tuple[Warehouse, Store]]:
    """Runs a database for the block, with all flights, loaded by the engine."""
    running = services.up(home)
    try:
        warehouse, store = running.postgres.warehouse, running.object_store.store
        client = make_client(store)
        seed(client)
        feed = read_feed(PROJECT / "include" / "feeds" / "flights.yaml")
        for arrival in list_arrivals(client, feed.source):
            load(feed, arrival, store=store, warehouse=warehouse)
        yield warehouse, store
    finally:
        services.clean(home)


def _measure(service: ReportService) -> list[BurstSummary]:
    """Measures round after round. The reports of earlier rounds keep the workers busy."""
    _make_busy(service)
    _burst(service, "/reports", 20)  # the first requests of a process are slower
    rounds = [_measure_burst(service, "queued", "/reports", 202) for _ in range(ROUNDS)]
    blocking = _measure_burst(service, "blocking", "/reports/blocking", 200)
    return [sorted(rounds, key=lambda each: each.p99)[ROUNDS // 2], blocking]


def _make_busy(service: ReportService) -> None:
    pool = psutil.Process(service.programs["worker"].child.pid).children()
    answers = burst(
        service.ports["api"], "/reports", service.key, [LONG] * (2 * len(pool)), MOST_SECONDS
    )
    records = Records(service.redis.url, lease_seconds=15)

    def all_busy() -> bool:
        reports = [records.find(answer.body["id"]) for answer in answers]
        return sum(each is not None and each.state == "running" for each in reports) == len(pool)

    if not wait_until(all_busy, MOST_SECONDS):
        raise LocalError("the workers have not begun", do="read the worker's log")


def _measure_burst(service: ReportService, way: str, path: str, good: int) -> BurstSummary:
    api = psutil.Process(service.programs["api"].child.pid)
    before = sum(api.cpu_times()[:2])
    answers = _burst(service, path, AT_ONCE)
    return BurstSummary.of(way, answers, good, sum(api.cpu_times()[:2]) - before)


def _burst(service: ReportService, path: str, count: int) -> list[Answer]:
    return burst(service.ports["api"], path, service.key, [DAY] * count, MOST_SECONDS)


def _memory(service: ReportService) -> int:
    """Finds the largest resident memory of a process in the pool, in bytes."""
    pool = psutil.Process(service.programs["worker"].child.pid).children()
    return max(process.memory_info().rss for process in pool)


def _section(summaries: Sequence[BurstSummary], machine: Machine, memory: int) -> str:
    rows = [
        f"| {each.way} | {each.answered} of {AT_ONCE} | {each.median:.3f} | {each.p99:.3f}"
        f" | {each.slowest:.3f} | {each.cpu * 1000:.1f} |"
        for each in summaries
    ]
    kept = "kept" if summaries[0].p99 <= PROMISED else "BROKEN"
    return "\n".join(
        [
            _sentence(machine),
            "",
            f"| {AT_ONCE} at once | answered in {MOST_SECONDS} s | median, s | 99th percentile, s"
            " | slowest, s | API's CPU, ms each |",
            "| --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            f"Promised: accepted within {PROMISED} s at the 99th percentile ({kept}). A process of"
            f" the pool has {memory / 1e6:.0f} MB resident after reports of all flights.",
        ]
    )


def _sentence(machine: Machine) -> str:
    date: dt.date = machine.date
    return (
        f"Measured on {date:%Y-%m-%d}, the middle one of {machine.runs} rounds:"
        f" {machine.cores} cores, {machine.memory_gib} GiB, {machine.system},"
        f" PostgreSQL {machine.postgres}, Python {machine.python}."
    )


if __name__ == "__main__":
    sys.exit(main())
