"""A feed in the Astro SDK's terms: people trust what its checks let through."""

from __future__ import annotations

from typing import Any

import airflow  # noqa: F401  finds the patches
import pytest

from include.astro_sdk import ArrivalFile, feed_checks, feed_table, table_asset
from include.landfall.feed.model import Feed

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
    assert file.arrival is not None
    assert file.arrival.version == "e"
    assert file.conn_id == "landing"
