"""Processes that outlive the program that started them, and the ports they listen on."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

LOCALHOST = "127.0.0.1"
QUIET_PORTS = range(20_000, 30_000)  # below what Linux and macOS give to clients


@dataclass(frozen=True)
class Process:
    """A process. Its start time tells it from a later process that has the same pid."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Returns the process that has this pid now; None when there is none."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Process | None:
        """Returns the process that a service's state names; None when that process has ended."""
        if "pid" not in state:
            return None
        remembered = cls(int(state["pid"]), float(state["started"]))
        return remembered if remembered.alive() else None

    @classmethod
    def launch(
        cls,
        command: Sequence[str],
        folder: Path,
        log: Path,
        environ: Mapping[str, str] | None = None,
    ) -> Process:
        """Starts a program that outlives this one. Its output is appended to `log`."""
        with log.open("ab") as file:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=folder,
                env=environ, start_new_session=True,
            )  # fmt: skip
        # Nobody waits for the child here, so Popen must not warn that it still runs.
        child.returncode = 0
        return cls.of(child.pid) or cls(child.pid, 0)

    def alive(self) -> bool:
        """Returns whether the process runs. A zombie does not."""
        try:
            process = psutil.Process(self.pid)
            # The kernel's clock is set while it boots, so the start may move by a little.
            same = abs(process.create_time() - self.started) < 2
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def stop(self, *signals: signal.Signals, seconds: float = 20) -> None:
        """Sends each signal in turn, waits `seconds` after each, and kills the process at last."""
        for number in (*signals, signal.SIGKILL):
            if not self.alive():
                return
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            # Not until its pid is free: its parent may not have asked for its exit code yet.
            wait_until(self._ended, seconds, pause=0.02)

    def _ended(self) -> bool:
        if self.alive():
            return False
        with suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return True


def free_ports(count: int) -> list[int]:
    """Ports of localhost that nothing listens on, all different."""
    with ExitStack() as open_sockets:
        sockets = [open_sockets.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOCALHOST, 0))
        return [each.getsockname()[1] for each in sockets]


def quiet_port(spare: Callable[[int], bool] = lambda port: True) -> int:
    """Returns a free port of localhost that the system never gives to the client of a connection.

    Such a port stays free while its server is away. From any other port a client that connects
    again and again may be given the very port that it connects to, and then talks to itself.
    `spare` says whether the caller can use a port.
    """
    shuffled = random.sample(QUIET_PORTS, len(QUIET_PORTS))
    return next(port for port in shuffled if is_free(port) and spare(port))


def is_free(port: int) -> bool:
    """Returns whether a server could listen on this port of localhost now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError:
            return False
        return True


def wait_until(ready: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Waits until `ready` is true, at most `seconds`; says whether it became true."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
