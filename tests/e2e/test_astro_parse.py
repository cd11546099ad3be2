"""The check of `astro dev parse`: every DAG imports without a Deployment's connections."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IGNORED = shutil.ignore_patterns("__pycache__")
LIBRARIES_ASK = "PATH HOME TMPDIR LANG SSL_CERT_FILE PYTHONDONTWRITEBYTECODE".split()


@pytest.fixture
def image(tmp_path):
    """A folder like the Astro image's: Airflow's home, on the Python path, without a DAG yet."""
    shutil.copytree(ROOT / ".astro", tmp_path / ".astro", ignore=IGNORED)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "dags").mkdir()
    return tmp_path


def parse(folder: Path, path: str = ".") -> subprocess.CompletedProcess[str]:
    """Runs what the CLI runs: no connection is set, no socket opens, pytest has no plugins.

    `path` is the Python path: the image's is its home.
    """
    kept = {name: os.environ[name] for name in LIBRARIES_ASK if name in os.environ}
    environ = kept | {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONPATH": str(folder / path),
    }
    shut = ["-p", "pytest_socket", "--disable-socket"]
    return subprocess.run(
        [Path(sys.executable).with_name("pytest"), *shut, ".astro/test_dag_integrity_default.py"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("path", [".", "include"])
def test_every_dag_of_the_project_parses(image, path):
    """Without an image, the CLI's Python path is the folder include (1.41) or the project."""
    for name in ("dags", "include", "plugins"):
        shutil.copytree(ROOT / name, image / name, ignore=IGNORED, dirs_exist_ok=True)
    result = parse(image, path)
    assert result.returncode == 0, result.stdout
    assert "1 passed" in result.stdout


def test_a_project_without_a_dag_fails(image):
    """Otherwise the check would pass when the DAGs were not copied into the image."""
    result = parse(image)
    assert result.returncode == 1
    assert "no DAG at all" in result.stdout


ASKS = """
import os
from airflow.sdk import BaseHook, Variable, dag
assert BaseHook.get_connection('warehouse').conn_id == 'warehouse'
assert Variable.get('of_no_deployment')
assert Variable.get('of_no_deployment', deserialize_json=True)['any']
assert Variable.get('of_no_deployment', default=1) == 1
assert os.getenv('OF_NO_DEPLOYMENT')
dag(dag_id='asks')(lambda: None)()
"""


def test_only_a_dag_file_that_does_not_import_fails_with_its_name_and_error(image):
    """A file that reads a connection or a variable of a Deployment gets an invented one."""
    (image / "dags/broken.py").write_text("from airflow.sdk import dag\n\n1 / 0\n")
    (image / "dags/asks.py").write_text(ASKS)
    result = parse(image)
    assert result.returncode == 1
    assert "dags/broken.py" in result.stdout
    assert "ZeroDivisionError" in result.stdout
    assert "asks.py" not in result.stdout
