"""The bench of an upsert changes as many rows as it says, and says when it takes too long."""

from __future__ import annotations

import csv
from contextlib import nullcontext

import pytest

from tests.bench import merge
from tests.bench.measure import Usage


def test_half_of_the_files_rows_are_in_the_table_and_half_are_new(tmp_path):
    with merge.make_file(tmp_path, 100, 10).open() as file:
        numbers = sorted(int(row["id"]) for row in csv.DictReader(file))
    assert numbers == list(range(96, 106))


@pytest.mark.parametrize(("seconds", "memory", "code"), [(11.9, 100, 0), (12.1, 100, 1)])
def test_an_upsert_that_takes_much_more_than_sql_by_hand_is_told(
    monkeypatch, tmp_path, capsys, seconds, memory, code
):
    by_hand = [[Usage(15.0, {}, 100, 100)], [Usage(10.0, {}, 100, 100)]]
    runs = [*by_hand, [Usage(seconds, {}, memory, memory)]]
    monkeypatch.setattr(merge, "bench_folder", lambda: tmp_path)
    monkeypatch.setattr(merge, "run_servers", lambda folder: nullcontext())
    monkeypatch.setattr(merge, "_measure", lambda *_: runs)
    assert merge.main([]) == code
    assert f"upsert: {seconds / 10:.2f} of the time by hand" in capsys.readouterr().out
