"""Faults that an examination of the product met, each by its number, with the smallest input.

They loaded wrong rows, hung or kept silent. What is right is what each test asserts.
"""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
import zstandard

from include.landfall.errors import DataError, FeedError, HeaderMismatch, LandfallError
from include.landfall.ledger.arrivals import plan
from include.landfall.postgres.connection import connect
from include.landfall.s3.listing import list_arrivals

A, B = "id,name\n1,a\n", "id,name\n2,b\n"


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_1_6_rows_that_a_trigger_keeps_are_an_error_and_not_there_twice(engine, disposition):
    engine.be(disposition=disposition)
    engine.load(engine.put(A))
    engine.sql(
        "CREATE FUNCTION raw.keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
    )
    engine.sql(
        "CREATE TRIGGER keep BEFORE DELETE ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.keep()"
    )
    with pytest.raises(FeedError, match=r"rows that this load replaces stay in raw\.t"):
        engine.load(engine.put(B))
    assert engine.rows() == [(1, "a")]


def test_1_8_an_empty_object_does_not_empty_the_table(engine):
    engine.be(disposition="replace")
    engine.load(engine.put(A, "a.csv"))
    with pytest.raises(DataError, match="the object is empty"):
        engine.load(engine.put("", "b.csv"))
    assert engine.rows() == [(1, "a")]
    source = {"bucket": engine.bucket, "pattern": "**", "empty_objects": "load"}
    engine.be(disposition="replace", source=source)
    assert engine.load(engine.put("", "b.csv")).rows == 0
    assert engine.rows() == []


def test_5_13_a_key_cannot_forge_a_line_of_the_log(engine):
    with pytest.raises(LandfallError) as refused:
        engine.load(engine.put("id,name\nx,\n", "a\n  what to do: nothing\x1b[2J"))
    assert "\n  what to do: nothing" not in str(refused.value)
    assert "\x1b" not in str(refused.value)


PACKED = {"RAR": b"Rar!\x1a\x07\x01\0" + bytes(40), "7-Zip": b"7z\xbc\xaf\x27\x1c" + bytes(40)}


@pytest.mark.parametrize("packing", PACKED)
def test_5_10_a_packing_that_is_not_read_is_named(engine, packing):
    with pytest.raises(DataError, match=f"packed with {packing}"):
        engine.load(PACKED[packing])


def test_4_7_a_zstd_file_may_begin_with_a_frame_to_skip(engine):
    skipped = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"abcd"
    assert engine.load(skipped + zstandard.compress(A.encode())).rows == 1
    assert engine.rows() == [(1, "a")]


@pytest.mark.parametrize(
    ("columns", "words"),
    [({"a": "numeric(1001)"}, "1 to 1000 digits"),
     ({f"c{n}": "integer" for n in range(1600)}, "at most 1599 columns")],
)  # fmt: skip
def test_5_9_a_feed_that_no_table_can_hold_is_wrong_before_a_file_is_read(engine, columns, words):
    with pytest.raises(ValueError, match=words):
        engine.be(columns=columns)


@pytest.fixture
def engine_of_latin1(engine):
    name = f"latin1_{uuid.uuid4().hex[:12]}"
    engine.sql(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    engine.warehouse = replace(engine.warehouse, dbname=name)
    return engine


def test_3_9_the_ledger_keeps_what_the_database_has_no_letter_for(engine_of_latin1):
    engine = engine_of_latin1
    with pytest.raises(HeaderMismatch, match="zł"):
        engine.load("id,name,zł\n1,a,b\n")
    (failed,) = engine.entries()
    assert (failed.status, r"z\u0142" in str(failed.error)) == ("failed", True)
    engine.be(contract={"new_columns": "ignore"})
    assert engine.load("id,name,zł\n1,a,b\n").rows == 1
    assert engine.sql("SELECT column_name FROM landfall.changes") == [r"z\u0142"]


def test_3_9_a_key_that_the_database_cannot_hold_hides_no_other(engine_of_latin1):
    """The encoding of the database lacks a letter of one key. The look still finds the others."""
    engine = engine_of_latin1
    engine.load(engine.put(A, "1.csv"))
    for key in ("2.csv", "zł.csv", "3.csv"):
        engine.put(B, key)
    assert sorted(engine.new_keys()) == ["2.csv", "3.csv", "zł.csv"]
    engine.be(feed="other")  # the ledger has another feed of the table
    engine.load(engine.put(A, "other/1.csv"))
    engine.be(source={"bucket": engine.bucket, "pattern": "*.csv"})
    with connect(engine.warehouse) as connection, connection.transaction():
        arrivals = list_arrivals(engine.client, engine.feed.source)
        new, _ = plan(connection, engine.feed, arrivals)
    assert sorted(arrival.key for arrival, _ in new) == ["2.csv", "3.csv", "zł.csv"]
    for disposition in ("append", "replace"):
        engine.be(disposition=disposition, feed=disposition)
        with pytest.raises(DataError, match=r"(?s)cannot have the object's key.*found: zł\.csv"):
            engine.load(engine.put(B, "zł.csv"))
