"""All parts of one folder are one replacement of the table, once the folder is complete."""

from __future__ import annotations

import io
import json
import threading
from dataclasses import replace
from datetime import timedelta

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.landfall.cli.plan import REASONS
from include.landfall.errors import (
    DataError,
    DuplicateContent,
    FeedError,
    LandfallError,
    ObjectChanged,
    ObjectMissing,
    RefusedCell,
)
from include.landfall.forget import forget
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.postgres.connection import connect
from include.landfall.read import pipeline
from include.landfall.replay import rejects_to_replay, replay
from include.landfall.s3.listing import find_named, find_parts, list_arrivals, list_snapshots
from tests.support.engine import LARGE, many

HEADER = "id,name\n"
ONE, TWO, THREE = f"{HEADER}1,a\n", f"{HEADER}2,b\n", f"{HEADER}3,c\n"


class Sets:
    """A feed of snapshots under `x/`, and its folders."""

    def __init__(self, engine):
        self.engine = engine
        self.be()

    def be(self, source=None, **changes):
        base = {"bucket": self.engine.bucket, "pattern": "x/*/part-*", "snapshot": "dir"}
        self.engine.be(
            **{"disposition": "replace", "source": {**base, **(source or {})}, **changes}
        )
        return self

    def put(self, folder, *parts, marker="_SUCCESS", body=b""):
        for number, part in enumerate(parts):
            self.engine.put(part, f"x/{folder}/part-{number}")
        if marker:
            self.engine.put(body, f"x/{folder}/{marker}")
        return self

    def manifest(self, folder, *names, **sizes):
        url = f"s3://{self.engine.bucket}/x/{folder}/"
        entries = [{"url": url + name, "mandatory": True} for name in names]
        entries += [
            {"url": f"{url}part-{n[-1]}", "meta": {"content_length": s}} for n, s in sizes.items()
        ]
        return self.put(folder, marker="manifest", body=json.dumps({"entries": entries}))

    def listed(self):
        return {a.key: a for a in list_arrivals(self.engine.client, self.engine.feed.source)}

    def waits(self):
        folders = list_snapshots(self.engine.client, self.engine.feed.source)
        return {each.arrival.key: each.waits_for for each in folders}

    def new(self):
        with connect(self.engine.warehouse) as connection:
            return [
                a.key for a in new_arrivals(connection, self.engine.feed, self.listed().values())
            ]

    def load(self, folder, **options):
        return self.engine.load(self.listed()[f"x/{folder}/"], **options)

    def fails(self, folder, error=DataError, **options):
        with pytest.raises(error) as caught:
            self.load(folder, **options)
        return caught.value


@pytest.fixture
def sets(engine):
    return Sets(engine)


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


def test_a_folder_without_a_marker_waits_and_is_no_error(sets):
    sets.put(1, ONE, TWO, marker=None)
    assert (sets.new(), sets.waits()) == ([], {"x/1/": "marker"})
    sets.put(1)
    assert sets.new() == ["x/1/"]


def test_a_marker_without_parts_is_told_of(sets):
    sets.put(1).put(2, TWO, marker=None).manifest(3, "part-0")
    sets.engine.put("", "x/_SUCCESS")  # no folder of the feed
    sets.engine.put("", "x/_temporary/_SUCCESS")
    assert sets.waits() == {"x/1/": "files", "x/2/": "marker", "x/3/": "parts"}
    sets.put(1, ONE)
    assert sets.new() == ["x/1/"]


def test_a_manifest_says_what_the_parts_are_and_when_all_are_there(sets):
    sets.put(1, ONE, marker=None).manifest(1, "part-0", "part-1")
    assert (sets.new(), sets.waits()) == ([], {"x/1/": "parts"})
    sets.put(1, ONE, TWO, THREE, marker=None)  # the third one is of an earlier export
    assert sets.load(1).rows == 2
    assert sets.engine.rows() == [(1, "a"), (2, "b")]


def test_a_part_that_is_shorter_than_its_manifest_says_is_waited_for(sets):
    sets.put(1, ONE, TWO, marker=None).manifest(1, p0=len(ONE), p1=len(TWO) + 1)
    assert (sets.new(), sets.waits()) == ([], {"x/1/": "parts"})
    sets.manifest(1, p0=len(ONE), p1=len(TWO))
    assert sets.load(1).rows == 2


@pytest.mark.parametrize("name", ["data-0", "day=1/part-0", "_part-0"])
def test_a_manifest_that_names_what_is_no_part_never_waits_for_it_without_a_word(sets, name):
    sets.put(1, ONE, marker=None).manifest(1, "part-0", name)
    sets.engine.put(TWO, f"x/1/{name}")
    assert (sets.new(), sets.waits()["x/1/"]) == ([], "others")
    assert "source.pattern leaves out" in REASONS["no_others"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"entries": []}', '{"entries": [{}]}'])
def test_a_manifest_that_cannot_be_read_is_waited_for(sets, body):
    sets.put(1, ONE, marker="x_manifest", body=body)
    assert (sets.new(), sets.waits()) == ([], {"x/1/": "manifest"})
    sets.put(1, marker="manifest", body=body)
    assert sets.waits() == {"x/1/": "manifests"}


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
    sets.be(format="parquet").put(1, parquet([1]), b"not Parquet at all")
    assert sets.fails(1).place.object.endswith("/x/1/part-1")


def test_an_older_folder_that_comes_later_changes_nothing(sets):
    sets.put(1, ONE).put(2, TWO)
    sets.load(2)
    assert sets.load(1).outcome == "superseded"
    assert sets.engine.rows() == [(2, "b")]


def test_a_changed_part_is_a_new_version_of_the_folder(sets):
    sets.put(1, ONE, TWO)
    sets.load(1)
    sets.put(1, ONE, THREE)
    assert sets.new() == ["x/1/"]
    assert sets.load(1).rows == 2
    assert sets.engine.rows() == [(1, "a"), (3, "c")]


def test_a_folder_that_changes_after_the_listing_is_not_loaded(sets):
    sets.put(1, ONE, TWO)
    arrival = sets.listed()["x/1/"]
    sets.put(1, ONE, TWO, THREE)
    with pytest.raises(ObjectChanged, match="no longer has the parts"):
        sets.engine.load(arrival)
    sets.put(1, ONE, THREE, marker=None)
    with pytest.raises(ObjectChanged):
        sets.engine.load(arrival)


def test_an_error_about_a_changed_folder_says_what_is_new(sets):
    sets.put(1, ONE, TWO)
    arrival = sets.listed()["x/1/"]
    sets.put(1, ONE, TWO, THREE)
    earlier = replace(arrival, last_modified=arrival.last_modified - timedelta(days=1))
    with pytest.raises(ObjectChanged) as caught:
        sets.engine.load(earlier)
    newer = ", ".join(f"s3://{sets.engine.bucket}/x/1/part-{n}" for n in range(3))
    assert caught.value.found == f"{newer} is newer; 3 parts of 36 bytes together"
    assert caught.value.expected.startswith("parts of 24 bytes together")


def test_a_part_that_changes_while_its_folder_is_read_is_named(sets, monkeypatch):
    def listed(*arguments):
        parts = find_parts(*arguments)
        sets.put(1, ONE, THREE, marker=None)
        return parts

    sets.put(1, ONE, TWO)
    monkeypatch.setattr(pipeline, "find_parts", listed)
    assert sets.fails(1, ObjectChanged).place.object.endswith("/x/1/part-1")


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


def test_rows_that_are_padded_count_in_every_part(sets):
    sets.be(contract={"row_shape": "pad"}).put(1, f"{HEADER}1\n2,b\n", f"{HEADER}3\n", THREE)
    assert sets.load(1).changes == ["rows padded: 2"]


def parquet(ids, **more):
    """Makes the bytes of a Parquet file of these ids."""
    out = io.BytesIO()
    names = [f"n{each}" for each in ids]
    pq.write_table(pa.table({"id": pa.array(ids, pa.int32()), "name": names, **more}), out)
    return out.getvalue()


def test_parts_of_parquet_with_columns_that_the_feed_ignores(sets):
    sets.be(format="parquet", contract={"new_columns": "ignore"})
    sets.put(1, parquet([1, 2]), parquet([3], other=["x"]))
    receipt = sets.load(1)
    assert (receipt.rows, len(sets.engine.rows())) == (3, 3)
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


def test_a_folder_is_forgotten_and_forced_by_its_key(sets):
    sets.put(1, ONE, TWO)
    sets.load(1)
    sets.engine.sql("DELETE FROM raw.t")
    named = find_named(sets.engine.client, sets.engine.feed.source, "x/1/")
    assert sets.engine.load(named, force=True).rows == 2
    gone = forget(sets.engine.feed, "x/1/", warehouse=sets.engine.warehouse)
    assert (gone.rows, sets.engine.rows(), sets.new()) == (2, [], ["x/1/"])
    for key in ("x/1", "x/", "x/2/", "x/1/part-0"):
        with pytest.raises(ObjectMissing):
            find_named(sets.engine.client, sets.engine.feed.source, key)


def test_a_set_of_the_same_content_is_a_duplicate(sets):
    sets.be(source={"duplicates": "refuse"}).put(1, ONE, TWO).put(2, ONE, TWO).put(3, TWO, ONE)
    sets.load(1)
    sets.fails(2, DuplicateContent)
    assert sets.load(3).outcome == "loaded"


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


PARTS_OF = {"month": {"type": "integer", "from_key": r"x/(\d+)/"}}
DISPOSITIONS = [
    ({"disposition": "append"}, [(1, "x", 1), (3, "c", 2), (4, "d", 1)]),
    ({"disposition": "replace", "replace_where": ["month"]},
     [(1, "x", 1), (3, "c", 2), (4, "d", 1)]),
    ({"disposition": "merge", "key": ["id"]},
     [(1, "x", 1), (2, "b", 1), (3, "c", 2), (4, "d", 1)]),
    ({"disposition": "merge", "key": ["id"], "strategy": "delete-insert"},
     [(1, "x", 1), (2, "b", 1), (3, "c", 2), (4, "d", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("target", "rows"), DISPOSITIONS, ids=lambda each: str(each)[-40:])
def test_parts_that_are_exported_again_take_the_place_of_their_own_folder(sets, target, rows):
    columns = {"id": "integer", "name": "text", **PARTS_OF}
    sets.be(columns=columns, target={"table": "raw.t", **target})
    sets.put(1, ONE, TWO).put(2, THREE)
    sets.load(1)
    sets.load(2)
    sets.put(1, f"{HEADER}1,x\n", f"{HEADER}4,d\n")
    assert sets.new() == ["x/1/"]
    sets.load(1)
    assert sets.engine.sql("SELECT id, name, month FROM raw.t ORDER BY id") == rows
    assert sets.new() == []


SPARK = "part-0000{}-8f3c1e6a-c000.snappy.parquet"


@pytest.mark.parametrize(
    ("target", "names", "refused"),
    [
        ({"disposition": "replace"}, (SPARK.format(0), SPARK.format(1)), True),
        ({"disposition": "replace", "replace_where": ["id"]}, ("part-00000", "part-00001"), True),
        ({"disposition": "replace"}, ("s_0000_part_00.gz", "s_0001_part_00.gz"), True),
        ({"disposition": "append"}, (SPARK.format(0), SPARK.format(1)), False),
        ({"disposition": "replace"}, (SPARK.format(0), SPARK.format(0) + ".other"), False),
        ({"disposition": "replace"}, (f"a/{SPARK.format(0)}", f"b/{SPARK.format(1)}"), False),
        ({"disposition": "replace"}, ("day-00000.csv", "day-00001.csv"), False),
    ],
)
def test_parts_of_one_export_never_replace_each_other(sets, target, names, refused):
    source = {"snapshot": None, "pattern": "x/**"}
    sets.be(source=source, target={"table": "raw.t", **target})
    for name in names:
        sets.engine.put(ONE, f"x/{name}")
    if not refused:
        assert len(sets.new()) == 2
        return
    with pytest.raises(FeedError, match="parts of one export") as caught:
        sets.new()
    assert "snapshot: dir" in caught.value.do
    assert caught.value.place.object.endswith(names[1])


def test_a_folder_is_not_loaded_both_as_one_arrival_and_part_by_part(sets):
    parts, whole = {"snapshot": None}, {"snapshot": "dir"}
    for loaded, now in ((parts, whole), (whole, parts)):
        sets.be(source=loaded, disposition="append").put(1, ONE, TWO)
        for each in sets.listed().values():
            sets.engine.load(each)
        sets.put(2, THREE)
        sets.be(source=now, disposition="append")
        with pytest.raises(FeedError, match="would be there twice") as caught:
            sets.new()
        assert caught.value.found.startswith("x/1/")
        sets.engine.sql("TRUNCATE landfall.ledger, raw.t")
        assert sets.new()


def test_a_set_without_a_byte_is_refused_like_a_file_without_one(sets):
    sets.put(1, "", "")
    assert "the object is empty" in str(sets.fails(1, LandfallError))
