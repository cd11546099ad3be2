"""What `astro dev parse` runs: every DAG file imports, without connections, variables or network.

The project's own, since the one that the Astro CLI writes dies on Airflow 3.3: DagBag has lost its
`include_examples`. Like that one it answers for what only a Deployment has: a connection is an
empty one, a variable and an environment variable without a default are made up.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

EXCEPTIONS = Path(__file__).with_name("dag_integrity_exceptions.txt")
PROJECT = Path(__file__).resolve().parents[1]
FOLDERS = tuple(str(PROJECT / name) for name in ("dags", "include", "plugins"))
NOTHING = object()
# DAG files import from the project's folder. Without an image, the CLI's path is only include.
sys.path.insert(0, str(PROJECT))


class MadeUp(dict):
    """A JSON variable, whatever its keys."""

    def __missing__(self, key):
        """Answer any key."""
        return f"MADE_UP_{key}"


def made_up_connection(conn_id):
    """Stand in for BaseHook.get_connection: empty, but for its id."""
    from airflow.sdk import Connection

    return Connection(conn_id=conn_id, conn_type="generic")


def made_up_variable(key, default=NOTHING, deserialize_json=False, default_var=NOTHING):
    """Stand in for Variable.get, with either name of its default."""
    for given in (default, default_var):
        if given is not NOTHING:
            return given
    return MadeUp() if deserialize_json else f"MADE_UP_{key}"


def made_up_environment(key, default=None):
    """Stand in for os.getenv: what is set or defaulted, or, for the project, made up.

    Libraries ask too, while DAG files import them, and would take anything made up for a setting.
    """
    caller = sys._getframe(1)  # noqa: SLF001  CPython's own way to ask who calls
    asked_by_us = caller.f_code.co_filename.startswith(FOLDERS)
    if key in os.environ or default is not None or not asked_by_us:
        return os.environ.get(key, default)
    return f"MADE_UP_{key}"


@pytest.fixture
def made_up_world(monkeypatch):
    """Let DAG files find a connection, a variable or an environment variable of any name."""
    from airflow.sdk import BaseHook, Connection, Variable

    monkeypatch.setattr(BaseHook, "get_connection", made_up_connection)
    monkeypatch.setattr(Connection, "get", made_up_connection)
    monkeypatch.setattr(Variable, "get", made_up_variable)
    monkeypatch.setattr(os, "getenv", made_up_environment)


def exempt():
    """Files that dag_integrity_exceptions.txt lets off, relative to the project."""
    lines = EXCEPTIONS.read_text().splitlines() if EXCEPTIONS.exists() else []
    return {line.strip() for line in lines if not line.startswith("#")}


def test_every_dag_file_imports(made_up_world):
    """A file that does not import has no DAG, and whoever waits for its tables waits in vain."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(PROJECT / "dags", bundle_path=PROJECT)
    errors = [
        f"{file}\n{error}" for file, error in bag.import_errors.items() if file not in exempt()
    ]
    assert not errors, "\n\n".join(errors)
    assert bag.dags, "no DAG at all was found in dags/"
