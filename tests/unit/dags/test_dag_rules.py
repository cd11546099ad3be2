"""The rules that hold for every DAG of the project, lesson or not."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from dags.common.defaults import dag_defaults

ROOT = Path(__file__).parents[3]
DAGS = ROOT / "dags"
FILES = sorted(DAGS.rglob("*.py"))
IDS = [str(path.relative_to(DAGS)) for path in FILES]


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(DAGS, bundle_path=DAGS, safe_mode=True)


def parse_quietly(folder: Path) -> dict:
    """What each file of the folder reached for, and brought in, while it was parsed."""
    program = ROOT / "tests" / "support" / "parse_audit.py"
    done = subprocess.run(
        [sys.executable, str(program), str(folder)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def parsed() -> dict:
    return parse_quietly(DAGS)


def test_every_file_can_be_read(bag):
    assert bag.import_errors == {}


@pytest.mark.parametrize("name", IDS)
def test_parsing_reaches_for_no_network_no_connection_and_no_variable(parsed, name):
    """The DAG processor parses every file again and again, wherever it runs."""
    assert parsed[name]["reached"] == []


@pytest.mark.parametrize("name", [name for name in IDS if name.startswith("lessons")])
def test_a_lesson_brings_in_nothing_big(parsed, name):
    """Each process that parses, and each task is one, would pay for it."""
    assert parsed[name]["big"] == []


REACHES = {
    "network": "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)",
    "connection": "from airflow.sdk import BaseHook; BaseHook.get_connection('warehouse')",
    "variable": "from airflow.sdk import Variable; Variable.get('a', default=None)",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> dict:
    """What is said of files that do what none may."""
    folder = tmp_path_factory.mktemp("reaching")
    for what, line in REACHES.items():
        code = f"from airflow.sdk import DAG\ntry:\n    {line}\nexcept Exception: pass\n"
        (folder / f"{what}.py").write_text(code)
    return parse_quietly(folder)


@pytest.mark.parametrize("what", REACHES)
def test_a_file_that_reaches_out_is_told(told, what):
    assert what in told[f"{what}.py"]["reached"][0]


def test_every_dag_has_an_owner_tags_and_a_page(bag):
    for dag in bag.dags.values():
        assert dag.doc_md, dag.dag_id
        assert len(dag.doc_md.strip()) > 80, dag.dag_id
        assert dag.tags, dag.dag_id
        for task in dag.tasks:
            assert task.owner not in ("", "airflow"), task


def test_every_task_is_tried_again_at_least_twice(bag):
    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.retries >= 2, task


def test_no_task_keeps_the_next_run_of_its_dag_waiting_for_ever(bag):
    for dag in bag.dags.values():
        for task in [] if "/lessons/" in dag.fileloc else dag.tasks:
            assert task.execution_timeout, task


def dag_calls(path: Path) -> list[ast.Call]:
    """Where the file makes a DAG: `DAG(…)` or `@dag(…)`."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [call for call in calls if getattr(call.func, "id", "") in ("DAG", "dag")]


def written(call: ast.Call) -> set[str]:
    """The arguments that are written out, and those that the shared defaults write out."""
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    spread = [keyword.value for keyword in call.keywords if keyword.arg is None]
    for value in spread:
        assert isinstance(value, ast.Call)
        assert value.func.id == "dag_defaults"
        names |= dag_defaults().keys()
    return names


@pytest.mark.parametrize("path", FILES, ids=IDS)
def test_every_dag_says_its_schedule_and_catch_up(path):
    """Their defaults have changed between versions of Airflow, and a setting changes one."""
    for call in dag_calls(path):
        assert {"schedule", "catchup", "start_date", "max_active_runs"} <= written(call)


def test_each_dag_is_made_where_the_rules_look(bag):
    """A DAG made by another name than DAG or dag would slip under the rule above."""
    for dag in bag.dags.values():
        assert dag_calls(Path(dag.fileloc)), dag.dag_id
