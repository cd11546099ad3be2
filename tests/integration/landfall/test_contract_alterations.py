"""What a load makes of types, widths, cells and added columns, and what a replay makes of them."""

from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.landfall.errors import (
    DataError,
    FeedError,
    HeaderMismatch,
    TerminalError,
    TransientError,
)
from include.landfall.feed.model import Feed
from include.landfall.forget import forget
from include.landfall.replay import rejects_to_replay, replay
from include.landfall.validate import validate
from tests.support.departures import kept_changes, parquet_of, rows_of

A = {"id": 1, "name": "a"}

# What the table has, what the feed declares, and what widen makes of it: the type, or None.
TYPES = {
    "smallint": [("integer", "integer"), ("bigint", "bigint"), ("numeric", "numeric"),
                 ("numeric(5,0)", "numeric(5,0)"), ("numeric(6,2)", None), ("text", "text")],
    "integer": [("smallint", None), ("bigint", "bigint"), ("real", None), ("date", None)],
    "bigint": [("integer", None), ("numeric(19,0)", "numeric(19,0)"), ("numeric(18,0)", None)],
    "numeric(12,2)": [("numeric(14,2)", "numeric(14,2)"), ("numeric(14,4)", "numeric(14,4)"),
                      ("numeric(12,4)", None), ("numeric(10,2)", None), ("numeric", "numeric")],
    "varchar(3)": [("varchar(5)", "character varying(5)"), ("varchar(2)", None),
                   ("varchar", "character varying"), ("text", "text"), ("integer", None)],
    "text": [("varchar(5)", None), ("integer", None)],
    "date": [("timestamp", "timestamp without time zone"), ("timestamptz", None),
             ("text", "text")],
    "timestamp": [("date", None)],
}  # fmt: skip
CELLS = {"date": "2026-02-28", "timestamp": "2026-02-28"}
TYPE_OF = (
    "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
    " WHERE attrelid = 'raw.t'::regclass AND attname = 'c'"
)


@pytest.mark.parametrize("existing", TYPES)
def test_a_narrower_type_of_the_table_is_widened_only_where_the_feed_says_so(engine, existing):
    cell = CELLS.get(existing, "7")
    for declared, widened in TYPES[existing]:
        for mode in ("refuse", "widen"):
            engine.be(columns={"c": declared}, contract={"types": mode})
            engine.sql(
                "DROP SCHEMA IF EXISTS raw, landfall CASCADE; CREATE SCHEMA raw;"
                f" CREATE TABLE raw.t (c {existing}, _load_id bigint);"
                f" INSERT INTO raw.t VALUES ('{cell}')"
            )
            before = engine.sql(TYPE_OF)[0]
            if mode == "refuse" or widened is None:
                with pytest.raises(FeedError, match="another type"):
                    engine.load(f"c\n{cell}\n")
                assert engine.sql(TYPE_OF) == [before]
                continue
            receipt = engine.load(f"c\n{cell}\n")
            assert engine.sql(TYPE_OF) == [widened]
            assert [change.split(" -> ")[0] for change in receipt.changes] == [
                f"type widened c: {before}"
            ]
            assert engine.sql("SELECT count(DISTINCT c) FROM raw.t") == [1]


# Rows of a file with the header id,name, and what comes of them: padded or rejected.
SHAPES = {
    "as the header": ("1,a", "1,a", None),
    "a cell less": ("1", "1", {"id": 1}),
    "a cell more": ("1,a,b", None, {**A, "_rescued": {"beyond_1": "b"}}),
    "two more": ('1,a,b,"c,d"', None, {**A, "_rescued": {"beyond_1": "b", "beyond_2": "c,d"}}),
    "delimiters at the end": ("1,a,,", "1,a", A),
    "an empty cell and one more": ("1,,,b", None, {"id": 1, "_rescued": {"beyond_2": "b"}}),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_of_another_width_is_rejected_or_padded(engine, shape):
    line, padded, rescued = SHAPES[shape]
    data = f"id,name\n8,h\n{line}\n 9 ,i\n"
    is_odd, is_short = shape != "as the header", shape == "a cell less"
    for contract, is_taken in [
        ({}, not is_odd),
        ({"row_shape": "pad"}, padded is not None),
        ({"row_shape": "pad", "rescue": "_rescued"}, True),
    ]:
        engine.be(contract=contract, rejects={"at_most": 1})
        engine.sql("DROP SCHEMA IF EXISTS raw, landfall CASCADE")
        receipt = engine.load(data)
        assert (receipt.rows, receipt.rejected) == ((3, 0) if is_taken else (2, 1)), contract
        assert receipt.changes == (["rows padded: 1"] if is_taken and is_short else []), contract
        row = [row for row in rows_of(engine) if row["id"] == 1]
        expected = rescued if "rescue" in contract and rescued else A if "name" in row else None
        if is_taken and expected:
            assert row == [expected], contract
        lines = engine.sql("SELECT line FROM landfall.rejects")
        assert lines == ([] if is_taken else [3])


@pytest.mark.parametrize("quotes", ["strict", "repair"])
def test_only_rows_that_were_padded_and_loaded_are_counted(engine, quotes):
    """Not a padded row that is a reject, nor one with a cell too many."""
    engine.be(
        columns={"id": "integer", "name": "text", "paid": "numeric(9,2)"},
        contract={"row_shape": "pad"}, format={"quotes": quotes}, rejects={"at_most": 3},
    )  # fmt: skip
    receipt = engine.load("id,name,paid\n1,a\n2\nx,b\n3,c,4.50\n4,d,1,\n5,e,1,2\n6,f,x\n")
    assert (receipt.rows, receipt.rejected) == (4, 3)
    assert receipt.changes == ["rows padded: 2"]


@pytest.mark.parametrize("quotes", ["strict", "repair"])
def test_cells_that_are_rescued_are_trimmed_where_the_feed_trims_every_cell(engine, quotes):
    """In the row that is loaded, and in the one that Postgres refuses: its cells are kept."""
    engine.be(
        format={"trim": True, "quotes": quotes}, rejects={"at_most": 1},
        contract={"new_columns": "rescue", "row_shape": "pad"},
    )  # fmt: skip
    engine.load("id,more,name\n1, x , a , y \nz, x , a , y \n")
    rescued = {"more": "x", "beyond_1": "y"}
    assert engine.sql("SELECT _rescued FROM raw.t WHERE name = 'a'") == [rescued]
    (cells,) = engine.sql("SELECT cells FROM landfall.rejects")
    assert json.loads(cells["_rescued"]) == rescued


def test_a_reject_of_a_row_that_the_table_refuses_keeps_the_cells_beyond_its_columns(engine):
    engine.sql("CREATE SCHEMA raw")
    engine.sql("CREATE TABLE raw.t (id integer CHECK (id <> 2), name text, _rescued jsonb)")
    contract = {"row_shape": "pad", "rescue": "_rescued"}
    engine.be(contract=contract, rejects={"at_most": 1}, format={"trim": True})
    engine.load("id,name\n1,a\n2,b, y \n")
    (cells,) = engine.sql("SELECT cells FROM landfall.rejects")
    assert (cells["id"], json.loads(cells["_rescued"])) == ("2", {"beyond_1": "y"})


def test_a_bad_cell_becomes_null_and_is_kept_apart_from_the_rejected_rows(engine):
    engine.be(
        columns={
            "id": "integer",
            "amount": {"type": "numeric(5,2)", "on_bad_cell": "null"},
            "day": {"type": "date", "on_bad_cell": "null"},
        },
        rejects={"at_most": 1},
    )
    receipt = engine.load("id,amount,day\n1,n/a,2026-02-30\n2,1.5,2026-02-28\nx,n/a,\n4,99999,\n")
    assert (receipt.rows, receipt.rejected, receipt.reasons) == (3, 1, {"cell": 1})
    assert receipt.changes == ["cells nulled amount: 2", "cells nulled day: 1"]
    assert engine.sql("SELECT id, amount::text, day::text FROM raw.t ORDER BY id") == [
        (1, None, None), (2, "1.50", "2026-02-28"), (4, None, None),
    ]  # fmt: skip
    kept = engine.sql(
        "SELECT line, column_name, state, raw, cells FROM landfall.rejects ORDER BY reject_id"
    )
    assert [row[:4] for row in kept] == [
        (4, "id", "open", "x,n/a,"),
        (2, "amount", "nulled", "1,n/a,2026-02-30"),
        (2, "day", "nulled", "1,n/a,2026-02-30"),
        (5, "amount", "nulled", "4,99999,"),
    ]
    assert kept[1][4] == {"id": "1", "amount": "n/a", "day": "2026-02-30"}


def test_cells_that_the_table_refuses_in_a_typed_part_become_null_too(engine):
    engine.be(columns={"id": "integer", "code": {"type": "varchar(2)", "on_bad_cell": "null"}})
    receipt = engine.load("id,code\n1,ab\n2,abc\n")
    assert (receipt.rows, receipt.changes) == (2, ["cells nulled code: 1"])
    assert engine.sql("SELECT line, raw FROM landfall.rejects") == [(3, "2,abc")]


def test_columns_come_from_the_key_and_the_object_in_every_path(engine):
    engine.be(
        columns={
            "id": "integer",
            "day": {"type": "date", "from_key": r"dt=(\d{4}-\d{2}-\d{2})"},
            "source": {"type": "text", "from_object": "key"},
            "bytes": {"type": "bigint", "from_object": "size"},
            "secret_note": {"ignore": True},
        },
        rejects={"at_most": 1},
    )
    key = "dt=2026-03-01/a.csv"
    data = "secret_note,id\nx,1\ny, 2 \nz,bad\n"
    receipt = engine.load(data, key=key)
    assert (receipt.rows, receipt.rejected, receipt.changes) == (2, 1, [])
    assert engine.sql("SELECT id, day::text, source, bytes FROM raw.t ORDER BY id") == [
        (number, "2026-03-01", key, len(data)) for number in (1, 2)
    ]
    assert engine.sql("SELECT cells FROM landfall.rejects") == [
        {"id": "bad", "day": "2026-03-01", "source": key, "bytes": str(len(data))}
    ]
    with pytest.raises(HeaderMismatch, match="the object's key does not have"):
        engine.load("id,secret_note\n1,x\n", key="other.csv")


def test_an_added_column_is_there_for_the_files_that_come_later(engine):
    engine.be(contract={"new_columns": "evolve"})
    assert engine.load("id,name,x\n1,a,7\n").changes == ["column added x: bigint"]
    assert engine.load("id,name\n2,b\n", key="b.csv").changes == []
    assert engine.load("x,id,name\n 8 ,3,c\n", key="c.csv").changes == []
    assert engine.sql("SELECT id, x FROM raw.t ORDER BY id") == [(1, 7), (2, None), (3, 8)]
    with pytest.raises(DataError, match="invalid input syntax"):
        engine.load("id,name,x\n4,d,no number\n", key="d.csv")


def test_a_load_that_is_refused_alters_nothing(engine):
    engine.be(contract={"new_columns": "evolve", "types": "widen"})
    engine.load("id,name\n1,a\n")
    engine.be(
        contract={"new_columns": "evolve", "types": "widen"},
        columns={"id": "bigint", "name": "text", "more": "text"},
    )
    with pytest.raises(DataError):
        engine.load("id,name,more,x\n1,a,,7\nbad,,,\n", key="b.csv")
    assert rows_of(engine) == [A]
    assert engine.sql("SELECT * FROM landfall.changes") == []
    assert engine.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'raw.t'::regclass"
                      " AND attnum > 0") == [3]  # fmt: skip


def test_own_types_of_parquet_are_those_of_the_added_and_the_rescued_columns(engine):
    table = pa.table(
        {
            "id": pa.array([1], pa.int32()),
            "name": pa.array(["a"]),
            "small": pa.array([3], pa.int16()),
            "price": pa.array(["1.50"]).cast(pa.decimal128(5, 2)),
            "at": pa.array([0], pa.timestamp("us", "UTC")),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    engine.be(contract={"new_columns": "evolve"}, format="parquet")
    receipt = engine.load(out.getvalue())
    assert receipt.changes == [
        "column added small: smallint", "column added price: numeric(5,2)",
        "column added at: timestamptz",
    ]  # fmt: skip
    engine.sql("DROP SCHEMA raw, landfall CASCADE")
    engine.be(contract={"new_columns": "rescue"}, format="parquet")
    engine.load(out.getvalue())
    assert engine.sql("SELECT _rescued FROM raw.t") == [
        {"small": 3, "price": "1.50", "at": "1970-01-01 00:00:00.000000Z"}
    ]


def test_parquet_whose_columns_stand_twice_is_refused_unless_they_are_ignored(engine):
    data = parquet_of(["id", "name", "x", "x"], ["1", "a", "b", "c"])
    engine.be(contract={"new_columns": "rescue"}, format="parquet")
    with pytest.raises(HeaderMismatch, match="stand twice"):
        engine.load(data)
    engine.be(contract={"new_columns": "ignore"}, format="parquet")
    assert engine.load(data).rows == 1


def replay_open(engine, edited=None):
    chosen = rejects_to_replay(engine.feed, warehouse=engine.warehouse, edited=edited)
    return [replay(engine.feed, batch, warehouse=engine.warehouse) for batch in chosen.batches]


def test_a_replay_fills_the_columns_that_the_load_of_the_file_filled(engine):
    contract = {"new_columns": "evolve", "missing_columns": "default", "types": "widen"}
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t"
        " (id smallint, name text DEFAULT 'none', made text DEFAULT 'here')"
    )
    engine.be(columns={"id": "smallint", "name": "text"}, contract=contract, rejects={"at_most": 9})
    engine.load("id,x\n1,10\n40000,20\n50000,30\n")
    ids = engine.sql("SELECT reject_id FROM landfall.rejects ORDER BY 1")
    # The owner lets the id be larger, and corrects the name of one row.
    engine.be(contract=contract, rejects={"at_most": 9})
    (replayed,) = replay_open(engine, {ids[0]: ["40000", None]})
    assert (replayed.rows, replayed.refused) == (1, {})
    replay_open(engine, {ids[1]: ["50000", "b"]})
    assert engine.sql("SELECT id, name, made, x FROM raw.t ORDER BY id") == [
        (1, "none", "here", 10), (40000, "none", "here", 20), (50000, "b", "here", 30),
    ]  # fmt: skip
    assert "type widened id: smallint -> integer" in kept_changes(engine)


def test_a_replay_makes_bad_cells_null_as_a_load_does(engine):
    engine.be(rejects={"at_most": 9})
    engine.load("id,name\n1,a\nx,b\n")
    engine.be(columns={"id": {"type": "integer", "on_bad_cell": "null"}, "name": "text"})
    (replayed,) = replay_open(engine)
    assert (replayed.rows, replayed.refused) == (1, {})
    assert engine.sql("SELECT id, name FROM raw.t ORDER BY name") == [(1, "a"), (None, "b")]
    assert engine.sql("SELECT state, cells ->> 'id' FROM landfall.rejects") == [("nulled", "x")]


def test_a_nulled_cell_is_superseded_with_the_rows_of_its_file(engine):
    engine.be(columns={"id": {"type": "integer", "on_bad_cell": "null"}, "name": "text"})
    engine.load("id,name\nx,b\n")
    engine.load("id,name\n2,b\n")
    assert engine.sql("SELECT state FROM landfall.rejects") == ["superseded"]


def test_validate_tells_of_departures_and_alters_nothing(engine):
    engine.load("id,name\n1,a\n")
    engine.be(
        columns={"id": "bigint", "name": "text"},
        contract={"new_columns": "evolve", "types": "widen"},
    )
    before = engine.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'raw.t'::regclass")
    arrival = engine.put("id,name,x\n3000000000,b,7\n", "b.csv")
    with psycopg.connect(engine.warehouse.conninfo()) as reader:
        reader.execute("SELECT * FROM raw.t")  # and holds its lock
        validated = validate(engine.feed, arrival, store=engine.store, warehouse=engine.warehouse)
    assert validated.changes == ["type widened id: integer -> bigint", "column added x: bigint"]
    assert (validated.accepted, validated.reasons) == (1, {})
    after = engine.sql("SELECT count(*) FROM pg_attribute WHERE attrelid = 'raw.t'::regclass")
    assert (before, kept_changes(engine)) == (after, [])


def test_a_reader_that_holds_the_table_makes_an_altering_load_fail_for_a_retry(engine):
    engine.load("id,name\n1,a\n")
    engine.be(contract={"new_columns": "evolve"})
    arrival = engine.put("id,name,x\n2,b,7\n", "b.csv")
    with psycopg.connect(engine.warehouse.conninfo()) as reader:
        reader.execute("SELECT * FROM raw.t")
        with pytest.raises(TransientError):
            engine.load(arrival)
    assert engine.load(arrival).changes == ["column added x: bigint"]


@pytest.mark.timeout(120)
def test_files_that_bring_the_same_column_at_once_are_all_loaded(engine):
    engine.be(contract={"new_columns": "evolve"})
    engine.load("id,name\n0,a\n")
    arrivals = [engine.put(f"id,name,x\n{n},b,{n}\n", f"{n}.csv") for n in range(1, 7)]
    with ThreadPoolExecutor(3) as pool:
        receipts = list(pool.map(engine.load, arrivals))
    assert engine.sql("SELECT x FROM raw.t WHERE id > 0 ORDER BY id") == list(range(1, 7))
    assert sum(len(receipt.changes) for receipt in receipts) == 1


def test_a_view_that_uses_the_column_keeps_it_from_being_widened(engine):
    engine.load("id,name\n1,a\n")
    engine.sql("CREATE VIEW raw.v AS SELECT id FROM raw.t")
    engine.be(columns={"id": "bigint", "name": "text"}, contract={"types": "widen"})
    with pytest.raises(TerminalError, match="view"):
        engine.load("id,name\n2,b\n", key="b.csv")
    assert engine.sql("SELECT id FROM raw.v") == [1]


@pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])
def test_a_merge_takes_a_new_column_and_forget_brings_the_old_rows_back(engine, strategy):
    engine.be(contract={"new_columns": "evolve"})
    values = engine.feed.model_dump(mode="json")
    values["target"] = {
        "table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": strategy,
        "keep_replaced": 9,
    }  # fmt: skip
    engine.feed = Feed.model_validate(values)
    engine.load("id,name\n1,a\n2,b\n")
    assert engine.load("id,name,x\n1,c,7\n", key="b.csv").changes == ["column added x: bigint"]
    current = "SELECT id, name, x FROM raw.t WHERE {} ORDER BY id"
    is_current = "_is_current" if strategy == "scd2" else "true"
    assert engine.sql(current.format(is_current)) == [(1, "c", 7), (2, "b", None)]
    forget(engine.feed, "b.csv", warehouse=engine.warehouse)
    assert engine.sql(current.format(is_current)) == [(1, "a", None), (2, "b", None)]
