"""The Airflow of this machine: where its home is, how it is set, its metadata database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from .state import PROJECT, LocalError

# What may come out of XCom and the metadata database: Airflow's own, the SDK's, the project's.
DESERIALISED = "airflow.* astro.* include.*"


def airflow_settings(home: Path) -> dict[str, str]:
    """The settings of an Airflow whose home is `home`/airflow, on SQLite unless told otherwise."""
    folder = home / "airflow"
    return {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES": DESERIALISED,
        # astro-sdk reads it at import; Airflow 3 no longer has it.
        "AIRFLOW__CORE__ENABLE_XCOM_PICKLING": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(PROJECT),
    }


def migrate(settings: Mapping[str, str], log: Path) -> None:
    """Make or bring up to date the metadata database. Raises LocalError, naming the log."""
    Path(settings["AIRFLOW_HOME"]).mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        result = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            check=False, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=PROJECT,
            env={**os.environ, **settings},
        )  # fmt: skip
    if result.returncode:
        raise LocalError("Airflow could not make its metadata database", do=f"read {log}")
