"""The sensor and its trigger, with looks whose outcomes the test sets."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
)

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import ObjectMissing, ServerUnavailable
from plugins.arrivals.trigger import NewArrivalsTrigger
from plugins.arrivals.waiting import Nothing, Ready, Wait, Watch
from tests.support.sensor_runs import ARRIVAL, FEED, both_ways, run, sensor

pytestmark = pytest.mark.usefixtures("airflow_connections")


@both_ways
@pytest.mark.parametrize("waits", [0, 2])
def test_new_arrivals_are_handed_on_as_dicts(looks, deferrable, waits):
    looks[0].extend([Wait] * waits + [Ready([ARRIVAL], 0, [])])
    arrivals = run(sensor(deferrable=deferrable))
    assert [Arrival.from_dict(value) for value in arrivals] == [ARRIVAL]
    of_an_earlier_release = {**arrivals[0], "version_id": None}  # in XCom during an upgrade
    assert Arrival.from_dict(of_an_earlier_release) == ARRIVAL
    assert len(looks[1]) == waits + 1


@both_ways
@pytest.mark.parametrize("waits", [0, 1])
def test_nothing_new_skips_when_soft_with_a_message(looks, deferrable, waits):
    looks[0].extend([Wait] * waits + [Nothing([])])
    with pytest.raises(AirflowSkipException, match="nothing new in s3://landing/flights/"):
        run(sensor(deferrable=deferrable))


@both_ways
def test_nothing_new_is_a_timeout_when_not_soft(looks, deferrable):
    looks[0].extend([Wait, Nothing([])])
    with pytest.raises(AirflowSensorTimeout, match="nothing new"):
        run(sensor(deferrable=deferrable, soft_fail=False))


@both_ways
@pytest.mark.parametrize("waits", [0, 1])
def test_a_wrong_bucket_fails_at_once_and_is_neither_skipped_nor_retried(looks, deferrable, waits):
    looks[0].extend([Wait] * waits + [ObjectMissing("there is no bucket 'landing'")])
    with pytest.raises(AirflowFailException, match="there is no bucket 'landing'"):
        run(sensor(deferrable=deferrable))


@both_ways
@pytest.mark.parametrize("waits", [0, 1])
def test_a_store_that_is_away_is_an_error_that_is_retried(looks, deferrable, waits):
    looks[0].extend([Wait] * waits + [ServerUnavailable("the object store cannot be reached")])
    with pytest.raises(AirflowException, match="cannot be reached") as failure:
        run(sensor(deferrable=deferrable))
    assert not isinstance(failure.value, AirflowFailException | AirflowSkipException)


@both_ways
def test_a_connection_that_airflow_does_not_have_is_named(looks, deferrable, monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_LANDING")
    with pytest.raises(AirflowFailException, match="Airflow has no connection 'landing'"):
        run(sensor(deferrable=deferrable))


def test_a_blocking_look_does_not_stop_the_triggerer(monkeypatch):
    """Thousands of triggers share its event loop."""
    ticks = []

    def slow_look(*_):
        time.sleep(0.3)
        return Nothing([])

    async def beside():
        trigger = NewArrivalsTrigger(FEED.model_dump(mode="json"), Watch(started=0).as_dict())
        looking = asyncio.ensure_future(anext(trigger.run()))
        while not looking.done():
            ticks.append(1)
            await asyncio.sleep(0.01)

    monkeypatch.setattr("plugins.arrivals.trigger.look", slow_look)
    asyncio.run(beside())
    assert len(ticks) > 5


@pytest.mark.parametrize(
    "option",
    [
        {"soft_fail": False, "never_fail": True},
        {"silent_fail": True},
        {"exponential_backoff": True},
        {"mode": "reschedule"},
        {"most": 1025},
        {"most": 0},
        {"most": "10"},
        {"most": 10_001, "by_task": True},
        {"most": True},
    ],
    ids=str,
)
def test_options_that_would_have_no_effect_are_refused(option):
    with pytest.raises(ValueError, match=r"NewArrivalsSensor takes no|most is"):
        sensor(**option)


def test_a_timeout_may_be_a_timedelta():
    assert sensor(timeout=timedelta(minutes=1)).timeout == 60


def test_connections_become_the_engines(monkeypatch):
    from include.airflow_bridge.connections import store_of, warehouse_of

    assert store_of("landing") == Store(None, "key", "s3cr3t")
    assert warehouse_of("warehouse") == Warehouse(host="nowhere", dbname="w")


@pytest.mark.parametrize("feed", [None, "flights", {"feed": "flights"}, 5], ids=repr)
def test_what_is_no_feed_is_refused_when_the_dag_is_read(feed):
    with pytest.raises(TypeError, match="a Feed is needed, such as read_feed"):
        sensor(feed=feed)


def test_no_more_are_handed_on_than_this_airflow_maps_over(looks, monkeypatch):
    """Airflow refuses the whole XCom beyond [core] max_map_length: the feed would never load."""
    monkeypatch.setenv("AIRFLOW__CORE__MAX_MAP_LENGTH", "50")
    looks[0].append(Nothing([]))
    with pytest.raises(AirflowSkipException):
        run(sensor())
    assert looks[1][0].most == 50


@pytest.mark.parametrize("per_task", [None, 50])
def test_a_run_whose_tasks_load_several_files_takes_ten_times_as_many(looks, monkeypatch, per_task):
    feed = FEED.model_copy(update={"files_per_task": per_task})
    monkeypatch.setattr(
        "plugins.arrivals.sensor.look", lambda _, watch, *__: looks[1].append(watch)
    )
    with suppress(AttributeError):
        sensor(feed=feed, by_task=True).execute({})
    assert looks[1][0].most == 10_000


@both_ways
def test_by_task_the_arrivals_come_in_one_list_for_each_task(looks, deferrable, monkeypatch):
    monkeypatch.setattr("plugins.arrivals.grouping.MOST_TASKS", 2)
    looks[0].append(Ready([replace(ARRIVAL, key=f"{n}.csv") for n in range(5)], 0, []))
    lists = run(sensor(by_task=True, deferrable=deferrable))
    assert [[each["key"] for each in one] for one in lists] == [
        ["0.csv", "1.csv", "2.csv"], ["3.csv", "4.csv"],
    ]  # fmt: skip


@both_ways
def test_a_server_that_comes_back_does_not_end_the_wait(looks, deferrable):
    """A retry would begin to wait from the start, and retries are soon used up."""
    away = ServerUnavailable("the object store cannot be reached")
    looks[0].extend([Wait, away, away, Ready([ARRIVAL], 0, [])])
    task = sensor(deferrable=deferrable, timeout=600, poke_interval=0.01)
    assert len(run(task)) == 1


@both_ways
def test_a_server_that_is_away_until_the_time_is_up_is_no_absence_of_files(looks, deferrable):
    away = ServerUnavailable("the object store cannot be reached")
    looks[0].extend([Wait, away, away, away, away, away, away, away, away])
    task = sensor(deferrable=deferrable, timeout=0.4, poke_interval=0.01)
    with pytest.raises(AirflowException, match="cannot be reached") as failure:
        run(task)
    assert not isinstance(failure.value, AirflowSkipException)


@both_ways
def test_a_password_that_changes_during_the_wait_is_used_by_the_next_look(monkeypatch, deferrable):
    hosts = []

    def look(feed, watch, store, warehouse):
        hosts.append(warehouse.host)
        other = {"conn_type": "postgres", "host": "moved", "schema": "w"}
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(other))
        if len(hosts) < 3:
            return Wait(replace(watch, next_look=time.time()))
        return Ready([ARRIVAL], 0, [])

    monkeypatch.setattr("plugins.arrivals.sensor.look", look)
    monkeypatch.setattr("plugins.arrivals.trigger.look", look)
    run(sensor(deferrable=deferrable))
    assert hosts == ["nowhere", "moved", "moved"]
