"""A merge that is undone brings each value back as it was, whatever its type, and its key too."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from include.landfall.errors import FeedError
from include.landfall.forget import forget, forget_together
from include.landfall.write import merge

OWN_TYPES = """
CREATE SCHEMA raw; CREATE SCHEMA kept;
CREATE EXTENSION citext SCHEMA kept; CREATE EXTENSION hstore SCHEMA kept;
CREATE TYPE kept.mood AS ENUM ('sad', 'ok'); CREATE TYPE kept.pair AS (a integer, b text);
CREATE DOMAIN kept.document AS jsonb CHECK (jsonb_typeof(VALUE) <> 'string');
CREATE DOMAIN kept.required AS text NOT NULL;
"""
# Each type with a cell that JSON could change on the way, and another cell.
CELLS = {
    "kept.hstore": ("a=>1", "a=>2"), "jsonb": ("null", "5"), "kept.document": ("null", "[1]"),
    "json": ('"{""b"": 1,  ""a"":2}"', "1"), "jsonb[]": ('"{""null"",NULL}"', "{}"),
    "integer[]": ('"[0:1]={1,2}"', "{1}"), "text[]": ('"{NULL,""NULL"",a}"', "{}"),
    "kept.pair": ('"(1,""a b"")"', '"(2,c)"'), "kept.mood": ("sad", "ok"),
    "numeric": ("1.10", "2"), "double precision": ("0.30000000000000004", "Infinity"),
    "real": ("NaN", "0.1"), "bytea": ("\\x00ff", "\\x01"), "char(4)": ("ab", "cd"),
    "timestamptz": ("2026-01-01 00:00:00.123456+00", "infinity"), "bit(3)": ("101", "111"),
    "interval": ("1 mon 2 days 03:04:05.678", "1 day"), "int4range": ('"[1,5)"', '"[2,3)"'),
    "kept.required": ("a", "b"),
}  # fmt: skip
COLUMNS = {f"c{n}": each for n, each in enumerate(CELLS)}
EACH = pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])


def row_of(key, cells):
    return ",".join(["k", *COLUMNS]) + f"\n{key}," + ",".join(cells) + "\n"


def keeping(engine, strategy, key_type="kept.citext"):
    target = {"table": "raw.t", "disposition": "merge", "key": ["k"], "strategy": strategy}
    return engine.be(columns={"k": key_type, **COLUMNS}, target=target | {"keep_replaced": 7})


@EACH
def test_values_of_every_type_and_the_keys_spelling_come_back(engine, strategy):
    engine.sql(OWN_TYPES)
    keeping(engine, strategy).load(row_of("Ab", (first for first, _ in CELLS.values())), "1.csv")
    before = engine.sql("SELECT t::text FROM raw.t AS t")
    engine.load(row_of("aB", (second for _, second in CELLS.values())), "2.csv")
    assert engine.sql("SELECT t::text FROM raw.t AS t") != before
    forget(engine.feed, "2.csv", warehouse=engine.warehouse)
    assert engine.sql("SELECT t::text FROM raw.t AS t") == before


@EACH
def test_a_key_of_a_type_with_a_json_of_its_own_comes_back(engine, strategy):
    engine.sql(OWN_TYPES)
    cells = [first for first, _ in CELLS.values()]
    keeping(engine, strategy, "kept.hstore").load(row_of("a=>1", cells), "1.csv")
    before = engine.sql("SELECT t::text FROM raw.t AS t")
    engine.load(row_of("a=>1", ["", *cells[1:]]) + row_of("b=>2", cells).split("\n")[1], "2.csv")
    forget(engine.feed, "2.csv", warehouse=engine.warehouse)
    assert engine.sql("SELECT t::text FROM raw.t AS t") == before


@EACH
def test_a_later_file_is_told_that_spells_the_key_otherwise(engine, strategy):
    """Where it changes nothing, the version of the first file is its own too."""
    cells = [first for first, _ in CELLS.values()]
    engine.sql(OWN_TYPES)
    keeping(engine, strategy, "interval").load(row_of("1 day", cells), "1.csv")
    engine.load(row_of("24:00", cells), "2.csv")
    before = engine.sql("SELECT t::text FROM raw.t AS t")
    with pytest.raises(FeedError, match="were changed after they were loaded") as refused:
        forget(engine.feed, "1.csv", warehouse=engine.warehouse)
    assert refused.value.do.endswith("--object 2.csv --object 1.csv")
    assert engine.sql("SELECT t::text FROM raw.t AS t") == before
    forget_together(engine.feed, ["1.csv", "2.csv"], warehouse=engine.warehouse)
    assert engine.sql("SELECT t::text FROM raw.t AS t") == []


def test_the_planner_hears_how_many_keys_are_kept(engine):
    """It took the table of kept rows for small, and joined 90,000 keys row by row for minutes."""
    seen = []

    def look(what):
        query = "SELECT reltuples FROM pg_class WHERE oid = 'pg_temp.landfall_before'::regclass"
        seen.append(what.value(query))

    target = {"table": "raw.t", "disposition": "merge", "key": ["id"], "keep_replaced": 7}
    with patch.object(merge, "keep_after", look):
        engine.be(target=target).load("id,name\n1,a\n2,b\n3,c\n")
    assert seen == [3]
