"""All the local services together: up, down, which run, and their data gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from include.local.services import object_store
from include.local.services import postgres_server as postgres
from include.local.services import redis_server as redis
from include.local.services.object_store import (
    ObjectStore,
    find_object_store,
    remove_object_store,
    start_object_store,
)
from include.local.services.postgres_server import (
    Postgres,
    find_postgres,
    remove_postgres,
    start_postgres,
)
from include.local.services.process import Process
from include.local.services.redis_server import find_redis, remove_redis
from include.local.state import LocalError, locked


class Handle(Protocol):
    """What every running service can tell and do."""

    @property
    def process(self) -> Process: ...  # noqa: D102

    @property
    def folder(self) -> Path: ...  # noqa: D102

    @property
    def address(self) -> str: ...  # noqa: D102

    def healthy(self) -> bool: ...  # noqa: D102

    def stop(self) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Services:
    """The running services that a load needs."""

    postgres: Postgres
    object_store: ObjectStore


FINDERS: dict[str, Callable[[Path], Handle | None]] = {
    postgres.NAME: find_postgres,
    object_store.NAME: find_object_store,
}
# Not what `make up` starts, but what runs on where `make reports` was killed.
LEFT: dict[str, Callable[[Path], Handle | None]] = {redis.NAME: find_redis}
REMOVERS: dict[str, Callable[[Path], None]] = {
    postgres.NAME: remove_postgres,
    object_store.NAME: remove_object_store,
    redis.NAME: remove_redis,
}


def up(home: Path) -> Services:
    """Start what does not run yet. Raises LocalError where one cannot start."""
    with locked(home), ThreadPoolExecutor() as pool:
        database = pool.submit(start_postgres, home / postgres.NAME)
        store = pool.submit(start_object_store, home / object_store.NAME)
        return Services(database.result(), store.result())


def find(home: Path) -> dict[str, Handle | None]:
    """Each service by name; None for one that does not run."""
    return {name: finder(home / name) for name, finder in FINDERS.items()}


def alive(home: Path) -> list[str]:
    """The names of those that run."""
    return [name for name, handle in find(home).items() if handle is not None]


def running(home: Path) -> Services:
    """The services, all of which run. Raises LocalError."""
    database = find_postgres(home / postgres.NAME)
    store = find_object_store(home / object_store.NAME)
    if database is None or store is None:
        missing = postgres.NAME if database is None else object_store.NAME
        raise LocalError(f"the local service {missing} does not run", do="make up")
    return Services(database, store)


def down(home: Path) -> list[str]:
    """Stop what runs, and name what was stopped."""
    with locked(home), ThreadPoolExecutor() as pool:
        found = find(home) | {name: finder(home / name) for name, finder in LEFT.items()}
        alive = {name: handle for name, handle in found.items() if handle is not None}
        list(pool.map(lambda handle: handle.stop(), alive.values()))
    return list(alive)


def clean(home: Path) -> None:
    """Stop what runs and delete its data, with all that knows of the data."""
    down(home)
    for name, remove in REMOVERS.items():
        remove(home / name)
    # By name: LANDFALL_LOCAL may point to a folder that holds other things too.
    for name in ("airflow", "demo", "logs", "reports"):
        shutil.rmtree(home / name, ignore_errors=True)
