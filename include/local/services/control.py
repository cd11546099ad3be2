"""The local services together: start, find and stop them, and delete their data."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from include.local.services import object_store, postgres_server, redis_server
from include.local.services.leftovers import stop_leftovers
from include.local.services.life_cycle import Service
from include.local.services.object_store import ObjectStore, start_object_store
from include.local.services.postgres_server import Postgres, start_postgres
from include.local.services.redis_server import Redis
from include.local.state import LocalError, locked

LOGS = "logs"  # the folder of the logs of programs


@dataclass(frozen=True)
class Services:
    """The running services that a load needs."""

    postgres: Postgres
    object_store: ObjectStore


# What `make up` starts, each by the name of its folder.
SERVICES: dict[str, type[Service]] = {
    postgres_server.NAME: Postgres,
    object_store.NAME: ObjectStore,
}
# `make up` does not start Redis, but it still runs when `make reports` was killed.
ALL_SERVICES = SERVICES | {redis_server.NAME: Redis}


def up(home: Path) -> Services:
    """Starts what does not run yet.

    Raises: LocalError when one cannot start.
    """
    with locked(home), ThreadPoolExecutor() as pool:
        postgres = pool.submit(start_postgres, home / postgres_server.NAME)
        store = pool.submit(start_object_store, home / object_store.NAME)
        return Services(postgres.result(), store.result())


@contextmanager
def services_while_needed(home: Path) -> Iterator[Services]:
    """Yields the services, and starts those that do not run.

    Stops them at the end, unless one of them ran before.

    Raises: LocalError when one cannot start.
    """
    ran_before = alive(home)
    try:
        yield up(home)
    finally:
        if not ran_before:
            down(home)


def find(home: Path) -> dict[str, Service | None]:
    """Finds each service by name; None for a service that does not run."""
    return {name: service.find(home / name) for name, service in SERVICES.items()}


def alive(home: Path) -> list[str]:
    """Returns the names of the services that run."""
    return [name for name, service in find(home).items() if service is not None]


def running(home: Path) -> Services:
    """Returns the services, all of which must run.

    Raises: LocalError when one does not.
    """
    postgres = Postgres.find(home / postgres_server.NAME)
    store = ObjectStore.find(home / object_store.NAME)
    if postgres is None or store is None:
        missing = postgres_server.NAME if postgres is None else object_store.NAME
        raise LocalError(f"the local service {missing} does not run", do="make up")
    return Services(postgres, store)


def down(home: Path) -> list[str]:
    """Stops the services that run, and what a killed command has left; returns their names."""
    left = stop_leftovers(home / LOGS)
    with locked(home), ThreadPoolExecutor() as pool:
        services = {name: service.find(home / name) for name, service in ALL_SERVICES.items()}
        to_stop = {name: service for name, service in services.items() if service is not None}
        list(pool.map(lambda service: service.stop(), to_stop.values()))
    return [*left, *to_stop]


def clean(home: Path) -> None:
    """Stops the services, and deletes their data and everything that refers to it."""
    down(home)
    for name, service in ALL_SERVICES.items():
        service.delete(home / name)
    # By name: LANDFALL_LOCAL may name a folder that holds other things too.
    for name in ("airflow", "demo", LOGS, "reports"):
        shutil.rmtree(home / name, ignore_errors=True)
