"""A real Airflow for a test: API server, scheduler, DAG processor, triggerer, LocalExecutor.

Its metadata is in a new database on the test's PostgreSQL. Its environment has none of the settings
that astro-sdk asks its users to make: the project's plugins folder must be enough.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from include.landfall.connections import Warehouse
from include.local.airflow import home as airflow_home
from include.local.airflow.api import Api
from include.local.airflow.programs import airflow_programs, wait_ready
from include.local.services.environ import around_proxies
from include.local.services.process import free_ports
from include.local.services.program import Program
from include.local.state import LocalError

READY_SECONDS = 180
RUN_SECONDS = 400
# Settings that the Astro SDK's documentation asks for.
ASTRO_SDK_SETTINGS = (
    "AIRFLOW__CORE__ENABLE_XCOM_PICKLING",
    "AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES",
)


@dataclass(frozen=True)
class RealAirflow:
    """A running Airflow, which a test uses by its API, as a user does."""

    api: Api
    programs: list[Program]
    environ: dict[str, str]

    def run(self, dag_id: str, seconds: float = RUN_SECONDS) -> dict[str, Any]:
        """Unpauses and triggers the DAG, waits for the end of the run, and returns the run."""
        self.run_all([dag_id], seconds)
        return self._last_run(dag_id)

    def run_all(self, dag_ids: Sequence[str], seconds: float = RUN_SECONDS) -> None:
        """Unpauses and triggers the DAGs, and waits for the end of all runs."""
        self._wait_until(lambda: {*dag_ids} <= {*self.api.dags()}, READY_SECONDS, f"{dag_ids} read")
        for dag_id in dag_ids:
            self.api.unpause(dag_id)
            self.api.trigger(dag_id)
        self._wait_until(lambda: not {*dag_ids} & self._open(), seconds, f"{dag_ids} ended")

    def states(self, dag_id: str) -> dict[str, str]:
        """Reads the states of the last run's tasks."""
        run_id = self._last_run(dag_id)["dag_run_id"]
        answer = self.api._call("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100")
        return {ti["task_id"]: ti["state"] for ti in answer["task_instances"]}

    def _last_run(self, dag_id: str) -> dict[str, Any]:
        path = f"dags/{dag_id}/dagRuns?order_by=-run_after&limit=1"
        run: dict[str, Any] = self.api._call("GET", path)["dag_runs"][0]
        return run

    def _open(self) -> set[str]:
        """Reads which DAGs have a run that has not ended."""
        runs = self.api.get("dags/~/dagRuns", state=["queued", "running"], limit=100)["dag_runs"]
        return {run["dag_id"] for run in runs}

    def _ended(self, dag_id: str) -> bool:
        return self._last_run(dag_id)["state"] in ("success", "failed")

    def _wait_until(self, done: Any, seconds: float, what: str) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                logs = log_ends(self.programs)
                pytest.fail(f"not after {seconds} s: {what}\n{self.api.import_errors()}\n{logs}")
            for program in self.programs:
                ended = program.child.poll() is not None
                assert not ended, f"{program.name} ended\n{log_ends(self.programs)}"
            time.sleep(0.5)


@contextmanager
def real_airflow(
    home: Path, server: Warehouse, dags: Path, environ: dict[str, str]
) -> Iterator[RealAirflow]:
    """Runs all of Airflow's programs with a folder of DAGs for the block."""
    airflow_home.use_port(home, free_ports(1)[0])
    airflow_home.write_login(home)
    airflow_home.prepare_metadata(home, server)
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")},
        **airflow_home.local_settings(home, server),
        **around_proxies(),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__PARALLELISM": "4",
        # New DAG files are looked for every few seconds; a file is read again when it has changed.
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
        **environ,
    }
    for name in ASTRO_SDK_SETTINGS:
        settings.pop(name, None)
    with airflow_programs(home, settings) as programs:
        try:
            api = wait_ready(home, programs)
        except LocalError as error:
            pytest.fail(f"{error}\n{log_ends(programs)}")
        yield RealAirflow(api, programs, settings)


def log_ends(programs: Sequence[Program]) -> str:
    """Reads the last 40 lines of each program's log."""
    return "\n".join(
        f"--- {p.name}\n" + "\n".join(p.log.read_text(errors="replace").splitlines()[-40:])
        for p in programs
    )


def new_home(tmp_path: Path) -> Path:
    """Makes a folder for one Airflow."""
    home = tmp_path / f"home-{uuid.uuid4().hex[:8]}"
    home.mkdir()
    return home
