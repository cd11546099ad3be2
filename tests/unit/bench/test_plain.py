"""The bench of plain loads says when they take more than a feed's."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from tests.bench import plain
from tests.bench.measure import Usage

CPU = {"main": 1.0, "reading": 1.0, "postgres": 1.0}


@pytest.mark.parametrize("way", ["inferred", "declared"])
@pytest.mark.parametrize(
    ("seconds", "memory", "code"), [(10.9, 100, 0), (11.5, 100, 1), (10.0, 120, 1)]
)
def test_a_plain_load_that_takes_much_more_than_a_feed_is_told(
    monkeypatch, tmp_path, capsys, seconds, memory, code, way
):
    feed, slow = [Usage(10.0, CPU, 100, 100)], [Usage(seconds, CPU, memory, memory)]
    runs = {"feed": feed, "inferred": feed, "declared": feed, way: slow}
    monkeypatch.setattr(plain, "bench_folder", lambda: tmp_path)
    monkeypatch.setattr(plain, "run_servers", lambda folder: nullcontext())
    monkeypatch.setattr(plain, "_runs", lambda *_: runs)
    assert plain.main([]) == code
    assert f"time {seconds / 10:.2f}" in capsys.readouterr().out
