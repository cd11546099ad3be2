"""The program that runs DAGs gives its results, and its sudden end is an error."""

from __future__ import annotations

import os

import psutil
import pytest

from include.local.airflow import dag_client
from include.local.airflow.dag_client import dag_runner
from include.local.state import LocalError

ECHO = """
import json, os, sys
answers = os.fdopen(int(sys.argv[1]), "w")
def answer(**values):
    print(json.dumps(values), file=answers, flush=True)
answer(state="ready")
for line in sys.stdin:
    if "die" in line:
        sys.exit(3)
    answer(state="success", dag_id=line.strip(), seconds=1.5, failed=[])
"""


@pytest.fixture
def echo(tmp_path, monkeypatch):
    """A runner without Airflow instead of the real one."""
    package = tmp_path / "include" / "local" / "airflow"
    package.mkdir(parents=True)
    (package / "dag_runner.py").write_text(ECHO)
    monkeypatch.setattr(dag_client, "PROJECT", tmp_path)
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    with dag_runner(environ, tmp_path / "log") as runner:
        yield runner


def test_a_dag_that_ran_gives_its_result(echo):
    echo.wait_ready()
    result = echo.run("feed_x", lambda: None)
    assert result.good
    assert (result.dag_id, result.seconds) == ("feed_x", 1.5)


def test_a_runner_that_dies_is_an_error_that_names_the_log(echo):
    echo.wait_ready()
    with pytest.raises(LocalError, match=r"exit code 3[\s\S]*log"):
        echo.run("die", lambda: None)


def test_an_interruption_leaves_no_program_behind(tmp_path):
    pids = []

    def interrupted() -> None:
        with dag_runner({**os.environ}, tmp_path / "log") as runner:
            pids.append(runner.child.pid)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not psutil.pid_exists(pids[0])
