"""The sensor and its trigger, with looks whose outcomes the test sets."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import ObjectMissing, ServerUnavailable
from include.landfall.feed.model import Feed
from plugins.arrivals.look import event_of
from plugins.arrivals.sensor import NewArrivalsSensor
from plugins.arrivals.trigger import NewArrivalsTrigger
from plugins.arrivals.waiting import Nothing, Ready, Wait, Watch

FEED = Feed.model_validate(
    {
        "feed": "flights",
        "source": {"bucket": "landing", "pattern": "flights/*.csv", "settle_seconds": 30},
        "target": {"table": "raw.flights"},
        "columns": {"year": "smallint"},
    }
)
ARRIVAL = Arrival("landing", "flights/1.csv", "etag", 10, datetime(2013, 1, 1, tzinfo=UTC))


@pytest.fixture(autouse=True)
def connections(monkeypatch):
    landing = {"conn_type": "aws", "login": "key", "password": "s3cr3t"}
    warehouse = {"conn_type": "postgres", "host": "nowhere", "schema": "w"}
    monkeypatch.setenv("AIRFLOW_CONN_LANDING", json.dumps(landing))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(warehouse))


@pytest.fixture
def looks(monkeypatch):
    """The outcomes of the looks in turn (an error is raised), and the watches that they got."""
    outcomes, watches = [], []

    def look(feed, watch, store, warehouse):
        assert (feed, store.secret_key, warehouse.host) == (FEED, "s3cr3t", "nowhere")
        watches.append(watch)
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return Wait(replace(watch, next_look=time.time())) if outcome is Wait else outcome

    monkeypatch.setattr("plugins.arrivals.sensor.look", look)
    monkeypatch.setattr("plugins.arrivals.trigger.look", look)
    return outcomes, watches


def sensor(**values):
    return NewArrivalsSensor(**{"task_id": "wait", "feed": FEED, "soft_fail": True, **values})


def run(task):
    """Runs the task to its end, with its trigger in between if it defers."""
    try:
        return task.execute({})
    except TaskDeferred as deferred:
        event = fire(revived(deferred.trigger)).payload
        return task.resume_execution(deferred.method_name, {"event": event}, {})


def revived(trigger):
    """Makes the trigger as a triggerer does: from a path and from JSON."""
    path, values = trigger.serialize()
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)(**json.loads(json.dumps(values)))


def fire(trigger):
    async def events():
        return [event async for event in trigger.run()]

    (event,) = asyncio.run(events())
    return event


both_ways = pytest.mark.parametrize("deferrable", [True, False])


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


def test_the_trigger_too_names_a_missing_connection(monkeypatch):
    """Somebody may have deleted it while the sensor was deferred."""
    monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE")
    trigger = NewArrivalsTrigger(FEED.model_dump(mode="json"), Watch(started=0).as_dict())
    event = fire(trigger).payload
    assert (event["status"], event["retryable"]) == ("failed", False)
    assert "no connection 'warehouse'" in event["message"]


def test_the_deadline_is_the_first_looks_through_a_deferral_and_a_restart(looks):
    looks[0].extend([Wait, Nothing([])])
    before = time.time()
    with pytest.raises(TaskDeferred) as deferred:
        sensor(timeout=500).execute({})
    trigger = revived(revived(deferred.value.trigger))  # two triggerers have died
    fire(trigger)
    assert before <= looks[1][0].started == looks[1][1].started <= time.time()
    assert looks[1][1].ends == looks[1][0].started + 500


def test_the_trigger_is_imported_by_the_path_that_dags_import():
    path, _ = NewArrivalsTrigger({}, {}).serialize()
    assert path == "plugins.arrivals.trigger.NewArrivalsTrigger"


def test_no_secret_is_in_what_airflow_stores_of_the_trigger(looks):
    looks[0].append(Wait)
    with pytest.raises(TaskDeferred) as deferred:
        sensor().execute({})
    assert "s3cr3t" not in json.dumps(deferred.value.trigger.serialize())


def test_a_triggerer_that_never_answers_is_an_error_not_a_skip():
    with pytest.raises(AirflowException, match="triggerer") as failure:
        sensor().resume_execution("__fail__", {"error": "Trigger timeout"}, {})
    assert not isinstance(failure.value, AirflowSkipException)


def test_the_event_names_what_grows_and_what_is_left(looks):
    ready = Ready([ARRIVAL] * 12, 3, [ARRIVAL])
    message = event_of(ready, FEED)["message"]
    assert "and 2 more; 3 more are left to the next run" in message
    assert "still growing: flights/1.csv" in message


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


STORED = {"feed": FEED.model_dump(mode="json"), "watch": Watch(started=0).as_dict()}


@pytest.mark.parametrize(
    "stored",
    [
        {**STORED, "feed": {**STORED["feed"], "a_key_of_another_release": 1}},
        {**STORED, "watch": {**STORED["watch"], "a_field_of_another_release": 1}},
        {**STORED, "watch": {}},
    ],
    ids=["feed", "watch", "empty watch"],
)
def test_what_another_release_stored_ends_in_a_retry_and_no_traceback(stored):
    """Landfall is upgraded while the sensor is deferred: a retry makes a new trigger."""
    event = fire(NewArrivalsTrigger(**stored)).payload
    with pytest.raises(AirflowException, match="look for new arrivals failed") as failure:
        sensor().conclude({}, event)
    assert not isinstance(failure.value, AirflowFailException | AirflowSkipException)


def test_an_event_of_an_earlier_release_is_taken():
    """The task may resume on a worker that is newer than the triggerer."""
    event = {"status": "ready", "message": "1 new", "arrivals": [ARRIVAL.as_dict()]}
    assert len(sensor().conclude({}, event)) == 1


def test_files_that_failed_and_wait_are_named_and_not_called_loaded():
    """A run is skipped while they wait, so that only its log can say it."""
    event = event_of(Nothing([], early=("flights/bad.csv",)), FEED)
    assert "flights/bad.csv" in event["message"]
    assert "failed" in event["message"]
    assert "has every file" not in event["message"]


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        (Nothing([]), "info"),
        (Nothing([], early=("flights/bad.csv",)), "warning"),
        (Ready([ARRIVAL], 0, []), "info"),
        (Ready([ARRIVAL], 9000, []), "warning"),
        (Ready([ARRIVAL], 0, [], early=("flights/bad.csv",)), "warning"),
    ],
    ids=str,
)
def test_a_backlog_and_failed_files_are_warnings(looks, capsys, outcome, level):
    looks[0].append(outcome)
    with suppress(AirflowSkipException):
        run(sensor())
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "s3://" in line]
    assert f"[{level}" in line


@both_ways
def test_a_sensor_that_waits_says_until_when_and_for_what(looks, capsys, deferrable):
    watch = Watch(started=1_000_000, timeout=60, next_look=1_000_030)
    looks[0].extend([Wait(watch, [ARRIVAL]), Wait(watch), Nothing([])])
    with pytest.raises(AirflowSkipException):
        run(sensor(deferrable=deferrable))
    log = capsys.readouterr().out
    assert log.count("the next look is at 1970-01-12 13:47:10Z") == 2
    assert "the last one at 1970-01-12 13:47:40Z; still growing: flights/1.csv" in log


def test_5_13_a_key_forges_no_line_of_the_log():
    forged = replace(ARRIVAL, key="a\n[2026-01-01] INFO - all is well\x1b[2J.csv")
    for outcome in (Ready([forged], 0, [forged]), Nothing([forged], (forged.key,), (forged.key,))):
        assert event_of(outcome, FEED)["message"].isprintable()


@pytest.mark.parametrize("name", ["__classname__", "__id__", "__type", "schema"])
def test_a_column_of_any_name_can_be_deferred_with(monkeypatch, name):
    """Airflow refuses to store a dict with some of these keys."""
    from airflow.models.trigger import Trigger

    values = {**FEED.model_dump(mode="json", by_alias=True), "columns": {name: "text"}}
    monkeypatch.setattr("plugins.arrivals.sensor.look", lambda *_: Wait(Watch(started=0)))
    with pytest.raises(TaskDeferred) as deferred:
        sensor(feed=Feed.model_validate(values)).execute({})
    stored = Trigger._decrypt_kwargs(Trigger.encrypt_kwargs(deferred.value.trigger.serialize()[1]))
    assert list(Feed.model_validate(NewArrivalsTrigger(**stored).feed).columns) == [name]
