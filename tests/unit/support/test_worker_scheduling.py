"""How the processes of `make test` share the tests, and that no result is lost between them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.worker_scheduling import SHARE_AIRFLOW, START_AIRFLOW, group_of

ROOT = Path(__file__).parents[3]
PLUGINS = """
from tests.support.unexplained_skips import UnexplainedSkips
from tests.support.worker_scheduling import WorkerScheduling

def pytest_configure(config):
    config.pluginmanager.register(UnexplainedSkips(), "skips")
    config.pluginmanager.register(WorkerScheduling(), "scheduling")
"""
NOTES_ITS_WORKER = """
import os
from pathlib import Path

def test_a(): Path("workers", __file__[-5:-3] + "1").write_text(os.environ["PYTEST_XDIST_WORKER"])
def test_b(): Path("workers", __file__[-5:-3] + "2").write_text(os.environ["PYTEST_XDIST_WORKER"])
"""


@pytest.fixture
def run_shared(tmp_path):
    """Runs these test files with this suite's plugins, in two processes by default."""

    def run(processes: int = 2, **files: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "conftest.py").write_text(PLUGINS)
        (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
        (tmp_path / "workers").mkdir()
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        command = [sys.executable, "-m", "pytest", "-n", str(processes), "-p", "no:cacheprovider"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    return run


def test_a_file_and_all_files_that_use_an_airflow_stay_with_one_process(run_shared, tmp_path):
    names = ["test_01", "test_02", "test_03", "test_airflow", "test_scheduler", "test_lessons"]
    run = run_shared(**dict.fromkeys(names, NOTES_ITS_WORKER))
    assert run.returncode == 0, run.stdout
    workers = {path.name: path.read_text() for path in (tmp_path / "workers").iterdir()}
    assert len(workers) == 12
    assert all(workers[name] == workers[f"{name[:-1]}2"] for name in workers)
    assert len({workers["ow1"], workers["er1"], workers["ns1"]}) == 1
    assert set(workers.values()) == {"gw0", "gw1"}


@pytest.mark.parametrize(
    "skip", ["def test_x(): pytest.skip()", "pytest.skip(allow_module_level=True)"]
)
def test_a_skip_without_a_reason_fails_a_run_that_is_shared_too(run_shared, skip):
    run = run_shared(test_fine="def test_fine(): pass", test_skip=f"import pytest\n{skip}\n")
    assert run.returncode == pytest.ExitCode.TESTS_FAILED, run.stdout
    assert "skipped without a reason" in run.stdout
    assert "1 skipped in" in run.stdout.splitlines()[-1]


def e2e_files_with(*words: str) -> set[str]:
    """Names the files of tests/e2e in which one of these words is."""
    paths = (ROOT / "tests" / "e2e").glob("test_*.py")
    return {path.name for path in paths if any(word in path.read_text() for word in words)}


def test_the_files_that_use_an_airflow_are_there_and_no_others():
    """After a rename two of them could run at once."""
    assert e2e_files_with('command("airflow")', 'local(home, "lessons"') == set(START_AIRFLOW)
    assert e2e_files_with("shared_airflow") == set(SHARE_AIRFLOW)
    assert e2e_files_with("real_airflow(") == set()


def test_the_last_file_that_shares_an_airflow_stops_it():
    """Before that, it would be missing; later, it would keep a core busy beside other tests."""
    assert e2e_files_with("shared_airflow.stop()") == {SHARE_AIRFLOW[-1]}


def test_the_files_that_share_an_airflow_run_first_and_in_their_order(run_shared, tmp_path):
    order = "def test_a():\n    with open('order', 'a') as file: print(__name__, file=file)\n"
    names = ["test_aa", *(name.removesuffix(".py") for name in sorted(SHARE_AIRFLOW))]
    run = run_shared(processes=0, **dict.fromkeys(names, order))
    assert run.returncode == 0, run.stdout
    ran = (tmp_path / "order").read_text().split()
    assert ran == [*(name.removesuffix(".py") for name in SHARE_AIRFLOW), "test_aa"]


def test_a_test_has_the_group_of_its_file():
    assert group_of("tests/unit/test_x.py::test_a[b::c]") == "tests/unit/test_x.py"
    assert group_of("tests/e2e/test_airflow.py::test_a") == group_of(
        "tests/e2e/test_lessons.py::test_b"
    )


def test_processes_that_pack_a_file_at_other_times_run_the_same_tests(run_shared):
    run = run_shared(
        test_1="import os, pytest\n"
        '@pytest.mark.parametrize("packed", [os.urandom(4), os.urandom(4)])\n'
        "def test_a(packed): pass\n"
    )
    assert run.returncode == 0, run.stdout
