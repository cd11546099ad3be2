"""A loading process, seen from outside: a test starts it, gives it jobs, and kills it."""

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

from tests.chaos.cases import Case, File, wait_until

PROJECT = Path(__file__).resolve().parents[2]
MARK = "LANDFALL_CHAOS"


class Loader:
    """A process that loads. All processes that it starts inherit its mark in their environment."""

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

    def send_job(self, case: Case, file: File) -> None:
        """Sends a job, and does not wait for its end."""
        job = {
            **case.job(file),
            "store": case.servers.store.__dict__,
            "warehouse": case.servers.warehouse.__dict__,
            "by": self.name,
        }
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)

    def send_replay(self, case: Case, edited: dict[int, list[str]]) -> None:
        """Sends the corrected cells of rejects to replay, and does not wait for the end."""
        job = {
            "feed": case.values,
            "warehouse": case.servers.warehouse.__dict__,
            "edited": edited,
        }
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)

    def next_message(self) -> dict[str, Any]:
        """Waits for the next message of the process; empty when it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        return json.loads(line) if line.endswith("\n") else {}

    def outcome(self) -> dict[str, Any]:
        """Waits for the outcome of the job."""
        while {"read", "ready", "started"} & (message := self.next_message()).keys():
            pass
        return message

    def kill(self) -> None:
        """Sends SIGKILL, which the process cannot catch."""
        self._process.send_signal(signal.SIGKILL)

    def kill_reader(self, within: float = 1) -> bool:
        """Sends SIGKILL to its reading process; returns False when there was none in time."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            readers = [pid for pid in self.family() if pid != self._process.pid]
            if readers:
                os.kill(readers[0], signal.SIGKILL)
                return True
            time.sleep(0.01)
        return False

    def family(self) -> list[int]:
        """Lists the processes with its mark: itself, and all that it has started."""
        return [process.pid for process in psutil.process_iter() if self._marked(process)]

    def check_gone(self) -> None:
        """Waits until it has ended and no process of it is left."""
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
