"""Opens a classroom: the local services and an Airflow, for as long as the lessons last."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from rich.console import Console

from include.landfall.s3.client import make_client
from include.local.airflow.programs import airflow_programs, find_airflow, prepare, wait_ready
from include.local.course.classroom import Classroom
from include.local.demo.seed import ensure_bucket
from include.local.services import control as services
from include.local.services.control import Services
from include.local.services.environ import exports
from include.local.services.program import Program

# What differs from `make airflow`: more tasks at once than there are cores, because tasks of
# lessons wait a lot, and a DAG file is read again only when it has changed.
FASTER = {
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}


@contextmanager
def open_classroom(home: Path, console: Console) -> Iterator[tuple[Classroom, list[Program]]]:
    """The Airflow that runs in this home, else one of our own; what was started is stopped.

    Gives back the programs that were started too: none, where Airflow ran already.
    """
    before = services.alive(home)
    try:
        with console.status("starting PostgreSQL and the object store"):
            found = services.up(home)
            _make_places(found)
        api = find_airflow(home)
        if api:
            console.print(f"Airflow runs already, at {api.address}")
            yield Classroom(api, home, {**os.environ, **exports(home, found)}, found), []
        else:
            with console.status("preparing Airflow's metadata"):
                # Nobody looks at this page, so its port need not be one that people know.
                environ = prepare(home, found, ports=()) | FASTER
            with airflow_programs(home, environ) as programs:
                with console.status("starting Airflow (about 20 s)"):
                    api = wait_ready(home, programs)
                yield Classroom(api, home, environ, found), programs
    finally:
        if not before:
            services.down(home)


def _make_places(found: Services) -> None:
    """The bucket and the schema of the lessons: two that make one at once would collide."""
    ensure_bucket(make_client(found.object_store.store))
    with psycopg.connect(found.postgres.warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS lessons")
