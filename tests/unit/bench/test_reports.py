"""How the bench of the report service summarises the answers."""

from __future__ import annotations

import datetime as dt

import pytest

from include.local.state import LocalError
from tests.bench.burst import Answer
from tests.bench.machine import Machine
from tests.bench.reports import BurstSummary, _section

MACHINE = Machine(2, 8, "Linux x86_64", "3.11.7", "18.6", dt.date(2026, 1, 2), 3, 1)


def answers(count: int, status: int = 202) -> list[Answer]:
    """Makes answers after 1 ms, 2 ms and so on."""
    return [Answer(status, {}, (n + 1) / 1000) for n in reversed(range(count))]


def test_the_times_are_by_rank():
    summary = BurstSummary.of("queued", answers(200), 202, cpu=0.1)
    assert (summary.median, summary.p99, summary.slowest) == (0.101, 0.199, 0.2)
    assert summary.cpu == 0.0005


def test_an_error_does_not_count_as_an_answer():
    summary = BurstSummary.of("queued", answers(150) + answers(50, status=503), 202, cpu=0.1)
    assert summary.answered == 150


def test_no_answer_at_all_is_an_error():
    with pytest.raises(LocalError, match="no request was answered with 202"):
        BurstSummary.of("queued", answers(9, status=503), 202, cpu=0.1)


def test_the_page_has_a_line_for_each_way():
    kept = BurstSummary("queued", 200, 0.05, 0.1, 0.11, 0.0005)
    text = _section(
        [kept, BurstSummary("blocking", 61, 30.0, 59.0, 59.5, 0.3)], MACHINE, 140_000_000
    )
    assert "| queued | 200 of 200 | 0.050 | 0.100 | 0.110 | 0.5 |" in text
    assert "| blocking | 61 of 200 | 30.000 | 59.000 | 59.500 | 300.0 |" in text
    assert "(kept)" in text
    assert "140 MB" in text


def test_a_broken_promise_is_marked():
    slow = BurstSummary("queued", 200, 0.05, 0.201, 0.3, 0.0005)
    assert "(BROKEN)" in _section([slow], MACHINE, 1)
