"""A mapped `load_file` of a feed's arrivals: exactly the listed versions, exactly once."""

from __future__ import annotations

from typing import Any

import pytest

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.postgres.connection import connect
from include.landfall.s3.listing import list_arrivals
from tests.support.astro_dags import World, dag, run, world

__all__ = ["dag", "run", "world"]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def feed(world: World) -> Feed:
    """A feed whose types and format could not be guessed from its files."""
    return Feed.model_validate(
        {
            "feed": "trips",
            "source": {"connection": "landing", "bucket": world.bucket, "pattern": "trips/*"},
            "format": {"type": "csv", "nulls": ["-"], "delimiter": ";"},
            "target": {"connection": "warehouse", "table": "raw.trips"},
            "columns": {"code": "char(3)", "miles": "numeric(6,2)", "day": "date"},
        }
    )


def load_all(feed: Feed, arrivals: list[dict[str, Any]]) -> None:
    """Makes the tasks of a feed's DAG, wired as in dags/feeds.py."""
    from airflow.sdk import task

    from include.astro_sdk import ArrivalFile, aql, feed_table

    @task
    def sense() -> list[dict[str, Any]]:
        return arrivals

    @task
    def receipts(ti: Any = None) -> None:
        of_loads = ti.xcom_pull(task_ids="load", key="receipts")
        assert len(of_loads) == len(arrivals)
        assert all(receipt["feed"] == "trips" for of_load in of_loads for receipt in of_load)

    loaded = aql.LoadFileOperator.partial(
        task_id="load", output_table=feed_table(feed), if_exists="append", outlets=[],
        map_index_template="{{ task.input_file.key }}",
    ).expand(input_file=sense().map(lambda arrival: ArrivalFile.of(arrival, feed)))  # fmt: skip
    loaded >> receipts()


def listed(world: World, feed: Feed) -> list[dict[str, Any]]:
    """The arrivals that the sensor would hand to the next task."""
    return [arrival.as_dict() for arrival in list_arrivals(world.client, feed.source)]


def test_each_arrival_loads_once_under_the_feeds_contract(
    world: World, feed: Feed, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    world.put("trips/1.csv", "day;miles;code\n2013-01-01;1.50;JFK\n")
    world.put("trips/2.csv", "code;miles;day\nEWR;-;2013-01-02\n")
    load_all(feed, listed(world, feed))
    run()
    run()
    assert world.rows("SELECT code, miles::text, day::text FROM raw.trips ORDER BY 1") == [
        ("EWR", None, "2013-01-02"), ("JFK", "1.50", "2013-01-01"),
    ]  # fmt: skip
    assert world.rows("SELECT feed, status, rows FROM landfall.ledger ORDER BY key") == [
        ("trips", "loaded", 1), ("trips", "loaded", 1),
    ]  # fmt: skip
    assert "was loaded before, by under_test.load" in caplog.text


def test_5_6_a_version_that_is_gone_is_skipped_and_the_new_one_comes_with_the_next_look(
    world: World, feed: Feed, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("trips/1.csv", "code;miles;day\nJFK;1;2013-01-01\n")
    arrivals = listed(world, feed)
    world.put("trips/1.csv", "code;miles;day\nEWR;2;2013-01-02\nLGA;3;2013-01-02\n")
    load_all(feed, arrivals)
    assert run()["load_0"] == "skipped"
    assert "no longer the version that was listed" in capsys.readouterr().out
    world.put("trips/2.csv", "code;miles;day\nJFK;1;2013-01-01\n")
    arrivals[:] = [arrival.as_dict() for arrival in new_of(world, feed)]
    states = run()
    assert (states["load_0"], states["load_1"]) == ("success", "success")
    assert world.rows("SELECT code FROM raw.trips ORDER BY 1") == [("EWR",), ("JFK",), ("LGA",)]


def new_of(world: World, feed: Feed) -> list[Arrival]:
    """The arrivals that the sensor's next look would find."""
    with connect(world.warehouse) as connection:
        return new_arrivals(connection, feed, list_arrivals(world.client, feed.source))


def test_a_bad_cell_fails_its_file_at_once_and_leaves_the_others(
    world: World, feed: Feed, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("trips/1.csv", "code;miles;day\nJFK;1;2013-01-01\n")
    world.put("trips/2.csv", "code;miles;day\nEWR;2;2013-02-30\n")
    load_all(feed, listed(world, feed))
    states = run("failed")
    assert (states["load_0"], states["load_1"]) == ("success", "failed")
    assert world.rows("SELECT code FROM raw.trips") == [("JFK",)]
    log = capsys.readouterr().out
    assert "2013-02-30" in log
    assert "line: 2" in log


def test_another_table_than_the_feeds_is_refused(
    world: World, feed: Feed, dag: Any, run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from include.astro_sdk import ArrivalFile, Metadata, Table, aql

    world.put("trips/1.csv", "code;miles;day\nJFK;1;2013-01-01\n")
    aql.load_file(
        input_file=ArrivalFile.of(listed(world, feed)[0], feed),
        output_table=Table("other", conn_id="warehouse", metadata=Metadata(schema="raw")),
    )
    run("failed")
    assert "output_table=feed_table(feed)" in capsys.readouterr().out


def test_a_file_within_its_error_budget_is_green_and_its_log_warns_of_the_rejects(
    world: World, feed: Feed, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.put("trips/1.csv", "code;miles;day\nJFK;1;2013-01-01\nEWR;2;2013-02-30\nLGA;3\n")
    world.put("trips/2.csv", "code;miles;day\nSFO;4;2013-01-02\n")
    values = {**feed.model_dump(by_alias=True), "rejects": {"at_most": 2}}
    load_all(Feed.model_validate(values), listed(world, feed))
    assert run()["load_0"] == "success"
    assert world.rows("SELECT code FROM raw.trips ORDER BY 1") == [("JFK",), ("SFO",)]
    assert "2 rows are rejected (1 cell, 1 fields)" in caplog.text
    command = ".venv/bin/landfall rejects --feed include/feeds/trips.yaml --object trips/1.csv"
    assert command in caplog.text
