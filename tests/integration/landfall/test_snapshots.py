"""All parts of one folder are one replacement of the table, once the folder is complete."""

from __future__ import annotations

import threading

import psycopg
import pyarrow as pa

from include.landfall.errors import LandfallError
from tests.support.engine import LARGE, many
from tests.support.file_bytes import parquet_bytes
from tests.support.snapshot_folders import HEADER, ONE, THREE, TWO


def test_all_parts_are_one_load_and_replace_the_table(sets):
    sets.put(1, ONE, TWO)
    first = sets.load(1)
    assert (first.outcome, first.rows, first.key) == ("loaded", 2, "x/1/")
    sets.put(2, TWO, THREE, f"{HEADER}4,d\n")
    assert sets.new() == ["x/2/"]
    assert sets.load(2).rows == 3
    assert sets.engine.rows() == [(2, "b"), (3, "c"), (4, "d")]
    assert sets.engine.statuses() == ["superseded", "loaded"]
    assert sets.new() == []
    assert sets.load(2).outcome == "already_loaded"


def test_a_reader_sees_the_old_parts_or_the_new_ones(sets):
    sets.put(1, many(300), many(300, 301))
    sets.load(1)
    sets.put(2, *(many(2000, 1 + 2000 * n) for n in range(5)))
    counts, ended = set(), threading.Event()

    def read():
        with psycopg.connect(sets.engine.warehouse.conninfo(), autocommit=True) as connection:
            while not ended.is_set():
                counts.add(connection.execute("SELECT count(*) FROM raw.t").fetchone()[0])

    reader = threading.Thread(target=read)
    reader.start()
    sets.load(2)
    ended.set()
    reader.join()
    assert counts <= {600, 10_000}
    assert len(sets.engine.rows()) == 10_000


def test_rows_that_are_padded_count_in_every_part(sets):
    sets.be(contract={"row_shape": "pad"}).put(1, f"{HEADER}1\n2,b\n", f"{HEADER}3\n", THREE)
    assert sets.load(1).changes == ["rows padded: 2"]


def test_parts_of_parquet_with_columns_that_the_feed_ignores(sets):
    table = {"id": pa.array([1, 2], pa.int32()), "name": ["a", "b"]}
    sets.be(format="parquet", contract={"new_columns": "ignore"})
    sets.put(1, parquet_bytes(table), parquet_bytes(table | {"other": ["x", "y"]}))
    receipt = sets.load(1)
    assert (receipt.rows, len(sets.engine.rows())) == (4, 4)
    assert len(receipt.changes) == 1


def test_parts_of_different_columns_are_refused(sets):
    sets.be(contract={"missing_columns": "null"}).put(1, ONE, "id\n2\n")
    assert sets.load(1).rows == 2
    sets.be(contract={"missing_columns": "default"})
    error = sets.fails(1, force=True)
    assert "other columns than the first file" in str(error)
    assert error.place.object.endswith("/part-1")


def test_a_part_without_a_byte_does_not_say_which_columns_there_are(sets):
    sets.be(contract={"missing_columns": "default"}).put(1, "", "id\n2\n", "")
    assert sets.load(1).rows == 1


def test_a_large_set_is_read_in_a_process_of_its_own(sets):
    sets.put(1, many(LARGE // 2), many(LARGE // 2, 1 + LARGE // 2), marker="_SUCCESS")
    assert sets.load(1).rows == LARGE
    assert sets.engine.sql("SELECT count(DISTINCT id) FROM raw.t") == [LARGE]


def test_columns_of_the_object_are_those_of_the_part(sets):
    columns = {"id": "integer", "name": "text", "part": {"type": "text", "from_object": "key"}}
    sets.be(columns=columns).put(1, ONE, TWO)
    sets.load(1)
    assert sets.engine.sql("SELECT id, part FROM raw.t ORDER BY id") == [
        (1, "x/1/part-0"), (2, "x/1/part-1"),
    ]  # fmt: skip


def test_a_merge_closes_what_no_part_has(sets):
    target = {
        "table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": "scd2",
        "absent": "close",
    }  # fmt: skip
    sets.be(target=target).put(1, ONE, TWO)
    sets.load(1)
    sets.put(2, TWO, THREE)
    sets.load(2)
    current = "SELECT id FROM raw.t WHERE _is_current ORDER BY id"
    assert sets.engine.sql(current) == [2, 3]


def test_a_set_without_a_byte_is_refused_like_a_file_without_one(sets):
    sets.put(1, "", "")
    assert "the object is empty" in str(sets.fails(1, LandfallError))
