"""What a contract makes of rows of another width and of bad cells, in a load and in a replay."""

from __future__ import annotations

import json

import pytest

from include.landfall.errors import (
    HeaderMismatch,
)
from tests.support.departures import kept_changes, rows_of

A = {"id": 1, "name": "a"}

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
    (replayed,) = engine.replay(edited={ids[0]: ["40000", None]})
    assert (replayed.rows, replayed.refused) == (1, {})
    engine.replay(edited={ids[1]: ["50000", "b"]})
    assert engine.sql("SELECT id, name, made, x FROM raw.t ORDER BY id") == [
        (1, "none", "here", 10), (40000, "none", "here", 20), (50000, "b", "here", 30),
    ]  # fmt: skip
    assert "type widened id: smallint -> integer" in kept_changes(engine)


def test_a_replay_makes_bad_cells_null_as_a_load_does(engine):
    engine.be(rejects={"at_most": 9})
    engine.load("id,name\n1,a\nx,b\n")
    engine.be(columns={"id": {"type": "integer", "on_bad_cell": "null"}, "name": "text"})
    (replayed,) = engine.replay()
    assert (replayed.rows, replayed.refused) == (1, {})
    assert engine.sql("SELECT id, name FROM raw.t ORDER BY name") == [(1, "a"), (None, "b")]
    assert engine.sql("SELECT state, cells ->> 'id' FROM landfall.rejects") == [("nulled", "x")]


def test_a_nulled_cell_is_superseded_with_the_rows_of_its_file(engine):
    engine.be(columns={"id": {"type": "integer", "on_bad_cell": "null"}, "name": "text"})
    engine.load("id,name\nx,b\n")
    engine.load("id,name\n2,b\n")
    assert engine.sql("SELECT state FROM landfall.rejects") == ["superseded"]
