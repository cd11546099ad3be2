"""The Celery stack for tests: started by the program behind `make celery`, on free ports."""

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
from include.local.services.process import is_free, wait_until
from include.local.state import PROJECT

PROJECT_NAME = "landfall-test"
FEED = "feed_flights"
FLIGHTS = 336_776
PORTS = (
    "LANDFALL_AIRFLOW_PORT", "LANDFALL_FLOWER_PORT", "LANDFALL_STORE_PORT",
    "LANDFALL_STORE_CONSOLE_PORT", "LANDFALL_WAREHOUSE_PORT", "LANDFALL_REPORTS_PORT",
    "LANDFALL_REPORTS_FLOWER_PORT",
)  # fmt: skip
# The stack takes its ports minutes after they are chosen. Meanwhile no client and no other server
# of the tests is given one of these (see QUIET_PORTS).
OWN_PORTS = range(30_000, 32_000)
WORKERS = ("airflow-worker-1", "airflow-worker-2")
UP_SECONDS = 900  # enough to build the images where they are missing


@dataclass(frozen=True)
class FeedRun:
    """A run of the feed."""

    run_id: str
    started: datetime


@dataclass(frozen=True)
class RunningStack:
    """A running stack, and what `make celery` has printed."""

    stack: Stack
    printed: str
    environ: dict[str, str]

    @property
    def api(self) -> Api:
        """The API with a new login: the API server may have been restarted."""
        return self.stack.login()

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Runs a query in the warehouse, and returns its rows."""
        conninfo = self.stack.warehouse.conninfo()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def container(self, service: str) -> str:
        """Finds the id of the service's container."""
        return self.stack.compose.container(service)

    def services(self) -> dict[str, dict[str, Any]]:
        """Inspects each service's container; the keys are the names of the services."""
        label = f"label=com.docker.compose.project={PROJECT_NAME}"
        ids = docker("ps", "-aq", "--filter", label).split()
        containers = json.loads(docker("inspect", *ids))
        return {each["Config"]["Labels"]["com.docker.compose.service"]: each for each in containers}

    def forget_flights(self) -> None:
        """Drops the flights and their ledger, as if no file had been loaded."""
        self.query("DROP TABLE IF EXISTS raw.flights")
        self.query("DELETE FROM landfall.ledger WHERE feed = 'flights'")

    def forget_file(self, key: str) -> None:
        """Deletes the flights of one file and its rows of the ledger."""
        self.query(
            "WITH gone AS (DELETE FROM landfall.ledger WHERE feed = 'flights' AND key = %s"
            " RETURNING load_id) DELETE FROM raw.flights USING gone WHERE _load_id = load_id",
            key,
        )

    def loaded_files(self) -> int:
        """Counts the files of the feed that are loaded."""
        loaded = "SELECT count(*) FROM landfall.ledger WHERE feed = 'flights' AND status = 'loaded'"
        [(count,)] = self.query(loaded)
        return int(count)

    def start_run(self) -> FeedRun:
        """Starts a run of the feed."""
        started = datetime.now(UTC)
        self.api.unpause(FEED)
        run = self.api.post(f"dags/{FEED}/dagRuns", {"logical_date": None})
        return FeedRun(str(run["dag_run_id"]), started)

    def wait_for_run(self, run: FeedRun, seconds: float = 400) -> None:
        """Waits until the run has succeeded and no other is open.

        Raises: LocalError when the run fails or the time is over.
        """
        wait_run(self.api, FEED, run.run_id, seconds)
        assert wait_until(lambda: not self.open_runs(), seconds, pause=1)

    def open_runs(self) -> list[str]:
        """Lists the runs of the feed that have not ended."""
        runs = self.api.get(f"dags/{FEED}/dagRuns", limit=100, order_by="-run_after")["dag_runs"]
        return [run["dag_run_id"] for run in runs if run["state"] in ("queued", "running")]

    def loads(self, run: FeedRun) -> list[dict[str, Any]]:
        """Lists the task instances that have loaded a file since the run was started.

        They are of all runs: a run that the feed's schedule has started may load a file first.
        """
        path = f"dags/{FEED}/dagRuns/~/taskInstances"
        answer = self.api.get(path, limit=500, updated_at_gte=run.started.isoformat())
        return [
            each
            for each in answer["task_instances"]
            if each["task_id"] == "load" and each["state"] == "success" and each["hostname"]
        ]

    def expect_all_flights(self, rows: int = FLIGHTS, files: int = 12) -> None:
        """Checks that every row is in the table once, and every file in the ledger."""
        assert self.query("SELECT count(*) FROM raw.flights") == [(rows,)]
        ledger = self.query(
            "SELECT status, count(*), sum(rows) FROM landfall.ledger"
            " WHERE feed = 'flights' GROUP BY status"
        )
        assert ledger == [("loaded", files, rows)]
        stray = "SELECT count(*) FROM raw.flights LEFT JOIN landfall.ledger ON load_id = _load_id"
        assert self.query(f"{stray} WHERE load_id IS NULL") == [(0,)]

    def wait_for_copying_worker(self, seconds: float = 90) -> str:
        """Waits until a worker copies rows into the warehouse; returns its service."""
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
        """Finds the service's address in the network of the containers."""
        networks = self.services()[service]["NetworkSettings"]["Networks"]
        return str(next(iter(networks.values()))["IPAddress"])

    def health(self) -> dict[str, str]:
        """Reads the health of each service that must keep running, as Docker reports it."""
        return {
            name: each["State"].get("Health", {}).get("Status", each["State"]["Status"])
            for name, each in self.services().items()
            if name != "airflow-init"
        }

    def wait_healthy(self, seconds: float = 240) -> None:
        """Waits until Docker reports every service as healthy."""
        healthy = wait_until(lambda: set(self.health().values()) == {"healthy"}, seconds, pause=2)
        assert healthy, self.health()
        self.stack.wait_ready()


def run_local(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs `python -m include.local`, as make does."""
    return subprocess.run(
        [sys.executable, "-m", "include.local", *arguments],
        capture_output=True, text=True, cwd=PROJECT, env=environ, check=False, timeout=UP_SECONDS,
    )  # fmt: skip


@contextmanager
def running_stack() -> Iterator[RunningStack]:
    """Runs the stack for the block, after it has removed the stack of a killed run."""
    ports = dict(zip(PORTS, map(str, filter(is_free, OWN_PORTS)), strict=False))
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AIRFLOW")}
    environ = {**kept, **ports, "LANDFALL_PROJECT": PROJECT_NAME}
    run_local(environ, "celery-down")
    done = run_local(environ, "celery")
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield RunningStack(Stack.of(environ), done.stdout, environ)
    finally:
        run_local(environ, "celery-down")


def put_large_file(running: RunningStack, key: str, times: int) -> int:
    """Uploads a file with each flight `times` over, and returns the number of its rows.

    Its load takes seconds, so a test has time to interrupt it.
    """
    from include.local.demo.source import table_bytes

    header, _, rows = table_bytes("flights").partition(b"\n")
    client = make_client(running.stack.store)
    client.put_object(Bucket=BUCKET, Key=key, Body=header + b"\n" + rows * times)
    client.close()
    return FLIGHTS * times


def remove_file(running: RunningStack, key: str) -> None:
    """Deletes a file from the bucket."""
    client = make_client(running.stack.store)
    client.delete_object(Bucket=BUCKET, Key=key)
    client.close()
