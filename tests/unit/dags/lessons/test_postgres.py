"""The SQL of a day is one transaction, and its values are bound."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tests.support.lesson_module import load


@pytest.fixture(scope="module")
def fill_day():
    return load("postgres").fill_day


def test_the_day_is_deleted_and_filled_in_one_transaction(fill_day):
    delete, insert, *_ = fill_day.sql
    assert delete.startswith("DELETE")
    assert insert.startswith("INSERT")
    assert fill_day.autocommit is False


def test_values_are_bound_and_not_part_of_the_sql(fill_day):
    text = " ".join(fill_day.sql)
    assert not re.search(r"\{\{|'", text)
    assert set(re.findall(r"%\((\w+)\)s", text)) == set(fill_day.parameters)


@pytest.mark.parametrize("logical_date", [datetime(2026, 2, 2, tzinfo=UTC), None])
def test_the_day_is_the_logical_date_or_else_the_day_of_the_run(fill_day, logical_date):
    run = SimpleNamespace(logical_date=logical_date, run_after=datetime(2026, 2, 3, 9, tzinfo=UTC))
    template = fill_day.dag.get_template_env().from_string(fill_day.parameters["day"])
    assert template.render(dag_run=run) == ("2026-02-02" if logical_date else "2026-02-03")
