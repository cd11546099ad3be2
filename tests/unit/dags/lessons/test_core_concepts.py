"""The arrows of the diamond, and the words that the page explains."""

from __future__ import annotations

import re

import pytest

from tests.support.lesson_module import load


@pytest.fixture(scope="module")
def lesson():
    return load("core_concepts")


def test_the_arrows_make_the_diamond(lesson):
    dag = lesson.A.dag
    arrows = {task.task_id: task.downstream_task_ids for task in dag.tasks}
    assert arrows == {"A": {"B", "C"}, "B": {"D", "E"}, "C": {"D", "E"}, "D": set(), "E": set()}


def test_only_the_two_that_must_overlap_take_time(lesson):
    slow = {task.task_id for task in lesson.A.dag.tasks if "sleep" in task.bash_command}
    assert slow == {"B", "C"}


def test_the_seconds_must_be_a_number_so_they_cannot_be_a_command(lesson):
    seconds = lesson.A.dag.params.get_param("seconds")
    for wrong in ("1; rm -r .", -1, None):
        with pytest.raises(ValueError, match="Failed validating"):
            seconds.resolve(wrong)


@pytest.mark.parametrize(
    "word",
    ["workflow", "DAG", "operator", "task", "DAG run", "task instance", "logical date"],
)
def test_the_page_explains_each_word(lesson, word):
    assert re.search(rf"^\| \*\*{word}\*\* \| .{{20,}} \|$", lesson.__doc__, re.M)


def test_the_page_names_the_old_execution_date(lesson):
    assert "`execution_date`" in lesson.__doc__.split("## Since Airflow 2.9")[1]
