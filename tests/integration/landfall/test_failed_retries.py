"""A try that fails takes nothing away from what the ledger knows of the loads before it."""

from __future__ import annotations

import psycopg
import pytest

from include.airflow_bridge.warnings import load_warnings
from include.landfall import load as load_module
from include.landfall.errors import DataError, DuplicateContent, FeedError, ServerUnavailable
from include.landfall.feed.limits import Limits
from include.landfall.forget import forget

A, B = "id,name\n1,a\n2,a\n", "id,name\n1,b\n"


def merging(engine, days=None, **more):
    """Makes the feed one that upserts, and keeps for so many days what it replaces."""
    target = {"table": "raw.t", "disposition": "merge", "key": ["id"]}
    return engine.be(target=target | ({"keep_replaced": days} if days else {}), **more)


def fail_once(engine, arrival, **options):
    """Loads the arrival while another session has the table."""
    feed = engine.feed
    engine.feed = feed.model_copy(update={"limits": Limits(lock_timeout=0.2)})
    try:
        with psycopg.connect(engine.warehouse.conninfo()) as other:
            other.execute("LOCK TABLE raw.t")
            with pytest.raises(ServerUnavailable):
                engine.load(arrival, **options)
    finally:
        engine.feed = feed


def entry_of(engine, load_id):
    return next(entry for entry in engine.entries() if entry.load_id == load_id)


def put_back_and_fail(engine):
    """Loads A without keeping what it replaces, then B, and fails to load A again."""
    first = merging(engine).load(A)
    merging(engine, days=30).load(B)
    fail_once(engine, restored := engine.put(A))
    return first, restored


def test_a_failed_retry_of_a_version_whose_rows_stay_lets_no_half_undo_through(engine):
    first, _ = put_back_and_fail(engine)
    with pytest.raises(FeedError, match="was not kept"):
        forget(engine.feed, "a.csv", warehouse=engine.warehouse)
    assert engine.rows() == [(1, "b"), (2, "a")]
    entry = entry_of(engine, first.load_id)
    assert (entry.status, entry.rows) == ("superseded", 2)
    assert "lock timeout" in entry.error


def test_a_retry_that_succeeds_promises_no_undo_of_its_first_run(engine):
    first, restored = put_back_and_fail(engine)
    assert engine.load(restored).load_id == first.load_id
    entry = entry_of(engine, first.load_id)
    assert (entry.status, entry.error, entry.retry_after) == ("loaded", None, None)
    assert engine.sql("SELECT kept_until FROM landfall.ledger WHERE load_id = %s", 1) == [None]
    with pytest.raises(FeedError, match="was not kept"):
        forget(engine.feed, "a.csv", warehouse=engine.warehouse)


def test_a_failed_retry_does_not_make_a_load_later_than_it_was(engine):
    first = merging(engine).load("id,name\n7,a\n")
    merging(engine, days=30).load(B)
    engine.load("id,name\n5,c\n", "c.csv")
    fail_once(engine, engine.put("id,name\n7,a\n"))
    assert forget(engine.feed, "c.csv", warehouse=engine.warehouse).rows == 1
    assert entry_of(engine, first.load_id).rows == 1


def test_a_put_back_version_that_is_refused_as_a_duplicate_keeps_its_rows_in_the_ledger(engine):
    source = {"bucket": engine.bucket, "pattern": "**", "duplicates": "refuse"}
    first = merging(engine, source=source).load(A)
    merging(engine, days=30, source=source).load(B)
    engine.load(A, "c.csv")
    with pytest.raises(DuplicateContent):
        engine.load(restored := engine.put(A))
    entry = entry_of(engine, first.load_id)
    assert (entry.status, entry.rows) == ("duplicate", 2)
    assert engine.new_arrivals(restored) == []
    fail_once(engine, restored, force=True)
    assert entry_of(engine, first.load_id).rows == 2
    with pytest.raises(FeedError, match="was not kept"):
        forget(engine.feed, "a.csv", warehouse=engine.warehouse)


def test_a_version_that_failed_when_put_back_is_left_alone_like_any_failure(engine):
    _, restored = put_back_and_fail(engine)
    fresh = engine.put("id,name\n9,c\n", "9.csv")
    assert engine.new_arrivals(restored, fresh) == [fresh, restored]
    assert engine.new_arrivals(restored, fresh, due_only=True) == [fresh]


def test_a_forced_load_that_fails_leaves_its_error_beside_the_rows(engine):
    receipt = engine.load(arrival := engine.put(A))
    fail_once(engine, arrival, force=True)
    (entry,) = engine.entries()
    assert (entry.status, entry.rows, entry.load_id) == ("loaded", 2, receipt.load_id)
    assert "lock timeout" in entry.error
    assert engine.new_arrivals(arrival) == []
    assert engine.load(arrival).outcome == "already_loaded"
    engine.load(arrival, force=True)
    assert [each.error for each in engine.entries()] == [None]


def test_an_object_of_the_same_etag_that_fails_is_left_alone_for_a_while(engine):
    """Clones of S3 give two objects one ETag; the sensor would hand it on at every look."""
    engine.load(second := engine.put(A))
    engine.sql("UPDATE landfall.ledger SET size = size + 1")  # of the first object
    waits = []
    for _ in range(3):
        fail_once(engine, second)
        waits += engine.sql(
            "SELECT round(extract(epoch FROM retry_after - clock_timestamp()) / 60)::int"
            " FROM landfall.ledger"
        )
    assert waits == [5, 10, 20]
    assert [entry.status for entry in engine.entries()] == ["loaded"]
    assert engine.new_arrivals(second, due_only=True) == []
    assert engine.new_arrivals(second) == [second]


def test_samples_of_a_forced_load_that_is_refused_are_kept(engine):
    engine.be(rejects={"at_most": 1}).load("id,name\n1,a\nx,b\n", "a.csv")
    engine.be()
    with pytest.raises(DataError):
        engine.load("id,name\n1,a\nx,b\n", "a.csv", force=True)
    assert engine.sql("SELECT state FROM landfall.rejects ORDER BY 1") == ["open", "sample"]
    (entry,) = engine.entries()
    assert (entry.rows, entry.rejected, entry.reasons) == (1, 1, {"cell": 1})


def test_a_failure_of_a_load_that_another_one_did_meanwhile_is_not_kept(engine, mocker):
    arrival = engine.put(A)

    def fail_after_another_load(*arguments, **options):
        mocker.stopall()
        engine.load(arrival)
        raise ServerUnavailable("the database is away")

    mocker.patch.object(load_module, "settle", fail_after_another_load)
    with pytest.raises(ServerUnavailable):
        engine.load(arrival)
    assert [(entry.status, entry.error) for entry in engine.entries()] == [("loaded", None)]


@pytest.mark.parametrize("force", [False, True])
def test_a_receipt_after_a_commit_whose_answer_was_lost_warns_of_all(engine, mocker, force):
    engine.be(contract={"new_columns": "ignore"}, rejects={"at_most": 1})
    body = "id,name,more\n1,a,z\nx,b,z\n"
    engine.load(body, "a.csv")
    settle = load_module.settle

    def lose_the_answer(*arguments, **options):
        settle(*arguments, **options)
        raise ServerUnavailable("the connection broke")

    mocker.patch.object(load_module, "settle", lose_the_answer)
    receipt = engine.load(body, "b.csv", force=force)
    assert [entry.error for entry in engine.entries()] == [None, None]
    assert receipt.outcome == "loaded"
    assert receipt.duplicate_of.startswith("a.csv (load 1, ")
    assert receipt.changes == ["new column more: ignored"]
    assert len(load_warnings(receipt)) == 3
