"""A PostgreSQL server and a standby that takes over from it."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from include.landfall.connections import Warehouse
from include.local.services.postgres_installation import DATABASE, USER, PostgresInstallation
from include.local.services.postgres_server import create_database
from include.local.services.process import LOCALHOST, free_ports
from tests.support.postgres_pair import copied, served

WAIT = 20  # seconds


@dataclass(frozen=True)
class Failover:
    """Both servers, each as its superuser reaches it, and `either`: whichever takes writes."""

    primary: Warehouse
    standby: Warehouse
    either: Warehouse
    installations: tuple[PostgresInstallation, PostgresInstallation]

    def catch_up(self) -> None:
        """Waits until the standby has all that the primary has committed."""
        (end,) = self._execute(self.primary, "SELECT pg_current_wal_flush_lsn()::text")[0]
        deadline = time.monotonic() + WAIT
        query = f"SELECT pg_last_wal_replay_lsn() >= '{end}'"
        while self._execute(self.standby, query) != [(True,)]:
            assert time.monotonic() < deadline, "the standby does not catch up"
            time.sleep(0.05)

    def cut_off(self) -> None:
        """Lets the standby fall behind: what the primary commits from now on, it never gets."""
        self._execute(self.standby, "ALTER SYSTEM SET primary_conninfo = ''")
        self._execute(self.standby, "SELECT pg_reload_conf()")
        deadline = time.monotonic() + WAIT
        while self._execute(self.primary, "SELECT 1 FROM pg_stat_replication"):
            assert time.monotonic() < deadline, "the standby still gets all"
            time.sleep(0.05)

    def take_over(self) -> None:
        """Stops the primary as a power cut would, and lets the standby take over."""
        primary, standby = self.installations
        for installation, command in (
            (primary, ["stop", "-m", "immediate"]), (standby, ["promote"]),
        ):  # fmt: skip
            programs, data = installation.programs, installation.data
            done = installation.account.run(programs / "pg_ctl", *command, "-D", data, "-w")
            assert done.returncode == 0, done.stderr

    def _execute(self, server: Warehouse, query: str) -> list[Any]:
        with psycopg.connect(server.conninfo(), autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def failover_pair() -> Iterator[Failover]:
    """Runs the two servers for the block. They start in about three seconds."""
    folder = Path(tempfile.mkdtemp(prefix="landfall-failover-"))
    ports = free_ports(2)
    installation = PostgresInstallation.make(folder / "primary", durable=False)
    try:
        with served(installation, ports[0]):
            primary = Warehouse(LOCALHOST, ports[0], DATABASE, USER, installation.state["password"])
            create_database(primary, DATABASE)
            standby = copied(installation, primary, folder)
            options = {"port": f"{ports[0]},{ports[1]}", "target_session_attrs": "read-write"}
            either = replace(primary, host=f"{LOCALHOST},{LOCALHOST}", options=options)
            with served(standby, ports[1]):
                second = replace(primary, port=ports[1])
                yield Failover(primary, second, either, (installation, standby))
    finally:
        shutil.rmtree(installation.base.parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
