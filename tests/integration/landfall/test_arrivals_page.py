"""Every example of docs/arrivals.md does what the page says."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from include.landfall.errors import DataError
from include.landfall.tidy import tidy

PAGE = (Path(__file__).parents[3] / "docs" / "arrivals.md").read_text()
BLOCK = re.compile(r"^```(?:yaml|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# A line of the table of objects: its key, and what is in it, a line between two backticks.
OBJECT = re.compile(r"^\| `([^`]+/[^`]+)` \| (.*) \|$", re.MULTILINE)
SECTIONS = {
    section.splitlines()[0]: section for section in PAGE.split("\n## ") if "```yaml" in section
}


def load_what_is_new(engine):
    """Loads the new arrivals, as a run does."""
    for arrival in engine.new_arrivals():
        with suppress(DataError):
            engine.load(arrival)


def cells_of(text):
    return [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]


@pytest.mark.parametrize("section", SECTIONS)
def test_an_example_leaves_the_ledger_and_the_table_that_the_page_shows(engine, section):
    keys, ledger, table, *bucket = BLOCK.findall(SECTIONS[section])
    values = yaml.safe_load(keys)
    values["source"]["bucket"] = engine.bucket
    values["source"].get("loaded_files", {})["after_days"] = 0  # a test does not wait for days
    engine.be(**values)
    for key, lines in OBJECT.findall(SECTIONS[section]):
        engine.put("".join(f"{line}\n" for line in re.findall(r"`([^`]+)`", lines)), key)
        load_what_is_new(engine)
    assert [[entry.status, entry.key] for entry in engine.entries()] == cells_of(ledger)
    rows = engine.sql("SELECT id::text, name FROM raw.t ORDER BY id")
    assert list(map(list, rows)) == cells_of(table)
    for keys_left in bucket:
        list(tidy(engine.feed, store=engine.store, warehouse=engine.warehouse))
        listed = engine.client.list_objects_v2(Bucket=engine.bucket)["Contents"]
        assert [each["Key"] for each in listed] == keys_left.split()


def test_the_page_has_its_examples():
    assert len(SECTIONS) == 3
