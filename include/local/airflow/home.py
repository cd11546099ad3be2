"""The Airflow of this machine: its home, its settings, its metadata database.

The metadata is in a database of its own on the local PostgreSQL: LocalExecutor, scheduler and
triggerer write at the same time, and on SQLite they would wait for each other's locks.
"""

from __future__ import annotations

import base64
import importlib.metadata
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping
from configparser import RawConfigParser
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from include.landfall.connections import Warehouse
from include.local.services.postgres_server import create_database
from include.local.services.process import LOCALHOST
from include.local.state import PROJECT, LocalError, read_state, write_private, write_state

NAME = "airflow"
USER = "admin"
PORT = 8080
# The classes that XCom and the metadata database may hold: Airflow's, the SDK's, the project's.
DESERIALISED = "airflow.* astro.* include.*"
XCOM_BACKEND = "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend"


def airflow_settings(home: Path) -> dict[str, str]:
    """Returns the settings of an Airflow in `home`/airflow, with its metadata in SQLite."""
    folder = home / NAME
    return {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # A task begins with seconds of imports: the default, 32 at once, times out on a laptop.
        "AIRFLOW__CORE__PARALLELISM": str(max(2, os.cpu_count() or 2)),
        "AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES": DESERIALISED,
        # On a machine that is busy with other programs an import takes more than 30 s, the default:
        # Airflow would then drop every DAG of the file. Its whole process may take a minute longer.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "120",
        "AIRFLOW__DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": "180",
        # A task that has ended keeps its slot for up to this long: 5 s by default.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # astro-sdk reads it at import; Airflow 3 no longer has it.
        "AIRFLOW__CORE__ENABLE_XCOM_PICKLING": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(PROJECT),
    }


def local_settings(home: Path, server: Warehouse) -> dict[str, str]:
    """Returns the settings of the developer's Airflow: its metadata is on the local PostgreSQL."""
    state = _state(home / NAME)
    address = f"http://{LOCALHOST}:{state['port']}"
    login = f"{server.user}:{quote(server.password or '', safe='')}"
    return {
        **airflow_settings(home),
        # psycopg 3 is what the pinned providers use too; Airflow adds asyncpg by itself.
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (
            f"postgresql+psycopg://{login}@{server.host}:{server.port}/{NAME}"
        ),
        # An XCom of a megabyte or more is an object in the bucket; the metadata has its address.
        "AIRFLOW__CORE__XCOM_BACKEND": XCOM_BACKEND,
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH": "s3://landing@landing/xcom",
        "AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD": "1000000",
        "AIRFLOW__CORE__FERNET_KEY": state["fernet_key"],
        "AIRFLOW__API__SECRET_KEY": state["secret_key"],
        "AIRFLOW__API_AUTH__JWT_SECRET": state["jwt_secret"],
        "AIRFLOW__API__HOST": LOCALHOST,
        "AIRFLOW__API__PORT": str(state["port"]),
        "AIRFLOW__API__BASE_URL": address,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / NAME / "passwords.json"),
    }


def shell_settings(home: Path, server: Warehouse) -> dict[str, str]:
    """Returns what a shell needs so that `airflow` there reads this home; writes its settings.

    The settings are in the home's airflow.cfg, because another Airflow that starts from the same
    shell must not take them for its own: one that the Astro CLI starts has its own home and its own
    database. The address is for all of them: no other machine may reach an Airflow of this shell.
    """
    write_config(home, server)
    return {"AIRFLOW_HOME": str(home / NAME), "AIRFLOW__API__HOST": LOCALHOST}


def write_config(home: Path, server: Warehouse) -> None:
    """Writes the settings of the developer's Airflow into its airflow.cfg."""
    config = RawConfigParser()
    for name, value in local_settings(home, server).items():
        prefix, _, option = name.partition("__")
        if prefix == "AIRFLOW":
            section, _, key = option.lower().partition("__")
            if not config.has_section(section):
                config.add_section(section)
            # Airflow replaces %(name)s in the values of this file.
            config.set(section, key, value.replace("%", "%%"))
    text = StringIO()
    config.write(text)
    (home / NAME).mkdir(parents=True, exist_ok=True)
    write_private(home / NAME / "airflow.cfg", text.getvalue())


def use_port(home: Path, port: int) -> None:
    """Sets the API server's port for this and later starts."""
    write_state(home / NAME, _state(home / NAME) | {"port": port})


def last_port(home: Path) -> int:
    """Returns the API server's port at its last start."""
    return int(_state(home / NAME)["port"])


def password_of(home: Path) -> str:
    """Returns the password of the user `admin`."""
    return str(_state(home / NAME)["password"])


def write_login(home: Path) -> str:
    """Writes the login of the user `admin` for the simple auth manager; returns the password."""
    password = password_of(home)
    write_private(home / NAME / "passwords.json", json.dumps({USER: password}))
    return password


def prepare_metadata(home: Path, server: Warehouse) -> None:
    """Makes the metadata database, or migrates it where another version of Airflow did so last."""
    version = importlib.metadata.version("apache-airflow")
    created = create_database(server, NAME)
    state = _state(home / NAME)
    if created or state.get("migrated") != version:
        migrate(local_settings(home, server), home / "logs" / "airflow-migrate.log")
        write_state(home / NAME, state | {"migrated": version})


def migrate(settings: Mapping[str, str], log: Path) -> None:
    """Makes a metadata database, or migrates it to this version of Airflow.

    Raises: LocalError, which names the log.
    """
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


def _state(folder: Path) -> dict[str, Any]:
    """The keys and the password of this Airflow, made on first use."""
    state = read_state(folder)
    if "fernet_key" in state:
        return state
    state = {
        "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "secret_key": secrets.token_urlsafe(32),
        "jwt_secret": secrets.token_urlsafe(48),
        "password": secrets.token_urlsafe(12),
        "port": PORT,
    }
    write_state(folder, state)
    return state
