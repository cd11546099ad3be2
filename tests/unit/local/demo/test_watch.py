"""What the demo's table adds up."""

from __future__ import annotations

from include.local.demo.watch import Load, Total, totals


def load(feed: str, key: str, rows: int, seconds: float) -> Load:
    return Load(1, feed, key, rows, seconds, "loaded", None, "")


def test_a_feed_is_one_line_of_its_files():
    loads = [load("b", "x", 10, 1.0), load("a", "y", 5, 0.5), load("b", "z", 20, 2.0)]
    assert totals(loads) == [Total("a", 1, 5, 0.5), Total("b", 2, 30, 3.0)]


def test_speed_is_rows_by_seconds_and_nothing_takes_no_time():
    assert Total("a", 1, 30, 2.0).rows_per_second == 15
    assert Total("a", 1, 0, 0.0).rows_per_second == 0
