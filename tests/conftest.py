"""Every test run: its servers, an Airflow home of its own, and plugins that hide no result."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.airflow_isolation import isolate_airflow
from tests.support.image_run import is_left_out, missing_plugins
from tests.support.run_summary import RunSummary
from tests.support.unexplained_skips import UnexplainedSkips

MISSING = missing_plugins()
# The modules whose fixtures every test can use.
pytest_plugins = ["tests.support.airflow_home"]
if not MISSING:
    from tests.support.server_choice import server_line
    from tests.support.worker_scheduling import WorkerScheduling

    pytest_plugins += [
        "tests.support.certificates",
        "tests.support.postgres_pair",
        "tests.support.servers",
        "tests.support.shared_airflow",
    ]

SECONDS = 120  # for a test with its fixtures; a slower test sets its own
THIS_MACHINE = "127.0.0.1,::1,localhost"
airflow_home_key = pytest.StashKey[Path]()
NEEDS_DOCKER = Path(__file__).parent / "containers"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Runs before any test module, and so before Airflow, is imported."""
    config.stash[airflow_home_key] = isolate_airflow()
    config.pluginmanager.register(UnexplainedSkips(), "landfall-unexplained-skips")
    config.pluginmanager.register(RunSummary(), RunSummary.NAME)
    if not MISSING:
        config.pluginmanager.register(WorkerScheduling(), "landfall-worker-scheduling")
        _limit_tests(config)


def _limit_tests(config: pytest.Config) -> None:
    """Sets the options of pytest-timeout and pytest-socket.

    In pyproject.toml they would be unknown settings where the plugins are not installed.
    """
    if config.option.timeout is None:
        config.option.timeout = SECONDS
    # Tests reach this machine only: the servers that they start listen on it.
    config.option.allow_unix_socket = True
    config.option.allow_hosts = config.option.allow_hosts or THIS_MACHINE


def pytest_unconfigure(config: pytest.Config) -> None:
    """Removes the Airflow home of the run."""
    home = config.stash.get(airflow_home_key, None)
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)


def pytest_report_header() -> str:
    """Says which servers this run uses."""
    if not MISSING:
        return server_line()
    return (
        f"no {', '.join(MISSING)}: only the tests that the Astro image can run; make test runs all"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves tests/containers out unless an argument names it.

    `pytest tests` must also run where there is no Docker. Where pytest has no plugins, what needs
    more is left out too.
    """
    if MISSING and is_left_out(collection_path):
        return True
    if collection_path != NEEDS_DOCKER:
        return None
    arguments = [config.invocation_params.dir / each.partition("::")[0] for each in config.args]
    return None if any(NEEDS_DOCKER in (path, *path.parents) for path in arguments) else True
