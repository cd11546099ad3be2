"""A folder that is one snapshot goes from the sensor's look to a load as any arrival does."""

from __future__ import annotations

import json

import psycopg
import pytest

from include.astro_sdk.arrivals import ArrivalFile
from include.landfall.feed.model import Feed
from plugins.arrivals.look import event_of, look
from plugins.arrivals.waiting import Nothing, Ready, Watch
from plugins.s3_to_postgres import S3ToPostgresHook


@pytest.fixture
def feed(bucket, connections):
    return Feed.model_validate(
        {
            "feed": "things",
            "source": {"bucket": bucket, "pattern": "things/*/part-*", "snapshot": "dir"},
            "target": {"table": "raw.things", "disposition": "replace"},
            "columns": {"id": "integer"},
        }
    )


def test_the_sensor_names_what_is_not_complete_and_hands_on_what_is(
    feed, bucket, client, object_store, warehouse
):
    def put(key, body=b""):
        client.put_object(Bucket=bucket, Key=f"things/{key}", Body=body)

    put("1/part-0", b"id\n1\n")
    put("1/part-1", b"id\n2\n")
    nothing = look(feed, Watch(started=0), object_store, warehouse)
    assert isinstance(nothing, Nothing)
    assert event_of(nothing, feed)["message"].endswith("every other file; not complete: things/1/")
    put("1/_SUCCESS")
    put("2/part-0", b"id\n3\n")
    ready = look(feed, Watch(started=0), object_store, warehouse)
    assert isinstance(ready, Ready)
    event = event_of(ready, feed)
    assert "1 new in" in event["message"]
    assert event["message"].endswith("; not complete: things/2/")
    (arrival,) = json.loads(json.dumps(event["arrivals"]))  # as it comes out of XCom
    assert ArrivalFile.of(arrival, feed).key == "things/1/"
    assert S3ToPostgresHook.of(feed).load(feed, arrival).rows == 2
    with psycopg.connect(warehouse.conninfo()) as connection:
        assert connection.execute("SELECT count(*) FROM raw.things").fetchone() == (2,)
