"""What the runner of the lessons prints."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from include.local.course import show
from include.local.course.classroom import Seen
from include.local.course.course import Lesson, Result

LESSON = Lesson(7, "first_dag", "A first DAG", lambda room: Seen(""))


def result(**changes) -> Result:
    defaults = {
        "section": 7, "name": "first_dag", "dag_id": "lesson_07_first_dag", "passed": True,
        "summary": "said hello", "error": None, "seconds": 5.1, "runs": 1,
        "states": {"success": 2, "skipped": 1},
    }  # fmt: skip
    return Result(**defaults | changes)


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=120, highlight=False)


def test_the_table_says_what_ran_the_states_the_seconds_and_the_verdict(console):
    show.table(console, [result()], 36.2)
    text = console.file.getvalue()
    for part in ("7", "first_dag", "1 skipped, 2 success", "5.1", "pass", "said hello"):
        assert part in text
    assert "1 of 1 lessons passed in 36 s" in text


def test_a_failure_is_printed_in_full_below_the_table(console):
    error = "expected [3] rows, seen: 6\nlog of load: /somewhere/attempt=3.log"
    show.table(console, [result(passed=False, summary="", error=error)], 9)
    text = console.file.getvalue()
    assert "lesson 7, first_dag, failed" in text
    assert error in text
    assert "0 of 1 lessons passed" in text


def test_a_lesson_that_was_not_run_is_neither_passed_nor_failed(console):
    missing = result(
        passed=False, summary="not run: needs Docker; start it", missing="Docker", runs=0, states={}
    )
    show.table(console, [result(), missing], 30)
    text = console.file.getvalue()
    assert "not run: needs Docker; start it" in text
    assert "1 of 2 lessons passed, 1 not run: first_dag needs Docker; in 30 s" in text
    assert "fail" not in text.lower()


def test_each_lesson_is_printed_when_it_ends(console):
    with show.progress(console) as notify:
        notify(LESSON, None)
        notify(LESSON, result())
        assert "first_dag" in console.file.getvalue()
