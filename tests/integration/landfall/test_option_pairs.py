"""Options of a feed that meet: each alone does what it says, and both together too."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.landfall.errors import HeaderMismatch
from include.landfall.validate import validate
from tests.support.departures import rows_of
from tests.support.file_bytes import parquet_bytes

ALL = {"at_most": "100%"}
KEYED = {"disposition": "merge", "key": ["id"]}


def with_target(engine, target, **changes):
    """Changes the feed, and the keys of its target beside table."""
    values = engine.make_feed(**changes).model_dump(mode="json")
    return engine.make_feed(**{**values, "target": {"table": "raw.t", **target}})


def types_of(engine):
    return dict(
        engine.sql(
            "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'raw.t'::regclass AND attnum > 1 AND attname <> '_load_id'"
        )
    )


def test_new_columns_are_spelt_as_the_feed_says_in_the_first_file_and_in_the_next(engine):
    engine.be(
        columns={"id": "integer"}, contract={"new_columns": "evolve"}, rejects=ALL,
        format={"delimiter": ";", "decimal": ",", "thousands": ".", "dates": "DMY", "trim": True,
                "true_words": ["ja"], "false_words": ["nein"], "quoted_nulls": "no_text"},
    )  # fmt: skip
    names = "id;price;stock;code;day;paid;left\n"
    engine.load(names + '1;1,5;1.234;007;03/04/2026; ja ;""\n2;2;7;12;;nein;"4"\n', "a.csv")
    assert types_of(engine) == {
        "price": "numeric", "stock": "bigint", "code": "text", "day": "date", "paid": "boolean",
        "left": "bigint",
    }  # fmt: skip
    engine.load(names + '3;"1.000,25";2.000;;4.4.26;Ja;""\n', "b.csv")
    assert rows_of(engine) == [
        {"id": 1, "price": 1.5, "stock": 1234, "code": "007", "day": "2026-04-03", "paid": True},
        {"id": 2, "price": 2, "stock": 7, "code": "12", "paid": False, "left": 4},
        {"id": 3, "price": 1000.25, "stock": 2000, "day": "2026-04-04", "paid": True},
    ]
    assert engine.sql("SELECT count(*) FROM landfall.rejects") == [0]


def test_a_quoted_null_is_not_rescued_where_it_is_one_in_all_columns(engine):
    engine.be(
        columns={"id": "integer"}, contract={"new_columns": "rescue", "row_shape": "pad"},
        format={"quoted_nulls": "always", "nulls": ["NA"]},
    )  # fmt: skip
    engine.load('id,a,b\n"1","","x"\n"2","NA","","NA"\n"3","","","y"\n')
    assert rows_of(engine) == [
        {"id": 1, "_rescued": {"b": "x"}}, {"id": 2}, {"id": 3, "_rescued": {"beyond_1": "y"}},
    ]  # fmt: skip


def test_validate_tells_of_every_departure_that_the_load_then_takes(engine):
    columns = {"id": "integer", "n": {"type": "integer", "on_bad_cell": "null"}, "name": "text"}
    engine.be(columns=columns, contract={"row_shape": "pad", "new_columns": "rescue"}, rejects=ALL)
    arrival = engine.put("id,n,name,more\n1,x\n2,3,b,c\n4,y,d,\nbad\n")
    validated = validate(engine.feed, arrival, store=engine.store, warehouse=engine.warehouse)
    assert validated.changes == engine.load(arrival).changes
    assert {"cells nulled n: 2", "rows padded: 1"} <= set(validated.changes)


NAMED = {
    "key": ({"disposition": "merge", "key": ["id", "k"]}, "id,d\n1,2026-03-02\n"),
    "newest": ({**KEYED, "newest": "d"}, "id,k\n1,x\n"),
    "deleted": ({**KEYED, "deleted": {"column": "k", "values": ["D"]}}, "id,d\n1,2026-03-02\n"),
    "scd2": ({**KEYED, "strategy": "scd2", "newest": "d"}, "id,k\n1,x\n"),
    "replace_where": ({"disposition": "replace", "replace_where": ["k"]}, "id,d\n1,2026-03-02\n"),
}


@pytest.mark.parametrize("name", NAMED)
def test_a_column_that_rows_are_told_apart_by_is_never_null_because_a_file_lacks_it(engine, name):
    """Without newest each row would be the oldest, and without the marks none would delete."""
    target, lacking = NAMED[name]
    columns = {"id": "integer", "k": "text", "d": "date"}
    engine.feed = with_target(
        engine, target, columns=columns, contract={"missing_columns": "null"}, rejects=ALL
    )
    engine.load("id,k,d\n1,x,2026-03-01\n", "a.csv")
    before = rows_of(engine)
    with pytest.raises(HeaderMismatch, match="missing: "):
        engine.load(lacking, "b.csv")
    assert rows_of(engine) == before


def test_what_is_rescued_of_a_reject_is_the_same_json_after_its_replay(engine):
    """A list was a text within quotes, and so were numbers."""
    columns = {"id": {"type": "integer", "nullable": False}}
    engine.be(columns=columns, contract={"new_columns": "rescue"}, rejects=ALL)
    engine.feed = engine.make_feed(**{**engine.feed.model_dump(mode="json"), "format": "parquet"})
    more = {"n": 7, "x": 0.5, "b": True, "t": "x", "l": [1, 2], "s": {"a": ["z"], "d": None}}
    table = pa.Table.from_pylist([{"id": 1, **more}, {"id": None, **more}])
    assert engine.load(parquet_bytes(table)).reasons == {"null": 1}
    engine.sql("ALTER TABLE raw.t ALTER id DROP NOT NULL")
    engine.be(columns={"id": "integer"}, contract={"new_columns": "rescue"}, rejects=ALL)
    (replayed,) = engine.replay()
    assert replayed.rows == 1
    first, second = engine.sql("SELECT _rescued FROM raw.t ORDER BY id")
    assert first == second
    assert (first["n"], first["l"], first["b"], first["s"]["a"]) == (7, [1, 2], True, ["z"])


@pytest.mark.parametrize("new_columns", ["rescue", "evolve"])
def test_a_json_key_named_like_a_column_that_has_a_path_does_not_go_in_silence(engine, new_columns):
    columns = {"id": "integer", "city": "text"}
    engine.be(columns=columns, contract={"new_columns": new_columns})
    paths = {"type": "json", "paths": {"city": "address.city"}}
    engine.feed = engine.make_feed(**{**engine.feed.model_dump(mode="json"), "format": paths})
    row = '{"id": 1, "address": {"city": "Ulm"}, "city": "Bonn"}\n'
    with pytest.raises(HeaderMismatch, match="city"):
        engine.load(row)
    engine.load(row.replace(', "city": "Bonn"', ""))
    assert engine.sql("SELECT city FROM raw.t") == ["Ulm"]
