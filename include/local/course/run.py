"""Runs lessons at the same time on a real Airflow, and collects their results."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from include.local.airflow.api import PARTS, unhealthy
from include.local.course import show
from include.local.course.classroom import Classroom, LessonFailed, Seen
from include.local.course.course import Lesson, Result, choose
from include.local.course.school import open_classroom
from include.local.services.program import Program, check_alive, interrupt_on
from include.local.state import PROJECT, LocalError, locked

AT_ONCE = 6
# These take the longest: one that begins late is still at work when all others have ended.
FIRST = ("backfill", "life_cycle")


def run(home: Path, names: Sequence[str], report: Path | None = None) -> int:
    """Runs these lessons, or all; 1 when one failed, or none could run.

    Raises: LocalError when there is no such lesson, or Airflow cannot start or ends.
    """
    lessons = choose(names)
    started = time.monotonic()
    console = show.console()
    interrupt_on(signal.SIGTERM)
    with _the_only_lessons(home), open_classroom(home, console) as (room, programs):
        with show.progress(console) as notify:
            results = run_lessons(lessons, room, programs, notify)
        results.sort(key=lambda result: result.section)
        # Before everything is stopped, which takes some seconds.
        show.table(console, results, time.monotonic() - started)
        if report:
            report.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    failed = [result for result in results if result.failed]
    return 0 if not failed and any(result.passed for result in results) else 1


def _the_only_lessons(home: Path) -> AbstractContextManager[None]:
    """Two walks of one lesson would delete each other's runs, files and tables."""
    busy = LocalError(
        "the lessons run already", found="make lessons, in another terminal", do="wait for its end"
    )
    return locked(home, "lessons.lock", busy)


def run_lessons(
    lessons: Sequence[Lesson],
    room: Classroom,
    programs: Sequence[Program],
    notify: show.Notify,
) -> list[Result]:
    """Runs the lessons at the same time; returns their results in the order of their ends.

    Raises: LocalError when one of the programs ends.
    """
    results: list[Result] = []
    in_order = sorted(lessons, key=lambda lesson: lesson.name not in FIRST)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {pool.submit(attend, lesson, room, notify) for lesson in in_order}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                results += [future.result() for future in done]
                check_alive(programs)
        finally:
            # The threads must end, whatever ended the loop.
            room.over.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return results


def attend(lesson: Lesson, room: Classroom, notify: show.Notify) -> Result:
    """Runs one lesson; whatever goes wrong in it becomes its result."""
    if what_to_do := lesson.lacks():
        return _not_run(lesson, what_to_do, notify)
    began, started = datetime.now(UTC), time.monotonic()
    notify(lesson, None)
    seen, error = Seen(""), None
    try:
        seen = lesson.walk(room)
    except LessonFailed as failure:
        error = str(failure)
    except Exception as failure:  # noqa: BLE001  the other lessons go on
        error = _why_broken(failure, lesson, room)
    seconds = time.monotonic() - started
    tasks = _tasks(room, lesson, began)
    if error:
        error += "".join(f"\n{line}" for line in [*_logs(room, tasks), *_changed(lesson)])
    states = Counter(str(task["state"]) for task in tasks)
    runs = len({task["dag_run_id"] for task in tasks})
    # Tenths of a second: more digits would only look exact.
    result = Result(
        lesson.section, lesson.name, lesson.dag_id, error is None, seen.summary, error,
        round(seconds, 1), runs, dict(states), seen.evidence,
    )  # fmt: skip
    notify(lesson, result)
    return result


def _not_run(lesson: Lesson, what_to_do: str, notify: show.Notify) -> Result:
    """The result of a lesson that needs something that this machine lacks."""
    summary = f"not run: needs {lesson.needs}; {what_to_do}"
    result = Result(
        lesson.section, lesson.name, lesson.dag_id, False, summary, None, 0, 0, {},
        missing=lesson.needs,
    )  # fmt: skip
    notify(lesson, result)
    return result


def _why_broken(failure: Exception, lesson: Lesson, room: Classroom) -> str:
    """What the reader must know: that Airflow has gone, or else where the traceback is."""
    log = _write_traceback(room, lesson)
    if unhealthy(room.api.address) == list(PARTS):
        return (
            f"Airflow no longer answers at {room.api.address}, maybe because it was stopped in"
            f" another terminal; run the lesson again: make lessons L={lesson.name} ({log})"
        )
    return f"its walk broke: {failure!r}; see {log}"


def _write_traceback(room: Classroom, lesson: Lesson) -> Path:
    """Writes the traceback of the error that is being handled to a file; returns its path."""
    log = room.home / "logs" / f"lesson-{lesson.name}.log"
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return log


def _tasks(room: Classroom, lesson: Lesson, began: datetime) -> list[dict[str, Any]]:
    """Pauses the DAG, so that it starts no more runs; returns its task instances since then."""
    with suppress(OSError):
        room.api.pause(lesson.dag_id)
        path = f"dags/{lesson.dag_id}/dagRuns/~/taskInstances"
        answer = room.api.get(path, limit=100, updated_at_gte=began.isoformat())
        return list(answer["task_instances"])
    return []


def _changed(lesson: Lesson) -> list[str]:
    """How to undo what an exercise has changed: this lesson's walk expects its file as it was."""
    file = f"dags/lessons/{lesson.name}.py"
    with suppress(OSError):  # without git nobody knows
        done = subprocess.run(
            ["git", "diff", "--quiet", "--", file], cwd=PROJECT, capture_output=True, check=False
        )
        if done.returncode == 1:
            return [f"{file} was changed, maybe for its exercise; to undo that: git restore {file}"]
    return []


def _logs(room: Classroom, tasks: Sequence[dict[str, Any]]) -> list[str]:
    """The path of the log of each task that failed."""
    folder = room.home / "airflow" / "logs"
    return [
        f"log of {task['task_id']}: "
        + str(
            folder / f"dag_id={task['dag_id']}" / f"run_id={task['dag_run_id']}"
            / f"task_id={task['task_id']}" / f"attempt={task['try_number']}.log"
        )
        for task in tasks
        if task["state"] in ("failed", "up_for_retry")
    ]  # fmt: skip
