"""The deferred sensor on a real triggerer, which dies while it waits.

`dag.test()` runs a trigger in the task's own process: it cannot show that the triggerer finds the
class by its path, looks up the connections without blocking, and takes over after a crash.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.landfall.feed import read_feed
from include.local.airflow_programs import Program
from include.local.environ import connections as as_connections
from tests.e2e.scheduler import RealAirflow, new_home, real_airflow

pytestmark = pytest.mark.timeout(600)

DAG_FILE = """
from airflow.sdk import DAG, task
from include.landfall.feed import read_feed
from plugins.new_arrivals import NewArrivalsSensor

with DAG("waits", schedule=None):
    found = NewArrivalsSensor(
        task_id="wait", feed=read_feed({feed!r}), timeout=900, poke_interval=2
    )

    @task
    def take(arrival):
        return arrival["key"]

    take.expand(arrival=found.output)
"""
FEED_FILE = """
feed: things
source: {{bucket: {bucket}, pattern: things/*.csv, settle_seconds: 1}}
target: {{table: raw.things}}
columns: {{id: integer}}
"""


@pytest.fixture
def airflow(tmp_path, warehouse_server, warehouse, object_store, bucket) -> Iterator[RealAirflow]:
    feed = tmp_path / "things.yaml"
    feed.write_text(FEED_FILE.format(bucket=bucket))
    assert read_feed(feed).source.prefix == "things/"
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "waits.py").write_text(DAG_FILE.format(feed=str(feed)))
    environ = {
        **as_connections(warehouse, object_store),
        # How long a triggerer must have been silent before another takes its triggers.
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    }
    with real_airflow(new_home(tmp_path), warehouse_server, dags, environ) as running:
        yield running


def state(airflow: RealAirflow, task_id: str) -> str | None:
    return airflow.states("waits").get(task_id)


def crash_and_replace(airflow: RealAirflow, home: Path) -> None:
    (old,) = [program for program in airflow.programs if program.name == "triggerer"]
    os.killpg(old.child.pid, signal.SIGKILL)
    old.child.wait()
    new = Program.start("triggerer", airflow.environ, home / "triggerer-2.log")
    airflow.programs[airflow.programs.index(old)] = new


def test_a_sensor_survives_its_triggerer_and_hands_on_what_came_meanwhile(
    airflow, client, bucket, tmp_path
):
    airflow._until(lambda: "waits" in airflow.api.dags(), 180, "the DAG is parsed")
    airflow.api.unpause("waits")
    airflow.api.trigger("waits")
    airflow._until(lambda: state(airflow, "wait") == "deferred", 180, "the sensor is deferred")
    crash_and_replace(airflow, tmp_path)
    for name in ("1", "2"):
        client.put_object(Bucket=bucket, Key=f"things/{name}.csv", Body=b"id\n1\n")
    try:
        airflow._until(lambda: airflow._ended("waits"), 240, "the run has ended")
        assert airflow._last_run("waits")["state"] == "success"
        assert airflow.states("waits") == {"wait": "success", "take": "success"}
        answer = airflow.api._call("GET", xcom(airflow))
        value = answer["value"]
        found = json.loads(value) if isinstance(value, str) else value
        assert [arrival["key"] for arrival in found] == ["things/1.csv", "things/2.csv"]
    finally:
        last = airflow.programs[-1]
        last.ask_to_stop()
        last.wait(20)


def xcom(airflow: RealAirflow) -> str:
    run_id = airflow._last_run("waits")["dag_run_id"]
    return (
        f"dags/waits/dagRuns/{run_id}/taskInstances/wait/xcomEntries/return_value?deserialize=false"
    )
