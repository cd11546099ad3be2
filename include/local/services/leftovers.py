"""Programs that go on after the command that started them was killed: found again, and stopped.

Each program has a file beside its log, as long as the command looks after it: who it is, and who
started it. A command that ends takes the files away. One that is killed leaves files and programs.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from include.local.services.process import Process
from include.local.state import write_private

STOP_SECONDS = 20


def remember(log: Path, pid: int) -> None:
    """Writes down a program and this process, which looks after it."""
    each = {"program": Process.of(pid), "owner": Process.of(os.getpid())}
    state = {name: process.__dict__ for name, process in each.items() if process}
    write_private(_file(log), json.dumps(state))


def forget(log: Path) -> None:
    """Takes away what `remember` wrote of a program that has ended."""
    _file(log).unlink(missing_ok=True)


def leftovers(logs: Path) -> dict[str, Process]:
    """Returns the programs that nobody looks after, by their names, the first one started first."""
    left: dict[str, Process] = {}
    for path in logs.glob("*.json"):
        state = _read(path)
        program = Process.from_state(state.get("program", {}))
        if program and not Process.from_state(state.get("owner", {})):
            left[path.stem] = program
    return dict(sorted(left.items(), key=lambda each: (each[1].started, each[1].pid)))


def stop_leftovers(logs: Path) -> list[str]:
    """Stops the programs that nobody looks after, and returns their names.

    The first of them ends last: it serves the others, as in `run_programs`.
    """
    left = leftovers(logs)
    programs = list(left.values())
    _stop(programs[1:])
    _stop(programs[:1])
    for name in left:
        forget(logs / name)
    return list(left)


def _stop(programs: Iterable[Process]) -> None:
    with ThreadPoolExecutor() as pool:
        list(pool.map(_stop_group, programs))


def _stop_group(program: Process) -> None:
    program.stop(signal.SIGTERM, seconds=STOP_SECONDS)
    with suppress(ProcessLookupError):  # children that it has not stopped: each has its own group
        os.killpg(program.pid, signal.SIGKILL)


def _file(log: Path) -> Path:
    return log.with_suffix(".json")


def _read(path: Path) -> dict[str, dict[str, float]]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}  # it ends just now
