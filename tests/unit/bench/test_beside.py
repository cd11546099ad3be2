"""Two checkouts are compared part by part, by their medians."""

from __future__ import annotations

import pytest

from tests.bench.beside import is_kept, main, shares_of
from tests.bench.measure import Usage


def usage(reading, seconds=10.0, rss=200):
    cpu = {"main": 1.0, "reading": reading, "postgres": 4.0, "minio": 1.0}
    return Usage(seconds, cpu, rss, rss)


def test_a_share_is_that_of_the_medians():
    shares = shares_of([usage(2), usage(3), usage(90)], [usage(6), usage(5), usage(7)])
    assert shares == {"main": 1, "reading": 0.5, "postgres": 1, "time": 1, "memory": 1}


@pytest.mark.parametrize(("reading", "kept"), [(10.3, True), (10.4, False)])
def test_a_part_above_the_limit_breaks_it(reading, kept):
    shares = shares_of([usage(reading)], [usage(10)])
    assert is_kept(shares, 1.03) is kept


def test_a_commit_that_is_not_there_is_one_clear_message(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("LANDFALL_BENCH", str(tmp_path))
    assert main(["no-such-commit"]) == 2
    assert "the commit 'no-such-commit' cannot be checked out" in capsys.readouterr().err
