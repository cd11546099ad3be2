"""The life cycle of every local service: find the one that runs in a folder, start it, stop it.

A service remembers its ports, passwords and process in its folder (`service.json`), so any later
program finds it again. What differs between PostgreSQL, the object store and Redis is a `Service`
(how to reach it, what to send it when it must stop) and an `Installation` (how to start it).
"""

from __future__ import annotations

import shutil
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

from include.local.services.process import Process, wait_until
from include.local.state import LocalError, read_state, write_state

ATTEMPTS = 3
START_SECONDS = 60
LOG_LINES = 5

State = dict[str, Any]
S = TypeVar("S", bound="Service")


@dataclass(frozen=True)
class Service(ABC):
    """A server that runs in a folder and outlives the program that started it."""

    process: Process
    folder: Path

    title: ClassVar[str]
    stop_signals: ClassVar[tuple[signal.Signals, ...]] = (signal.SIGTERM,)
    # When its data goes too, nothing needs to be written any more.
    remove_signals: ClassVar[tuple[signal.Signals, ...]] = ()
    stop_seconds: ClassVar[float] = 20

    @classmethod
    @abstractmethod
    def from_state(cls, folder: Path, state: State, process: Process) -> Self:
        """Returns the service that runs as `process`, at the address in its state."""

    @property
    @abstractmethod
    def address(self) -> str:
        """Host and port."""

    @abstractmethod
    def healthy(self) -> bool:
        """Returns whether the service answers."""

    @classmethod
    def find(cls, folder: Path) -> Self | None:
        """Finds the service that runs in `folder`; None when none runs there."""
        state = read_state(folder)
        process = Process.from_state(state)
        return None if process is None else cls.from_state(folder, state, process)

    @classmethod
    def delete(cls, folder: Path) -> None:
        """Deletes the data of a stopped service."""
        shutil.rmtree(folder, ignore_errors=True)

    def answers(self) -> bool:
        """Waits until it answers or has ended; says whether it answers."""
        wait_until(lambda: self.healthy() or not self.process.alive(), START_SECONDS)
        return self.process.alive() and self.healthy()

    def stop(self) -> None:
        """Stops it; its data stays."""
        self._end(*self.stop_signals)

    def remove(self) -> None:
        """Stops it at once and deletes its data."""
        self._end(*self.remove_signals)
        self.delete(self.folder)

    def _end(self, *signals: signal.Signals) -> None:
        self.process.stop(*signals, seconds=self.stop_seconds)


class Installation(Protocol):
    """A folder that is ready for a service to start in."""

    @property
    def state(self) -> State:
        """What the service remembers between two starts, passwords included."""

    @property
    def log(self) -> Path:
        """Where the service writes its log."""

    def choose_ports(self, last: State) -> State:
        """Chooses the ports to listen on, in the form that the state keeps.

        `last` holds the ports of the last time, which are used where they are free, so that the
        exports of a shell stay true after a restart. It holds none when those did not work.
        """

    def launch(self, state: State) -> Process | None:
        """Starts the server; None when it has ended already."""


def start(service: type[S], folder: Path, install: Callable[[Path], Installation]) -> S:
    """Returns the service whose data is in `folder`; starts it after `install` if need be.

    Raises: LocalError when it runs but does not answer, or cannot start.
    """
    running = service.find(folder)
    if running is not None and running.answers():
        return running
    if running is not None and running.process.alive():
        raise LocalError(
            f"{service.title} runs (pid {running.process.pid}) but does not answer at "
            f"{running.address}",
            do=f"python -m include.local down, then up; its log is in {folder}",
        )
    installation = install(folder)
    for last_ports in (installation.state, *[{}] * (ATTEMPTS - 1)):
        state = installation.state | installation.choose_ports(last_ports)
        process = installation.launch(state)
        if process is not None:
            started = _remember(service, folder, state, process)
            if started.answers():
                return started
            started.stop()
    log = installation.log
    raise LocalError(f"{service.title} did not start:\n{_end_of(log)}", do=f"read {log}")


def _remember(service: type[S], folder: Path, state: State, process: Process) -> S:
    write_state(folder, state | {"pid": process.pid, "started": process.started})
    return service.from_state(folder, state, process)


def _end_of(log: Path) -> str:
    if not log.exists():
        return "(its log is empty)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
