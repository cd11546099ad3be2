"""The page on speed: a measurement changes only its own section."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.bench.machine import Machine
from tests.bench.measure import Usage
from tests.bench.page import between_markers, plain, section
from tests.bench.verdict import promises, summarise

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
MACHINE = Machine(2, 24, "Linux x86_64", "3.11.7", "18.6", dt.date(2026, 11, 24), 5, 1)


@pytest.fixture
def summaries():
    cpu = {"main": 1.0, "reading": 8.0, "postgres": 6.0}
    psql = Usage(10.0, cpu | {"reading": 0.0, "minio": 0.0}, 3_000_000, 1_000_000)
    load = Usage(12.0, cpu, 230_000_000, 170_000_000)
    return summarise({"psql": [psql], "csv": [load]})


def test_only_what_is_between_the_markers_changes():
    page = f"# Page\n\nbefore\n{BEGIN}\nold\n{END}\nafter\n"
    assert between_markers(page, "new") == f"# Page\n\nbefore\n{BEGIN}\nnew\n{END}\nafter\n"


def test_the_same_section_again_changes_nothing():
    once = between_markers("# Page\n", "new")
    assert between_markers(once, "new") == once


def test_a_section_of_another_name_stays_as_it_is():
    page = f"{BEGIN}\nloads\n{END}\n<!-- other:begin -->\nold\n<!-- other:end -->\n"
    assert between_markers(page, "new", "other") == page.replace("old", "new")


def test_a_page_without_markers_gets_them_at_its_end():
    assert between_markers("# Page\n\ntext\n", "new").startswith("# Page\n\ntext\n\n## Speed\n")


def test_the_section_shows_every_way_every_promise_and_the_machine(summaries):
    text = section(summaries, promises(summaries, {}), MACHINE)
    assert "2 cores, 24 GiB, Linux x86_64, PostgreSQL 18.6, Python 3.11.7" in text
    assert (
        "| CSV | 12.0 (12.0 to 12.0) | 1.20 | 1.0 + 8.0 | 6.0 | 1.00 | not measured | 230 |" in text
    )
    assert "| csv: time, of psql's | 0.90 | 1.20 | BROKEN |" in text
    assert "| memory at the most | 256 MB | 230 MB | kept |" in text


def test_the_terminal_marks_a_broken_promise(summaries):
    assert "BROKEN  csv: time, of psql's: 1.20 (at most 0.90)" in plain(
        summaries, promises(summaries, {})
    )
