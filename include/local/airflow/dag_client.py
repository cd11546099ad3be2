"""The other end of `dag_runner`: starts it, tells it which DAG to run, hears how it went."""

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
from typing import Any

from include.local.state import PROJECT, LocalError

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Result:
    """How a DAG's run ended; `failed` and `skipped` are task ids."""

    dag_id: str
    state: str
    seconds: float = 0
    failed: tuple[str, ...] = ()
    error: str | None = None

    @property
    def good(self) -> bool:
        """Whether the run succeeded; a run that found nothing to do did."""
        return self.state == "success"


@dataclass
class DagRunner:
    """The program that runs DAGs, and the answers that it has given."""

    child: subprocess.Popen[str]
    log: Path
    answers: SimpleQueue[dict[str, Any] | None] = field(default_factory=SimpleQueue)

    def wait_ready(self) -> None:
        """Wait until Airflow has started. Raises LocalError."""
        self._answer(lambda: None)

    def run(self, dag_id: str, meanwhile: Callable[[], None]) -> Result:
        """Run one DAG to its end; `meanwhile` is called a few times a second."""
        assert self.child.stdin is not None
        try:
            self.child.stdin.write(f"{dag_id}\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        answer = self._answer(meanwhile)
        return Result(
            dag_id=dag_id,
            state=answer["state"],
            seconds=answer.get("seconds", 0),
            failed=tuple(answer.get("failed", ())),
            error=answer.get("error"),
        )

    def _answer(self, meanwhile: Callable[[], None]) -> dict[str, Any]:
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
    """Start the program; it and its children are gone at the end, however that comes."""
    log.parent.mkdir(parents=True, exist_ok=True)
    hear, tell = os.pipe()
    with log.open("wb") as file, open(hear, encoding="utf-8") as heard:  # noqa: PTH123 - a pipe
        child = subprocess.Popen(
            [sys.executable, "-u", "-m", "include.local.airflow.dag_runner", str(tell)],
            stdin=subprocess.PIPE, stdout=file, stderr=file, pass_fds=(tell,), text=True,
            cwd=PROJECT, env=environ, start_new_session=True,
        )  # fmt: skip
        os.close(tell)
        runner = DagRunner(child, log)
        listener = threading.Thread(target=_listen, args=(heard, runner.answers), daemon=True)
        listener.start()
        try:
            yield runner
        finally:
            _end(child)
            listener.join()


def _listen(heard: Any, answers: SimpleQueue[dict[str, Any] | None]) -> None:
    for line in heard:
        answers.put(json.loads(line))
    answers.put(None)


def _end(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    with suppress(BrokenPipeError):
        child.stdin.close()
    # The work is done or given up: nothing that Airflow would tidy up now is worth the wait.
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
