"""An Airflow for the tests: a home of their own, never the developer's.

Airflow reads its settings when it is first imported, so `isolate` puts them into the environment
before any test module is collected. The metadata database is made only for the tests that ask:

- `airflow_db`: this process's own database, migrated. For `dag.test()` in the test's process.
- `airflow_home`: another home, for one module, for programs that the test starts: pass
  `airflow_home.environ` to them.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.local.airflow.home import airflow_settings, migrate
from include.local.services.environ import around_proxies
from include.local.state import PROJECT, locked

# What a developer's shell may hold that would send a test to a real server.
FOREIGN = ("AIRFLOW_", "AIRFLOW__", "AWS_", "PG", "AIRFLOW_CONN_")


@dataclass(frozen=True)
class AirflowHome:
    """A folder with a migrated SQLite database, and the whole environment of a program there."""

    path: Path
    environ: dict[str, str]


def isolate() -> Path:
    """Give this process an empty Airflow home and no settings of the developer's shell."""
    home = Path(tempfile.mkdtemp(prefix="landfall-airflow-"))
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            del os.environ[name]
    os.environ.update(settings(home) | around_proxies())
    return home


def settings(home: Path) -> dict[str, str]:
    """What Airflow must have in its environment to live in `home`."""
    return {
        **airflow_settings(home),
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(48),
        # A test must not wait for the file system or the network of a metric.
        "AIRFLOW__METRICS__STATSD_ON": "False",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="session")
def airflow_template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A migrated SQLite database, made once for the run (about 9 s) and only ever copied."""
    run = tmp_path_factory.getbasetemp()
    # Where processes share the run, each has a folder of its own in the run's.
    home = (run.parent if hasattr(request.config, "workerinput") else run) / "airflow-template"
    database = home / "airflow" / "airflow.db"
    with locked(home):
        if not database.exists():
            migrate(airflow_settings(home), home / "migrate.log")
    return database


@pytest.fixture(scope="session")
def airflow_db(airflow_template: Path) -> Path:
    """This process's own metadata database, migrated: what `dag.test()` needs."""
    target = Path(os.environ["AIRFLOW_HOME"]) / "airflow.db"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(airflow_template, target)
    return target


@pytest.fixture(scope="module")
def airflow_home(airflow_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AirflowHome:
    """A migrated home for one module, for the programs that its tests start."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "airflow").mkdir()
    shutil.copyfile(airflow_template, home / "airflow" / "airflow.db")
    path = [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environ = {**os.environ, **settings(home), "PYTHONPATH": os.pathsep.join(path)}
    return AirflowHome(home / "airflow", environ)
