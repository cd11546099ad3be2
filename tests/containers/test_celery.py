"""The Celery stack does its work, and continues when a part of it dies."""

from __future__ import annotations

import base64
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from include.landfall.s3.client import make_client
from include.local.airflow.api import OPENER
from include.local.celery.docker import docker
from include.local.celery.stack import prove
from include.local.demo.seed import BUCKET, seed
from include.local.services.process import LOCALHOST, wait_until
from include.local.state import LocalError
from tests.support.celery_stack import (
    FEED,
    PROJECT_NAME,
    WORKERS,
    RunningStack,
    put_large_file,
    remove_file,
    run_local,
    running_stack,
)

pytestmark = pytest.mark.timeout(1200)
# One kill takes two minutes, so there is one here; LANDFALL_KILLS=10 is the full test.
KILLS = int(os.environ.get("LANDFALL_KILLS", "1"))
LARGE = "flights/large.csv"
PARTS = {
    "airflow-apiserver", "airflow-dag-processor", "airflow-init", "airflow-scheduler",
    "airflow-triggerer", *WORKERS, "flower", "object-store", "postgres", "redis", "warehouse",
    "reports-api", "reports-beat", "reports-flower", "reports-worker",
}  # fmt: skip
CHAIN = (
    "feed_flights", "feed_flight_corrections", "feed_weather", "feed_planes", "feed_airports",
    "flights_marts",
)  # fmt: skip


@pytest.fixture(scope="module")
def running() -> Iterator[RunningStack]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def ready(running: RunningStack) -> RunningStack:
    """A stack without an open run, whose Airflow is ready."""
    running.stack.wait_ready()
    running.api.unpause(FEED)
    assert wait_until(lambda: not running.open_runs(), 120, pause=1)
    return running


@pytest.fixture
def no_flights(ready: RunningStack) -> RunningStack:
    """A ready stack without a loaded flight."""
    ready.forget_flights()
    return ready


@pytest.fixture
def all_flights(ready: RunningStack) -> RunningStack:
    """A ready stack with the flights of all months, so that a run loads nothing but a new file."""
    ready.forget_file(LARGE)
    if ready.loaded_files() != 12:
        ready.wait_for_run(ready.start_run())
    ready.expect_all_flights()
    return ready


@pytest.fixture
def restored_months(running: RunningStack) -> None:
    """All files of the feeds in the bucket, as they are at the source."""
    client = make_client(running.stack.store)
    seed(client)
    client.close()


# --- what `make celery` gives


def test_make_celery_ends_with_a_green_run_and_says_where_to_look(running):
    assert "feed_airlines ended with success" in running.printed
    for port in ("LANDFALL_AIRFLOW_PORT", "LANDFALL_FLOWER_PORT", "LANDFALL_REPORTS_PORT"):
        assert f"http://127.0.0.1:{running.environ[port]}" in running.printed


def test_all_parts_run_and_each_is_healthy_by_a_check(running):
    assert set(running.services()) >= PARTS
    running.wait_healthy()
    unchecked = [n for n, s in running.services().items() if not s["Config"].get("Healthcheck")]
    assert unchecked == ["airflow-init"]


def test_nothing_listens_on_other_than_localhost(running):
    published = {
        (name, binding["HostIp"])
        for name, service in running.services().items()
        for bindings in (service["NetworkSettings"]["Ports"] or {}).values()
        for binding in bindings or []
    }
    assert published
    assert {address for _, address in published} == {LOCALHOST}


def test_no_program_of_a_container_is_root_s(running):
    roots = [
        (name, line)
        for name, service in running.services().items()
        if service["State"]["Running"]
        for line in docker("top", service["Id"], "-eo", "pid,uid,args").splitlines()[1:]
        # A process that is just ending has no arguments any more, and is shown as root's.
        if line.split()[1] == "0" and not line.endswith("]")
    ]
    assert roots == []


def test_no_secret_is_in_the_logs(running):
    secrets = {v for n, v in running.stack.env.items() if n.endswith(("PASSWORD", "SECRET", "KEY"))}
    secrets |= {v for n, v in running.stack.env.items() if "SECRET" in n}
    assert len(secrets) >= 9
    logs = running.stack.compose.run("logs", "--no-color")
    assert len(logs) > 1000
    assert [secret for secret in secrets if secret in logs] == []


def test_a_dag_is_read_without_an_error(running):
    assert running.api.import_errors() == []


# --- Flower


def flower(running: RunningStack, path: str, password: str) -> str:
    port = running.environ["LANDFALL_FLOWER_PORT"]
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(
        f"http://{LOCALHOST}:{port}{path}", headers={"Authorization": f"Basic {login}"}
    )
    with OPENER.open(request, timeout=30) as answer:
        return answer.read().decode()


def test_flower_shows_both_workers(running):
    password = running.stack.env["LANDFALL_FLOWER_PASSWORD"]

    def shown_workers() -> set[str]:
        return set(re.findall(r"celery@(airflow-worker-\d)", flower(running, "/workers", password)))

    assert wait_until(lambda: shown_workers() == set(WORKERS), 60, pause=2), shown_workers()


def test_flower_asks_for_its_password(running):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        flower(running, "/workers", "guessed")


# --- the flights, on two workers


def test_the_flights_load_through_both_workers(no_flights):
    no_flights.wait_healthy()
    run = no_flights.start_run()
    no_flights.wait_for_run(run)
    no_flights.expect_all_flights()
    shares = Counter(load["hostname"] for load in no_flights.loads(run))
    assert set(shares) == set(WORKERS)
    assert sum(shares.values()) == 12
    load = no_flights.loads(run)[0]
    path = f"dags/{FEED}/dagRuns/{load['dag_run_id']}/taskInstances/load/logs/1"
    log = str(no_flights.api.get(path, map_index=load["map_index"], full_content=True))
    assert f"s3://{BUCKET}/flights/" in log, "the API server reads a worker's log"


@pytest.fixture
def large_file(ready: RunningStack) -> Iterator[int]:
    """One more file, which takes seconds to load; the number of its rows."""
    yield put_large_file(ready, LARGE, 5)
    remove_file(ready, LARGE)


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_worker_killed_during_a_load_loses_and_doubles_no_row(
    no_flights, large_file, kill, record_property
):
    run = no_flights.start_run()
    victim = no_flights.wait_for_copying_worker()
    docker("kill", no_flights.container(victim))
    killed = time.time()
    try:
        no_flights.wait_for_run(run)
    finally:
        docker("start", no_flights.container(victim))
    no_flights.expect_all_flights(336_776 + large_file, files=13)
    again = [load for load in no_flights.loads(run) if load["try_number"] > 1]
    assert again, "the kill came too late: nothing was tried again"
    assert {load["hostname"] for load in again} <= set(WORKERS) - {victim}
    first = min(datetime.fromisoformat(load["start_date"]).timestamp() for load in again)
    record_property("measurement", f"{victim} killed, second try {first - killed:.0f} s later")


# --- the parts that a run needs


def restart_at_once(running: RunningStack, service: str) -> None:
    docker("restart", "--time", "1", running.container(service))


def kill_and_start(running: RunningStack, service: str) -> None:
    docker("kill", running.container(service))
    docker("start", running.container(service))


@pytest.mark.parametrize(
    ("service", "breaks"),
    [
        ("airflow-scheduler", kill_and_start),
        ("redis", restart_at_once),
        ("postgres", restart_at_once),
    ],
)
def test_a_run_outlives_a_part_that_is_started_again(
    all_flights, large_file, service, breaks, record_property
):
    """The run succeeds, or it fails with one clear error and the next run succeeds."""
    run = all_flights.start_run()
    all_flights.wait_for_copying_worker()
    breaks(all_flights, service)
    try:
        all_flights.wait_for_run(run)
    except LocalError as failed:
        record_property(
            "measurement", f"{service} started again, run failed and ran again: {failed}"
        )
        all_flights.wait_healthy()
        all_flights.wait_for_run(all_flights.start_run())
    all_flights.expect_all_flights(336_776 + large_file, files=13)


# --- from the files to the marts, the model and the reports


def test_the_marts_follow_and_the_model_is_trained_in_a_container(no_flights, restored_months):
    """A worker in a container gives the training the socket, the network and the key."""
    for dag_id in (*CHAIN, "delay_model"):
        no_flights.api.unpause(dag_id)
    no_flights.wait_for_run(no_flights.start_run())

    def ended() -> list[str]:
        """The states of the runs that have ended; the next change of the mart may start another."""
        runs = no_flights.api.get("dags/delay_model/dagRuns", limit=5, order_by="-run_after")
        return [run["state"] for run in runs["dag_runs"] if run["state"] in ("success", "failed")]

    assert wait_until(lambda: ended() != [], 600, pause=2)
    assert ended()[0] == "success"
    client = make_client(no_flights.stack.store)
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix="models/arrival_delay/")["Contents"]
    client.close()
    names = {entry["Key"].rpartition("/")[2] for entry in listed}
    assert names >= {"model.joblib", "metrics.json", "plot.png"}


def reports(running: RunningStack, path: str, body: object = None, key: str | None = None) -> Any:
    url = f"http://{LOCALHOST}:{running.environ['LANDFALL_REPORTS_PORT']}{path}"
    headers = {"X-API-Key": key or running.stack.env["LANDFALL_REPORTS_KEY"]}
    data = None if body is None else json.dumps(body).encode()
    with OPENER.open(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return json.loads(answer.read())


def test_a_report_is_made_and_its_link_opens_from_this_machine(running):
    accepted = reports(running, "/reports", {"report": "flights", "first": "2013-07-04"})

    def ended() -> dict[str, Any] | None:
        report = reports(running, f"/reports/{accepted['id']}")
        return report if report["state"] in ("done", "failed") else None

    assert wait_until(lambda: ended() is not None, 120, pause=1)
    report = ended() or {}
    assert report.get("state") == "done", report
    expected = "SELECT count(*) FROM raw.flights WHERE time_hour >= '2013-07-04T00:00Z'"
    with OPENER.open(report["link"], timeout=60) as answer:
        lines = answer.read().splitlines()
    assert [(len(lines) - 1,)] == running.query(expected)


def test_the_reports_ask_for_their_key(running):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        reports(running, "/reports", {"report": "flights"}, key="guessed")


@pytest.mark.parametrize("lesson", ["lesson_18_docker_operator", "lesson_19_celery"])
def test_a_lesson_of_containers_and_celery_runs_on_the_stack(running, lesson):
    assert prove(running.api, lesson)["state"] == "success"


# --- the end of the stack: this test must be the last


def test_make_celery_down_leaves_nothing(running):
    """Not even a container that a task has started, which compose does not know."""
    network = f"{PROJECT_NAME}_airflow"
    image = "python:3.11-slim-bookworm"
    stray = docker("run", "--detach", "--network", network, image, "sleep", "600").strip()
    done = run_local(running.environ, "celery-down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert running.stack.left() == []
    assert docker("ps", "--all", "--quiet", "--no-trunc").count(stray) == 0
