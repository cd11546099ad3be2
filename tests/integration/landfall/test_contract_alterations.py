"""What a load alters where the contract says so: added columns and wider types."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pyarrow as pa
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
from include.landfall.postgres import connection as connections
from include.landfall.validate import validate
from tests.support.departures import kept_changes, parquet_of, rows_of
from tests.support.file_bytes import parquet_bytes

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
    data = parquet_bytes(table)
    engine.be(contract={"new_columns": "evolve"}, format="parquet")
    receipt = engine.load(data)
    assert receipt.changes == [
        "column added small: smallint", "column added price: numeric(5,2)",
        "column added at: timestamptz",
    ]  # fmt: skip
    engine.sql("DROP SCHEMA raw, landfall CASCADE")
    engine.be(contract={"new_columns": "rescue"}, format="parquet")
    engine.load(data)
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


@pytest.mark.parametrize(("table", "contract", "altered"), [
    ("id bigint, name text, _load_id bigint", "new_columns: evolve", ["column added x: bigint"]),
    ("id integer, name text, _load_id bigint", "types: widen",
     ["type widened id: integer -> bigint"]),
    ("id bigint, name text", "new_columns: ignore", []),  # the load id is added
])  # fmt: skip
def test_a_reader_that_holds_the_table_makes_an_altering_load_fail_for_a_retry(
    engine, mocker, table, contract, altered
):
    """Others who come after would wait behind the load, for as long as the reader reads."""
    mocker.patch.object(connections, "SHORT_LOCK_TIMEOUT", 200)
    engine.sql(f"CREATE SCHEMA raw; CREATE TABLE raw.t ({table})")
    name, _, value = contract.partition(": ")
    engine.be(columns={"id": "bigint", "name": "text"}, contract={name: value})
    arrival = engine.put("id,name,x\n2,b,7\n" if value != "widen" else "id,name\n2,b\n")
    with psycopg.connect(engine.warehouse.conninfo()) as reader:
        reader.execute("SET idle_in_transaction_session_timeout = '10s'; SELECT * FROM raw.t")
        with pytest.raises(TransientError):
            engine.load(arrival)
    changes = [change for change in engine.load(arrival).changes if "new column" not in change]
    assert (changes, engine.rows()) == (altered, [(2, "b")])


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
