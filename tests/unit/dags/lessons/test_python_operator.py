"""The pipeline's functions, and the four sources of their arguments."""

from __future__ import annotations

import pytest

from tests.support.lesson_module import load


class Instance:
    """A task instance with the values that other tasks returned."""

    def __init__(self, **returned):
        self.returned = returned

    def xcom_pull(self, task_ids):
        return self.returned[task_ids]


@pytest.fixture(scope="module")
def lesson():
    return load("python_operator")


def test_the_orders_are_summed_by_customer_and_reported(lesson):
    orders = lesson.orders("4")
    assert [order["amount"] for order in orders] == [0, 10, 20, 30]
    totals = lesson.totals(Instance(make_orders=orders))
    assert totals == {"A": 30, "B": 10, "C": 20}
    line = lesson.line(Instance(sum_orders=totals), "2026-02-02", "EUR")
    assert line == "2026-02-02: A 30 EUR, B 10 EUR, C 20 EUR, 60 EUR in all"


def test_each_source_of_an_argument_is_used(lesson):
    assert lesson.make_orders.op_args == ["{{ params.count }}"]
    assert lesson.report.op_kwargs == {"day": lesson.DAY, "currency": "EUR"}
    assert lesson.sum_orders.op_args == ()
    assert lesson.sum_orders.op_kwargs == {}, "ti comes from the context"


def test_the_tasks_have_the_order_of_the_page(lesson):
    assert lesson.make_orders.downstream_task_ids == {"sum_orders"}
    assert lesson.sum_orders.downstream_task_ids == {"report"}
