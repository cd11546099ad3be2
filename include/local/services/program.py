"""Programs that are started for a while: waited for, watched, stopped with all their children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from include.local.services.leftovers import forget, remember
from include.local.services.process import wait_until
from include.local.state import PROJECT, LocalError

STOP_SECONDS = 20


@dataclass
class Program:
    """A running Python module and the file that its output goes to."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path
    ) -> Program:
        """Starts it in a process group of its own, so that Ctrl-C reaches this program alone.

        `command` is a module and its arguments.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as file:
            child = subprocess.Popen(
                [sys.executable, "-m", *command],
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd=PROJECT, env=dict(environ),
                start_new_session=True,
            )  # fmt: skip
        return cls(name, child, log)

    def ask_to_stop(self) -> None:
        """Asks the program to stop; it stops its own children."""
        if self.child.poll() is None:
            self.child.terminate()

    def wait(self, seconds: float) -> None:
        """Waits for its end, then kills what is left of its group."""
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """Kills its whole group at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


@contextmanager
def run_programs(
    commands: Mapping[str, Sequence[str]], environ: Mapping[str, str], logs: Mapping[str, Path]
) -> Iterator[list[Program]]:
    """Runs all of them at once, and stops them at the end: the first one last.

    The first serves the others. Without Airflow's API server a task cannot report how it ended,
    and the scheduler waits for it.
    """
    programs: list[Program] = []
    try:
        for name, command in commands.items():
            programs.append(Program.start(name, command, environ, logs[name]))
            remember(logs[name], programs[-1].child.pid)
        yield programs
    finally:
        try:
            _stop(programs[1:])
            _stop(programs[:1])
        finally:  # after a second Ctrl-C nothing is waited for
            for program in programs:
                if program.child.returncode is None:
                    program.kill()
                forget(program.log)


def _stop(programs: Sequence[Program]) -> None:
    for program in programs:
        program.ask_to_stop()
    for program in programs:
        program.wait(STOP_SECONDS)


def check_alive(programs: Sequence[Program]) -> None:
    """Checks that each program still runs.

    Raises: LocalError, which names the log, when one has ended.
    """
    for program in programs:
        if program.child.poll() is not None:
            raise LocalError(
                f"{program.name} ended with exit code {program.child.returncode}",
                do=f"read {program.log}",
            )


def wait_for_parts(
    title: str,
    programs: Sequence[Program],
    missing: Callable[[], Sequence[str]],
    seconds: float,
    logs: Path,
) -> None:
    """Waits until `missing` names no part of the program group `title` any more.

    Raises: LocalError when a program ends, or parts are still missing after `seconds`.
    """

    def complete() -> bool:
        check_alive(programs)
        return not missing()

    if not wait_until(complete, seconds, pause=0.2):
        parts = ", ".join(missing())
        raise LocalError(f"{title} is not ready: {parts}", do=f"read the logs in {logs}")


def watch(programs: Sequence[Program]) -> None:
    """Waits until Ctrl-C.

    Raises: LocalError when one of the programs ends; KeyboardInterrupt.
    """
    while True:
        check_alive(programs)
        time.sleep(1)


def interrupt_on(*numbers: signal.Signals) -> None:
    """Turns these signals into a KeyboardInterrupt, also where the shell has ignored them.

    The end of the terminal too, unless nohup has asked to ignore it: what was started here has no
    terminal, so it would go on, and no command would stop it.
    """
    for number in numbers:
        signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
