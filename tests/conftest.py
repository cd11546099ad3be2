"""Every test run: its servers, an Airflow home of its own, and plugins that hide no result."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.airflow_isolation import isolate_airflow
from tests.support.run_summary import RunSummary
from tests.support.server_choice import server_line
from tests.support.unexplained_skips import UnexplainedSkips
from tests.support.worker_scheduling import WorkerScheduling

# The modules whose fixtures every test can use.
pytest_plugins = [
    "tests.support.airflow_home",
    "tests.support.certificates",
    "tests.support.postgres_pair",
    "tests.support.servers",
]

airflow_home_key = pytest.StashKey[Path]()
NEEDS_DOCKER = Path(__file__).parent / "containers"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Runs before any test module, and so before Airflow, is imported."""
    config.stash[airflow_home_key] = isolate_airflow()
    config.pluginmanager.register(UnexplainedSkips(), "landfall-unexplained-skips")
    config.pluginmanager.register(WorkerScheduling(), "landfall-worker-scheduling")
    config.pluginmanager.register(RunSummary(), RunSummary.NAME)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the Airflow home of the run."""
    home = config.stash.get(airflow_home_key, None)
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)


def pytest_report_header() -> str:
    """Says which servers this run uses."""
    return server_line()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves tests/containers out unless an argument names it.

    `pytest tests` must also run where there is no Docker, for instance in the Astro image.
    """
    if collection_path != NEEDS_DOCKER:
        return None
    arguments = [config.invocation_params.dir / each.partition("::")[0] for each in config.args]
    return None if any(NEEDS_DOCKER in (path, *path.parents) for path in arguments) else True
