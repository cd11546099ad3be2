"""Processes that outlive the program that started them, and the ports they listen on."""

from __future__ import annotations

import os
import random
import signal
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

import psutil

LOCALHOST = "127.0.0.1"
QUIET_PORTS = range(20_000, 30_000)  # below what Linux and macOS give to clients


@dataclass(frozen=True)
class Process:
    """A process, told from a later one with the same pid by when it started."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has this pid now."""
        try:
            return cls(pid, psutil.Process(pid).create_time())
        except psutil.NoSuchProcess:
            return None

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Process | None:
        """The process that a service's state names, if it is still that one and alive."""
        if "pid" not in state:
            return None
        known = cls(int(state["pid"]), float(state["started"]))
        return known if known.alive() else None

    def alive(self) -> bool:
        """Whether it runs. A zombie does not."""
        try:
            process = psutil.Process(self.pid)
            # The kernel's clock is set while it boots, so the start may move by a little.
            same = abs(process.create_time() - self.started) < 2
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def stop(self, *signals: signal.Signals, seconds: float = 20) -> None:
        """Ask with each signal in turn, wait `seconds` for each; at last, kill."""
        for number in (*signals, signal.SIGKILL):
            if not self.alive():
                return
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
            # Not until its pid is free: a program that started it may not have asked after it.
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


def quiet_port() -> int:
    """A free port of localhost that the system gives to no client's end of a connection.

    So it stays free while its server is away: a client that tries again and again may be given the
    very port that it asks for, and then talks to itself.
    """
    return next(port for port in random.sample(QUIET_PORTS, len(QUIET_PORTS)) if is_free(port))


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of localhost now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError:
            return False
        return True


def wait_until(ready: Callable[[], bool], seconds: float, pause: float = 0.05) -> bool:
    """Whether `ready` came true within the time."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
