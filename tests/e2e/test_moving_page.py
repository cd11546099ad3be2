"""The commands and the snippets of docs/moving.md do what the page says."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.support.astro_dags import World, world

__all__ = ["world"]

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "moving.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)\n *```", PAGE, re.DOTALL)
RUFF, SETTINGS = SHELL[0].strip(), [text.strip() for text in SHELL[1:3]]
# Each pair of the page's table that is a whole line of Python.
IMPORTS = [
    ("from airflow.datasets import Dataset\na = Dataset('x')", "from airflow.sdk import Asset"),
    ("from airflow.decorators import task\n@task\ndef a(): ...", "from airflow.sdk import task"),
    (
        "from airflow.operators.python import PythonOperator\na = PythonOperator(task_id='a')",
        "from airflow.providers.standard.operators.python import PythonOperator",
    ),
]


def snippet(name: str) -> str:
    """A Python snippet of the page."""
    (text,) = re.findall(rf"```python {name}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def moved(tmp_path: Path, text: str) -> str:
    """A DAG file after the page's command."""
    path = tmp_path / "dags" / "a.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    command = shlex.split(RUFF.replace(".venv/bin/ruff", f"{PROJECT}/.venv/bin/ruff"))
    subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
    return path.read_text()


def test_the_command_turns_the_file_before_into_the_file_after(tmp_path: Path) -> None:
    before, after = moved(tmp_path, snippet("before")), snippet("after")
    assert sorted(ast.dump(node) for node in ast.parse(before).body) == sorted(
        ast.dump(node) for node in ast.parse(after).body
    )


@pytest.mark.parametrize(("before", "after"), IMPORTS)
def test_the_command_changes_the_imports_of_the_table(
    tmp_path: Path, before: str, after: str
) -> None:
    assert after in moved(tmp_path, before)
    assert f"`{after}`" in PAGE or after.removeprefix("from airflow.sdk import ") in PAGE


def test_the_file_after_is_a_dag_of_this_airflow(world: World) -> None:
    given: dict[str, object] = {}
    exec(compile(snippet("after"), "after.py", "exec"), given)
    dag = given["dag"]
    assert set(dag.task_ids) == {"load_file", "large", "cleanup"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_settings_of_dates_are_settings_of_this_airflow(
    setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.configuration import conf

    name, _, value = setting.removeprefix("export ").partition("=")
    section, _, option = name.removeprefix("AIRFLOW__").lower().partition("__")
    assert conf.has_option(section, option)
    assert conf.get(section, option) == "False"
    monkeypatch.setenv(name, value)
    assert conf.get(section, option) == value
