"""A program that is started for a while: waited for, watched, stopped with all its children."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from include.local.state import PROJECT, LocalError

STOP_SECONDS = 20


@dataclass
class Program:
    """A running module of Python and where its words go."""

    name: str
    child: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(
        cls, name: str, command: Sequence[str], environ: Mapping[str, str], log: Path
    ) -> Program:
        """Start it in a process group of its own, so that Ctrl-C reaches it through us alone.

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
        """Ask the program; it ends its own children."""
        if self.child.poll() is None:
            self.child.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end, then end what is left of its group."""
        with suppress(subprocess.TimeoutExpired):
            self.child.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End its whole group at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()


@contextmanager
def run_programs(
    commands: Mapping[str, Sequence[str]], environ: Mapping[str, str], logs: Mapping[str, Path]
) -> Iterator[list[Program]]:
    """All of them at once; at the end the first is stopped after the others, whom it serves.

    Without Airflow's API server a task cannot say how it ended, and the scheduler waits for it.
    """
    programs: list[Program] = []
    try:
        for name, command in commands.items():
            programs.append(Program.start(name, command, environ, logs[name]))
        yield programs
    finally:
        try:
            _stop(programs[1:])
            _stop(programs[:1])
        finally:  # a second Ctrl-C waits for nobody
            for program in programs:
                if program.child.returncode is None:
                    program.kill()


def _stop(programs: Sequence[Program]) -> None:
    for program in programs:
        program.ask_to_stop()
    for program in programs:
        program.wait(STOP_SECONDS)


def check_alive(programs: Sequence[Program]) -> None:
    """Raises LocalError, naming the log, when one of the programs has ended."""
    for program in programs:
        if program.child.poll() is not None:
            raise LocalError(
                f"{program.name} ended with exit code {program.child.returncode}",
                do=f"read {program.log}",
            )
