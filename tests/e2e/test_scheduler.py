"""Tests that need all of Airflow's programs. This file is the last that uses the shared Airflow.

- A DAG in the Astro SDK's documented style runs unchanged.
- The alert of a run names what has failed, and one cause has one alert: the DAG processor must be
  able to read what the tasks have kept.
- The deferred sensor outlives a triggerer that dies. `dag.test()` runs a trigger in the task's own
  process: it cannot show that the triggerer finds the class by its path, looks up the connections
  without blocking, and takes over after a crash.
"""

from __future__ import annotations

import io
import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pandas as pd
import psycopg
import pytest

from dags.common.failures import NO_MESSAGE
from include.landfall.connections import Warehouse
from include.landfall.feed.yaml_file import read_feed
from include.local.airflow.api import unhealthy
from include.local.airflow.programs import PROGRAMS
from include.local.services.program import Program
from tests.support.real_airflow import RealAirflow, log_ends
from tests.support.servers import fresh_bucket
from tests.support.shared_airflow import SharedAirflow

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

pytestmark = pytest.mark.timeout(900)

DOCUMENTED = Path(__file__).parent / "dags" / "documented_astro_dag.py"
HEALTH = Path(__file__).parents[2] / "dags" / "lessons" / "architecture.py"
DOCUMENTED_BUCKET = "documented-astro-dag"
ORDERS = """\
order_id,customer_id,purchase_date,amount
ORDER1,CUST1,1/1/2021,100
ORDER2,CUST2,2/2/2022,200
ORDER3,CUST3,3/3/2023,300
ORDER4,CUST1,4/4/2024,400.5
"""
CUSTOMERS = """\
customer_id,customer_name,type,age,score
CUST1,NAME1,TYPE1,30,0.5
CUST2,NAME2,TYPE1,,
CUST3,NAME3,TYPE2,50,1e-3
"""
WAITS = """
from airflow.sdk import DAG, task
from include.landfall.feed.yaml_file import read_feed
from plugins.arrivals.sensor import NewArrivalsSensor

with DAG("waits", schedule=None):
    arrivals = NewArrivalsSensor(
        task_id="wait", feed=read_feed({feed!r}), timeout=900, poke_interval=2
    )

    @task
    def take(arrival):
        return arrival["key"]

    take.expand(arrival=arrivals.output)
"""
FAILS = """
import os
import signal

from airflow.sdk import DAG, task
from dags.common import alerts, defaults
from include.airflow_bridge.errors import verdict
from include.landfall.errors import RefusedCell, ServerUnavailable, failures_of

def tell(context):
    with open({alerts!r}, "a") as file:
        file.write(alerts.failure_text(context) + "\\n\\n")

defaults.TASK_FAILED = defaults.RUN_FAILED = [tell]
ERRORS = [RefusedCell("bad", found="x").at(object="s3://b/1.csv"), *[ServerUnavailable("away")] * 3]

settings = defaults.dag_defaults()
settings["default_args"]["retries"] = 0

with DAG("feed_fails", schedule=None, **settings):

    @task
    def new_arrivals():
        return [[{{"key": f"t/{{number}}.csv"}}] for number in range(5)]

    @task
    def load(number):
        if number == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        error = ERRORS[number]
        raise verdict(str(error), retryable=False, failures=failures_of([error]))

    new_arrivals() >> load.expand(number=[0, 1, 2, 3, 4])
"""
FEED = """
feed: things
source: {{bucket: {bucket}, pattern: things/*.csv, settle_seconds: 1}}
target: {{table: raw.things}}
columns: {{id: integer}}
"""


@dataclass(frozen=True)
class Stage:
    """A running Airflow with the DAGs of this file, and the servers that they use."""

    airflow: RealAirflow
    warehouse: Warehouse
    bucket: str
    folder: Path


@pytest.fixture(scope="module")
def stage(
    shared_airflow: SharedAirflow, client: S3Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with shared_airflow.empty_warehouse() as warehouse, fresh_bucket(client) as bucket:
        fails = folder / "fails.py"
        fails.write_text(FAILS.format(alerts=str(folder / "alerts")))
        shared_airflow.add_dags(DOCUMENTED, HEALTH, fails, write_waiting_dag(folder, bucket))
        yield Stage(shared_airflow.airflow, warehouse, bucket, folder)
        shared_airflow.stop()


def write_waiting_dag(folder: Path, bucket: str) -> Path:
    """Writes the DAG whose sensor waits for the bucket's files, and its feed."""
    feed = folder / "things.yaml"
    feed.write_text(FEED.format(bucket=bucket))
    assert read_feed(feed).source.prefix == "things/"
    dag = folder / "waits.py"
    dag.write_text(WAITS.format(feed=str(feed)))
    return dag


@pytest.fixture
def documented_bucket(client: S3Client) -> Iterator[str]:
    """The bucket that the DAG names."""
    with fresh_bucket(client, DOCUMENTED_BUCKET) as name:
        client.put_object(Bucket=name, Key="orders_data_header.csv", Body=ORDERS.encode())
        client.put_object(Bucket=name, Key="customers_table.csv", Body=CUSTOMERS.encode())
        yield name


def test_a_documented_dag_runs_unchanged(
    stage: Stage, client: S3Client, documented_bucket: str
) -> None:
    """Otherwise a team with Astro SDK DAGs would have to rewrite them."""
    run = stage.airflow.run("documented_astro_dag")
    states = stage.airflow.states("documented_astro_dag")
    assert run["state"] == "success", f"{states}\n{log_ends(stage.airflow.programs)}"
    assert set(states.values()) == {"success"}
    with psycopg.connect(stage.warehouse.conninfo()) as connection:
        reported = connection.execute(
            "SELECT order_id, customer_name, amount FROM tmp_astro.reporting_table ORDER BY 1"
        ).fetchall()
        left_over = connection.execute(
            "SELECT tablename FROM pg_tables WHERE tablename LIKE '\\_tmp%'"
        ).fetchall()
        key = connection.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'p'"
            " AND conrelid = 'tmp_astro.customers_table'::regclass"
        ).fetchone()
    assert reported == [
        ("ORDER2", "NAME2", 200.0), ("ORDER3", "NAME3", 300.0), ("ORDER4", "NAME1", 400.5),
    ]  # fmt: skip
    assert left_over == []
    assert key == (1,)
    body = client.get_object(Bucket=documented_bucket, Key="amount_by_type.parquet")["Body"].read()
    exported = pd.read_parquet(io.BytesIO(body))
    assert dict(zip(exported["type"], exported["amount"], strict=True)) == {
        "TYPE1": 600.5, "TYPE2": 300.0,
    }  # fmt: skip


def test_one_cause_has_one_alert_and_that_of_the_run_names_what_has_failed(stage: Stage) -> None:
    alerts = stage.folder / "alerts"
    assert stage.airflow.run("feed_fails")["state"] == "failed"
    stage.airflow._wait_until(lambda: "to see every file" in alerts.read_text(), 60, "it is told")
    *of_tasks, of_killed, of_run = alerts.read_text().strip().split("\n\n")
    assert sorted(each.splitlines()[1] for each in of_tasks) == ["away", "bad"]
    assert of_killed.splitlines()[:2] == ["feed_fails.load [t/4.csv] has failed", NO_MESSAGE]
    assert of_run.splitlines()[2:-1] == [
        "  s3://b/1.csv: bad: x",
        "  away (and 2 more of the same)",
        f"  load_4 [t/4.csv]: {NO_MESSAGE}",
    ]


def test_a_sensor_survives_its_triggerer_and_hands_on_what_came_meanwhile(
    stage: Stage, client: S3Client
) -> None:
    airflow = stage.airflow
    airflow._wait_until(lambda: "waits" in airflow.api.dags(), 180, "the DAG is parsed")
    airflow.api.unpause("waits")
    airflow.api.trigger("waits")
    airflow._wait_until(lambda: state(airflow, "wait") == "deferred", 180, "the sensor is deferred")
    with replaced_triggerer(airflow, stage.folder):
        for name in ("1", "2"):
            client.put_object(Bucket=stage.bucket, Key=f"things/{name}.csv", Body=b"id\n1\n")
        airflow._wait_until(lambda: airflow._ended("waits"), 240, "the run has ended")
        assert airflow._last_run("waits")["state"] == "success"
        assert airflow.states("waits") == {"wait": "success", "take": "success"}
        arrivals = handed_on(airflow)
        assert [arrival["key"] for arrival in arrivals] == ["things/1.csv", "things/2.csv"]


def state(airflow: RealAirflow, task_id: str) -> str | None:
    return airflow.states("waits").get(task_id)


@contextmanager
def replaced_triggerer(airflow: RealAirflow, folder: Path) -> Iterator[None]:
    """Kills the triggerer, and runs another one in its place."""
    (old,) = [program for program in airflow.programs if program.name == "triggerer"]
    os.killpg(old.child.pid, signal.SIGKILL)
    old.child.wait()
    command = PROGRAMS["triggerer"]
    new = Program.start("triggerer", command, airflow.environ, folder / "triggerer-2.log")
    airflow.programs[airflow.programs.index(old)] = new
    try:
        yield
    finally:
        new.ask_to_stop()
        new.wait(20)


def handed_on(airflow: RealAirflow) -> list[dict[str, Any]]:
    run_id = airflow._last_run("waits")["dag_run_id"]
    path = f"dags/waits/dagRuns/{run_id}/taskInstances/wait/xcomEntries/return_value"
    value = airflow.api._call("GET", f"{path}?deserialize=false")["value"]
    arrivals: list[dict[str, Any]] = json.loads(value) if isinstance(value, str) else value
    return arrivals


def test_the_health_lesson_names_the_part_that_is_dead(stage: Stage) -> None:
    """This test must be the last of the file: it leaves Airflow without a triggerer."""
    airflow = stage.airflow
    (triggerer,) = [program for program in airflow.programs if program.name == "triggerer"]
    airflow.programs.remove(triggerer)
    if triggerer.child.poll() is None:
        os.killpg(triggerer.child.pid, signal.SIGKILL)
        triggerer.child.wait()
    airflow._wait_until(lambda: unhealthy(airflow.api.address) == ["triggerer"], 60, "it is missed")
    run = airflow.run("lesson_06_architecture")
    states = airflow.states("lesson_06_architecture")
    assert run["state"] == "failed"
    assert states == {"is_woken": "failed", "ask_each_part": "failed"}
    path = f"dags/lesson_06_architecture/dagRuns/{quote(run['dag_run_id'])}"
    parts = airflow.api.get(f"{path}/taskInstances/ask_each_part/xcomEntries/parts")["value"]
    assert [part for part, (up, *_) in parts.items() if not up] == ["triggerer"]
    assert parts["triggerer"][1].startswith("woke no task")
