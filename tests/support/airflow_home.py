"""The fixtures of Airflow homes. Only the tests that use them wait for a metadata database.

- `airflow_db` is a migrated database of this process, for `dag.test()` in the test's process.
- `airflow_home` is a home of one test module, for the programs that its tests start with
  `airflow_home.environ`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from include.local.airflow.home import airflow_settings, migrate
from include.local.state import PROJECT, locked
from tests.support.airflow_isolation import airflow_environ


@dataclass(frozen=True)
class AirflowHome:
    """A folder with a migrated SQLite database, and the environment of a program that uses it."""

    path: Path
    environ: dict[str, str]


@pytest.fixture(scope="session")
def airflow_template(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A migrated SQLite database. It is made once in a run (about 9 s), and copied by its users."""
    run = tmp_path_factory.getbasetemp()
    # xdist gives each process its own folder inside the folder of the run.
    home = (run.parent if hasattr(request.config, "workerinput") else run) / "airflow-template"
    database = home / "airflow" / "airflow.db"
    with locked(home):
        if not database.exists():
            migrate(airflow_settings(home), home / "migrate.log")
    return database


@pytest.fixture(scope="session")
def airflow_db(airflow_template: Path) -> Path:
    """A migrated metadata database of this process, as `dag.test()` needs it."""
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
    environ = {**os.environ, **airflow_environ(home), "PYTHONPATH": os.pathsep.join(path)}
    return AirflowHome(home / "airflow", environ)
