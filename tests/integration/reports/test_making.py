"""Two workers make one report: what the one that sleeps in between may no longer do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from include.landfall.connections import Warehouse
from include.local.services.redis_server import start_redis
from include.reports import making
from include.reports.catalogue import SOURCES, Request
from include.reports.making import TryLater, make_report
from include.reports.records import NewReport, Records, lease_key
from include.reports.settings import Settings, from_environ
from tests.support.servers import fresh_bucket

ID, KEY = "0" * 32, "reports/delays_by_weather/0.csv"
REQUEST = Request(report="delays_by_weather")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Redis."""
    server = start_redis(tmp_path_factory.mktemp("redis"))
    yield server.url
    server.remove()


@pytest.fixture
def settings(connections: dict[str, str], broker: str, client: Any) -> Iterator[Settings]:
    """The settings of a worker, and an empty bucket."""
    with fresh_bucket(client, "landing"):
        yield from_environ({"LANDFALL_REPORTS_BROKER": broker})


@pytest.fixture
def records(broker: str) -> Iterator[Records]:
    """The records, with one report that is accepted."""
    records = Records(broker, lease_seconds=30, retries=1)
    records.redis.flushall()
    records.accept(NewReport(ID, REQUEST.model_dump_json(), KEY, "a message"))
    yield records
    records.redis.close()


@pytest.fixture(autouse=True)
def mart(warehouse: Warehouse) -> None:
    """The mart, with one row, which has one flight."""
    columns = ", ".join(f"{name} text" for name in SOURCES["delays_by_weather"].columns)
    with psycopg.connect(warehouse.conninfo()) as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(f"CREATE TABLE marts.delays_by_weather ({columns})")
        connection.execute("INSERT INTO marts.delays_by_weather (flights) VALUES (1)")


def test_6_7_a_worker_that_wakes_after_its_lease_does_not_replace_the_newer_object(
    warehouse: Warehouse, settings: Settings, records: Records, client: Any, mocker: Any
) -> None:
    """The first one has read the old rows when it falls asleep; the second one reads the new."""
    outcomes = []
    first_export = making.export_report

    def asleep(request: Request, key: str, *arguments: Any) -> Any:
        mocker.patch.object(making, "export_report", first_export)
        (*_, condition) = arguments

        def sleep(rows: int) -> None:
            if not outcomes:
                records.redis.delete(lease_key(ID))
                with psycopg.connect(warehouse.conninfo()) as connection:
                    connection.execute("UPDATE marts.delays_by_weather SET flights = 2")
                outcomes.append(make_report(ID, records, settings))

        return first_export(request, key, settings, sleep, condition)

    mocker.patch.object(making, "export_report", asleep)
    with pytest.raises(TryLater):
        make_report(ID, records, settings)
    assert outcomes == ["done"]
    body = client.get_object(Bucket="landing", Key=KEY)["Body"].read()
    assert b",2," in body
    record = records.find(ID)
    assert record is not None
    assert (record.state, record.made, record.bytes) == ("done", 1, len(body))


def test_a_second_attempt_replaces_the_object_of_the_first(
    settings: Settings, records: Records, client: Any
) -> None:
    """As when the first worker was killed between its upload and its record."""
    client.put_object(Bucket="landing", Key=KEY, Body=b"of the first")
    assert make_report(ID, records, settings) == "done"
    assert b",1," in client.get_object(Bucket="landing", Key=KEY)["Body"].read()
