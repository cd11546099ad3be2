"""Faults that an examination of the product met, each by its number, with the smallest input.

They loaded wrong rows, hung or kept silent. What is right is what each test asserts.
"""

from __future__ import annotations

import datetime as dt
import time
import tracemalloc
import uuid
from dataclasses import replace

import psycopg
import pytest
import zstandard

from include.landfall.arrival import Arrival
from include.landfall.errors import (
    DataError,
    FeedError,
    HeaderMismatch,
    LandfallError,
)
from include.landfall.ledger.arrivals import new_arrivals, plan
from include.landfall.postgres.connection import connect
from include.landfall.read.process import Reader
from include.landfall.s3.listing import list_arrivals
from tests.chaos.servers import make_bucket
from tests.support.engine import LARGE, many
from tests.support.readmes import blocks

A, B = "id,name\n1,a\n", "id,name\n2,b\n"


def listed(engine):
    """The keys that a run would load now."""
    with connect(engine.warehouse) as connection:
        arrivals = list_arrivals(engine.client, engine.feed.source)
        return [a.key for a in new_arrivals(connection, engine.feed, arrivals)]


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
    assert listed(engine) == []
    versions = engine.client.list_object_versions(Bucket=engine.bucket)["Versions"]
    latest = next(v["VersionId"] for v in versions if v["IsLatest"])
    engine.client.delete_object(Bucket=engine.bucket, Key="a.csv", VersionId=latest)
    assert listed(engine) == ["a.csv"]
    with connect(engine.warehouse) as connection:
        arrivals = list_arrivals(engine.client, engine.feed.source)
        (again,) = new_arrivals(connection, engine.feed, arrivals)
    assert engine.load(again).outcome == "loaded"
    assert engine.rows() == [(1, "a")]


@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_1_4_a_corrected_object_with_an_older_time_is_loaded(engine, disposition):
    engine.be(disposition=disposition)
    engine.load(engine.put(A))
    corrected = engine.put(B)
    older = replace(corrected, last_modified=corrected.last_modified - dt.timedelta(days=1))
    with connect(engine.warehouse) as connection:
        assert new_arrivals(connection, engine.feed, [older]) == [older]
    assert engine.load(older).outcome == "loaded"
    assert engine.rows() == [(2, "b")]


def test_1_5_another_size_is_another_version_whatever_the_etag_says(engine):
    first = engine.put(A)
    engine.load(first)
    other = replace(first, size=first.size + 1)
    with connect(engine.warehouse) as connection:
        assert new_arrivals(connection, engine.feed, [first, other]) == [other]


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


@pytest.mark.parametrize("key", ["x/_SUCCESS", "x/.part-0.csv.crc", "x/"])
def test_1_8_a_marker_is_no_data(engine, key):
    engine.client.put_object(Bucket=engine.bucket, Key=key, Body=b"")
    engine.put(A, "x/a.csv")
    assert listed(engine) == ["x/a.csv"]


def test_1_9_a_table_that_is_gone_is_told(engine):
    engine.load(engine.put(A))
    engine.sql("DROP TABLE raw.t")
    with pytest.raises(FeedError, match=r"the table raw\.t is gone") as refused:
        listed(engine)
    assert "--force" in refused.value.do


def test_1_9_a_table_that_only_the_feed_renames_is_told(engine):
    engine.load(engine.put(A))
    engine.be(table="raw.u")
    with pytest.raises(FeedError, match=r"loaded into raw\.t"):
        listed(engine)
    engine.sql("ALTER TABLE raw.t RENAME TO u")
    assert listed(engine) == []


def test_1_13_a_renamed_feed_does_not_load_everything_twice(engine):
    engine.load(engine.put(A))
    engine.be(feed="renamed")
    with pytest.raises(FeedError, match="the feed 't' loaded this file into"):
        listed(engine)


def test_1_13_nor_when_its_files_have_been_overwritten_since(engine):
    """A sender that overwrites one object every day: its old rows belong to the old name."""
    engine.load(engine.put(A))
    engine.be(feed="renamed")
    engine.put(B)
    with pytest.raises(FeedError, match="the feed 't' loaded this file into"):
        listed(engine)


def test_1_13_a_table_that_each_file_replaces_has_nothing_to_lose(engine):
    engine.be(disposition="replace")
    engine.load(engine.put(A))
    engine.be(disposition="replace", feed="renamed")
    arrival = engine.put(B)
    assert listed(engine) == ["a.csv"]
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
    assert listed(engine) == ["b.csv"]
    engine.load(engine.put(B))
    assert engine.rows() == [(2, "b")]


@pytest.mark.timeout(60)
def test_2_1_a_trigger_that_raises_a_notice_a_row_does_not_hang_the_load(engine):
    engine.load(engine.put(A))
    engine.sql(
        "CREATE FUNCTION raw.talk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RAISE NOTICE '%', repeat('x', 500); RETURN NEW; END$$"
    )
    engine.sql(
        "CREATE TRIGGER talk BEFORE INSERT ON raw.t FOR EACH ROW EXECUTE FUNCTION raw.talk()"
    )
    assert engine.load(engine.put(many(200_000, first=2), "b.csv")).rows == 200_000


def test_2_3_files_that_failed_do_not_keep_a_good_one_waiting(engine):
    for key in ("1.csv", "2.csv"):
        with pytest.raises(DataError):
            engine.load(engine.put("id,name\nx,\n", key))
    engine.put(A, "3.csv")
    assert listed(engine) == ["3.csv", "1.csv", "2.csv"]


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
    with connect(engine.warehouse) as connection:
        assert new_arrivals(connection, engine.feed, [arrival], due_only=True) == []
        assert new_arrivals(connection, engine.feed, [arrival]) == [arrival]
        connection.execute("UPDATE landfall.ledger SET retry_after = now()")
        assert new_arrivals(connection, engine.feed, [arrival], due_only=True) == [arrival]


def test_2_3_a_ledger_of_an_earlier_version_is_read_and_gets_the_new_column(engine):
    engine.load(engine.put(A))
    engine.sql(
        "DROP TABLE landfall.rejects, landfall.replays, landfall.changes, landfall.replaced;"
        " ALTER TABLE landfall.ledger DROP COLUMN retry_after, DROP COLUMN rejected,"
        " DROP COLUMN reasons, DROP COLUMN content_hash, DROP COLUMN duplicate_of,"
        " DROP COLUMN failed_at"
    )
    bad = engine.put("id,name\nx,\n", "b.csv")
    assert listed(engine) == ["b.csv"]
    assert [entry.retry_after for entry in engine.entries()] == [None]
    with pytest.raises(DataError):
        engine.load(bad)
    assert [bool(entry.retry_after) for entry in engine.entries()] == [False, True]


@pytest.mark.timeout(60)
def test_2_7_readers_do_not_wait_for_the_end_of_the_first_load_into_their_table(engine):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer, name text)")
    seen = []
    engine.load(
        engine.put(many(1000)),
        progress=lambda rows: seen.extend(engine.sql("SELECT count(*) FROM raw.t")),
    )
    assert seen == [0]


def test_3_8_a_retry_of_a_failed_file_does_not_look_for_rows_to_replace(engine, mocker):
    # These look at the table's last pages, and for one row.
    for look in ("check_ledger", "rows_gone"):
        mocker.patch(f"include.landfall.write.settle.{look}", return_value=[])
    engine.load(engine.put(A, "1.csv"))
    arrival = engine.put("id,name\nx,\n", "2.csv")
    with pytest.raises(DataError):
        engine.load(arrival)
    before = engine.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'")
    with pytest.raises(DataError):
        engine.load(arrival)
    engine.sql("SELECT pg_stat_force_next_flush()")
    assert engine.sql("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'") == before


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


MANY_ENTRIES = """
    INSERT INTO landfall.ledger (
        feed, bucket, key, etag, size, last_modified, target, started, status, error, loaded_by,
        attempt
    )
    SELECT
        't', {}, 'x/' || n, 'e', 1, '2026-01-01', 'raw.t', now(), 'loaded', repeat('x', 2000),
        'me', gen_random_uuid()
    FROM generate_series(1, {}) AS n
"""


def test_3_9_a_look_takes_the_same_memory_for_any_number_of_loaded_files(engine):
    engine.load(engine.put(A))
    listed = 30_000
    values = psycopg.sql.Literal(engine.bucket), psycopg.sql.Literal(listed)
    engine.sql(psycopg.sql.SQL(MANY_ENTRIES).format(*values))
    when = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    arrivals = (Arrival(engine.bucket, f"x/{n}", "e", 1, when) for n in range(listed + 2))
    with connect(engine.warehouse) as connection:
        tracemalloc.start()
        try:
            new = new_arrivals(connection, engine.feed, arrivals)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert [arrival.key for arrival in new] == ["x/0", f"x/{listed + 1}"]
    assert peak < 10 << 20


def test_3_9_a_load_reads_few_rows_of_the_ledger_for_any_number_of_loaded_files(engine):
    engine.load(engine.put(A, "1.csv"))
    values = psycopg.sql.Literal(engine.bucket), psycopg.sql.Literal(5_000)
    engine.sql(psycopg.sql.SQL(MANY_ENTRIES).format(*values))
    engine.sql("ANALYZE landfall.ledger; SELECT pg_stat_force_next_flush()")
    read = (
        "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables"
        " WHERE schemaname = 'landfall' AND relname = 'ledger'"
    )
    (before,) = engine.sql(read)
    engine.load(engine.put(B, "2.csv"))
    for _ in range(50):  # the session of the load tells of its reading when it ends
        (after,) = engine.sql(read)
        if after > before:
            break
        time.sleep(0.1)
    assert 0 < after - before < 100


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
    assert sorted(listed(engine)) == ["2.csv", "3.csv", "zł.csv"]
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


def test_3_7_a_row_that_a_key_refuses_does_not_make_the_file_read_again(engine, mocker):
    engine.sql("CREATE SCHEMA raw; CREATE TABLE raw.t (id integer UNIQUE, name text)")
    readings = mocker.spy(Reader, "frames")
    engine.be(rejects={"at_most": 1})
    receipt = engine.load(many(LARGE).replace("\n2,", "\n1,", 1))
    assert (receipt.rows, receipt.reasons) == (LARGE - 1, {"unique": 1})
    assert engine.sql("SELECT line, raw FROM landfall.rejects") == [(3, f"1,{2:070}")]
    assert readings.call_count == 1
