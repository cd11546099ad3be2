"""The Celery stack for the tests: started by `make celery`'s own program, on ports of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from include.landfall.s3.client import make_client
from include.local.airflow.api import Api
from include.local.celery.docker import docker
from include.local.celery.stack import Stack, wait_run
from include.local.demo.seed import BUCKET
from include.local.services.process import free_ports, wait_until
from include.local.state import PROJECT

PROJECT_NAME = "landfall-test"
FEED = "feed_flights"
FLIGHTS = 336_776
PORTS = (
    "LANDFALL_AIRFLOW_PORT", "LANDFALL_FLOWER_PORT", "LANDFALL_STORE_PORT",
    "LANDFALL_STORE_CONSOLE_PORT", "LANDFALL_WAREHOUSE_PORT", "LANDFALL_REPORTS_PORT",
    "LANDFALL_REPORTS_FLOWER_PORT",
)  # fmt: skip
WORKERS = ("airflow-worker-1", "airflow-worker-2")
UP_SECONDS = 900  # the images are built, where they are not there yet


@dataclass(frozen=True)
class Started:
    """A run of the feed, and when it was started."""

    run_id: str
    began: datetime


@dataclass(frozen=True)
class Running:
    """A stack that runs, what `make celery` said of it, and how to use it as its user does."""

    stack: Stack
    said: str
    environ: dict[str, str]

    @property
    def api(self) -> Api:
        """Logged in anew: the API server may have been restarted."""
        return self.stack.login()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows that the warehouse gives."""
        conninfo = self.stack.warehouse.conninfo()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def container(self, service: str) -> str:
        """The id of the service's container."""
        return self.stack.compose.container(service)

    def services(self) -> dict[str, dict[str, Any]]:
        """What Docker knows of each service's container, by service."""
        label = f"label=com.docker.compose.project={PROJECT_NAME}"
        ids = docker("ps", "-aq", "--filter", label).split()
        found = json.loads(docker("inspect", *ids))
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in found}

    def forget_flights(self) -> None:
        """As if no flight had ever been loaded; the files of other tests are gone."""
        self.query("DROP TABLE IF EXISTS raw.flights")
        self.query("DELETE FROM landfall.ledger WHERE feed = 'flights'")

    def start_run(self) -> Started:
        """A run of the feed, started now."""
        began = datetime.now(UTC)
        self.api.unpause(FEED)
        run = self.api.post(f"dags/{FEED}/dagRuns", {"logical_date": None})
        return Started(str(run["dag_run_id"]), began)

    def finish(self, run: Started, seconds: float = 400) -> None:
        """Wait until the run has ended well, and no other is under way. Raises LocalError."""
        wait_run(self.api, FEED, run.run_id, seconds)
        assert wait_until(lambda: not self.under_way(), seconds, pause=1)

    def under_way(self) -> list[str]:
        """The runs of the feed that have not ended."""
        runs = self.api.get(f"dags/{FEED}/dagRuns", limit=100, order_by="-run_after")["dag_runs"]
        return [run["dag_run_id"] for run in runs if run["state"] in ("queued", "running")]

    def loads(self, run: Started) -> list[dict[str, Any]]:
        """The task instances that have loaded a file each since then.

        Of all runs: the feed's schedule may have begun one of its own, which was first.
        """
        path = f"dags/{FEED}/dagRuns/~/taskInstances"
        found = self.api.get(path, limit=500, updated_at_gte=run.began.isoformat())
        return [
            each
            for each in found["task_instances"]
            if each["task_id"] == "load" and each["state"] == "success" and each["hostname"]
        ]

    def expect_all_flights(self, rows: int = FLIGHTS, files: int = 12) -> None:
        """Every row once, each file once in the ledger, and nothing else."""
        assert self.query("SELECT count(*) FROM raw.flights") == [(rows,)]
        ledger = self.query(
            "SELECT status, count(*), sum(rows) FROM landfall.ledger"
            " WHERE feed = 'flights' GROUP BY status"
        )
        assert ledger == [("loaded", files, rows)]
        stray = "SELECT count(*) FROM raw.flights LEFT JOIN landfall.ledger ON load_id = _load_id"
        assert self.query(f"{stray} WHERE load_id IS NULL") == [(0,)]

    def worker_in_mid_load(self, seconds: float = 90) -> str:
        """The service of the worker that copies rows into the warehouse right now."""
        addresses = {self.address(worker): worker for worker in WORKERS}
        copying = (
            "SELECT host(client_addr) FROM pg_stat_progress_copy JOIN pg_stat_activity USING (pid)"
            " WHERE tuples_processed > 0"
        )
        with psycopg.connect(self.stack.warehouse.conninfo(), autocommit=True) as connection:
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline:
                for (address,) in connection.execute(copying).fetchall():
                    if address in addresses:
                        return addresses[address]
                time.sleep(0.02)
        pytest.fail(f"no worker copied a row within {seconds:.0f} s")

    def address(self, service: str) -> str:
        """The service's address in the network of the containers."""
        networks = self.services()[service]["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    def healthy(self) -> dict[str, str]:
        """The health that Docker knows of each service that is to run on."""
        return {
            name: each["State"].get("Health", {}).get("Status", each["State"]["Status"])
            for name, each in self.services().items()
            if name != "airflow-init"
        }

    def wait_healthy(self, seconds: float = 240) -> None:
        """Every service is healthy, by Docker's word."""
        well = wait_until(lambda: set(self.healthy().values()) == {"healthy"}, seconds, pause=2)
        assert well, self.healthy()
        self.stack.wait_ready()


def local(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m include.local …`, as make calls it."""
    return subprocess.run(
        [sys.executable, "-m", "include.local", *arguments],
        capture_output=True, text=True, cwd=PROJECT, env=environ, check=False, timeout=UP_SECONDS,
    )  # fmt: skip


@contextmanager
def running_stack() -> Iterator[Running]:
    """The stack, from `make celery` to `make celery-down`; what a killed run left goes first."""
    ports = dict(zip(PORTS, map(str, free_ports(len(PORTS)))))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    environ = {**kept, **ports, "LANDFALL_PROJECT": PROJECT_NAME}
    local(environ, "celery-down")
    done = local(environ, "celery")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield Running(Stack.of(environ), done.stdout, environ)
    finally:
        local(environ, "celery-down")


def put_large_file(running: Running, key: str, times: int) -> int:
    """A file of the flights' months, each row `times` over: long enough to be cut in the middle."""
    from include.local.demo.source import table_bytes

    header, _, rows = table_bytes("flights").partition(b"\n")
    client = make_client(running.stack.store)
    client.put_object(Bucket=BUCKET, Key=key, Body=header + b"\n" + rows * times)
    client.close()
    return FLIGHTS * times


def remove_file(running: Running, key: str) -> None:
    """The file away again."""
    client = make_client(running.stack.store)
    client.delete_object(Bucket=BUCKET, Key=key)
    client.close()
