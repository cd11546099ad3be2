"""The same day gives the same file, and the file fits the table that it is loaded into."""

from __future__ import annotations

import re

import pytest

from tests.support.lesson_module import load


@pytest.fixture(scope="module")
def lesson():
    return load("hooks")


def test_the_query_has_an_order(lesson):
    """Without one, Postgres may return the same rows in another order: another file."""
    assert lesson.ORDERS.endswith("ORDER BY order_id")


def test_the_file_s_columns_are_the_feed_s(lesson):
    (create,) = [text for text in lesson.FILL_ORDERS if text.startswith("CREATE TABLE")]
    columns = re.search(r"\((.+)\)", create)[1].split(", ")
    assert [column.split()[0] for column in columns] == list(lesson.FEED.columns)


def test_values_are_bound_and_not_part_of_the_sql(lesson):
    for text in (*lesson.FILL_ORDERS, lesson.ORDERS, lesson.COUNTS):
        assert not re.search(r"\{|'", text)
        assert set(re.findall(r"%\((\w+)\)s", text)) <= {"day"}


def test_filling_a_day_begins_with_deleting_its_orders(lesson):
    """Otherwise a second run would export twice as many."""
    verbs = [text.split()[0] for text in lesson.FILL_ORDERS]
    assert verbs == ["CREATE", "CREATE", "DELETE", "INSERT"]
