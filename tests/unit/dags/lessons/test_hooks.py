"""The same day is the same file, and the file fits the table that it comes back to."""

from __future__ import annotations

import re

import pytest

from tests.support.lesson_module import load


@pytest.fixture(scope="module")
def lesson():
    return load("hooks")


def test_the_query_says_its_order(lesson):
    """Without it Postgres may give the same rows in another order, which is another file."""
    assert lesson.ORDERS.endswith("ORDER BY order_id")


def test_the_file_s_columns_are_the_feed_s(lesson):
    (create,) = [text for text in lesson.MAKE if text.startswith("CREATE TABLE")]
    columns = re.search(r"\((.+)\)", create)[1].split(", ")
    assert [column.split()[0] for column in columns] == list(lesson.FEED.columns)


def test_no_value_is_spliced_into_the_sql(lesson):
    for text in (*lesson.MAKE, lesson.ORDERS, lesson.COUNTS):
        assert not re.search(r"\{|'", text)
        assert set(re.findall(r"%\((\w+)\)s", text)) <= {"day"}


def test_making_a_day_s_orders_begins_with_taking_them_away(lesson):
    """Or a second run would export twice as many."""
    verbs = [text.split()[0] for text in lesson.MAKE]
    assert verbs == ["CREATE", "CREATE", "DELETE", "INSERT"]
