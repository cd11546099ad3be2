"""What every test has: its servers, an Airflow home of its own, and a run that hides nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.airflow_home import airflow_db, airflow_home, airflow_template, isolate
from tests.support.run_summary import Answers
from tests.support.servers import (
    botocore_files,
    bucket,
    client,
    connections,
    databases,
    describe,
    object_store,
    used_bucket,
    warehouse,
    warehouse_server,
)
from tests.support.unexplained_skips import Skips
from tests.support.worker_scheduling import Workers

__all__ = [
    "airflow_db",
    "airflow_home",
    "airflow_template",
    "botocore_files",
    "bucket",
    "client",
    "connections",
    "databases",
    "object_store",
    "used_bucket",
    "warehouse",
    "warehouse_server",
]

home_key = pytest.StashKey[Path]()
NEEDS_DOCKER = Path(__file__).parent / "containers"


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before any test module, and so Airflow, is imported."""
    config.stash[home_key] = isolate()
    config.pluginmanager.register(Skips([]), "landfall-skips")
    config.pluginmanager.register(Workers(), "landfall-workers")
    config.pluginmanager.register(Answers(), Answers.NAME)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave nothing of the run behind."""
    home = config.stash.get(home_key, None)
    if home is not None:
        shutil.rmtree(home, ignore_errors=True)


def pytest_report_header() -> str:
    """Which servers this run is against."""
    return describe()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`pytest tests` does without Docker, in the Astro image for one: it is asked for by name."""
    if collection_path != NEEDS_DOCKER:
        return None
    asked = [config.invocation_params.dir / each.partition("::")[0] for each in config.args]
    return None if any(NEEDS_DOCKER in (path, *path.parents) for path in asked) else True
