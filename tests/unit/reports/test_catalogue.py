"""The query of a report: its identifiers are quoted, its values bound, its range complete."""

from __future__ import annotations

import datetime as dt

import pytest

from include.landfall.feed.yaml_file import read_feed
from include.local.state import PROJECT
from include.reports.catalogue import SOURCES, Name, Request, Source, query


def test_every_report_that_can_be_named_has_a_source():
    assert tuple(SOURCES) == Name.__args__


def test_the_columns_of_the_flights_are_the_feed_s():
    feed = read_feed(PROJECT / "include" / "feeds" / "flights.yaml")
    assert SOURCES["flights"].columns == tuple(feed.columns)


@pytest.mark.parametrize("name", SOURCES)
def test_the_order_is_by_columns_of_the_report(name):
    assert set(SOURCES[name].order) <= set(SOURCES[name].columns)
    assert SOURCES[name].order


def test_a_range_is_bound_and_ends_after_its_last_day():
    request = Request(report="flights", first="2013-12-31", last="2013-12-31")
    text, days = query(request)
    assert 'WHERE "time_hour" >= %(first)s AND "time_hour" < %(last)s ORDER BY' in text
    assert days == {
        "first": dt.datetime(2013, 12, 31, tzinfo=dt.UTC),
        "last": dt.datetime(2014, 1, 1, tzinfo=dt.UTC),
    }


def test_without_a_range_the_query_asks_for_all_rows():
    text, days = query(Request(report="delays_by_route"))
    assert "WHERE" not in text
    assert days == {}


def test_the_last_day_that_a_range_may_have_can_be_computed():
    _, days = query(Request(report="flights", last="9999-12-30"))
    assert days["last"].year == 9999


def test_identifiers_are_quoted(monkeypatch):
    odd = Source('marts.a"b', ('x"; DROP TABLE y; --',), ('x"; DROP TABLE y; --',))
    monkeypatch.setitem(SOURCES, "delays_by_route", odd)
    text, _ = query(Request(report="delays_by_route"))
    quoted = '"x""; DROP TABLE y; --"'
    assert text == f'SELECT {quoted} FROM "marts"."a""b" ORDER BY {quoted}'
