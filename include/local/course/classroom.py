"""The classroom, which every walk is given: the running Airflow and its servers.

A walk goes through one lesson as its reader would, and checks what the page says.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import psycopg

from include.local.airflow.api import Api
from include.local.services.control import Services
from include.local.state import PROJECT

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

T = TypeVar("T")
ENDED = ("success", "failed")
PAUSE = 0.5
PARSE_SECONDS = 300


class LessonFailed(Exception):
    """A walk saw something else than its page says; the message has both."""


def expect(condition: bool, otherwise: str) -> None:
    """Checks that the condition is true.

    Raises: LessonFailed with the message `otherwise` when it is not.
    """
    if not condition:
        raise LessonFailed(otherwise)


@dataclass(frozen=True)
class Run:
    """One run of a DAG, as the API describes it."""

    dag_id: str
    run_id: str
    state: str
    logical_date: str | None

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Run:
        """Returns the run that the API's JSON describes."""
        return cls(answer["dag_id"], answer["dag_run_id"], answer["state"], answer["logical_date"])

    @property
    def path(self) -> str:
        """The run's path in the API."""
        return f"dags/{self.dag_id}/dagRuns/{quote(self.run_id, safe='')}"


@dataclass(frozen=True)
class Seen:
    """The result of a walk: one line for the table, and JSON that the tests check."""

    summary: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Classroom:
    """A running Airflow, its API, its command line, its bucket and its warehouse.

    `over` is set when the lessons must end; every wait ends then.
    """

    api: Api
    home: Path
    environ: dict[str, str]
    services: Services
    client: S3Client
    over: Event = field(default_factory=Event)

    def trigger(
        self,
        dag_id: str,
        *,
        conf: dict[str, Any] | None = None,
        logical_date: str | None = None,
        run_id: str | None = None,
    ) -> Run:
        """Starts a run by hand once Airflow has read the DAG, and unpauses the DAG."""
        self.until(f"Airflow reads {dag_id}", lambda: self._parsed(dag_id), PARSE_SECONDS)
        self.api.unpause(dag_id)
        body = {"logical_date": logical_date, "conf": conf or {}, "dag_run_id": run_id}
        return Run.of(self.api.post(f"dags/{dag_id}/dagRuns", body))

    def wait(self, run: Run, seconds: float = 300) -> Run:
        """Waits for the run's end; returns the run as it is then."""

        def ended() -> Run | None:
            now = Run.of(self.api.get(run.path))
            return now if now.state in ENDED else None

        ended_run = self.until(f"{run.dag_id} {run.run_id} ends", ended, seconds)
        assert ended_run is not None
        return ended_run

    def run(self, dag_id: str, **as_trigger: Any) -> Run:
        """Starts a run and waits for its end.

        Raises: LessonFailed unless it succeeds.
        """
        run = self.wait(self.trigger(dag_id, **as_trigger))
        if run.state != "success":
            raise LessonFailed(
                f"expected the run to succeed, seen: {run.state}, {self.states(run)}"
            )
        return run

    def until(self, event: str, check: Callable[[], T], seconds: float = 180) -> T:
        """Calls `check` twice a second until its result is true; returns that result.

        Raises: LessonFailed, which names the event, when the time is up or the lessons must end.
        """
        deadline = time.monotonic() + seconds
        while not (result := check()):
            expect(not self.over.is_set(), f"stopped while waiting: {event}")
            expect(time.monotonic() < deadline, f"expected within {seconds:.0f} s: {event}")
            time.sleep(PAUSE)
        return result

    def runs(self, dag_id: str) -> list[Run]:
        """Returns the DAG's runs, the newest first."""
        answer = self.api.get(f"dags/{dag_id}/dagRuns", order_by="-run_after", limit=100)
        return [Run.of(run) for run in answer["dag_runs"]]

    def tasks(self, run: Run) -> list[dict[str, Any]]:
        """Returns the run's task instances, as the API describes them."""
        answer = self.api.get(f"{run.path}/taskInstances", limit=100)
        return list(answer["task_instances"])

    def states(self, run: Run) -> dict[str, str]:
        """Returns each task's state by its id; a mapped instance has the id task_id[index]."""
        return {
            task["task_id"] if task["map_index"] < 0 else f"{task['task_id']}[{task['map_index']}]":
            task["state"]
            for task in self.tasks(run)
        }  # fmt: skip

    def xcom(self, run: Run, task_id: str, key: str = "return_value") -> Any:
        """Returns a value that a task handed to other tasks."""
        path = f"{run.path}/taskInstances/{task_id}/xcomEntries/{quote(key, safe='')}"
        return self.api.get(path)["value"]

    def log(self, run: Run, task_id: str, try_number: int = 1) -> str:
        """Returns the log of one try of a task, one line for each event."""
        path = f"{run.path}/taskInstances/{task_id}/logs/{try_number}"
        content = self.api.get(path, full_content=True)["content"]
        return "\n".join(
            line if isinstance(line, str) else str(line.get("event", "")) for line in content
        )

    def airflow(self, *arguments: str) -> str:
        """Runs an `airflow` command as a user would; returns its output.

        Raises: LessonFailed when the command fails.
        """
        done = subprocess.run(
            [sys.executable, "-m", "airflow", *arguments],
            capture_output=True, text=True, check=False, cwd=PROJECT, env=self.environ,
        )  # fmt: skip
        command = " ".join(("airflow", *arguments))
        last = "\n".join(done.stderr.strip().splitlines()[-5:])
        expect(done.returncode == 0, f"`{command}` ended with {done.returncode}: {last}")
        return done.stdout

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Runs a statement in the warehouse; returns its rows, if it has any."""
        conninfo = self.services.postgres.warehouse.conninfo()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            cursor = connection.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def _parsed(self, dag_id: str) -> bool:
        """Whether Airflow has read the DAG's file since it was last changed.

        Raises: LessonFailed when Airflow cannot read it.
        """
        for dag in self.api.get("dags", dag_id_pattern=dag_id)["dags"]:
            if dag["dag_id"] == dag_id and not dag["is_stale"]:
                written = datetime.fromtimestamp(Path(dag["fileloc"]).stat().st_mtime, UTC)
                return datetime.fromisoformat(dag["last_parsed_time"]) > written
        name = dag_id.split("_", 2)[-1]
        broken = [error for error in self.api.import_errors() if f"{name}.py" in error]
        expect(not broken, f"expected {dag_id} to be read, seen: {'; '.join(broken)}")
        return False
