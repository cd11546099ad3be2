"""Rejects go to a spreadsheet and come back: nothing runs there, and every cell is what it was."""

from __future__ import annotations

import csv
from types import SimpleNamespace

import pytest

from include.landfall.cli import reject_csv
from include.landfall.feed.model import Feed

FEED = Feed.model_validate(
    {
        "feed": "t",
        "source": {"bucket": "landing", "pattern": "*"},
        "target": {"table": "raw.t"},
        "columns": {"a": "text", "b": "text"},
    }
)
RUNS = ["=cmd|'/c calc'!A0", "+1+2", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "'=1", "\uff1d1", "=", "-"]
RESTS = ["-5", "+1.5e-3", "-1,234.50", "'", "'a", "a=1", "", None]


@pytest.mark.parametrize("cell", RUNS + RESTS)
def test_a_cell_comes_back_as_it_was_and_none_is_a_formula(cell, tmp_path):
    rows = {"reject_id": 7, "line": 2, "reason": "cell", "messages": [cell or ""], "raw": cell}
    rejects = [SimpleNamespace(**rows, cells={"a": cell, "b": "b"})]
    text = "".join(reject_csv.lines_of(FEED, rejects))
    path = tmp_path / "edited.csv"
    path.write_text(text, newline="")
    assert reject_csv.read(str(path), FEED).cells == {7: [cell, "b"]}
    _, row = csv.reader(text.splitlines(keepends=True))
    assert not any(each.startswith(("=", "@", "\t", "\r", "\uff1d", "+1+", "-2")) for each in row)
    assert row[-2].startswith("'") is (cell in [*RUNS, "'", "'a"])
