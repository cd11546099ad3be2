"""Runs the lessons side by side on a real Airflow, and keeps what became of each."""

from __future__ import annotations

import json
import signal
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from include.local.course import show
from include.local.course.classroom import Classroom, LessonFailed, Seen
from include.local.course.course import Lesson, Result, choose
from include.local.course.school import open_classroom
from include.local.services.program import Program, check_alive

AT_ONCE = 6


def run(home: Path, names: Sequence[str], report: Path | None = None) -> int:
    """Run these lessons, or all; 1 when one failed, or none could be run. Raises LocalError."""
    lessons = choose(names)
    started = time.monotonic()
    console = show.console()
    signal.signal(signal.SIGTERM, _interrupt)
    with open_classroom(home, console) as (room, programs):
        with show.progress(console) as tell:
            results = run_lessons(lessons, room, programs, tell)
        results.sort(key=lambda result: result.section)
        # Before all is stopped, which takes some seconds more.
        show.table(console, results, time.monotonic() - started)
        if report:
            report.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    failed = [result for result in results if not result.passed and not result.missing]
    return 0 if not failed and any(result.passed for result in results) else 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run_lessons(
    lessons: Sequence[Lesson],
    room: Classroom,
    programs: Sequence[Program],
    tell: show.Tell,
) -> list[Result]:
    """The results as they come in. Raises LocalError when one of the programs ends."""
    results: list[Result] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = {pool.submit(attend, lesson, room, tell) for lesson in lessons}
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                results += [future.result() for future in done]
                check_alive(programs)
        finally:
            # Whatever ended it, the threads end too.
            room.over.set()
            pool.shutdown(wait=False, cancel_futures=True)
    return results


def attend(lesson: Lesson, room: Classroom, tell: show.Tell) -> Result:
    """Go through one lesson; whatever goes wrong in it is its result."""
    if what_to_do := lesson.lacks():
        return _not_run(lesson, what_to_do, tell)
    began, started = datetime.now(UTC), time.monotonic()
    tell(lesson, None)
    seen, error = Seen(""), None
    try:
        seen = lesson.walk(room)
    except LessonFailed as failure:
        error = str(failure)
    except Exception as failure:  # noqa: BLE001  the others go on
        error = f"its walk broke: {failure!r}; see {_keep(room, lesson)}"
    seconds = time.monotonic() - started
    tasks = _tasks(room, lesson, began)
    if error:
        error += "".join(f"\n{line}" for line in _logs(room, tasks))
    states = Counter(str(task["state"]) for task in tasks)
    runs = len({task["dag_run_id"] for task in tasks})
    # Seconds in tenths: more would only look exact.
    result = Result(
        lesson.section, lesson.name, lesson.dag_id, error is None, seen.words, error,
        round(seconds, 1), runs, dict(states), seen.evidence,
    )  # fmt: skip
    tell(lesson, result)
    return result


def _not_run(lesson: Lesson, what_to_do: str, tell: show.Tell) -> Result:
    """The result of a lesson that this machine lacks something for."""
    words = f"not run: needs {lesson.needs}; {what_to_do}"
    result = Result(
        lesson.section, lesson.name, lesson.dag_id, False, words, None, 0, 0, {},
        missing=lesson.needs,
    )  # fmt: skip
    tell(lesson, result)
    return result


def _keep(room: Classroom, lesson: Lesson) -> Path:
    """The traceback that is being handled, in a file."""
    log = room.home / "logs" / f"lesson-{lesson.name}.log"
    log.write_text(traceback.format_exc(), encoding="utf-8")
    return log


def _tasks(room: Classroom, lesson: Lesson, began: datetime) -> list[dict[str, Any]]:
    """The task instances that were at work since then; the DAG starts none by itself any more."""
    with suppress(OSError):
        room.api.pause(lesson.dag_id)
        path = f"dags/{lesson.dag_id}/dagRuns/~/taskInstances"
        answer = room.api.get(path, limit=100, updated_at_gte=began.isoformat())
        return list(answer["task_instances"])
    return []


def _logs(room: Classroom, tasks: Sequence[dict[str, Any]]) -> list[str]:
    """Where the log of each task that failed is."""
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
