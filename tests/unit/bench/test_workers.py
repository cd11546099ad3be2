"""The table and the chart of `make bench-celery`."""

from __future__ import annotations

import pytest

from tests.bench import workers
from tests.bench.workers import Pass

BEGIN, END = "<!-- bench-celery:begin -->", "<!-- bench-celery:end -->"
MEASURED = {
    ("months", 1): [Pass(1000, s, share, 8.0) for s, share in ((4.0, 2.0), (2.0, 1.0), (5.0, 3.0))],
    ("months", 2): [Pass(1000, 2.0, 4.0, 8.0)] * 3,
}


def test_a_row_of_the_table_has_the_medians_and_the_share_of_one_worker_s_time():
    one, two = workers.table(MEASURED)[2:]
    assert one == "| 12 monthly files | 1 | 4.0 (2.0 to 5.0) | 250 | 1.00 | 8 | 25% |"
    assert two == "| 12 monthly files | 2 | 2.0 (2.0 to 2.0) | 500 | 0.50 | 8 | 50% |"


@pytest.fixture
def page(tmp_path, monkeypatch):
    path = tmp_path / "benchmarks.md"
    path.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    (tmp_path / "pictures").mkdir()
    monkeypatch.setattr(workers, "PAGE", path)
    return path


def test_only_what_is_between_the_markers_changes(page):
    workers.write(MEASURED, 3)
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\nMedian of 3 runs")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text


def test_the_chart_is_drawn_where_the_page_shows_it(page):
    workers.write(MEASURED, 3)
    assert (page.parent / workers.CHART).read_bytes().startswith(b"\x89PNG")


def test_the_page_of_the_project_has_the_markers():
    text = workers.PAGE.read_text()
    assert text.index(BEGIN) < text.index(END)
