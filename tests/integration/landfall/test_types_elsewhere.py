"""Types of a schema that is not in the search path: their own operators compare, not those of text.

citext is the one that shows it: without its operators two of its values are compared as texts.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.landfall.errors import FeedError

MADE = "CREATE SCHEMA raw; CREATE SCHEMA kept; CREATE EXTENSION citext SCHEMA kept;"
TARGETS = {
    "upsert": {"disposition": "merge", "key": ["k"]},
    "delete-insert": {"disposition": "merge", "key": ["k"], "strategy": "delete-insert"},
    "scd2": {"disposition": "merge", "key": ["k"], "strategy": "scd2"},
    "replace_where": {"disposition": "replace", "replace_where": ["k"]},
}


@pytest.mark.parametrize(
    ("name", "path"), [*((name, "public") for name in TARGETS), ("delete-insert", "")]
)
def test_a_key_that_is_spelled_otherwise_is_the_same_key(engine, name, path):
    engine.sql(MADE)
    if name == "delete-insert":  # it needs no index, so nothing else would notice
        engine.sql("CREATE TABLE raw.t (k kept.citext, v integer)")
    options = {"options": f"-c search_path={path}"}
    engine.warehouse = replace(engine.warehouse, options=options)
    columns, target = {"k": "kept.citext", "v": "integer"}, {"table": "raw.t"} | TARGETS[name]
    engine.be(columns=columns, target=target)
    engine.load("k,v\nAb,1\nc,3\n", "1.csv")
    engine.load("k,v\naB,2\n", "2.csv")
    current = "WHERE _is_current" if name == "scd2" else ""
    query = f"SELECT lower(k::text), v FROM raw.t {current} ORDER BY v"
    assert engine.sql(query) == [("ab", 2), ("c", 3)]


def test_rows_that_refer_to_a_key_spelled_otherwise_are_not_deleted_with_it(engine):
    engine.sql(
        MADE + "CREATE TABLE raw.t (k kept.citext PRIMARY KEY, v integer);"
        "CREATE TABLE raw.item (t kept.citext REFERENCES raw.t ON DELETE CASCADE)"
    )
    engine.be(columns={"k": "kept.citext", "v": "integer"}).load("k,v\nAb,1\n")
    engine.sql("INSERT INTO raw.item VALUES ('AB')")
    with pytest.raises(FeedError, match=r"raw\.item would lose rows"):
        engine.load("k,v\nc,1\n")
    assert engine.sql("SELECT t::text FROM raw.item") == ["AB"]
