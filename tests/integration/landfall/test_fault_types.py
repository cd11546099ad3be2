"""The faults of test_faults.py that are about types, each by its number."""
# ruff: noqa: DTZ001  timestamps without a zone are what is tested

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from include.landfall.errors import DataError
from tests.support.file_bytes import parquet_bytes


def parquet(**columns):
    return parquet_bytes(columns, use_deprecated_int96_timestamps=True)


def test_1_1_an_int96_timestamp_keeps_its_year(engine):
    whens = [dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.datetime(1, 1, 1), None]
    whens.append(dt.datetime(2013, 1, 1, 1, 2, 3, 456789))
    engine.be(columns={"id": "integer", "name": "timestamp"}, format="parquet")
    ids = pa.array([1, 2, 3, 4], pa.int32())
    engine.load(parquet(id=ids, name=pa.array(whens, pa.timestamp("us"))))
    assert [name for _, name in engine.rows()] == whens


@pytest.mark.parametrize(
    ("own", "declared", "expected"),
    [
        (pa.array([b"\x00" * 15 + b"\x01"], pa.uuid()), "uuid",
         "00000000-0000-0000-0000-000000000001"),
        (pa.array(['{"a": 1}'], pa.json_()), "jsonb", '{"a": 1}'),
    ],
    ids=["uuid", "json"],
)  # fmt: skip
def test_4_1_parquet_s_logical_types_load(engine, own, declared, expected):
    engine.be(columns={"id": "integer", "name": declared}, format="parquet")
    engine.load(parquet(id=pa.array([1], pa.int32()), name=own))
    assert engine.sql("SELECT name::text FROM raw.t") == [expected]


@pytest.mark.parametrize("declared", ["integer[]", "raw.mood", "raw.small", "numeric(5,2)", "text"])
def test_4_2_a_column_without_a_type_is_null_whatever_the_feed_declares(engine, declared):
    engine.sql(
        "CREATE SCHEMA raw; CREATE TYPE raw.mood AS ENUM ('good');"
        " CREATE DOMAIN raw.small AS integer"
    )
    engine.be(columns={"id": "integer", "name": declared}, format="parquet")
    engine.load(parquet(id=pa.array([1], pa.int32()), name=pa.nulls(1)))
    assert engine.rows() == [(1, None)]


def test_4_3_whole_decimals_are_integers_and_others_are_named(engine):
    engine.be(columns={"id": "bigint", "name": "text"}, format="parquet")
    decimals = pa.array([Decimal(2**62), Decimal(-1)], pa.decimal128(38, 0))
    engine.load(parquet(id=decimals, name=pa.array(["a", "b"])))
    assert engine.rows() == [(-1, "b"), (2**62, "a")]
    for bad in (pa.array([Decimal(2**63)], pa.decimal128(38, 0)), pa.array([Decimal("1.5")])):
        with pytest.raises(DataError) as refused:
            engine.load(parquet(id=bad, name=pa.array(["a"])))
        assert (refused.value.place.column, refused.value.place.row) == ("id", 1)


@pytest.mark.parametrize("of_text", [False, True])
def test_4_6_a_date_before_christ_is_loaded_beside_a_suspect_cell(engine, of_text):
    """tests/integration/landfall/test_parquet_types.py has every other type beside one."""
    engine.be(columns={"id": "integer", "name": "date"}, format="parquet")
    ids = pa.array([" 1 ", "2"]) if of_text else pa.array([1, 2], pa.int32())
    engine.load(parquet(id=ids, name=pa.array([-735_599, -719_163], pa.date32())))
    shown = engine.sql("SELECT name::text FROM raw.t ORDER BY id")
    assert shown == ["0045-01-01 BC", "0001-12-31 BC"]


@pytest.mark.parametrize("day", [-(2**31), -(2**31) + 10957, -2_440_589, 2**31 - 1])
def test_4_6_a_date_that_postgres_cannot_hold_is_refused_and_never_infinity(engine, day):
    engine.be(columns={"id": "integer", "name": "date"}, format="parquet")
    days = pa.array([0, day], pa.int32()).view(pa.date32())
    with pytest.raises(DataError) as refused:
        engine.load(parquet(id=pa.array([1, 2], pa.int32()), name=days))
    assert (refused.value.place.column, refused.value.place.row) == ("name", 2)


@pytest.mark.parametrize("text", [b"a\0b", b"\xff"])
def test_5_7_a_text_that_postgres_cannot_hold_is_named_by_row_and_column(engine, text):
    engine.be(format="parquet")
    texts = pa.Array.from_buffers(
        pa.string(), 3,
        [None, pa.array([0, 2, 2 + len(text), 2 + len(text)], pa.int32()).buffers()[1],
         pa.py_buffer(b"ok" + text)],
    )  # fmt: skip
    with pytest.raises(DataError, match=r"zero byte|not UTF-8") as refused:
        engine.load(parquet(id=pa.array([1, 2, 3], pa.int32()), name=texts))
    assert (refused.value.place.column, refused.value.place.row) == ("name", 2)


def test_4_4_a_wide_row_with_a_leading_blank_fits_the_staging(engine):
    columns = {f"c{n}": "double precision" for n in range(600)}
    engine.be(columns=columns)
    row = ",".join(f"{n}.123456789" for n in range(600))
    engine.load("\n".join([",".join(columns), row, " " + row, ""]))
    assert engine.sql("SELECT count(*), sum(c599) FROM raw.t") == [(2, 2 * 599.123456789)]


@pytest.mark.parametrize("key", ["7", " 7"])
def test_4_5_a_generated_key_takes_the_file_s_values_on_both_paths(engine, key):
    engine.sql(
        "CREATE SCHEMA raw;"
        " CREATE TABLE raw.t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)"
    )
    engine.load(f"id,name\n{key},a\n8,b\n")
    assert engine.rows() == [(7, "a"), (8, "b")]
