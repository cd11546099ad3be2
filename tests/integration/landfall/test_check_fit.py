"""`check` finds a table that does not fit its feed, as the load would find it at its first file."""

from __future__ import annotations

import re

import pytest

from include.landfall.check import Database, check
from include.landfall.errors import FeedError
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.postgres.connection import connect

MERGE = {"table": "raw.t", "disposition": "merge", "key": ["id"]}
# The table, what is changed of the feed, and words of the answer; None where it fits.
TABLES = {
    "as declared": ("id integer, name text", {}, None),
    "no table yet": ("", {"target": MERGE}, None),
    "a column is missing": ("id integer", {}, "column name: the table raw.t has no column 'name'"),
    "another type": ("id bigint, name text", {}, "column id: .* another type than the feed"),
    "two columns": (
        "id bigint, name integer", {}, "also: column name: integer, expected: text",
    ),
    "another type, widened": ("id smallint, name text", {"contract": {"types": "widen"}}, None),
    "no unique index": ("id integer, name text", {"target": MERGE}, "no unique index on the key"),
    "a unique index": ("id integer PRIMARY KEY, name text", {"target": MERGE}, None),
    "no versions": (
        "id integer, name text", {"target": MERGE | {"strategy": "scd2"}}, "lacks columns of strat",
    ),
    "a load id of numeric": ("id integer, name text, _load_id numeric", {}, "the id of a load"),
}  # fmt: skip


# What became of a table with a file in it, and the words of the answer.
LATER = {
    "another project's feed of this name": (
        "CREATE TABLE raw.other (id integer, name text)", {"table": "raw.other"},
        "files of this feed are loaded into raw.t; .*; what to do: .*give this feed another name",
    ),
    "gone": ("DROP TABLE raw.t", {}, "the table raw.t is gone, and the ledger has 1 files in it"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_check_foretells_what_a_load_says_of_the_table(engine, name):
    columns, changes, words = TABLES[name]
    engine.sql("CREATE SCHEMA raw;" + (f"CREATE TABLE raw.t ({columns})" if columns else ""))
    engine.be(**changes)
    twice = Database("w", (engine.feed, engine.feed))
    (finding,) = check([twice], warehouse_of=lambda _: engine.warehouse)
    assert finding.reachable is (words is None), finding.answer
    if words is None:
        assert engine.load("id,name\n1,a\n").rows == 1
        return
    assert re.search(words, finding.answer)
    with pytest.raises(FeedError, match=words.split(": ")[-1]):
        engine.load("id,name\n1,a\n")


@pytest.mark.parametrize("name", LATER)
def test_check_foretells_that_the_ledger_tells_of_another_table(engine, name):
    statement, changes, words = LATER[name]
    engine.load("id,name\n1,a\n")
    engine.sql(statement)
    engine.be(**changes)
    (finding,) = check([Database("w", (engine.feed,))], warehouse_of=lambda _: engine.warehouse)
    assert re.search(words, finding.answer)
    with connect(engine.warehouse) as connection, pytest.raises(FeedError) as refused:
        new_arrivals(connection, engine.feed, [])
    assert refused.value.what in finding.answer


FILLS = (
    "CREATE FUNCTION raw.fill() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN NEW.must = 'x'; RETURN NEW; END $$;"
    " CREATE TRIGGER t BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.fill()"
)


@pytest.mark.parametrize(
    ("column", "by_others", "is_filled"),
    [
        ("text NOT NULL", "", False),
        ("text NOT NULL DEFAULT 'x'", "", True),
        ("raw.x NOT NULL", "", True),
        ("text NOT NULL", FILLS, True),
    ],
)
def test_a_column_that_others_made_required_is_told_before_a_row_is_read(
    engine, column, by_others, is_filled
):
    engine.sql(
        "CREATE SCHEMA raw; CREATE DOMAIN raw.x AS text DEFAULT 'x';"
        f" CREATE TABLE raw.t (id int, name text, must {column}); {by_others}"
    )
    (finding,) = check(
        [Database("warehouse", (engine.feed,))], warehouse_of=lambda _: engine.warehouse
    )
    if is_filled:
        engine.load("id,name\n1,a\n2,b\n")
        assert engine.sql("SELECT must FROM raw.t") == ["x", "x"]
        assert finding.reachable
        return
    with pytest.raises(FeedError, match="column that the feed lacks") as refused:
        engine.load("id,name\n1,a\n2,b\n")
    assert refused.value.place.column == "must"
    assert "column must: the table raw.t has a column that the feed lacks" in finding.answer
