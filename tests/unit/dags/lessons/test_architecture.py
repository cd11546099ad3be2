"""What the lesson reports about a part that is down. tests/e2e kills a real one."""

from __future__ import annotations

import pytest

from tests.support.lesson_module import load

HEARTBEAT = "2026-01-01T00:00:00+00:00"
HEALTH = {
    "metadatabase": {"status": "healthy"},
    **{
        name: {"status": "healthy", f"latest_{name}_heartbeat": HEARTBEAT}
        for name in ("scheduler", "dag_processor", "triggerer")
    },
}


class Instance:
    """The part of a task instance that the lesson uses."""

    def __init__(self, woken: str | None) -> None:
        self.woken = woken
        self.pushed: dict[str, list] = {}

    def xcom_pull(self, task_ids: str) -> str | None:
        return self.woken

    def xcom_push(self, key: str, value: dict) -> None:
        self.pushed = value


@pytest.fixture(scope="module")
def lesson():
    return load("architecture")


@pytest.fixture
def ask(lesson, mocker, monkeypatch):
    """Runs the task with an answer of the API server; returns what the task pushed."""
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "http://api:1/execution/")
    get = mocker.patch("httpx.get")
    task = lesson.is_woken.dag.get_task("ask_each_part").python_callable

    def ask(health: dict, woken: str | None = "woke a task") -> dict[str, list]:
        get.return_value.json.return_value = health
        instance = Instance(woken)
        try:
            task(ti=instance)
        except lesson.AirflowFailException as failure:
            instance.pushed["failure"] = [str(failure)]
        assert get.call_args.args == ("http://api:1/api/v2/monitor/health",)
        return instance.pushed

    return ask


def test_all_up_is_a_success(ask):
    parts = ask(HEALTH)
    assert len(parts) == 6
    assert all(up for up, *_ in parts.values())


@pytest.mark.parametrize(
    ("name", "part"),
    [("metadatabase", "database"), ("scheduler", "scheduler"), ("dag_processor", "DAG processor")],
)
def test_a_part_that_is_down_fails_the_run_and_is_named(ask, name, part):
    parts = ask({**HEALTH, name: {**HEALTH[name], "status": "unhealthy"}})
    assert parts.pop("failure") == [f"down: {part}"]
    assert [name for name, (up, *_) in parts.items() if not up] == [part]


def test_a_triggerer_that_wakes_no_task_is_down_even_when_it_reports_to_be_healthy(ask):
    assert ask(HEALTH, woken=None)["failure"] == ["down: triggerer"]


def test_the_page_and_the_table_say_the_same(lesson):
    for part, without in lesson.WITHOUT.items():
        (row,) = [line for line in lesson.__doc__.splitlines() if line.startswith(f"| {part} ")]
        assert without.split(";")[0] in row.replace("*", "")
