"""Opens a classroom: the local services and an Airflow, until the lessons have ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg
from rich.console import Console

from include.landfall.s3.client import make_client
from include.local.airflow.programs import (
    airflow_programs,
    environ_of,
    find_airflow,
    prepare,
    the_only_airflow,
    wait_ready,
)
from include.local.course.classroom import Classroom
from include.local.demo.seed import ensure_bucket
from include.local.services.control import Services, services_while_needed
from include.local.services.program import Program

# What differs from `make airflow`: more tasks run at once than there are cores, because the tasks
# of lessons often wait, and a DAG file is read again only when it has changed.
FASTER = {
    "AIRFLOW__CORE__PARALLELISM": "4",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
}


@contextmanager
def open_classroom(home: Path, console: Console) -> Iterator[tuple[Classroom, list[Program]]]:
    """Opens a room with the Airflow that runs in this home, or else with one that it starts.

    Yields the programs that it has started too; at the end it stops everything that it has
    started.

    Raises: LocalError when a part cannot start.
    """
    with ExitStack() as stack:
        api = find_airflow(home)
        if api is None:  # before the servers: whoever is refused here must stop none of them
            stack.enter_context(the_only_airflow(home))
        with console.status("starting PostgreSQL and the object store"):
            services = stack.enter_context(services_while_needed(home))
            client = stack.enter_context(closing(make_client(services.object_store.store)))
            ensure_bucket(client)
            _make_schema(services)
        if api:
            console.print(f"Airflow runs already, at {api.address}")
            environ = environ_of(home, services)
            yield Classroom(api, home, environ, services, client), []
            return
        with console.status("preparing Airflow's metadata"):
            # Nobody opens this Airflow's page by hand, so its port may be any.
            environ = prepare(home, services, ports=()) | FASTER
        programs = stack.enter_context(airflow_programs(home, environ))
        stack.callback(console.print, "stopping")
        with console.status("starting Airflow (about 20 s)"):
            api = wait_ready(home, programs)
        yield Classroom(api, home, environ, services, client), programs


def _make_schema(services: Services) -> None:
    """Makes the lessons' schema beforehand: two lessons that make it at once would collide."""
    with psycopg.connect(services.postgres.warehouse.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS lessons")
