"""A folder whose parts change or come again is a new version of one arrival."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pytest

from include.landfall.errors import DuplicateContent, ObjectChanged, ObjectMissing
from include.landfall.forget import forget
from include.landfall.read import pipeline
from include.landfall.s3.listing import find_named, find_parts
from tests.support.file_bytes import parquet_bytes
from tests.support.snapshot_folders import HEADER, ONE, THREE, TWO


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


def test_folders_whose_content_is_not_hashed_are_no_duplicates(sets):
    """Parquet is not read from end to end."""
    one, two = (parquet_bytes({"id": pa.array([n], pa.int32()), "name": ["a"]}) for n in (1, 2))
    sets.be(format="parquet").put(1, one).put(2, two)
    sets.load(1)
    assert sets.load(2).duplicate_of is None


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
