"""What Airflow stores of a wait, and how another process or release resumes it."""

from __future__ import annotations

import json
import time

import pytest
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
    TaskDeferred,
)

from include.landfall.feed.model import Feed
from plugins.arrivals.sensor import TRIGGERER_GRACE_SECONDS
from plugins.arrivals.trigger import NewArrivalsTrigger
from plugins.arrivals.waiting import Nothing, Wait, Watch
from tests.support.sensor_runs import ARRIVAL, FEED, fire, revived, sensor

pytestmark = pytest.mark.usefixtures("airflow_connections")


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


def test_airflow_does_not_end_a_wait_before_its_own_end(looks):
    """An object that grows is waited for beyond `timeout`, and the last look takes its time."""
    looks[0].append(Wait)
    with pytest.raises(TaskDeferred) as deferred:
        sensor(poke_interval=60).execute({})
    settles = 2 * FEED.source.settle_seconds + 60
    assert deferred.value.timeout >= settles + TRIGGERER_GRACE_SECONDS >= settles + 60


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
