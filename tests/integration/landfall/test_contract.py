"""Files that depart from their feed: what each mode does with them, and what it tells of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.landfall.errors import DataError, FeedError, HeaderMismatch

MODES = {
    "refuse": {},
    "ignore": {"new_columns": "ignore"},
    "rescue": {"new_columns": "rescue"},
    "evolve": {"new_columns": "evolve"},
    "null": {"missing_columns": "null"},
    "default": {"missing_columns": "default"},
    "case": {"case": "ignore"},
    "trim": {"trim": True},
    "rescue, null": {"new_columns": "rescue", "missing_columns": "null"},
    "evolve, default": {"new_columns": "evolve", "missing_columns": "default"},
    "ignore, case, trim": {"new_columns": "ignore", "case": "ignore", "trim": True},
}
COLUMNS = {"id": "integer", "name": "text"}
KEYED = {**COLUMNS, "id": {"type": "integer", "nullable": False}}
OTHER_NAMES = {**COLUMNS, "name": {"type": "text", "from": ["full_name", "Nom"]}}
A = {"id": 1, "name": "a"}


@dataclass(frozen=True)
class Loaded:
    """What a load leaves: the rows without NULLs, and what it tells."""

    rows: Any
    changes: tuple[str, ...] = ()


def a(*changes: str, **more: Any) -> Loaded:
    """The row of a file with id 1 and name a, and further columns."""
    return Loaded([{**A, **more}], changes)


# What departs: the feed's columns, the file's header and its row, and what each mode makes of it.
DEPARTURES: dict[str, tuple[Any, list[str], list[str | None], dict[str, Any]]] = {
    "none": (COLUMNS, ["id", "name"], ["1", "a"], dict.fromkeys(MODES, a())),
    "another order": (COLUMNS, ["name", "id"], ["a", "1"], dict.fromkeys(MODES, a())),
    "a new column, last": (COLUMNS, ["id", "name", "x"], ["1", "a", "7"], {
        "refuse": "not in the feed: 'x'",
        "null": "not in the feed: 'x'",
        "ignore": a("new column x: ignored"),
        "rescue": a("new column x: rescued into _rescued", _rescued={"x": "7"}),
        "evolve": a("column added x: bigint", x=7),
    }),
    "a new column, first": (COLUMNS, ["x", "id", "name"], ["b", "1", "a"], {
        "refuse": "not in the feed: 'x'",
        "ignore": a("new column x: ignored"),
        "rescue": a("new column x: rescued into _rescued", _rescued={"x": "b"}),
        "evolve": a("column added x: text", x="b"),
    }),
    "a new column without a cell": (COLUMNS, ["id", "x", "name"], ["1", None, "a"], {
        "ignore": a("new column x: ignored"),
        "rescue": a("new column x: rescued into _rescued"),
        "evolve": a("column added x: text"),
    }),
    "a new date": (COLUMNS, ["id", "name", "x"], ["1", "a", "2026-02-28"], {
        "evolve": a("column added x: date", x="2026-02-28"),
    }),
    "a new date that is none": (COLUMNS, ["id", "name", "x"], ["1", "a", "2026-02-30"], {
        "evolve": a("column added x: text", x="2026-02-30"),
    }),
    "a new moment": (COLUMNS, ["id", "name", "x"], ["1", "a", "2026-02-28T10:00:00Z"], {
        "evolve": a("column added x: timestamptz", x="2026-02-28T10:00:00+00:00"),
    }),
    "a new number": (COLUMNS, ["id", "name", "x"], ["1", "a", "1.50"], {
        "evolve": a("column added x: numeric", x=1.50),
    }),
    "a new code with a leading zero": (COLUMNS, ["id", "name", "x"], ["1", "a", "007"], {
        "evolve": a("column added x: text", x="007"),
    }),
    "a new truth": (COLUMNS, ["id", "name", "x"], ["1", "a", "true"], {
        "evolve": a("column added x: boolean", x=True),
    }),
    "two new columns": (COLUMNS, ["id", "x", "name", "y z"], ["1", "b", "a", "c"], {
        "refuse": "not in the feed: 'x', 'y z'",
        "ignore": a("new column x: ignored", "new column y z: ignored"),
        "rescue": a("new column x: rescued into _rescued", "new column y z: rescued into _rescued",
                    _rescued={"x": "b", "y z": "c"}),
        "evolve": a("column added x: text", "column added y z: text", x="b", **{"y z": "c"}),
    }),
    "a new column with the engine's name": (COLUMNS, ["id", "name", "_load_id"], ["1", "a", "b"], {
        "evolve": "cannot be added",
        "ignore": a("new column _load_id: ignored"),
        "rescue": a("new column _load_id: rescued into _rescued", _rescued={"_load_id": "b"}),
    }),
    "a nameless last column": (COLUMNS, ["id", "name", ""], ["1", "a", None], {
        "refuse": "not in the feed: ''",
        "ignore": a("new column column_3: ignored"),
        "rescue": a("new column column_3: rescued into _rescued"),
        "evolve": "cannot be added",
    }),
    "a nameless column with cells": (COLUMNS, ["id", "", "name"], ["1", "b", "a"], {
        "rescue": a("new column column_2: rescued into _rescued", _rescued={"column_2": "b"}),
    }),
    "a new name that stands twice": (COLUMNS, ["id", "name", "x", "x"], ["1", "a", "b", "c"], {
        "refuse": "twice: 'x'",
        "ignore": a("new column x: ignored", "new column x_4: ignored"),
        "rescue": a("new column x: rescued into _rescued", "new column x_4: rescued into _rescued",
                    _rescued={"x": "b", "x_4": "c"}),
        "evolve": "cannot be added",
    }),
    "a name of the feed that stands twice": (COLUMNS, ["id", "name", "name"], ["1", "a", "b"],
        dict.fromkeys(("refuse", "ignore", "rescue", "evolve", "null"), "twice: 'name'")),
    "a missing column": (COLUMNS, ["id"], ["1"], {
        "refuse": "missing: 'name'",
        "ignore": "missing: 'name'",
        "rescue": "missing: 'name'",
        "null": Loaded([{"id": 1}], ("missing column name: null",)),
        "default": Loaded([{"id": 1, "name": "none"}], ("missing column name: default",)),
        "evolve, default": Loaded([{"id": 1, "name": "none"}], ("missing column name: default",)),
    }),
    "a missing column that takes no NULL": (KEYED, ["name"], ["a"], {
        "refuse": "missing: 'id'",
        "null": "missing: 'id'",
        "default": Loaded([{"id": 0, "name": "a"}], ("missing column id: default",)),
    }),
    "every column missing": (COLUMNS, ["x"], ["b"], {
        "null": "not in the feed: 'x'",
        "rescue, null": Loaded(
            [{"_rescued": {"x": "b"}}],
            ("missing column id: null", "missing column name: null",
             "new column x: rescued into _rescued"),
        ),
    }),
    "a column that was renamed": (COLUMNS, ["id", "full_name"], ["1", "a"], {
        "refuse": "missing: 'name'; not in the feed: 'full_name'",
        "null": "not in the feed: 'full_name'",
        "rescue, null": Loaded(
            [{"id": 1, "_rescued": {"full_name": "a"}}],
            ("missing column name: null", "new column full_name: rescued into _rescued"),
        ),
        "evolve, default": Loaded(
            [{"id": 1, "name": "none", "full_name": "a"}],
            ("missing column name: default", "column added full_name: text"),
        ),
    }),
    "another name that the feed has": (OTHER_NAMES, ["id", "full_name"], ["1", "a"],
        dict.fromkeys(MODES, a("other name name: full_name -> name"))),
    "the other name in other case": (OTHER_NAMES, ["id", "nom"], ["1", "a"], {
        "refuse": "missing: 'name'; not in the feed: 'nom'",
        "case": a("other name name: nom -> name"),
    }),
    "both names at once": (OTHER_NAMES, ["id", "name", "Nom"], ["1", "a", "b"],
        dict.fromkeys(("refuse", "ignore", "rescue", "evolve"), "twice: 'Nom', 'name'")),
    "other case": (COLUMNS, ["ID", "Name"], ["1", "a"], {
        "refuse": "missing: 'id', 'name'; not in the feed: 'ID', 'Name'",
        "case": a("other name id: ID -> id", "other name name: Name -> name"),
        "trim": "missing: 'id'",
    }),
    "two names in one case": (COLUMNS, ["id", "name", "NAME"], ["1", "a", "b"], {
        "case": "twice: 'NAME', 'name'",
        "ignore": a("new column NAME: ignored"),
    }),
    "spaces around a name": (COLUMNS, [" id", "name "], ["1", "a"], {
        "refuse": "missing: 'id', 'name'",
        "trim": a("other name id:  id -> id", "other name name: name  -> name"),
        "case": "missing: 'id'",
    }),
    "spaces, case and a new column": (COLUMNS, [" ID ", "NAME", "x"], ["1", "a", "b"], {
        "ignore, case, trim": a("other name id:  ID  -> id", "other name name: NAME -> name",
                                "new column x: ignored"),
    }),
}  # fmt: skip


def csv_of(header: list[str], row: list[str | None]) -> bytes:
    cells = ["" if cell is None else cell for cell in row]
    return "\n".join([",".join(header), ",".join(cells), ""]).encode()


def parquet_of(header: list[str], row: list[str | None]) -> bytes:
    out = io.BytesIO()
    arrays = [pa.array([cell], pa.string()) for cell in row]
    pq.write_table(pa.Table.from_arrays(arrays, names=header), out)
    return out.getvalue()


def rows_of(engine, table: str = "raw.t") -> list[Any]:
    return engine.sql(f"SELECT jsonb_strip_nulls(to_jsonb(t) - '_load_id') FROM {table} AS t")


def told(engine) -> list[str]:
    """What landfall.changes has, as the receipts tell it."""
    rows = engine.sql("SELECT what, column_name, before, after FROM landfall.changes ORDER BY 1, 2")
    return sorted(
        f"{what} {column}: {' -> '.join(v for v in (before, after) if v is not None)}"
        for what, column, before, after in rows
    )


@pytest.mark.parametrize("file_format", ["csv", "parquet"])
@pytest.mark.parametrize("departure", DEPARTURES)
def test_what_comes_of_a_departure_in_each_mode(engine, departure, file_format):
    columns, header, row, outcomes = DEPARTURES[departure]
    if file_format == "parquet" and len(set(header)) < len(header):
        pytest.skip("Arrow reads the columns of Parquet by name")
    data = (csv_of if file_format == "csv" else parquet_of)(header, row)
    for mode, outcome in outcomes.items():
        engine.be(columns=columns, contract=MODES[mode], format=file_format)
        engine.sql(
            "DROP SCHEMA IF EXISTS raw, landfall CASCADE; CREATE SCHEMA raw;"
            " CREATE TABLE raw.t (id integer DEFAULT 0, name text DEFAULT 'none')"
        )
        if "rescue" in mode:
            engine.sql("ALTER TABLE raw.t ADD _rescued jsonb")
        if isinstance(outcome, str):
            with pytest.raises(HeaderMismatch) as caught:
                engine.load(data)
            assert outcome in str(caught.value), mode
            assert (rows_of(engine), told(engine)) == ([], []), mode
            continue
        try:
            receipt = engine.load(data)
        except HeaderMismatch as error:
            raise AssertionError(f"{mode}: {error}") from error
        assert (rows_of(engine), told(engine)) == (outcome.rows, sorted(outcome.changes)), mode
        assert sorted(receipt.changes) == sorted(outcome.changes), mode


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
    is_odd = shape != "as the header"
    for contract, is_taken in [
        ({}, not is_odd),
        ({"row_shape": "pad"}, padded is not None),
        ({"row_shape": "pad", "rescue": "_rescued"}, True),
    ]:
        engine.be(contract=contract, rejects={"at_most": 1})
        engine.sql("DROP SCHEMA IF EXISTS raw, landfall CASCADE")
        receipt = engine.load(data)
        assert (receipt.rows, receipt.rejected) == ((3, 0) if is_taken else (2, 1)), contract
        assert receipt.changes == (["rows padded: 1"] if is_taken and is_odd else []), contract
        row = [row for row in rows_of(engine) if row["id"] == 1]
        expected = rescued if "rescue" in contract and rescued else A if "name" in row else None
        if is_taken and expected:
            assert row == [expected], contract
        lines = engine.sql("SELECT line FROM landfall.rejects")
        assert lines == ([] if is_taken else [3])


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
