"""One real Airflow for all test files that need one and do not test its start.

The start of Airflow's programs costs half a minute of processor time. The files use it one after
the other: each adds its DAG files, and has the warehouse empty. The last one stops it.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from include.landfall.connections import Store, Warehouse
from include.local.services.environ import connections
from tests.support.databases import fresh_database
from tests.support.real_airflow import RealAirflow, new_home, real_airflow

# Seconds without a heartbeat after which another triggerer takes the triggers.
TRIGGERER_SECONDS = 10


@dataclass(frozen=True)
class SharedAirflow:
    """A running Airflow with one warehouse, and the folders that its tasks use."""

    airflow: RealAirflow
    server: Warehouse
    database: str
    folder: Path
    programs: ExitStack

    @property
    def files(self) -> Path:
        """The folder of local files, USES_FOLDER for the tasks."""
        return self.folder / "files"

    @property
    def lineage(self) -> Path:
        """The file of OpenLineage's events, of the DAGs that enable them."""
        return self.folder / "events"

    def add_dags(self, *paths: Path) -> None:
        """Copies files into the folder of DAGs: a module before the files that import it.

        The DAG processor looks there all the time, and must not read a file without its end.
        """
        for path in paths:
            shutil.copy(path, self.folder)
            (self.folder / path.name).rename(self.folder / "dags" / path.name)

    def empty_warehouse(self) -> AbstractContextManager[Warehouse]:
        """Makes the database of the connection `warehouse` for one file's tests."""
        return fresh_database(self.server, self.database)

    def stop(self) -> None:
        """Stops Airflow's programs."""
        self.programs.close()


@pytest.fixture(scope="session")
def shared_airflow(
    warehouse_server: Warehouse, object_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedAirflow]:
    """The Airflow of the files in `worker_scheduling.SHARE_AIRFLOW`, which run in that order."""
    folder = tmp_path_factory.mktemp("shared-airflow")
    (folder / "dags").mkdir()
    database = f"test_{uuid.uuid4().hex[:12]}"
    transport = {"type": "file", "log_file_path": str(folder / "events"), "append": True}
    environ = {
        **connections(replace(warehouse_server, dbname=database), object_store),
        "USES_FOLDER": str(folder / "files"),
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": str(TRIGGERER_SECONDS),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport),
        "AIRFLOW__OPENLINEAGE__EXECUTION_TIMEOUT": "120",
        # Only a DAG that calls enable_lineage makes events: each costs a second.
        "AIRFLOW__OPENLINEAGE__SELECTIVE_ENABLE": "True",
    }
    with ExitStack() as programs:
        airflow = programs.enter_context(
            real_airflow(new_home(folder), warehouse_server, folder / "dags", environ)
        )
        yield SharedAirflow(airflow, warehouse_server, database, folder, programs)
