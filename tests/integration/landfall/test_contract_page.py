"""Every example of the page on contracts: the feed, the file, and the rows that it shows."""

from __future__ import annotations

import psycopg
import pytest
import yaml

from tests.support.readmes import Block, blocks

BLOCKS = blocks("docs/contracts.md")
EXAMPLES = [
    (BLOCKS[place - 2], BLOCKS[place - 1], block)
    for place, block in enumerate(BLOCKS)
    if block.language == "result"
]
KEY = "month=07/a.csv"
NARROW = "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text)"


def test_the_page_has_an_example_for_each_key():
    text = "\n".join(feed.text for feed, _, _ in EXAMPLES)
    keys = """new_columns: ignore, new_columns: rescue, new_columns: evolve, missing_columns: null,
        missing_columns: default, types: widen, row_shape: pad, case: ignore, trim: true, rescue:,
        from:, from_key:, from_object:, ignore: true, on_bad_cell: null"""
    assert [key for key in map(str.strip, keys.split(",")) if key not in text] == []


@pytest.mark.parametrize(("feed", "file", "result"), EXAMPLES, ids=[f.text for f, _, _ in EXAMPLES])
def test_an_example_leaves_the_rows_that_it_shows(engine, feed: Block, file: Block, result: Block):
    engine.be(**yaml.safe_load(feed.text))
    if "widen" in feed.text:
        engine.sql(NARROW)
    engine.load(file.text, key=KEY)
    names = result.text.splitlines()[0]
    copy = f"COPY (SELECT {names} FROM raw.t ORDER BY id) TO STDOUT (FORMAT csv, HEADER)"
    with (
        psycopg.connect(engine.warehouse.conninfo()) as connection,
        connection.cursor().copy(copy) as rows,
    ):
        assert b"".join(rows).decode() == result.text
