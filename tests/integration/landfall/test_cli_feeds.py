"""A wrong feed, and a table that does not fit it, give one clear message."""

from __future__ import annotations

import psycopg
import pytest


def test_an_unknown_key_in_a_feed(shell):
    shell.feed["colunms"] = shell.feed.pop("columns")
    shell.write_feed()
    line = shell.path.read_text().splitlines().index("colunms:") + 1
    shell.fails(2, "unknown key 'colunms'", f"line: {line}", "'columns'", str(shell.path))


def test_a_feed_with_an_unknown_type_names_its_column(shell):
    shell.feed["columns"]["day"] = "int(3)"
    shell.write_feed()
    shell.fails(2, "columns.day", "int(3)")


@pytest.mark.parametrize(
    "text", ["feed: [", "feed: a\nfeed: b\n", "\t- x", "just words", "", "- 1"]
)
def test_a_feed_file_that_is_not_yaml_of_a_feed(shell, text):
    shell.path.write_text(text)
    shell.fails(2, str(shell.path), "YAML")


def test_a_feed_file_that_is_not_there_or_not_text(shell):
    shell.path.write_bytes(b"\xff\xfe\x00")
    shell.fails(2, "UTF-8")
    shell.path.unlink()
    shell.fails(2, "cannot be read", str(shell.path))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DROP COLUMN day", ["no column 'day'", "expected: a column of type date"]),
        ("ALTER day TYPE text", ["another type", "column: day", "found: text", "expected: date"]),
        ("ADD needed int NOT NULL", ["a column that the feed lacks", "column: needed"]),
    ],
)
def test_a_table_that_does_not_fit_the_feed_is_left_as_it_was(shell, change, words):
    with psycopg.connect(shell.warehouse.conninfo()) as connection:
        connection.execute("CREATE SCHEMA raw; CREATE TABLE raw.things (id int, day date)")
        connection.execute(f"ALTER TABLE raw.things {change}")
    shell.put(b"id,day\n1,2013-01-01\n2,\n")
    code, _, err = shell.run()
    assert code in (2, 5)
    assert [word for word in words if word not in err] == []
    assert shell.query("SELECT count(*) FROM raw.things") == [(0,)]
    assert shell.query("SELECT status FROM landfall.ledger") == [("failed",)]
