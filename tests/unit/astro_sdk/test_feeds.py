"""A feed in the Astro SDK's terms: people trust what its checks let through."""

from __future__ import annotations

from typing import Any

import airflow  # noqa: F401  finds the patches
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowTaskTimeout

from include.astro_sdk import ArrivalFile, arrivals, feed_checks, feed_table, table_asset
from include.astro_sdk.arrivals import load_arrivals
from include.landfall.connections import Warehouse
from include.landfall.errors import ObjectChanged
from include.landfall.feed.formats import FORMATS as FORMATS_OF_FEEDS
from include.landfall.feed.model import Feed
from include.landfall.load import Receipt

ARRIVAL = {
    "bucket": "landing", "key": "flights/2013-01.csv.gz", "etag": "e", "size": 1,
    "last_modified": "2013-01-01T00:00:00+00:00",
}  # fmt: skip


def feed(**more: Any) -> Feed:
    """A feed of two columns."""
    return Feed.model_validate(
        {
            "feed": "flights",
            "source": {"bucket": "landing", "pattern": "flights/*"},
            "target": {"table": "raw.flights"},
            "columns": {"year": "smallint", "Dep Delay": "real"},
            **more,
        }
    )


def test_the_feeds_table_is_its_target_on_its_connection() -> None:
    table = feed_table(feed())
    assert (table.name, table.metadata.schema, table.conn_id) == ("flights", "raw", "warehouse")


def test_feeds_and_marts_mean_the_same_asset() -> None:
    from include.astro_sdk import Metadata, Table

    of_feed = table_asset(feed_table(feed()))
    of_mart = table_asset(Table("flights", conn_id="warehouse", metadata=Metadata(schema="raw")))
    assert of_feed == of_mart
    assert of_feed.name == "warehouse.raw.flights"


def test_two_tables_never_share_an_assets_name() -> None:
    from include.astro_sdk import Metadata, Table

    one = Table("c", conn_id="w", metadata=Metadata(schema="a.b"))
    other = Table("b.c", conn_id="w", metadata=Metadata(schema="a"))
    assert table_asset(one).name != table_asset(other).name


@pytest.mark.parametrize(
    ("make", "value", "message"),
    [
        (feed_table, "flights", "feed is 'flights': a Feed is needed, such as read_feed"),
        (table_asset, "raw.flights", "table is 'raw.flights': a Table is needed, such as"),
        (table_asset, feed(), r"table is a feed: a Table is needed, such as feed_table\(feed\)"),
    ],
)
def test_a_wrong_argument_is_refused_with_what_is_needed(
    make: Any, value: object, message: str
) -> None:
    with pytest.raises(TypeError, match=message):
        make(value)


def test_a_feed_without_checks_has_none() -> None:
    checks = feed_checks(feed())
    assert (checks.table, checks.columns) == ({}, {})


def test_checks_become_the_operators_arguments_with_names_quoted() -> None:
    checks = feed_checks(
        feed(checks={
            "rows": {"at_least": 1, "at_most": 9},
            "Dep Delay": {"minimum": -60, "maximum": 1e4, "not_null": True},
            "year": {"unique": True},
        })
    )  # fmt: skip
    assert [c["check_statement"] for c in checks.table.values()] == [
        "count(*) >= 1", "count(*) <= 9",
        'coalesce(min("Dep Delay") >= -60.0, true)', 'coalesce(max("Dep Delay") <= 10000.0, true)',
    ]  # fmt: skip
    assert checks.columns == {
        "Dep Delay": {"null_check": {"equal_to": 0}}, "year": {"unique_check": {"equal_to": 0}},
    }  # fmt: skip


@pytest.mark.parametrize("limit", [0, 3])
def test_a_bound_of_zero_is_a_bound(limit: int) -> None:
    assert len(feed_checks(feed(checks={"rows": {"at_most": limit}})).table) == 1


def test_an_arrival_file_is_one_version_and_names_its_object() -> None:
    file = ArrivalFile.of(ARRIVAL, feed())
    assert file.key == "flights/2013-01.csv.gz"
    assert file.path == "s3://landing/flights/2013-01.csv.gz"
    assert [arrival.version for arrival in file.arrivals] == ["e"]
    assert file.conn_id == "landing"


FORMATS: dict[str, Any] = {
    "csv": "csv", "json": "json", "parquet": "parquet", "excel": "excel", "avro": "avro",
    "orc": "orc", "arrow": "arrow",
    "fixed": {"type": "fixed", "fields": {"year": {"start": 1, "width": 4}}},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_an_arrival_of_every_format_of_a_feed_is_a_file(name: str) -> None:
    """Astro knows five formats; a load of the others would fail before it begins."""
    file = ArrivalFile.of(ARRIVAL, feed(format=FORMATS[name], columns={"year": "smallint"}))
    assert file.type.name


def test_the_formats_tried_are_all_that_a_feed_can_have() -> None:
    assert set(FORMATS) == set(FORMATS_OF_FEEDS)


@pytest.mark.parametrize("key", ["k" * 1024, "ü" * 512, "flights/" + "a/" * 400 + "last.csv"])
def test_a_long_key_has_a_label_that_airflow_s_database_takes(key: str) -> None:
    """It takes 250 characters; beyond, the end of the task is never written down."""
    label = ArrivalFile.of({**ARRIVAL, "key": key}, feed()).label
    assert len(label) <= 250
    assert (label[:100], label[-100:]) == (key[:100], key[-100:])


def test_a_short_key_is_the_label() -> None:
    assert ArrivalFile.of(ARRIVAL, feed()).label == ARRIVAL["key"]


@pytest.mark.parametrize("key", ["1.csv", "k" * 1024], ids=["short", "long"])
def test_the_label_of_several_files_is_the_first_key_and_how_many_more(key: str) -> None:
    label = ArrivalFile.of([{**ARRIVAL, "key": key}] * 51, feed()).label
    assert label.startswith(key[:90])
    assert label.endswith(" and 50 more")
    assert len(label) <= 250


SNAPSHOT = {"bucket": "landing", "pattern": "flights/*/part-*", "snapshot": "dir"}


@pytest.mark.parametrize(
    ("source", "key"),
    [
        ({"bucket": "landing", "pattern": "other/*"}, "flights/1.csv"),
        ({"bucket": "other", "pattern": "flights/*"}, "flights/1.csv"),
        (SNAPSHOT, "flights/1/part-0"),
        ({"bucket": "landing", "pattern": "flights/**"}, "flights/1/"),
    ],
    ids=["pattern", "bucket", "snapshot now", "no snapshot now"],
)
def test_an_arrival_of_a_feed_that_was_edited_since_is_not_loaded(
    source: dict[str, Any], key: str
) -> None:
    """The sensor listed it with the feed of then; the load has the feed of now."""
    edited = feed(source=source, target={"table": "raw.flights", "disposition": "replace"})
    file = ArrivalFile.of({**ARRIVAL, "key": key}, edited)
    with pytest.raises(ObjectChanged, match="does not name it any more"):
        load_arrivals(file, Warehouse(), feed_table(edited))


@pytest.mark.parametrize(
    ("source", "key"),
    [({"bucket": "landing", "pattern": "flights/*"}, "flights/1.csv"), (SNAPSHOT, "flights/1/")],
    ids=["file", "folder"],
)
def test_an_arrival_that_is_the_feed_s_is_loaded(
    monkeypatch: pytest.MonkeyPatch, source: dict[str, Any], key: str
) -> None:
    same = feed(source=source, target={"table": "raw.flights", "disposition": "replace"})
    loading: list[Any] = []
    monkeypatch.setattr(arrivals, "load_each", lambda _, listed, **__: loading.extend(listed) or [])
    monkeypatch.setattr(arrivals, "store_of", lambda _: None)
    load_arrivals(ArrivalFile.of({**ARRIVAL, "key": key}, same), Warehouse(), feed_table(same))
    assert [arrival.key for arrival in loading] == [key]


def test_a_task_whose_time_is_up_names_the_file_and_keeps_the_receipts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of several files those before are loaded; a retry would wait as long once more."""
    several = [{**ARRIVAL, "key": f"flights/{n}.csv"} for n in (1, 2, 3)]
    kept: list[Any] = []

    def load_until_stopped(feed: Feed, listed: Any, **_: Any) -> Any:
        place = feed.name, listed[0].bucket, listed[0].key, "e"
        yield listed[0], Receipt(*place, load_id=7, outcome="loaded", rows=1, seconds=1, by="me")
        raise AirflowTaskTimeout("Timeout, PID: 4711")

    monkeypatch.setattr(arrivals, "load_each", load_until_stopped)
    monkeypatch.setattr(arrivals, "store_of", lambda _: None)
    monkeypatch.setattr(arrivals, "push_xcom", lambda _, receipts: kept.extend(receipts))
    with pytest.raises(AirflowFailException) as stopped:
        load_arrivals(ArrivalFile.of(several, feed()), Warehouse(), feed_table(feed()))
    text = str(stopped.value)
    assert "1 of 3 files failed, and 1 were not tried\nAirflow stopped the task" in text
    assert "object: s3://landing/flights/2.csv" in text
    assert "PID" not in text
    assert [receipt["load_id"] for receipt in kept] == [7]
