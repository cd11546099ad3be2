"""The sensor against a real ledger and a real bucket, on the worker and on the triggerer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred
from botocore.client import BaseClient

from include.landfall.arrival import Arrival
from include.landfall.connections import Store
from include.landfall.feed.model import Feed
from include.local.services.environ import connections as as_connections
from plugins.arrivals.sensor import NewArrivalsSensor
from plugins.arrivals.trigger import NewArrivalsTrigger
from plugins.s3_to_postgres import S3ToPostgresHook

both_ways = pytest.mark.parametrize("deferrable", [True, False])


@pytest.fixture
def feed(bucket, connections):
    return Feed.model_validate(
        {
            "feed": "things",
            "source": {"bucket": bucket, "pattern": "things/*.csv"},
            "target": {"table": "raw.things"},
            "columns": {"id": "integer"},
        }
    )


@pytest.fixture
def put(client, bucket):
    def put(key, text="id\n1\n"):
        client.put_object(Bucket=bucket, Key=key, Body=text.encode())

    return put


def settling(feed, seconds):
    source = feed.source.model_copy(update={"settle_seconds": seconds})
    return feed.model_copy(update={"source": source})


def run(feed, deferrable, **values):
    """Runs the sensor to its end, with a trigger made from what Airflow would have stored."""
    values = {"soft_fail": True, "poke_interval": 0.3, **values}
    sensor = NewArrivalsSensor(task_id="wait", feed=feed, deferrable=deferrable, **values)
    try:
        arrivals = sensor.execute({})
    except TaskDeferred as deferred:
        stored = json.loads(json.dumps(deferred.trigger.serialize()[1]))
        event = asyncio.run(first_event(NewArrivalsTrigger(**stored)))
        arrivals = sensor.resume_execution(deferred.method_name, {"event": event}, {})
    return [Arrival.from_dict(value) for value in arrivals]


async def first_event(trigger):
    return (await anext(trigger.run())).payload


def keys(arrivals):
    return [arrival.key for arrival in arrivals]


def later(seconds, action, *values):
    timer = threading.Timer(seconds, action, values)
    timer.start()
    return timer


@both_ways
def test_it_gives_exactly_what_the_ledger_does_not_have(feed, put, deferrable):
    for key in ("things/1.csv", "things/2.csv", "other/3.csv", "things/deeper/4.csv", "things/x"):
        put(key)
    new = run(feed, deferrable)
    assert sorted(keys(new)) == ["things/1.csv", "things/2.csv"]
    S3ToPostgresHook.of(feed).load(feed, new[0])
    assert run(feed, deferrable) == new[1:]
    S3ToPostgresHook.of(feed).load(feed, new[1])
    with pytest.raises(AirflowSkipException, match="nothing new"):
        run(feed, deferrable)
    put(new[0].key, "id\n2\n")  # another content under the same name
    again = run(feed, deferrable)
    assert keys(again) == [new[0].key]
    assert again[0].etag != new[0].etag


@both_ways
def test_it_waits_for_a_file_that_comes_while_it_waits(feed, put, deferrable):
    timer = later(0.8, put, "things/1.csv")
    assert keys(run(feed, deferrable, timeout=20)) == ["things/1.csv"]
    timer.join()


@both_ways
def test_it_waits_until_a_growing_file_has_stopped_growing(feed, put, deferrable):
    """A writer that puts the file again and again must not have half of it loaded."""
    texts = ["id\n" + "".join(f"{n}\n" for n in range(size)) for size in range(1, 5)]
    put("things/1.csv", texts[0])
    timers = [later(0.7 * n, put, "things/1.csv", text) for n, text in enumerate(texts[1:], 1)]
    (arrival,) = run(settling(feed, 2), deferrable, timeout=30)
    assert arrival.size == len(texts[-1])
    for timer in timers:
        timer.join()


@both_ways
def test_of_more_than_a_run_can_take_the_rest_is_left_to_the_next(feed, put, deferrable):
    for n in range(5):
        put(f"things/{n}.csv", f"id\n{n}\n")
    loaded = []
    while True:
        try:
            new = run(feed, deferrable, most=2)
        except AirflowSkipException:
            break
        assert len(new) <= 2
        for arrival in new:
            S3ToPostgresHook.of(feed).load(feed, arrival)
        loaded += keys(new)
    assert sorted(loaded) == [f"things/{n}.csv" for n in range(5)]


@both_ways
def test_2_3_a_failed_file_is_left_alone_for_a_while_unless_a_person_starts_the_run(
    feed, put, deferrable
):
    put("things/bad.csv", "id\nx\n")
    (bad,) = run(feed, deferrable)
    with pytest.raises(AirflowFailException):
        S3ToPostgresHook.of(feed).load(feed, bad)
    with pytest.raises(AirflowSkipException):
        run(feed, deferrable)
    by_hand = {"dag_run": SimpleNamespace(run_type="manual")}
    sensor = NewArrivalsSensor(task_id="wait", feed=feed, deferrable=deferrable)
    assert [arrival["key"] for arrival in sensor.execute(by_hand)] == ["things/bad.csv"]


def test_2_3_many_refused_files_do_not_keep_the_good_ones_waiting(feed, put):
    """As 1,500 files of which the first 1,200 are refused, where a run takes 1,000."""
    for n in range(15):
        put(f"things/{n:02}.csv", "id\nx\n" if n < 12 else f"id\n{n}\n")
    loaded = []
    for _ in range(2):
        for arrival in run(feed, False, most=10):
            with suppress(AirflowFailException):
                loaded.append(S3ToPostgresHook.of(feed).load(feed, arrival).key)
    assert loaded == ["things/12.csv", "things/13.csv", "things/14.csv"]


@both_ways
def test_only_the_feeds_prefix_is_listed(feed, put, deferrable, mocker):
    put("things/1.csv")
    calls = mocker.spy(BaseClient, "_make_api_call")
    run(feed, deferrable)
    requests = [call.args[2] for call in calls.call_args_list if call.args[1] == "ListObjectsV2"]
    assert {request["Prefix"] for request in requests} == {"things/"}


def test_no_connection_to_the_store_stays_open_after_a_look(feed, put, mocker):
    """A triggerer looks for days: each look would leave a socket."""
    put("things/1.csv")
    closed = mocker.spy(BaseClient, "close")
    run(feed, deferrable=False)
    assert closed.call_count == 1


@both_ways
def test_no_such_bucket_fails_at_once_though_soft(feed, deferrable):
    source = feed.source.model_copy(update={"bucket": "nowhere-at-all"})
    with pytest.raises(AirflowFailException, match="nowhere-at-all"):
        run(feed.model_copy(update={"source": source}), deferrable, timeout=60)


@both_ways
def test_a_wrong_key_fails_at_once_though_soft(
    feed, deferrable, warehouse, object_store, monkeypatch
):
    wrong = Store(object_store.endpoint_url, object_store.access_key, "wrong-secret")
    for name, value in as_connections(warehouse, wrong).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AirflowFailException, match="refused the key"):
        run(feed, deferrable, timeout=60)


@both_ways
def test_a_wrong_password_fails_at_once_though_soft(
    feed, deferrable, warehouse, object_store, monkeypatch
):
    for name, value in as_connections(replace(warehouse, password="x"), object_store).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AirflowFailException, match="refused"):
        run(feed, deferrable, timeout=60)


def test_a_triggerer_that_takes_over_finds_the_same_and_keeps_the_deadline(feed, put):
    """The first one is killed while it waits; Airflow starts the trigger elsewhere."""
    sensor = NewArrivalsSensor(task_id="w", feed=feed, timeout=3, poke_interval=0.5, soft_fail=True)
    with pytest.raises(TaskDeferred) as deferred:
        sensor.execute({})
    stored = json.loads(json.dumps(deferred.value.trigger.serialize()[1]))
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(first_event(NewArrivalsTrigger(**stored)), 1))
    event = asyncio.run(first_event(NewArrivalsTrigger(**stored)))
    assert event["status"] == "nothing"
    assert time.time() >= stored["watch"]["started"] + 3
    put("things/1.csv")
    assert asyncio.run(first_event(NewArrivalsTrigger(**stored)))["status"] == "ready"
