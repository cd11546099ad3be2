"""When a folder is complete, what its parts are, and what a run says while parts are missing."""

from __future__ import annotations

import pytest

from include.landfall.cli.plan import REASONS
from include.landfall.errors import FeedError
from tests.support.snapshot_folders import ONE, THREE, TWO


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
