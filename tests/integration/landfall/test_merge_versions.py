"""scd2 keeps every version of a row, with the time from which and to which it was valid."""

from __future__ import annotations

import pytest

from include.landfall.errors import DataError, FeedError
from include.landfall.replay import rejects_to_replay, replay

COLUMNS = {"id": "integer", "name": "text", "at": "date", "op": "text"}
VERSIONS = (
    "SELECT id, name, to_char(_valid_from, 'MM-DD'), to_char(_valid_to, 'MM-DD'), _is_current"
    " FROM raw.t ORDER BY id, _valid_from"
)


def keeping(engine, columns=COLUMNS, **target):
    """Makes the engine's feed one that keeps versions."""
    merge = {"table": "raw.t", "disposition": "merge", "key": ["id"], "strategy": "scd2", **target}
    return engine.be(columns=columns, target=merge, rejects={"at_most": 100})


def dated(engine):
    return keeping(engine, newest="at", deleted={"column": "op", "values": ["D"]})


def test_a_change_ends_a_version_and_begins_another_in_whatever_order_files_come(engine):
    dated(engine)
    engine.load("id,name,at,op\n1,a,2026-01-01,\n1,c,2026-01-20,\n", "1.csv")
    late = engine.load("id,name,at,op\n1,b,2026-01-10,\n", "2.csv")
    assert engine.sql(VERSIONS) == [
        (1, "a", "01-01", "01-10", False),
        (1, "b", "01-10", "01-20", False),
        (1, "c", "01-20", None, True),
    ]
    assert engine.sql("SELECT name FROM raw.t WHERE _load_id = %s", late.load_id) == ["b"]


def test_what_changes_nothing_makes_no_version(engine):
    dated(engine)
    engine.load("id,name,at,op\n1,a,2026-01-01,I\n2,,2026-01-01,I\n", "1.csv")
    again = engine.load("id,name,at,op\n1,a,2026-01-05,U\n2,,2026-01-05,U\n", "2.csv")
    assert (again.rows, again.deduplicated) == (2, 0)
    assert engine.sql(VERSIONS) == [
        (1, "a", "01-01", None, True), (2, None, "01-01", None, True)
    ]  # fmt: skip


def test_a_key_is_closed_and_returns(engine):
    dated(engine)
    engine.load("id,name,at,op\n1,a,2026-01-01,\n1,,2026-01-05,D\n9,,2026-01-05,D\n", "1.csv")
    engine.load("id,name,at,op\n1,a,2026-01-09,\n", "2.csv")
    assert engine.sql(VERSIONS) == [
        (1, "a", "01-01", "01-05", False), (1, "a", "01-09", None, True)
    ]  # fmt: skip


def test_a_deletion_ends_what_the_file_puts_before_it(engine):
    dated(engine)
    engine.load("id,name,at,op\n1,a,2026-01-01,\n1,,2026-01-20,D\n", "1.csv")
    engine.load("id,name,at,op\n1,,2026-01-05,D\n1,b,2026-01-10,\n", "2.csv")
    assert engine.sql(VERSIONS) == [
        (1, "a", "01-01", "01-05", False), (1, "b", "01-10", "01-20", False)
    ]  # fmt: skip


def test_of_one_moment_the_later_row_is_the_version(engine):
    dated(engine)
    first = engine.load("id,name,at,op\n1,a,2026-01-01,\n1,b,2026-01-01,\n", "1.csv")
    assert (first.rows, first.deduplicated) == (1, 1)
    engine.load("id,name,at,op\n1,c,2026-01-01,\n", "2.csv")
    assert engine.sql(VERSIONS) == [(1, "c", "01-01", None, True)]


def test_a_row_without_key_or_moment_is_a_reject(engine):
    receipt = dated(engine).load("id,name,at,op\n1,a,2026-01-01,\n,b,2026-01-01,\n1,c,,\n")
    assert (receipt.rows, receipt.reasons) == (1, {"null": 2})


def test_without_newest_the_time_of_the_load_is_the_moment(engine):
    keeping(engine, {"id": "integer", "name": "json"})
    engine.load('id,name\n1,"{""a"": 1}"\n2,\n', "1.csv")
    between = engine.sql("SELECT clock_timestamp()")[0]
    engine.load('id,name\n1,"{""a"": 2}"\n2,\n', "2.csv")
    assert engine.sql(
        "SELECT id, name::text, _valid_from < %s, _valid_to > %s, _is_current FROM raw.t"
        " ORDER BY id, _valid_from", between, between,
    ) == [
        (1, '{"a": 1}', True, True, False), (1, '{"a": 2}', False, None, True),
        (2, None, True, None, True),
    ]  # fmt: skip


def test_a_snapshot_closes_the_keys_that_it_does_not_have(engine):
    keeping(engine, {"id": "integer", "name": "text"}, absent="close")
    current = "SELECT id FROM raw.t WHERE _is_current ORDER BY id"
    engine.load("id,name\n1,a\n2,b\n3,c\n", "1.csv")
    engine.load("id,name\n1,a\n3,C\n", "2.csv")
    assert engine.sql(current) == [1, 3]
    assert engine.sql("SELECT count(*) FROM raw.t") == [4]
    engine.load("id,name\n1,a\n2,b\n", "3.csv")
    assert engine.sql(current) == [1, 2]
    assert engine.sql("SELECT count(*) FROM raw.t WHERE id = 2") == [2]


def test_a_snapshot_with_rejects_closes_nothing(engine):
    """The row that was refused may be that of the absent key."""
    keeping(engine, {"id": "integer", "name": "text"}, absent="close")
    engine.load("id,name\n1,a\n2,b\n", "1.csv")
    receipt = engine.load("id,name\n1,A\nx,b\n", "2.csv")
    assert receipt.rejected == 1
    assert engine.sql("SELECT id FROM raw.t WHERE _is_current ORDER BY id") == [1, 2]


def test_a_reject_of_a_snapshot_is_not_replayed_after_a_later_snapshot(engine):
    """The row would be current, though the later snapshot does not have its key."""
    keeping(engine, {"id": "integer", "name": "text"}, absent="close")
    engine.load("id,name\n1,a\nx,b\n", "1.csv")
    engine.load("id,name\n1,a\ny,c\n", "2.csv")
    ids = engine.sql("SELECT reject_id FROM landfall.rejects ORDER BY reject_id")
    edited = dict(zip(ids, [["2", "b"], ["3", "c"]]))
    chosen = rejects_to_replay(engine.feed, warehouse=engine.warehouse, edited=edited)
    first, second = chosen.batches
    with pytest.raises(DataError, match="a later snapshot is loaded") as refused:
        replay(engine.feed, first, warehouse=engine.warehouse)
    assert "--dismiss" in refused.value.do
    assert replay(engine.feed, second, warehouse=engine.warehouse).rows == 1
    assert engine.sql("SELECT id FROM raw.t WHERE _is_current ORDER BY id") == [1, 3]
    states = engine.sql("SELECT state FROM landfall.rejects ORDER BY reject_id")
    assert states == ["open", "replayed"]


def test_a_snapshot_that_is_older_than_the_loaded_one_comes_too_late(engine):
    keeping(engine, {"id": "integer", "name": "text"}, absent="close")
    old, new = engine.put("id,name\n1,a\n", "1.csv"), engine.put("id,name\n2,b\n", "2.csv")
    assert engine.load(new).outcome == "loaded"
    assert engine.load(old).outcome == "superseded"
    assert engine.sql("SELECT id, _is_current FROM raw.t") == [(2, True)]
    assert engine.load(engine.put("id,name\n1,a\n", "3.csv")).outcome == "loaded"
    assert engine.sql("SELECT id FROM raw.t WHERE _is_current") == [1]
    assert engine.statuses().count("loaded") == 2


def test_an_empty_object_is_no_snapshot(engine):
    keeping(engine, {"id": "integer", "name": "text"}, absent="close")
    with pytest.raises(Exception, match="the object is empty"):
        engine.load("")


def test_a_table_of_others_needs_the_columns_of_a_versions_time(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text)")
    with pytest.raises(FeedError, match="lacks columns of strategy: scd2") as refused:
        keeping(engine, {"id": "integer", "name": "text"}).load("id,name\n1,a\n")
    assert refused.value.found == "no _valid_from, _valid_to, _is_current"


def test_moments_keep_their_time_when_newest_is_widened(engine):
    keeping(engine, newest="at").load("id,name,at,op\n1,a,2026-01-01,\n", "1.csv")
    target = engine.feed.target.model_dump(exclude_unset=True)
    columns = COLUMNS | {"at": "timestamp"}
    engine.be(columns=columns, target=target, contract={"types": "widen"})
    engine.load("id,name,at,op\n1,b,2026-01-02 08:00,\n1,c,2026-01-02 09:00,\n", "2.csv")
    assert engine.sql("SELECT name, _valid_from::text, _valid_to::text FROM raw.t ORDER BY 2") == [
        ("a", "2026-01-01 00:00:00", "2026-01-02 08:00:00"),
        ("b", "2026-01-02 08:00:00", "2026-01-02 09:00:00"),
        ("c", "2026-01-02 09:00:00", None),
    ]


@pytest.mark.parametrize(
    ("moment", "newest"), [("date", None), ("timestamptz(0)", None), ("date", "timestamp")]
)
def test_a_table_that_rounds_the_moments_of_versions_is_refused(engine, moment, newest):
    """Two changes of one day would be two versions of one moment, and which counts is chance."""
    engine.sql(
        "CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text, at timestamp, op text,"
        f" _valid_from {moment}, _valid_to {moment}, _is_current boolean)"
    )
    keeping(engine, COLUMNS | {"at": "timestamp"}, **({"newest": "at"} if newest else {}))
    with pytest.raises(FeedError, match="cannot take every moment") as refused:
        engine.load("id,name,at,op\n1,a,2026-01-01,\n")
    assert newest or "timestamptz" in str(refused.value.expected)
