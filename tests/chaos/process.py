"""A loading process from outside: started, given a job, killed, and looked for afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import psutil

from tests.chaos.ground import Case, File, wait_until

PROJECT = Path(__file__).resolve().parents[2]
MARK = "LANDFALL_CHAOS"


class Loader:
    """A process that loads. Everything that it starts inherits its mark."""

    def __init__(self, name: str = "loader") -> None:
        self.name = name
        self.mark = uuid.uuid4().hex
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, cwd=PROJECT, env={**os.environ, MARK: self.mark},
        )  # fmt: skip

    def __enter__(self) -> Loader:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._process.wait()

    def give(self, case: Case, file: File) -> None:
        """Gives it a job, and does not wait."""
        job = {
            "feed": case.values,
            "arrival": file.arrival.as_dict(),
            "store": case.ground.store.__dict__,
            "warehouse": case.ground.warehouse.__dict__,
            "by": self.name,
        }
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)

    def hear(self) -> dict[str, Any]:
        """The next thing that it says; empty when it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else {}

    def hear_out(self) -> dict[str, Any]:
        """What became of the job."""
        while "read" in (said := self.hear()) or "ready" in said:
            pass
        return said

    def kill(self) -> None:
        """SIGKILL: it can do nothing about it."""
        self._process.send_signal(signal.SIGKILL)

    def kill_reader(self, within: float = 1) -> bool:
        """The same to the process that reads for it; False when there was none in time."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            readers = [pid for pid in self.family() if pid != self._process.pid]
            if readers:
                os.kill(readers[0], signal.SIGKILL)
                return True
            time.sleep(0.01)
        return False

    def family(self) -> list[int]:
        """The processes that carry its mark: itself, and what it has started."""
        return [process.pid for process in psutil.process_iter() if self._marked(process)]

    def check_gone(self) -> None:
        """It has left no process behind."""
        self._process.wait()
        wait_until(lambda: not self.family())

    def _marked(self, process: psutil.Process) -> bool:
        try:
            return (
                process.status() != psutil.STATUS_ZOMBIE
                and process.environ().get(MARK) == self.mark
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
