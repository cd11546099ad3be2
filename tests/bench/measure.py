"""Measures the run of a program: its time, the CPU of each process, the memory of all together."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from include.local.state import LocalError

MEMORY_INTERVAL = 0.05  # seconds between two measurements of the memory
TREE_INTERVAL = 10  # measurements between two listings of the processes, which take milliseconds
BACKEND_SECONDS = 0.5  # a server's backend has ended this long after its client


@dataclass(frozen=True)
class Usage:
    """What a run used: time and CPU in seconds, memory in bytes (the peak of the sum).

    `rss` counts a page that two processes share twice, `pss` once. The keys of `cpu` are main,
    reading (the child process), postgres, and minio where its process can be measured.
    """

    seconds: float
    cpu: Mapping[str, float]
    rss: int
    pss: int


def measure(
    command: Sequence[str | Path],
    environ: Mapping[str, str],
    servers: Mapping[str, psutil.Process],
    log: Path,
    folder: Path | None = None,
) -> Usage:
    """Runs the command in the folder (this one by default), and measures it and the servers.

    Raises: LocalError when the command fails.
    """
    usage, exit_code = measure_any(command, environ, servers, log, folder)
    if exit_code:
        raise LocalError(f"{command[0]} failed", found=log.read_text()[-1000:])
    return usage


def measure_any(
    command: Sequence[str | Path],
    environ: Mapping[str, str],
    servers: Mapping[str, psutil.Process],
    log: Path,
    folder: Path | None = None,
    tree_interval: int = TREE_INTERVAL,
) -> tuple[Usage, int]:
    """Measures a command that may fail. Returns its exit code too: below 0 when it was killed."""
    before = {name: cpu_of(process) for name, process in servers.items()}
    with log.open("w") as output:
        started = time.monotonic()
        child = subprocess.Popen(
            command, env=dict(environ), stdout=output, stderr=output, cwd=folder
        )
        sampler = Sampler(child.pid, tree_interval)
        sampler.start()
        # wait4 gives the exact CPU of the program and of all children that it has waited for.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - started
    sampler.end()
    child.returncode = os.waitstatus_to_exitcode(status)
    time.sleep(BACKEND_SECONDS)
    own = usage.ru_utime + usage.ru_stime
    reading = sum(sampler.children.values())
    cpu = {"main": own - reading, "reading": reading}
    cpu |= {name: cpu_of(process) - before[name] for name, process in servers.items()}
    return Usage(seconds, cpu, sampler.rss, sampler.pss), child.returncode


def cpu_of(process: psutil.Process) -> float:
    """Sums the CPU seconds of a server: its own, and those of all its children, ended or not."""
    times = process.cpu_times()
    ended = times.children_user + times.children_system
    alive = 0.0
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            alive += sum(child.cpu_times()[:2])
    return float(times.user + times.system + ended + alive)


@dataclass
class Sampler:
    """A thread that measures a program and its children again and again until their end."""

    pid: int
    tree_interval: int = TREE_INTERVAL
    rss: int = 0
    pss: int = 0
    children: dict[int, float] = field(default_factory=dict)  # CPU seconds by pid

    def start(self) -> None:
        """Starts the thread."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ends the thread."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.pid)
            tree = [main]
            number = 0
            while not self._over.wait(MEMORY_INTERVAL):
                if number % self.tree_interval == 0:
                    tree = [main, *main.children(recursive=True)]
                    self.pss = max(self.pss, sum(map(_pss, tree)))
                self.rss = max(self.rss, sum(map(_rss, tree)))
                for child in tree[1:]:
                    with contextlib.suppress(psutil.Error):
                        self.children[child.pid] = sum(child.cpu_times()[:2])
                number += 1


def _rss(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _pss(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        info = process.memory_full_info()
        return int(getattr(info, "pss", info.rss))  # only Linux has pss
    return 0
