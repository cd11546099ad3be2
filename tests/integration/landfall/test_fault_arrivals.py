"""The faults of test_faults.py that are about which files a run loads, each by its number."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import replace

import pytest

from include.landfall.errors import DataError, FeedError
from tests.chaos.servers import make_bucket
from tests.support.readmes import blocks

A, B = "id,name\n1,a\n", "id,name\n2,b\n"


@pytest.fixture
def versioned(engine):
    """The engine with a bucket of its own, which keeps versions."""
    client, engine.bucket = engine.client, f"test-{uuid.uuid4().hex[:12]}"
    make_bucket(client, engine.bucket)
    yield engine.be()
    listing = client.list_object_versions(Bucket=engine.bucket)
    for each in listing.get("Versions", []) + listing.get("DeleteMarkers", []):
        client.delete_object(Bucket=engine.bucket, Key=each["Key"], VersionId=each["VersionId"])
    client.delete_bucket(Bucket=engine.bucket)


def test_1_3_a_version_that_is_current_again_is_new(versioned):
    engine = versioned
    engine.load(engine.put(A))
    engine.load(engine.put(B))
    assert engine.new_keys() == []
    versions = engine.client.list_object_versions(Bucket=engine.bucket)["Versions"]
    latest = next(v["VersionId"] for v in versions if v["IsLatest"])
    engine.client.delete_object(Bucket=engine.bucket, Key="a.csv", VersionId=latest)
    assert engine.new_keys() == ["a.csv"]
    (again,) = engine.new_arrivals()
    assert engine.load(again).outcome == "loaded"
    assert engine.rows() == [(1, "a")]


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_1_4_a_corrected_object_with_an_older_time_is_loaded(engine, disposition):
    engine.be(disposition=disposition)
    engine.load(engine.put(A))
    corrected = engine.put(B)
    older = replace(corrected, last_modified=corrected.last_modified - dt.timedelta(days=1))
    assert engine.new_arrivals(older) == [older]
    assert engine.load(older).outcome == "loaded"
    assert engine.rows() == [(2, "b")]


def test_1_5_another_size_is_another_version_whatever_the_etag_says(engine):
    first = engine.put(A)
    engine.load(first)
    other = replace(first, size=first.size + 1)
    assert engine.new_arrivals(first, other) == [other]


@pytest.mark.parametrize("key", ["x/_SUCCESS", "x/.part-0.csv.crc", "x/"])
def test_1_8_a_marker_is_no_data(engine, key):
    engine.client.put_object(Bucket=engine.bucket, Key=key, Body=b"")
    engine.put(A, "x/a.csv")
    assert engine.new_keys() == ["x/a.csv"]


def test_1_9_a_table_that_is_gone_is_told(engine):
    engine.load(engine.put(A))
    engine.sql("DROP TABLE raw.t")
    with pytest.raises(FeedError, match=r"the table raw\.t is gone") as refused:
        engine.new_keys()
    assert "--force" in refused.value.do


def test_1_9_a_table_that_only_the_feed_renames_is_told(engine):
    engine.load(engine.put(A))
    engine.be(table="raw.u")
    with pytest.raises(FeedError, match=r"loaded into raw\.t"):
        engine.new_keys()
    engine.sql("ALTER TABLE raw.t RENAME TO u")
    assert engine.new_keys() == []


def test_1_13_a_renamed_feed_does_not_load_everything_twice(engine):
    engine.load(engine.put(A))
    engine.be(feed="renamed")
    with pytest.raises(FeedError, match="the feed 't' loaded this file into"):
        engine.new_keys()


def test_1_13_nor_when_its_files_have_been_overwritten_since(engine):
    """A sender that overwrites one object every day: its old rows belong to the old name."""
    engine.load(engine.put(A))
    engine.be(feed="renamed")
    engine.put(B)
    with pytest.raises(FeedError, match="the feed 't' loaded this file into"):
        engine.new_keys()


def test_1_13_a_table_that_each_file_replaces_has_nothing_to_lose(engine):
    engine.be(disposition="replace")
    engine.load(engine.put(A))
    engine.be(disposition="replace", feed="renamed")
    arrival = engine.put(B)
    assert engine.new_keys() == ["a.csv"]
    engine.load(arrival)
    assert len(engine.rows()) == 1


def test_1_13_a_feed_takes_a_new_name_with_its_ledger(engine):
    """By the statements of the page: what is loaded stays loaded, and a new version replaces it."""
    engine.load(engine.put(A))
    engine.put(A, "b.csv")
    engine.be(feed="shop_orders")
    (page,) = [
        block.text
        for block in blocks("docs/operations.md")
        if block.language == "sql" and "shop_orders" in block.text
    ]
    engine.sql(page.replace("'orders'", "'t'"))
    assert engine.new_keys() == ["b.csv"]
    engine.load(engine.put(B))
    assert engine.rows() == [(2, "b")]


def test_2_3_files_that_failed_do_not_keep_a_good_one_waiting(engine):
    for key in ("1.csv", "2.csv"):
        with pytest.raises(DataError):
            engine.load(engine.put("id,name\nx,\n", key))
    engine.put(A, "3.csv")
    assert engine.new_keys() == ["3.csv", "1.csv", "2.csv"]


def test_2_3_a_failed_file_waits_longer_after_each_failure(engine):
    arrival = engine.put("id,name\nx,\n")
    waits = []
    for _ in range(11):
        with pytest.raises(DataError):
            engine.load(arrival)
        (entry,) = engine.entries()
        waits.append((entry.retry_after - dt.datetime.now(dt.UTC)).total_seconds() / 60)
    doubled = [min(5 * 2**n, 24 * 60) for n in range(11)]
    assert waits == pytest.approx(doubled, rel=0.05, abs=0.2)
    assert engine.new_arrivals(arrival, due_only=True) == []
    assert engine.new_arrivals(arrival) == [arrival]
    engine.sql("UPDATE landfall.ledger SET retry_after = now()")
    assert engine.new_arrivals(arrival, due_only=True) == [arrival]


def test_2_3_a_ledger_of_an_earlier_version_is_read_and_gets_the_new_column(engine):
    engine.load(engine.put(A))
    engine.sql(
        "DROP TABLE landfall.rejects, landfall.replays, landfall.changes, landfall.replaced;"
        " ALTER TABLE landfall.ledger DROP COLUMN retry_after, DROP COLUMN rejected,"
        " DROP COLUMN reasons, DROP COLUMN content_hash, DROP COLUMN duplicate_of,"
        " DROP COLUMN failed_at"
    )
    bad = engine.put("id,name\nx,\n", "b.csv")
    assert engine.new_keys() == ["b.csv"]
    assert [entry.retry_after for entry in engine.entries()] == [None]
    with pytest.raises(DataError):
        engine.load(bad)
    assert [bool(entry.retry_after) for entry in engine.entries()] == [False, True]
