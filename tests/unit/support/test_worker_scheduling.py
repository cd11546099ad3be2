"""What `make test` shares out to two processes comes back as one run, that hides nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.worker_scheduling import WHOLE_AIRFLOW, scope

ROOT = Path(__file__).parents[3]
PLUGINS = """
from tests.support.unexplained_skips import Skips
from tests.support.worker_scheduling import Workers

def pytest_configure(config):
    config.pluginmanager.register(Skips([]), "skips")
    config.pluginmanager.register(Workers(), "workers")
"""
SHARED = """
import os
from pathlib import Path

def test_a(): Path("seen", __file__[-5:-3] + "1").write_text(os.environ["PYTEST_XDIST_WORKER"])
def test_b(): Path("seen", __file__[-5:-3] + "2").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


@pytest.fixture
def shared(tmp_path):
    """A run by two processes over these files, with the plugins of this suite."""

    def run(**files: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_text(PLUGINS)
        (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
        (tmp_path / "seen").mkdir()
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    return run


def test_a_file_and_all_files_that_start_an_airflow_stay_with_one_process(shared, tmp_path):
    names = ["test_01", "test_02", "test_03", "test_airflow", "test_scheduler", "test_lessons"]
    done = shared(**dict.fromkeys(names, SHARED))
    assert done.returncode == 0, done.stdout
    seen = {path.name: path.read_text() for path in (tmp_path / "seen").iterdir()}
    assert len(seen) == 12
    assert all(seen[name] == seen[f"{name[:-1]}2"] for name in seen)
    assert len({seen["ow1"], seen["er1"], seen["ns1"]}) == 1
    assert set(seen.values()) == {"gw0", "gw1"}


@pytest.mark.parametrize(
    "skip", ["def test_x(): pytest.skip()", "pytest.skip(allow_module_level=True)"]
)
def test_a_skip_without_a_reason_fails_a_run_that_is_shared_too(shared, skip):
    done = shared(test_fine="def test_fine(): pass", test_skip=f"import pytest\n{skip}\n")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout
    assert "skipped without a reason" in done.stdout
    assert "1 skipped in" in done.stdout.splitlines()[-1]


def test_the_files_that_start_an_airflow_are_there_and_no_others():
    """A file that was renamed would have two of them run at once."""
    folder = ROOT / "tests" / "e2e"
    words = ('command("airflow")', '"lessons"', "real_airflow(")
    starts = {
        path.name
        for path in folder.glob("test_*.py")
        if any(word in path.read_text() for word in words)
    }
    assert starts == set(WHOLE_AIRFLOW)


def test_a_test_has_the_scope_of_its_file():
    assert scope("tests/unit/test_x.py::test_a[b::c]") == "tests/unit/test_x.py"
    assert scope("tests/e2e/test_airflow.py::test_a") == scope("tests/e2e/test_lessons.py::test_b")
