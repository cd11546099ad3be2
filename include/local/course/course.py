"""The course: its lessons in order, and the walk of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from include.local.course import (
    celery,
    concepts,
    containers,
    data,
    dates,
    first_steps,
    stack,
    states,
)
from include.local.course.classroom import Classroom, Seen
from include.local.state import LocalError


@dataclass(frozen=True)
class Lesson:
    """One section of the course, whose DAG is in dags/lessons/<name>.py.

    `needs` names what not every machine has. `lacks` says what to do where that is missing; it
    returns None where it is there.
    """

    section: int
    name: str
    title: str
    walk: Callable[[Classroom], Seen]
    needs: str = ""
    lacks: Callable[[], str | None] = lambda: None

    @property
    def dag_id(self) -> str:
        """The id of its DAG, which sorts by section."""
        return f"lesson_{self.section:02}_{self.name}"


@dataclass(frozen=True)
class Result:
    """The result of one lesson.

    `seconds` is how long its walk took; `states` counts its task instances by their states.
    `missing` names what the machine lacks: such a lesson did not run, so it has not failed either.
    """

    section: int
    name: str
    dag_id: str
    passed: bool
    summary: str
    error: str | None
    seconds: float
    runs: int
    states: dict[str, int]
    evidence: dict[str, Any] = field(default_factory=dict)
    missing: str = ""

    @property
    def failed(self) -> bool:
        """Whether the lesson ran and did not pass."""
        return not self.passed and not self.missing


LESSONS: tuple[Lesson, ...] = (
    Lesson(1, "introduction", "Introduction", first_steps.introduction),
    Lesson(2, "python_environment", "Airflow in Python", first_steps.python_environment),
    Lesson(3, "docker", "Airflow in Docker", first_steps.docker),
    Lesson(4, "core_concepts", "Core concepts", concepts.core_concepts),
    Lesson(5, "life_cycle", "The life of a task", states.life_cycle),
    Lesson(6, "architecture", "The parts of Airflow", stack.architecture),
    Lesson(7, "first_dag", "A first DAG", first_steps.first_dag),
    Lesson(8, "python_operator", "A task in Python", concepts.python_operator),
    Lesson(9, "xcom", "XCom", concepts.xcom),
    Lesson(10, "taskflow", "TaskFlow", concepts.taskflow),
    Lesson(11, "backfill", "Catch-up and backfill", dates.backfill),
    Lesson(12, "cron", "Cron", dates.cron),
    Lesson(13, "connections", "Connections", data.connections),
    Lesson(14, "postgres", "SQL on Postgres", data.postgres),
    Lesson(15, "packages", "Packages in the image", data.packages),
    Lesson(16, "s3_sensor", "Waiting for a file", data.s3_sensor),
    Lesson(17, "hooks", "Hooks", data.hooks),
    Lesson(
        18,
        "docker_operator",
        "DockerOperator",
        containers.docker_operator,
        needs="Docker",
        lacks=containers.needs_docker,
    ),
    Lesson(19, "celery", "Executors and Celery", celery.celery),
)


def choose(names: Sequence[str], lessons: Sequence[Lesson] = LESSONS) -> list[Lesson]:
    """Returns the lessons of these names or numbers; all lessons when no name is given.

    Raises: LocalError when there is no such lesson.
    """
    by_name = {str(lesson.section): lesson for lesson in lessons} | {
        lesson.name: lesson for lesson in lessons
    }
    for name in names:
        if name not in by_name:
            all_names = ", ".join(f"{lesson.section} {lesson.name}" for lesson in lessons)
            raise LocalError(f"there is no lesson {name!r}", expected=f"one of {all_names}")
    chosen = [by_name[name] for name in names] or list(lessons)
    return [lesson for lesson in lessons if lesson in chosen]
