"""Errors and rejects of a folder name the part, and its line in it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from include.landfall.errors import LandfallError, RefusedCell
from include.landfall.replay import rejects_to_replay, replay
from tests.support.file_bytes import parquet_bytes
from tests.support.snapshot_folders import HEADER, ONE, THREE, TWO


def test_a_bad_part_refuses_the_set_and_the_table_stays(sets):
    sets.put(1, ONE, TWO)
    sets.load(1)
    sets.put(2, TWO, f"{HEADER}3,c\nx,d\n", THREE)
    error = sets.fails(2, RefusedCell)
    assert error.place.object == f"s3://{sets.engine.bucket}/x/2/part-1"
    assert (error.place.line, error.place.row, error.place.column) == (3, 2, "id")
    assert sets.engine.rows() == [(1, "a"), (2, "b")]
    assert [(e.status, e.key) for e in sets.engine.entries()] == [
        ("loaded", "x/1/"), ("failed", "x/2/"),
    ]  # fmt: skip
    (sample,) = sets.engine.sql("SELECT key, line, row_number FROM landfall.rejects")
    assert sample == ("x/2/part-1", 3, 2)


def test_a_part_that_is_no_file_of_the_format_names_itself(sets):
    sets.be(format="parquet").put(
        1, parquet_bytes({"id": pa.array([1], pa.int32()), "name": ["a"]}), b"not Parquet at all"
    )
    assert sets.fails(1).place.object.endswith("/x/1/part-1")


def test_the_error_budget_is_that_of_the_set(sets):
    parts = f"{HEADER}1,a\nx,b\n", f"{HEADER}3,c\n4\n", THREE
    sets.be(rejects={"at_most": 1}).put(1, *parts)
    assert "part-1, line 3" in str(sets.fails(1))
    sets.be(rejects={"at_most": 2})
    assert (sets.load(1, force=True).rejected, len(sets.engine.rows())) == (2, 3)
    query = "SELECT key, line, row_number, state FROM landfall.rejects ORDER BY reject_id DESC"
    assert sets.engine.sql(query)[:2] == [
        ("x/1/part-1", 3, 2, "open"), ("x/1/part-0", 3, 2, "open"),
    ]  # fmt: skip


def test_line_and_text_of_a_row_that_a_constraint_refuses_are_those_of_its_part(sets):
    sets.be(rejects={"at_most": "50%"}).put(1, ONE)
    sets.load(1)
    sets.engine.sql("ALTER TABLE raw.t ADD CHECK (id <> 7)")
    sets.put(2, f"{HEADER}1,a\n2,b\n", f"{HEADER}3,c\n7,g\n4,d\n", f"{HEADER}7,g\n8,h\n")
    assert sets.load(2).rejected == 2
    query = "SELECT key, line, row_number, raw FROM landfall.rejects ORDER BY key"
    assert sets.engine.sql(query) == [("x/2/part-1", 3, 2, "7,g"), ("x/2/part-2", 2, 1, "7,g")]


def test_an_error_of_a_replayed_row_names_the_part(sets):
    sets.be(rejects={"at_most": 1}).put(1, ONE)
    sets.load(1)
    sets.engine.sql("ALTER TABLE raw.t ADD CONSTRAINT no CHECK (id <> 7)")
    sets.put(2, ONE, f"{HEADER}2,b\n7,g\n")
    sets.load(2)
    sets.engine.sql("ALTER TABLE raw.t DROP CONSTRAINT no")
    sets.engine.sql(
        "CREATE FUNCTION raw.no() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE EXCEPTION 'no row'; END$$;"
        " CREATE TRIGGER no BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.no()"
    )
    (batch,) = rejects_to_replay(sets.engine.feed, warehouse=sets.engine.warehouse).batches
    with pytest.raises(LandfallError, match="no row") as caught:
        replay(sets.engine.feed, batch, warehouse=sets.engine.warehouse)
    place = caught.value.place
    assert (place.object[-11:], place.line, place.row) == ("/x/2/part-1", 3, 2)
