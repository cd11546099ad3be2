"""A running report service with the real flights, for tests that request reports and kill parts."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil
import psycopg
import pytest

from include.landfall.connections import Store, Warehouse
from include.landfall.feed.yaml_file import read_feed
from include.local.demo.source import table_bytes
from include.local.reports.programs import ReportService, commands, report_service
from include.local.services.program import Program
from include.local.services.redis_server import start_redis
from include.local.state import PROJECT
from include.reports.records import Record, Records
from include.reports.settings import settings
from tests.support.databases import fresh_database
from tests.support.servers import fresh_bucket

T = TypeVar("T")
# Shorter than the defaults, in the same order: a lease ends before its message is delivered again.
LEASE = 4
QUICK = {
    "LANDFALL_REPORTS_LEASE_SECONDS": str(LEASE),
    "LANDFALL_REPORTS_TEND_SECONDS": "3",
    "LANDFALL_REPORTS_VISIBLE_SECONDS": "8",
}
MARTS = ("delays_by_carrier", "delays_by_weather", "delays_by_route")
TABLES = ("flights", "airlines", "airports", "planes", "weather")


def wait_for(what: str, check: Callable[[], T], seconds: float = 90, pause: float = 0.05) -> T:
    """Waits until `check` gives a true value, and returns that."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(pause)
    return value


def status_of(url: str) -> int:
    """Requests a page, and returns the status of the answer."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class ReportSite:
    """A running service, which a test calls, and whose parts it kills and starts."""

    home: Path
    warehouse: Warehouse
    service: ReportService
    records: Records
    started: list[Program] = field(default_factory=list)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Sends one request, with the service's key unless a header has another one."""
        all_headers = {"X-API-Key": self.service.key, "Content-Type": "application/json"}
        all_headers |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        url = self.service.address + path
        request = urllib.request.Request(url, data, all_headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, json.load(answer), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error), dict(error.headers))

    def submit(self, **wanted: Any) -> str:
        """Requests a report, which must be accepted, and returns its id."""
        answer = self.request("POST", "/reports", wanted)
        assert answer.status == 202, answer
        return answer.body["id"]

    def state(self, report_id: str) -> str:
        """Asks the API for the state of a report."""
        return self.request("GET", f"/reports/{report_id}").body["state"]

    def wait_ended(self, report_id: str, seconds: float = 90) -> dict[str, Any]:
        """Waits until the report is done or failed, and returns the API's answer."""

        def ended() -> dict[str, Any] | None:
            body = self.request("GET", f"/reports/{report_id}").body
            return body if body.get("state") in ("done", "failed") else None

        return wait_for(f"report {report_id} ends", ended, seconds)

    def download(self, report_id: str, seconds: float = 90) -> bytes:
        """Waits until the report is done, and returns the file behind its link."""
        report = self.wait_ended(report_id, seconds)
        assert report["state"] == "done", report
        with urllib.request.urlopen(report["link"], timeout=60) as answer:
            return answer.read()

    def record(self, report_id: str) -> Record:
        """Reads the report's record from Redis."""
        record = self.records.find(report_id)
        assert record is not None
        return record

    def attempts(self, report_id: str) -> int:
        """Counts the attempts to make the report."""
        return int(self.records.redis.hget(f"reports:record:{report_id}", "attempts") or 0)

    def copy_csv(self, query: str) -> bytes:
        """Has the database write the rows of a query as CSV."""
        with psycopg.connect(self.warehouse.conninfo(), options="-c timezone=UTC") as connection:
            copy = connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
            with copy as rows:
                return b"".join(map(bytes, rows))

    # ---- its parts: killed, stopped, started ---------------------------------------------------

    def program(self, name: str) -> psutil.Process:
        """Finds the process of a part."""
        return psutil.Process(self.service.programs[name].child.pid)

    def kill_tree(self, name: str) -> None:
        """Kills a part with all its processes, as when a machine fails."""
        os.killpg(self.service.programs[name].child.pid, signal.SIGKILL)
        self.service.programs[name].child.wait()

    def start(self, name: str, **environ: str) -> Program:
        """Starts a part again."""
        log = self.home / "logs" / f"reports-{name}-{len(self.started)}.log"
        command = commands(self.home, self.service.ports)[name]
        program = Program.start(name, command, {**self.service.environ, **environ}, log)
        self.started.append(program)
        self.service.programs[name] = program
        return program

    @contextmanager
    def without_beat(self) -> Iterator[None]:
        """Stops beat for the block, so that nothing looks for lost reports."""
        beat = self.program("beat")
        beat.suspend()
        try:
            yield
        finally:
            beat.resume()

    def stop_redis(self, kill: bool = False) -> None:
        """Stops Redis, or kills it."""
        self.service.redis.process.stop(*(() if kill else (signal.SIGTERM,)))

    def start_redis(self) -> None:
        """Starts Redis again, on the same port and with the data on its disk."""
        redis = start_redis(self.service.redis.folder)
        assert redis.port == self.service.redis.port
        object.__setattr__(self.service, "redis", redis)


@contextmanager
def running_site(
    home: Path, server: Warehouse, store: Store, client: Any, **environ: str
) -> Iterator[ReportSite]:
    """Runs a service with the real flights for the block, in a new database and bucket."""
    with fresh_database(server) as warehouse, fresh_bucket(client, "landing"):
        make_tables(warehouse)
        with (
            report_service(home, warehouse, store, **QUICK, **environ) as service,
            pytest.MonkeyPatch.context() as patch,
        ):
            # The tests write messages themselves, so this process gets the service's settings.
            for name in ("BROKER", "KEY"):
                patch.setenv(
                    f"LANDFALL_REPORTS_{name}", service.environ[f"LANDFALL_REPORTS_{name}"]
                )
            settings.cache_clear()
            # Few retries: some tests look at records while Redis is stopped.
            site = ReportSite(
                home, warehouse, service, Records(service.redis.url, LEASE, retries=2)
            )
            try:
                yield site
            finally:
                settings.cache_clear()
                for program in site.started:
                    program.ask_to_stop()
                    program.wait(10)


def make_tables(warehouse: Warehouse) -> None:
    """Makes the tables of five feeds, with the data of their source, and three marts."""
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA raw; CREATE SCHEMA marts; SET TimeZone = 'UTC'")
        for name in TABLES:
            feed = read_feed(PROJECT / "include" / "feeds" / f"{name}.yaml")
            columns = ", ".join(f"{name} {each.parsed}" for name, each in feed.columns.items())
            connection.execute(f"CREATE TABLE {feed.target.table} ({columns})")
            copy = f"COPY {feed.target.table} FROM STDIN (FORMAT csv, HEADER, NULL 'NA')"
            with connection.cursor().copy(copy) as rows:
                rows.write(table_bytes(feed.name))
        for mart in MARTS:
            query = (PROJECT / "include" / "sql" / f"{mart}.sql").read_text()
            for raw in TABLES:
                query = query.replace(f"{{{{{raw}}}}}", f"raw.{raw}")
            connection.execute(f"CREATE TABLE marts.{mart} AS {query}")
