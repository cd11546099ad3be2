"""A PostgreSQL server that has a socket and TLS in front of it, and a standby of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from include.landfall.connections import Warehouse
from include.local.services.postgres_installation import DATABASE, USER, PostgresInstallation
from include.local.services.postgres_server import create_database
from include.local.services.process import LOCALHOST, free_ports
from tests.support.tls_front import tls_front


@dataclass(frozen=True)
class PostgresPair:
    """Both servers, each as its superuser reaches it, and the folder of the first one's socket.

    `encrypted` is the first one behind TLS.
    """

    primary: Warehouse
    standby: Warehouse
    encrypted: Warehouse
    sockets: str


@pytest.fixture(scope="module")
def pair(certificate: tuple[str, str]) -> Iterator[PostgresPair]:
    """The two servers. They start in about three seconds."""
    folder = Path(tempfile.mkdtemp(prefix="landfall-pair-"))
    ports = free_ports(2)
    installation = PostgresInstallation.make(folder / "primary", durable=False)
    with _cleared(folder, installation):
        sockets = _configure(installation)
        with served(installation, ports[0]):
            password = installation.state["password"]
            primary = Warehouse(LOCALHOST, ports[0], DATABASE, USER, password)
            create_database(primary, DATABASE)
            standby = copied(installation, primary, folder)
            with served(standby, ports[1]), tls_front(ports[0], certificate) as port:
                others = (replace(primary, port=each) for each in (ports[1], port))
                yield PostgresPair(primary, *others, sockets)


def _configure(installation: PostgresInstallation) -> str:
    """Gives the server a socket, and returns the folder of it."""
    sockets = installation.base / "Sockets"  # a capital letter: a path must keep its letters
    installation.account.own(sockets)
    with (installation.data / "postgresql.conf").open("a") as settings:
        settings.write(f"\nunix_socket_directories = '{sockets}'\n")
    return str(sockets)


def copied(
    installation: PostgresInstallation, primary: Warehouse, folder: Path
) -> PostgresInstallation:
    """Makes a standby of the server: a copy that follows it."""
    standby = replace(installation, base=installation.base.parent / "standby")
    installation.account.own(standby.base)
    result = installation.account.run(
        installation.programs / "pg_basebackup", "-D", standby.data, "-R", "-X", "stream",
        "--checkpoint=fast", "-d", replace(primary, dbname="").conninfo(),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    with (standby.data / "postgresql.conf").open("a") as settings:
        settings.write("\nunix_socket_directories = ''\n")
    return standby


@contextmanager
def served(installation: PostgresInstallation, port: int) -> Iterator[None]:
    """Runs the server for the block."""
    assert installation.launch({"port": port}), installation.log.read_text()
    try:
        yield
    finally:
        stop = [installation.programs / "pg_ctl", "stop", "-D", installation.data]
        installation.account.run(*stop, "-m", "immediate", "-w")


@contextmanager
def _cleared(folder: Path, installation: PostgresInstallation) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(installation.base.parent, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
