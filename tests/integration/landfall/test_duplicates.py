"""A file whose content was loaded before under another name: loaded with a warning, or refused."""

from __future__ import annotations

import gzip
import time
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from include.airflow_bridge.warnings import load_warnings
from include.landfall.errors import DuplicateContent, MisshapenRow
from include.landfall.forget import forget
from include.landfall.ledger.arrivals import plan
from include.landfall.postgres.connection import connect
from include.landfall.s3.listing import list_arrivals
from include.landfall.validate import validate
from include.landfall.write import settle
from include.landfall.write.duplicates import check_content
from tests.support.engine import LARGE, many
from tests.support.file_bytes import parquet_bytes

A, B = "id,name\n1,a\n2,b\n", "id,name\n3,c\n"


@pytest.fixture
def refusing(engine):
    """The engine, with a feed that refuses duplicates."""
    return engine.be(source={"bucket": engine.bucket, "pattern": "**", "duplicates": "refuse"})


def reasons(engine):
    """Reads of each object in the bucket why it would be loaded, or why not."""
    with connect(engine.warehouse) as connection:
        to_load, others = plan(
            connection, engine.feed, list_arrivals(engine.client, engine.feed.source)
        )
    return {arrival.key: str(reason) for arrival, reason in [*to_load, *others]}


def parquet(rows=2):
    """Makes the bytes of a Parquet file."""
    return parquet_bytes({"id": pa.array(range(rows), pa.int32()), "name": ["x"] * rows})


def test_by_default_a_duplicate_is_loaded_and_a_warning_names_the_earlier_file(engine):
    first = engine.load(A, "a.csv")
    again = engine.load(A, "a (1).csv")
    assert (again.outcome, again.rows, len(engine.rows())) == ("loaded", 2, 4)
    assert again.duplicate_of.startswith(f"a.csv (load {first.load_id}, 20")
    (warning,) = load_warnings(again)
    assert "a (1).csv has content that was loaded before: a.csv" in warning
    assert [entry.duplicate_of for entry in engine.entries()] == [None, first.load_id]
    assert load_warnings(first) == []


def test_a_duplicate_is_refused_nothing_of_it_is_loaded_and_later_runs_leave_it_out(refusing):
    first = refusing.load(A, "a.csv")
    with pytest.raises(DuplicateContent, match="has the content of another file") as caught:
        refusing.load(A, "b.csv")
    text = str(caught.value)
    assert f"found: a.csv (load {first.load_id}, " in text
    assert "landfall load --feed … --key b.csv --force" in text
    assert len(refusing.rows()) == 2
    assert refusing.statuses() == ["loaded", "duplicate"]
    assert reasons(refusing) == {"a.csv": "loaded", "b.csv": "duplicate"}
    assert refusing.new_keys() == []


def test_force_loads_a_duplicate_and_it_stays_loaded(refusing):
    refusing.load(A, "a.csv")
    with pytest.raises(DuplicateContent):
        refusing.load(again := refusing.put(A, "b.csv"))
    forced = refusing.load(again, force=True)
    assert (forced.outcome, len(refusing.rows())) == ("loaded", 4)
    assert forced.duplicate_of.startswith("a.csv (load ")
    assert refusing.load(again).outcome == "already_loaded"
    assert set(reasons(refusing).values()) == {"loaded"}


def test_a_duplicate_is_new_once_the_earlier_file_is_forgotten(refusing):
    refusing.load(A, "a.csv")
    with pytest.raises(DuplicateContent):
        refusing.load(again := refusing.put(A, "b.csv"))
    forget(refusing.feed, "a.csv", warehouse=refusing.warehouse)
    assert reasons(refusing)["b.csv"] == "new"
    assert refusing.load(again).outcome == "loaded"
    assert len(refusing.rows()) == 2


def test_a_duplicate_is_new_once_the_earlier_file_has_other_content(refusing):
    refusing.load(A, "a.csv")
    with pytest.raises(DuplicateContent):
        refusing.load(again := refusing.put(A, "b.csv"))
    refusing.load(B, "a.csv")
    assert reasons(refusing)["b.csv"] == "new"
    assert refusing.load(again).outcome == "loaded"


def test_a_changed_object_that_becomes_a_duplicate_keeps_its_earlier_rows(refusing):
    refusing.load(A, "a.csv")
    refusing.load(B, "b.csv")
    with pytest.raises(DuplicateContent):
        refusing.load(A, "b.csv")
    assert refusing.rows() == [(1, "a"), (2, "b"), (3, "c")]
    assert reasons(refusing)["b.csv"] == "duplicate"


@pytest.mark.parametrize(
    "body", ["", "id,name\n", gzip.compress(b"id,name\n")], ids=["no byte", "header", "packed"]
)
def test_files_without_rows_are_no_duplicates(refusing, body):
    assert refusing.load(body, "a.csv").outcome == "loaded"
    assert refusing.load(body, "b.csv").outcome == "loaded"


def test_a_file_that_failed_is_not_an_earlier_one(refusing):
    bad = "id,name\n1,a,?\n"
    for key in ("a.csv", "b.csv"):
        with pytest.raises(MisshapenRow):
            refusing.load(bad, key)
    assert refusing.statuses() == ["failed", "failed"]


def test_a_replaced_table_still_tells_yesterdays_content(engine):
    source = {"bucket": engine.bucket, "pattern": "**", "duplicates": "refuse"}
    engine.be(disposition="replace", source=source)
    engine.load(A, "1.csv")
    with pytest.raises(DuplicateContent):
        engine.load(A, "2.csv")
    assert (engine.statuses(), len(engine.rows())) == (["loaded", "duplicate"], 2)
    engine.load(B, "3.csv")
    assert engine.rows() == [(3, "c")]


def test_the_same_rows_in_other_bytes_are_no_duplicate(refusing):
    refusing.load(A, "a.csv")
    assert refusing.load(gzip.compress(A.encode()), "a.csv.gz").duplicate_of is None


@pytest.mark.parametrize("rows", [2, LARGE])
def test_large_and_packed_files_are_hashed_to_their_last_byte(refusing, rows):
    text = many(rows)
    packed = gzip.compress(text.encode(), mtime=0)
    other = gzip.compress((text[:-2] + "x\n").encode(), mtime=0)
    refusing.load(packed, "a.csv.gz")
    refusing.load(other, "b.csv.gz")
    with pytest.raises(DuplicateContent):
        refusing.load(packed, "c.csv.gz")


def test_parquet_is_hashed_where_the_feed_refuses_duplicates(engine):
    source = {"bucket": engine.bucket, "pattern": "**"}
    engine.be(format="parquet", source=source)
    engine.load(parquet(), "0.parquet")
    assert engine.load(parquet(), "1.parquet").duplicate_of is None  # not read from end to end
    engine.be(format="parquet", source={**source, "duplicates": "refuse"})
    engine.load(parquet(3), "a.parquet")
    with pytest.raises(DuplicateContent):
        engine.load(parquet(3), "b.parquet")
    assert engine.load(parquet(4), "c.parquet").outcome == "loaded"


def test_of_duplicates_at_once_one_wins(refusing, monkeypatch):
    """Each load waits before its COMMIT, so that the others look while it is under way."""

    def check_slowly(*arguments, **options):
        earlier = check_content(*arguments, **options)
        time.sleep(0.5)
        return earlier

    refusing.load(B, "before.csv")  # loads that make the table wait for each other anyway
    monkeypatch.setattr(settle, "check_content", check_slowly)
    arrivals = [refusing.put(A, f"{n}.csv") for n in range(6)]

    def load(arrival):
        try:
            return refusing.load(arrival).outcome
        except DuplicateContent:
            return "duplicate"

    with ThreadPoolExecutor(6) as pool:
        outcomes = sorted(pool.map(load, arrivals))
    assert outcomes == ["duplicate"] * 5 + ["loaded"]
    assert len(refusing.rows()) == 3


def test_a_duplicate_of_another_feed_or_table_does_not_count(refusing):
    refusing.load(A, "a.csv")
    source = {"bucket": refusing.bucket, "pattern": "**", "duplicates": "refuse"}
    other = refusing.make_feed(table="raw.other", source=source)
    refusing.feed = other
    # The feed's rows are nowhere else: that would be refused.
    refusing.sql("CREATE TABLE raw.other (LIKE raw.t); DROP TABLE raw.t;")
    assert refusing.load(A, "b.csv").outcome == "loaded"
    refusing.feed = other.model_copy(update={"name": "another"})
    assert refusing.load(A, "c.csv").outcome == "loaded"


def test_a_ledger_of_an_earlier_version_gets_the_columns(engine):
    engine.load(A, "a.csv")
    engine.sql(
        "ALTER TABLE landfall.ledger DROP COLUMN content_hash, DROP COLUMN duplicate_of,"
        " DROP COLUMN failed_at"
    )
    assert reasons(engine) == {"a.csv": "loaded"}
    assert engine.load(B, "b.csv").outcome == "loaded"
    assert engine.load(B, "c.csv").duplicate_of.startswith("b.csv")


def test_an_object_that_returns_to_refused_content_is_refused_again(refusing):
    refusing.load(A, "a.csv")
    with pytest.raises(DuplicateContent):
        refusing.load(A, "b.csv")
    refusing.load(B, "b.csv")
    refusing.put(A, "b.csv")
    assert reasons(refusing)["b.csv"] == "changed"  # the table has rows that the object has not
    with pytest.raises(DuplicateContent):
        refusing.load(A, "b.csv")
    assert reasons(refusing)["b.csv"] == "duplicate"


def test_validate_refuses_a_duplicate_as_a_load_does(refusing):
    first = refusing.load(A, "a.csv")
    again = refusing.put(A, "b.csv")
    servers = {"store": refusing.store, "warehouse": refusing.warehouse}
    with pytest.raises(DuplicateContent, match=r"object: s3://.*/b[.]csv"):
        validate(refusing.feed, again, **servers)
    loading = refusing.be(source={"bucket": refusing.bucket, "pattern": "**"})
    validated = validate(loading.feed, again, **servers)
    assert validated.duplicate_of.startswith(f"a.csv (load {first.load_id}, 20")
    assert [entry.key for entry in refusing.entries()] == ["a.csv"]


def test_the_command_that_loads_a_duplicate_can_be_pasted_into_a_shell(refusing):
    refusing.load(A, "a.csv")
    with pytest.raises(DuplicateContent) as caught:
        refusing.load(A, "a (1).csv")
    assert "--key 'a (1).csv' --force" in caught.value.do


def test_a_file_is_no_duplicate_of_one_that_was_forgotten(engine):
    engine.load(A, "a.csv")
    engine.load(A, "b.csv")
    forget(engine.feed, "a.csv", warehouse=engine.warehouse)
    assert [entry.duplicate_of for entry in engine.entries()] == [None]
