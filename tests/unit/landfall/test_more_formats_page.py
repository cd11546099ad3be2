"""Each example of docs/more-formats.md does what the page shows."""
# ruff: noqa: E501  the tables of cases

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
from include.landfall.feed.limits import Limits
from include.landfall.feed.model import Feed
from include.landfall.job import Job, PlannedColumn
from include.landfall.read.casts.own_types import as_text
from include.landfall.read.formats import format_of

PAGE = (Path(__file__).parents[3] / "docs" / "more-formats.md").read_text(encoding="utf-8")
EXAMPLE = r"```yaml\n([^`]*?)```\n```(file|python)\n([^`]*?)```\n```text\n([^`]*?)```"
EXAMPLES = re.findall(EXAMPLE, PAGE)
SOURCE = {"source": {"bucket": "landing", "pattern": "*"}, "target": {"table": "raw.t"}}
ON_FORMATS_PAGE = {"csv", "parquet"}
AS_IN_CSV = {
    "decimal",
    "thousands",
    "negatives",
    "units",
    "dates",
    "time_zone",
    "true_words",
    "false_words",
}


def feed_of(keys):
    return Feed.model_validate({"feed": "t", **SOURCE, **yaml.safe_load(keys)})


def rows(feed, data):
    planned = tuple(PlannedColumn(name, each.parsed) for name, each in feed.columns.items())
    arrival = Arrival("b", "k", "e", len(data), datetime(2026, 1, 1, tzinfo=UTC))
    job = Job("t", arrival, Store(), planned, 1, feed.format.dialect())
    shown = []
    for part in format_of(job).rows(io.BytesIO(data), job):
        assert not part.misshapen
        columns = zip(part.batch.columns, (c.type for c in planned), strict=True)
        shown += zip(*(as_text(column, own).to_pylist() for column, own in columns), strict=True)
    return [" | ".join("NULL" if cell is None else cell for cell in row) for row in shown]


def content_of(feed, language, text):
    if language == "file":
        return text.encode(getattr(feed.format, "encoding", "utf-8"))
    exec(text, {"file": (file := io.BytesIO())})  # the example of the page
    return file.getvalue()


@pytest.mark.parametrize(("keys", "language", "text", "expected"), EXAMPLES)
def test_an_example_gives_the_rows_that_the_page_shows(keys, language, text, expected):
    feed = feed_of(keys)
    assert rows(feed, content_of(feed, language, text)) == expected.splitlines()


def test_each_format_and_each_option_is_on_the_page():
    shown = {feed_of(keys).format.type for keys, *_ in EXAMPLES}
    assert shown | ON_FORMATS_PAGE == set(FORMATS)
    options = {name for each in shown for name in FORMATS[each].model_fields} - {"type"}
    spelt = AS_IN_CSV | {"quoted_nulls"}
    assert [name for name in sorted(options - spelt) if f"`{name}" not in PAGE] == []


def test_each_limit_is_on_the_page():
    (block,) = re.findall(r"```yaml\n(limits:.*?)```", PAGE, re.DOTALL)
    limits = Limits.model_validate(yaml.safe_load(block)["limits"])
    assert (limits.row, limits.object) == (2 << 20, 10 * 10**9)
    assert limits.model_fields_set == set(Limits.model_fields)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"row": "9 MiB"}, "less than or equal to 8388608"), ({"row": 0}, "greater than or equal to 1"),
        ({"object": "big"}, "a number of bytes, such as"), ({"object": True}, "valid integer"),
        ({"ratio": 0}, "greater than or equal to 1"), ({"columns": 0}, "greater than or equal to 1"),
        ({"lock_timeout": 0}, "greater than 0"), ({"rows": 1}, "Extra inputs"),
    ],
)  # fmt: skip
def test_a_bad_limit_is_refused(limits, message):
    with pytest.raises(ValueError, match=message):
        Limits.model_validate(limits)
