"""A running report service with the real flights, and its caller, for tests that ask and kill."""

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
from tests.support.servers import fresh_bucket, fresh_database

T = TypeVar("T")
# Shorter than by default, and in the same order: a lease ends before a message comes again.
LEASE = 4
QUICK = {
    "LANDFALL_REPORTS_LEASE_SECONDS": str(LEASE),
    "LANDFALL_REPORTS_TEND_SECONDS": "3",
    "LANDFALL_REPORTS_VISIBLE_SECONDS": "8",
}
MARTS = ("delays_by_carrier", "delays_by_weather", "delays_by_route")


def until(what: str, true: Callable[[], T], seconds: float = 90, pause: float = 0.05) -> T:
    """What `true` gives when that is true at last."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds} s: {what}")
        time.sleep(pause)
    return found


def status_of(url: str) -> int:
    """How a page is answered for."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Site:
    """The service, whoever asks it, and whoever kills parts of it."""

    home: Path
    warehouse: Warehouse
    service: ReportService
    records: Records
    started: list[Program] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request, with the key unless a header says otherwise."""
        sent = {"X-API-Key": self.service.key, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.service.address + path, data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, json.load(answer), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error), dict(error.headers))

    def accepted(self, **wanted: Any) -> str:
        """The id of a report that was accepted."""
        answer = self.ask("POST", "/reports", wanted)
        assert answer.status == 202, answer
        return answer.body["id"]

    def state(self, report_id: str) -> str:
        return self.ask("GET", f"/reports/{report_id}").body["state"]

    def ended(self, report_id: str, seconds: float = 90) -> dict[str, Any]:
        """How the report stands when it has ended."""

        def over() -> dict[str, Any] | None:
            told = self.ask("GET", f"/reports/{report_id}").body
            return told if told.get("state") in ("done", "failed") else None

        return until(f"report {report_id} ends", over, seconds)

    def done(self, report_id: str, seconds: float = 90) -> bytes:
        """The bytes behind the link of the report, when it is done."""
        told = self.ended(report_id, seconds)
        assert told["state"] == "done", told
        with urllib.request.urlopen(told["link"], timeout=60) as answer:
            return answer.read()

    def record(self, report_id: str) -> Record:
        found = self.records.find(report_id)
        assert found is not None
        return found

    def attempts(self, report_id: str) -> int:
        return int(self.records.redis.hget(f"reports:record:{report_id}", "attempts") or 0)

    def copied(self, query: str) -> bytes:
        """What the server itself gives as CSV for a query."""
        with psycopg.connect(self.warehouse.conninfo(), options="-c timezone=UTC") as connection:
            copy = connection.cursor().copy(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)")
            with copy as rows:
                return b"".join(map(bytes, rows))

    # ---- whoever kills -------------------------------------------------------------------------

    def program(self, name: str) -> psutil.Process:
        return psutil.Process(self.service.programs[name].child.pid)

    def kill_tree(self, name: str) -> None:
        """As a machine that fails: nobody is told."""
        os.killpg(self.service.programs[name].child.pid, signal.SIGKILL)
        self.service.programs[name].child.wait()

    def start(self, name: str, **environ: str) -> Program:
        """Start a part again."""
        log = self.home / "logs" / f"reports-{name}-{len(self.started)}.log"
        command = commands(self.home, self.service.ports)[name]
        program = Program.start(name, command, {**self.service.environ, **environ}, log)
        self.started.append(program)
        self.service.programs[name] = program
        return program

    @contextmanager
    def without_beat(self) -> Iterator[None]:
        """Nobody looks for what was lost."""
        beat = self.program("beat")
        beat.suspend()
        try:
            yield
        finally:
            beat.resume()

    def stop_redis(self, kill: bool = False) -> None:
        self.service.redis.process.stop(*(() if kill else (signal.SIGTERM,)))

    def start_redis(self) -> None:
        """At the same port, with what is on its disk."""
        again = start_redis(self.service.redis.folder)
        assert again.port == self.service.redis.port
        object.__setattr__(self.service, "redis", again)


@contextmanager
def running_site(
    home: Path, server: Warehouse, store: Store, client: Any, **environ: str
) -> Iterator[Site]:
    """A service with the real flights, in a database and a bucket of its own."""
    with fresh_database(server) as warehouse, fresh_bucket(client, "landing"):
        make_tables(warehouse)
        with (
            report_service(home, warehouse, store, **QUICK, **environ) as service,
            pytest.MonkeyPatch.context() as patch,
        ):
            # What writes messages here, as the service does, has the service's settings.
            for name in ("BROKER", "KEY"):
                patch.setenv(
                    f"LANDFALL_REPORTS_{name}", service.environ[f"LANDFALL_REPORTS_{name}"]
                )
            settings.cache_clear()
            # Not patient: the tests stop Redis, and look.
            site = Site(home, warehouse, service, Records(service.redis.url, LEASE, retries=2))
            try:
                yield site
            finally:
                settings.cache_clear()
                for program in site.started:
                    program.ask_to_stop()
                    program.wait(10)


def make_tables(warehouse: Warehouse) -> None:
    """The five tables of the feeds, with the data at its source, and the three marts."""
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA raw; CREATE SCHEMA marts; SET TimeZone = 'UTC'")
        for path in sorted((PROJECT / "include" / "feeds").glob("*.yaml")):
            feed = read_feed(path)
            columns = ", ".join(f"{name} {each.parsed}" for name, each in feed.columns.items())
            connection.execute(f"CREATE TABLE {feed.target.table} ({columns})")
            copy = f"COPY {feed.target.table} FROM STDIN (FORMAT csv, HEADER, NULL 'NA')"
            with connection.cursor().copy(copy) as rows:
                rows.write(table_bytes(feed.name))
        for mart in MARTS:
            query = (PROJECT / "include" / "sql" / f"{mart}.sql").read_text()
            for raw in ("flights", "airlines", "airports", "planes", "weather"):
                query = query.replace(f"{{{{{raw}}}}}", f"raw.{raw}")
            connection.execute(f"CREATE TABLE marts.{mart} AS {query}")
