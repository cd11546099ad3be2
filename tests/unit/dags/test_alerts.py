"""What a person reads first when something has failed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dags.common.alerts import failure_text
from dags.common.failures import KEY, NO_MESSAGE, keep_failure, of_killed, unless_told
from include.airflow_bridge.commands import status_command
from include.airflow_bridge.errors import verdict
from include.landfall.errors import LandfallError, RefusedCell, ServerUnavailable, failures_of

TI = SimpleNamespace(
    dag_id="feed_t", task_id="load", rendered_map_index="t/1.csv", log_url="http://a/log"
)
DAG = SimpleNamespace(dag_id="feed_t")
TASK = "feed_t.load [t/1.csv] has failed\n{}\nlog: http://a/log"
CASES = {
    "a message": ({"ti": TI, "exception": ValueError("line: 3")}, TASK.format("line: 3")),
    "a killed process": ({"ti": TI}, TASK.format(NO_MESSAGE)),
    "a run": (
        {"ti": TI, "dag": DAG, "run_id": "r", "reason": "task_failure"},
        "feed_t has failed: task_failure\nrun: r",
    ),
    "a run without tasks": (
        {"dag": DAG, "run_id": "r", "reason": "timed_out"},
        "feed_t has failed: timed_out\nrun: r",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_text_names_what_has_failed(case: str) -> None:
    context, text = CASES[case]
    assert failure_text(context) == text


BAD = RefusedCell("Postgres refuses a cell", found="x").at(object="s3://b/t/1.csv", line=3)
AWAY = ServerUnavailable("Postgres does not answer", found="port 5432")


class Run:
    """A run whose tasks fail, and what Airflow keeps of it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], dict[str, Any]] = {}
        self.states: dict[str, str] = {"new_arrivals": "success"}
        self.told: list[str] = []
        self.started = datetime.now(UTC) - timedelta(minutes=1)

    def fail(self, index: int, *errors: LandfallError) -> None:
        """A task fails for good, and Airflow calls the DAG's callbacks."""
        context = self.context(index)
        self.states[f"load_{index}"] = "failed"
        context["exception"] = verdict("a message", retryable=False, failures=failures_of(errors))
        for callback in (keep_failure, unless_told(lambda c: self.told.append(str(index)))):
            callback(context)

    def context(self, index: int) -> dict[str, Any]:
        def push(key: str, value: dict[str, Any]) -> None:
            assert key == KEY
            self.kept["load", index] = value

        def pull(task_ids: str | Iterable[str], key: str = "") -> list[Any]:
            if task_ids == "new_arrivals":
                return [[{"key": f"t/{task}{file}.csv"} for file in "ab"] for task in range(12)]
            return [None, *(self.kept[each] for each in sorted(self.kept))]

        ti = SimpleNamespace(
            dag_id="feed_t", task_id="load", map_index=index, rendered_map_index=f"t/{index}.csv",
            log_url="http://a/log", xcom_push=push, xcom_pull=pull,
            get_task_states=lambda dag_id, run_ids: {run_ids[0]: self.states},
        )  # fmt: skip
        dag = SimpleNamespace(
            dag_id="feed_t",
            tasks=[SimpleNamespace(task_id=each) for each in ("load", "new_arrivals")],
        )
        dag_run = SimpleNamespace(start_date=self.started)
        return {"ti": ti, "dag": dag, "dag_run": dag_run, "run_id": "r"}

    def text(self) -> list[str]:
        """What is told of the run, without its first two lines."""
        return failure_text({**self.context(0), "reason": "task_failure"}).splitlines()[2:]


def test_each_refused_file_is_told_and_a_server_that_is_away_once() -> None:
    run = Run()
    for index, error in enumerate([BAD, AWAY, BAD, AWAY, AWAY]):
        run.fail(index, error)
    assert run.told == ["0", "1", "2"]


def test_of_tasks_that_fail_at_once_one_tells() -> None:
    """Each keeps its failure before any of them asks."""
    run = Run()
    for index in (0, 1):
        run.fail(index, AWAY)
    moment = run.kept["load", 0]["at"]
    run.kept["load", 1]["at"] = moment
    run.told.clear()
    for index in (0, 1):
        context = {**run.context(index), "exception": verdict("m", True, failures_of([AWAY]))}
        unless_told(lambda _, index=index: run.told.append(str(index)))(context)
    assert run.told == ["0"]


def test_a_cause_is_told_again_when_the_run_is_cleared_and_with_a_refused_file() -> None:
    run = Run()
    run.fail(0, AWAY)
    run.started = datetime.now(UTC)
    run.fail(1, AWAY)
    run.fail(2, BAD, AWAY)  # a task of several files
    assert run.told == ["0", "1", "2"]


def test_an_alert_is_sent_when_airflow_does_not_say_what_others_told() -> None:
    context = {"ti": None, "exception": verdict("m", True, failures_of([AWAY]))}
    told: list[object] = []
    unless_told(told.append)(context)
    assert told == [context]


def test_the_text_of_a_run_names_its_files_and_its_killed_tasks() -> None:
    run = Run()
    run.fail(0, BAD)
    run.fail(1, AWAY)
    run.fail(2, AWAY)
    run.fail(3, BAD)
    run.states |= {"load_3": "success", "load_4": "failed"}  # one was cleared, one was killed
    assert run.text() == [
        "  s3://b/t/1.csv, line 3: Postgres refuses a cell: x",
        "  Postgres does not answer: port 5432 (and 1 more of the same)",
        f"  load_4 [t/4a.csv and 1 more]: {NO_MESSAGE}",
        f"to see every file: {status_command('t')}",
    ]


@pytest.mark.parametrize(
    ("states", "task", "more"),
    [
        ({"load_0": "failed"}, None, ""),  # it could tell by itself
        ({"load_3": "success", "new_arrivals": "failed"}, "new_arrivals -1 None", ""),
        (
            {"load_10": "failed", "load_5": "failed"},
            "load 5 t/5a.csv and 1 more",
            " (and 1 more of the same)",
        ),
    ],
)
def test_of_killed_tasks_the_first_is_told_as_a_worker_would(
    states: dict[str, str], task: str | None, more: str
) -> None:
    """A load that is killed for want of memory at each of its tries leaves nobody to tell of it."""
    run = Run()
    run.fail(0, BAD)
    run.states |= states
    told: list[dict[str, Any]] = []
    of_killed(told.append)({**run.context(0), "reason": "task_failure"})
    tasks = [c["ti"] for c in told]
    assert [f"{ti.task_id} {ti.map_index} {ti.rendered_map_index}" for ti in tasks] == (
        [task] if task else []
    )
    assert [failure_text(c).splitlines()[1] for c in told] == ([NO_MESSAGE + more] if task else [])


@pytest.mark.parametrize(
    ("listed", "label"),
    [({"key": "t/1.csv"}, "t/1.csv"), ([], None), ("t/1.csv", None), ([1], None), ({}, None)],
)
def test_a_killed_task_of_a_dag_of_one_s_own_is_told_too(listed: object, label: str | None) -> None:
    """Its sensor may have listed anything under the name that the tasks of a feed have."""
    run = Run()
    run.states["load_0"] = "failed"
    context = {**run.context(0), "reason": "task_failure"}
    context["ti"].xcom_pull = lambda task_ids, key="": [] if key else [listed]
    told: list[dict[str, Any]] = []
    of_killed(told.append)(context)
    assert [each["ti"].rendered_map_index for each in told] == [label]


def test_the_text_of_a_run_with_thousands_of_refused_files_is_short() -> None:
    run = Run()
    for index in range(4):
        run.fail(index, *[BAD] * 500)
    assert len(run.text()) == 12
    assert run.text()[-2] == "  and 1,990 more"
    assert len(json.dumps(run.kept["load", 0])) < 2_000  # it is in Airflow's database


def test_a_process_that_stands_in_for_a_killed_one_keeps_nothing_of_it() -> None:
    """It is the DAG processor, and would write over what the task itself has kept."""
    run = Run()
    run.fail(0, BAD)
    before = dict(run.kept)
    keep_failure(run.context(0))
    assert run.kept == before
