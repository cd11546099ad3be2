"""The course, run once as its reader runs it: every lesson on a real Airflow, in an empty home.

Below the tests of the frame, each lesson has a block that looks at what its walk brought back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from include.local import services
from include.local.lessons.course import LESSONS
from include.local.state import PROJECT

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Course:
    """What the command said, and the report that it wrote: each lesson by its name."""

    home: Path
    done: subprocess.CompletedProcess[str]
    report: dict[str, dict[str, Any]]


def environ(home: Path) -> dict[str, str]:
    return {**os.environ, "LANDFALL_LOCAL": str(home), "COLUMNS": "160"}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("lessons")
    written = home / "report.json"
    done = subprocess.run(
        [sys.executable, "-m", "include.local", "lessons", "--report", str(written)],
        capture_output=True, text=True, cwd=PROJECT, env=environ(home), check=False,
    )  # fmt: skip
    assert written.exists(), done.stdout + done.stderr
    report = {lesson["name"]: lesson for lesson in json.loads(written.read_text())}
    yield Course(home, done, report)
    services.clean(home)


@pytest.fixture(scope="module")
def report(course: Course) -> dict[str, dict[str, Any]]:
    """Each lesson's line of the report by the lesson's name; its evidence is in it."""
    return course.report


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_the_lesson_passes(report, name):
    assert report[name]["passed"], report[name]["error"]
    assert report[name]["words"]
    assert report[name]["runs"] >= 1
    assert report[name]["dag_id"].endswith(name)


def test_the_table_has_a_line_for_each_lesson(course):
    assert course.done.returncode == 0, course.done.stdout + course.done.stderr
    for lesson in LESSONS:
        assert f" {lesson.section} " in course.done.stdout
        assert lesson.name in course.done.stdout
    assert f"{len(LESSONS)} of {len(LESSONS)} lessons passed" in course.done.stdout


def test_nothing_runs_on_after_the_course(course):
    left = [p.pid for p in psutil.process_iter() if str(course.home) in environ_of(p)]
    assert left == []
    assert services.alive(course.home) == []


def environ_of(process: psutil.Process) -> str:
    try:
        return json.dumps(process.environ())
    except psutil.Error:
        return ""


def test_a_lesson_that_is_not_there_is_refused_with_a_list(tmp_path):
    command = [sys.executable, "-m", "include.local", "lessons", "backfil"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=PROJECT, env=environ(tmp_path), check=False
    )
    assert done.returncode == 1
    assert "no lesson 'backfil'" in done.stderr
    assert all(lesson.name in done.stderr for lesson in LESSONS)
    assert services.alive(tmp_path) == []


# --- 1, 2, 3, 7: first steps
