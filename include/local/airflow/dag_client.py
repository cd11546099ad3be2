"""Starts the program of `dag_runner`, asks it to run DAGs, and reads how the runs ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TextIO

from include.local.state import PROJECT, LocalError

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Result:
    """How a DAG's run ended; `failed` has the ids of failed tasks."""

    dag_id: str
    state: str
    seconds: float = 0
    failed: tuple[str, ...] = ()
    error: str | None = None

    @property
    def good(self) -> bool:
        """Whether the run succeeded; a run that had nothing to do did."""
        return self.state == "success"


@dataclass
class DagRunner:
    """The program that runs DAGs, and its answers; the last one is None, when it has ended."""

    child: subprocess.Popen[str]
    log: Path
    answers: SimpleQueue[dict[str, Any] | None] = field(default_factory=SimpleQueue)

    def wait_ready(self) -> None:
        """Waits until Airflow has started.

        Raises: LocalError when the program ends.
        """
        self._next_answer(lambda: None)

    def run(self, dag_id: str, meanwhile: Callable[[], None]) -> Result:
        """Runs one DAG to its end, and calls `meanwhile` a few times a second.

        Raises: LocalError when the program ends.
        """
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(f"{dag_id}\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        answer = self._next_answer(meanwhile)
        return Result(
            dag_id=dag_id,
            state=answer["state"],
            seconds=answer.get("seconds", 0),
            failed=tuple(answer.get("failed", ())),
            error=answer.get("error"),
        )

    def read_answers(self, pipe: TextIO) -> None:
        """Reads the program's answers until it ends."""
        for line in pipe:
            self.answers.put(json.loads(line))
        self.answers.put(None)

    def end(self) -> None:
        """Kills the program and its children."""
        assert self.child.stdin is not None
        with suppress(BrokenPipeError):
            self.child.stdin.close()
        # The work is done or given up: what Airflow would do at its exit is not worth the wait.
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def _next_answer(self, meanwhile: Callable[[], None]) -> dict[str, Any]:
        while True:
            meanwhile()
            try:
                answer = self.answers.get(timeout=POLL_SECONDS)
            except Empty:
                continue
            if answer is None:
                raise self._ended()
            return answer

    def _ended(self) -> LocalError:
        return LocalError(
            f"Airflow ended unexpectedly (exit code {self.child.wait()})", do=f"read {self.log}"
        )


@contextmanager
def dag_runner(environ: dict[str, str], log: Path) -> Iterator[DagRunner]:
    """Starts the program; at the end it and its children are killed."""
    log.parent.mkdir(parents=True, exist_ok=True)
    reading, writing = os.pipe()
    with log.open("wb") as file, open(reading, encoding="utf-8") as pipe:  # noqa: PTH123 - a pipe
        child = subprocess.Popen(
            [sys.executable, "-u", "-m", "include.local.airflow.dag_runner", str(writing)],
            stdin=subprocess.PIPE, stdout=file, stderr=file, pass_fds=(writing,), text=True,
            cwd=PROJECT, env=environ, start_new_session=True,
        )  # fmt: skip
        os.close(writing)
        runner = DagRunner(child, log)
        reader = threading.Thread(target=runner.read_answers, args=(pipe,), daemon=True)
        reader.start()
        try:
            yield runner
        finally:
            runner.end()
            reader.join()
