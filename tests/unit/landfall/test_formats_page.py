"""Each example of docs/formats.md does what the page shows."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.formats import FORMATS
from include.landfall.feed.model import Feed
from include.landfall.job import Job, PlannedColumn
from include.landfall.planned import rules_of
from include.landfall.read.formats import format_of
from include.landfall.read.spelling import Speller

PAGE = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
BLOCKS = r"```yaml\n(.*?)```\n```csv\n(.*?)```\n```text\n(.*?)```"
EXAMPLES = re.findall(BLOCKS, PAGE, re.DOTALL)
SOURCE = {"source": {"bucket": "landing", "pattern": "*"}, "target": {"table": "raw.t"}}


def rows(feed: Feed, data: bytes) -> list[list[str | None]]:
    planned = tuple(PlannedColumn(name, each.parsed) for name, each in feed.table_columns.items())
    arrival = Arrival("b", "k", "e", len(data), datetime(2026, 1, 1, tzinfo=UTC))
    dialect = feed.format.dialect()
    job = Job("t", arrival, Store(), planned, 1, dialect, rules=rules_of(feed), order=feed.order)
    parts = map(Speller(job).rows, format_of(job).rows(io.BytesIO(data), job))
    return [list(row.values()) for part in parts for row in part.batch.to_pylist()]


@pytest.mark.parametrize(("keys", "file", "expected"), EXAMPLES)
def test_an_example_gives_the_rows_that_the_page_shows(keys, file, expected):
    feed = Feed.model_validate({"feed": "t", **SOURCE, **yaml.safe_load(keys)})
    cells = [
        [None if cell.strip() == "NULL" else cell.strip() for cell in line.split(" | ")]
        for line in expected.splitlines()
    ]
    assert rows(feed, file.encode(getattr(feed.format, "encoding", "utf-8"))) == cells


def test_each_option_of_csv_has_an_example_and_a_place_in_the_table():
    options = set(FORMATS["csv"].model_fields) - {"type"}
    examples = {key for keys, _, _ in EXAMPLES for key in yaml.safe_load(keys)["format"]}
    in_table = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)))
    )
    assert options - examples == set()
    assert options - in_table == set()
