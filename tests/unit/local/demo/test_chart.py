"""The chart shows what the mart says."""

from __future__ import annotations

import pytest

from include.local.demo import chart
from include.local.demo.chart import Airline, Month
from include.local.state import LocalError


def test_an_airlines_year_weighs_its_months_by_flights_flown():
    months = {1: Month(11, 10, 2.0), 2: Month(30, 30, -2.0), 3: Month(5, 0, None)}
    airline = chart._airline("Somebody Airlines Inc.", months)
    assert airline.mean == pytest.approx(-1)
    assert airline.flights == 46
    assert airline.name == "Somebody Airlines"
    assert airline.delays == [2.0, -2.0] + [None] * 10


@pytest.mark.parametrize(("delay", "shown"), [(-0.4, "0"), (-12.6, "\N{MINUS SIGN}13"), (7.2, "7")])
def test_minutes_are_whole(delay, shown):
    assert chart._minutes(delay) == shown


def test_months_without_flights_are_empty_and_extremes_do_not_break_it(tmp_path, mocker):
    airlines = [
        Airline("Never late", 10, [-300.0, None] * 6, -300),
        Airline("Always late", 10, [900.0] * 12, 900),
    ]
    mocker.patch.object(chart, "read", return_value=airlines)
    assert chart.draw("", tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_an_empty_mart_is_an_error_that_names_it(tmp_path, mocker):
    mocker.patch.object(chart, "read", return_value=[])
    with pytest.raises(LocalError, match=r"marts\.delays_by_carrier"):
        chart.draw("", tmp_path / "chart.png")
