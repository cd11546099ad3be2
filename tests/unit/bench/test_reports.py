"""What the measurement of the report service makes of its answers."""

from __future__ import annotations

import datetime as dt

import pytest

from include.local.state import LocalError
from tests.bench.burst import Answer
from tests.bench.machine import Facts
from tests.bench.reports import Figures, _section

FACTS = Facts(2, 8, "Linux x86_64", "3.11.7", "18.6", dt.date(2026, 1, 2), 3, 1)


def answers(count: int, status: int = 202) -> list[Answer]:
    """Answered after 1 ms, 2 ms, …"""
    return [Answer(status, {}, (n + 1) / 1000) for n in reversed(range(count))]


def test_figures_are_by_rank():
    found = Figures.of("queued", answers(200), 202, cpu=0.1)
    assert (found.median, found.p99, found.slowest) == (0.101, 0.199, 0.2)
    assert found.cpu == 0.0005


def test_an_error_is_no_answer():
    found = Figures.of("queued", answers(150) + answers(50, status=503), 202, cpu=0.1)
    assert found.answered == 150


def test_no_answer_at_all_is_no_figure():
    with pytest.raises(LocalError, match="no request was answered with 202"):
        Figures.of("queued", answers(9, status=503), 202, cpu=0.1)


def test_the_page_has_a_line_for_each_way():
    kept = Figures("queued", 200, 0.05, 0.1, 0.11, 0.0005)
    text = _section([kept, Figures("blocking", 61, 30.0, 59.0, 59.5, 0.3)], FACTS, 140_000_000)
    assert "| queued | 200 of 200 | 0.050 | 0.100 | 0.110 | 0.5 |" in text
    assert "| blocking | 61 of 200 | 30.000 | 59.000 | 59.500 | 300.0 |" in text
    assert "(kept)" in text
    assert "140 MB" in text


def test_a_promise_that_is_not_kept_is_called_broken():
    slow = Figures("queued", 200, 0.05, 0.201, 0.3, 0.0005)
    assert "(BROKEN)" in _section([slow], FACTS, 1)
