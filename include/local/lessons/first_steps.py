"""Walks of the first steps: the introduction, Airflow here and in Docker, a first DAG."""

from __future__ import annotations

from .classroom import Classroom, Seen


def first_dag(room: Classroom) -> Seen:
    """Bash commands run in order; the last line goes on; no example DAG is loaded."""
    run = room.run("lesson_07_first_dag")
    said = room.xcom(run, "hello")
    log = room.log(run, "hello")
    return Seen(said, {"log": log, "tasks": room.tasks(run)})
