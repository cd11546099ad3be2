"""The TaskFlow lesson does the same as its classic twin, in half the lines."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.lesson_module import FOLDER, load
from tests.unit.dags.lessons.test_python_operator import Instance


@pytest.fixture(scope="module")
def lesson():
    return load("taskflow")


@pytest.fixture(scope="module")
def twin():
    return load("python_operator")


def lines(node: ast.stmt) -> int:
    """Counts the lines of a statement: with decorators, without a docstring of one line."""
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    docstring = isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None
    return (node.end_lineno or 0) - first + 1 - docstring


def pipeline_lines(name: str) -> int:
    """Counts the lines of the functions, and those inside `with DAG(…):`."""
    module = ast.parse((FOLDER / f"{name}.py").read_text())
    functions = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    (dag,) = [node for node in module.body if isinstance(node, ast.With)]
    return sum(lines(node) for node in (*functions, *dag.body))


def test_the_page_shows_the_real_line_counts_and_taskflow_has_about_half(lesson):
    classic, flow = pipeline_lines("python_operator"), pipeline_lines("taskflow")
    shown = re.search(r"^\| lines.* \| (\d+) \| (\d+) \|$", lesson.__doc__, re.M)
    assert shown
    assert (int(shown[1]), int(shown[2])) == (classic, flow)
    assert flow <= 0.6 * classic


def test_its_functions_return_what_the_twin_s_return(lesson, twin):
    orders = lesson.make_orders.function("7")
    assert orders == twin.orders("7")
    totals = lesson.sum_orders.function(orders)
    assert totals == twin.totals(Instance(make_orders=orders))
    line = lesson.report.function(totals, "2026-02-02", "EUR")
    assert line == twin.line(Instance(sum_orders=totals), "2026-02-02", "EUR")


def test_both_have_the_same_tasks_in_the_same_order(bag):
    twin, flow = bag.dags["lesson_08_python_operator"], bag.dags["lesson_10_taskflow"]
    arrows = {task.task_id: task.downstream_task_ids for task in flow.tasks}
    assert arrows == {task.task_id: task.downstream_task_ids for task in twin.tasks}
    assert arrows["make_orders"] == {"sum_orders"}
    assert arrows["sum_orders"] == {"report"}
    assert flow.params.dump() == twin.params.dump()


@pytest.fixture(scope="module")
def bag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(FOLDER, bundle_path=FOLDER, safe_mode=True)
