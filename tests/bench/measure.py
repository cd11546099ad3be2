"""One program's run, measured: the clock, each process's CPU, the memory of all together."""

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

EVERY = 0.05  # seconds between two looks at the memory
TREE_EVERY = 10  # looks between two at who the processes are: that one takes milliseconds
SETTLE = 0.5  # seconds in which a server's backend ends after its client


@dataclass(frozen=True)
class Usage:
    """What a run took. Seconds and CPU in seconds, memory in bytes (peak of the sum).

    `rss` counts a page that two processes share twice, `pss` once. `cpu` is by process:
    main, reading (its child), postgres, and minio where it can be seen.
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
) -> Usage:
    """Runs the command to its end and measures it and the servers. Raises LocalError."""
    before = {name: cpu_of(process) for name, process in servers.items()}
    with log.open("w") as output:
        started = time.monotonic()
        child = subprocess.Popen(command, env=dict(environ), stdout=output, stderr=output)
        watch = Watch(child.pid)
        watch.start()
        # wait4 tells the exact CPU of the program and of all its children that it waited for.
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - started
    watch.end()
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise LocalError(f"{command[0]} failed", found=log.read_text()[-1000:])
    time.sleep(SETTLE)
    own = usage.ru_utime + usage.ru_stime
    reading = sum(watch.children.values())
    cpu = {"main": own - reading, "reading": reading}
    cpu |= {name: cpu_of(process) - before[name] for name, process in servers.items()}
    return Usage(seconds, cpu, watch.rss, watch.pss)


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a server so far: its own, its children's, and those of children now gone."""
    times = process.cpu_times()
    gone = times.children_user + times.children_system
    alive = 0.0
    for child in process.children(recursive=True):
        with contextlib.suppress(psutil.Error):
            alive += sum(child.cpu_times()[:2])
    return float(times.user + times.system + gone + alive)


@dataclass
class Watch:
    """Looks at a program and its children until the end, from a thread of its own."""

    pid: int
    rss: int = 0
    pss: int = 0
    children: dict[int, float] = field(default_factory=dict)  # CPU seconds by pid

    def start(self) -> None:
        """Begins to look."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Looks no more."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.pid)
            tree = [main]
            look = 0
            while not self._over.wait(EVERY):
                if look % TREE_EVERY == 0:
                    tree = [main, *main.children(recursive=True)]
                    self.pss = max(self.pss, sum(map(_pss, tree)))
                self.rss = max(self.rss, sum(map(_rss, tree)))
                for child in tree[1:]:
                    with contextlib.suppress(psutil.Error):
                        self.children[child.pid] = sum(child.cpu_times()[:2])
                look += 1


def _rss(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _pss(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        info = process.memory_full_info()
        return int(getattr(info, "pss", info.rss))  # only Linux counts shares
    return 0
