"""`astro dev pytest` as a user types it: the image has pytest, and no plugin and no tool."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Airflow brings these, so the image has them.
IN_THE_IMAGE = {"apache-airflow", "psutil", "pytest", "rich"}
KEPT = "PATH HOME TMPDIR LANG SSL_CERT_FILE PYTHONDONTWRITEBYTECODE".split()


def tools() -> set[str]:
    """Returns the modules of the packages that only developers install."""
    listed = [ROOT / "requirements-dev.in", ROOT / "include/local/celery/requirements.txt"]
    text = "\n".join(path.read_text() for path in listed)
    names = set(re.findall(r"^([\w-]+)(?=\S*==)", text, re.MULTILINE)) - IN_THE_IMAGE
    modules = importlib.metadata.packages_distributions()
    return {
        module
        for module, packages in modules.items()
        if {re.sub(r"[-_.]+", "-", package).lower() for package in packages}
        & {name.lower() for name in names}
    }


@pytest.fixture
def image(tmp_path):
    """Runs a command in the project with Pythons that cannot import a tool."""
    blocked = sorted(tools() - {"airflow"})
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nsys.modules.update(dict.fromkeys({blocked!r}))\n"
    )
    environ = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ["PYTHONPATH"] = os.pathsep.join((str(tmp_path), str(ROOT)))
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=ROOT, env=environ, capture_output=True, text=True, check=False,
        )  # fmt: skip

    return run


def test_the_tools_are_blocked():
    assert {"pytest_mock", "pytest_socket", "pytest_timeout", "xdist", "hypothesis"} <= tools()
    assert not {"pytest", "pyarrow", "psycopg", "pydantic"} & tools()


def test_all_tests_that_the_image_can_run_are_collected(image):
    result = image("tests", "--collect-only", "-q")
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(re.search(r"(\d+) tests collected", result.stdout)[1]) > 1000
    folders = {line.split("/")[1] for line in result.stdout.splitlines() if "::" in line}
    assert folders == {"unit"}


def test_a_test_of_the_engine_and_one_of_a_lesson_pass(image):
    files = ("tests/unit/landfall/test_types.py", "tests/unit/dags/lessons/test_packages.py")
    result = image(*files)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "passed" in result.stdout
    assert "no pytest_mock, pytest_socket" in result.stdout
