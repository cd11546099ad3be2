"""The Celery stack does its work, and goes on when a part of it dies."""

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
    Running,
    local,
    put_large_file,
    remove_file,
    running_stack,
)

pytestmark = pytest.mark.timeout(1200)
# A handful here; LANDFALL_KILLS=10 is the full number.
KILLS = int(os.environ.get("LANDFALL_KILLS", "2"))
LARGE = "flights/large.csv"
PARTS = {
    "airflow-apiserver", "airflow-dag-processor", "airflow-init", "airflow-scheduler",
    "airflow-triggerer", *WORKERS, "flower", "object-store", "postgres", "redis", "warehouse",
    "reports-api", "reports-beat", "reports-flower", "reports-worker",
}  # fmt: skip
CHAIN = ("feed_flights", "feed_weather", "feed_planes", "feed_airports", "flights_marts")


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with running_stack() as stack:
        yield stack


@pytest.fixture
def no_flights(running: Running) -> Running:
    """No flight is loaded, no run is under way, and Airflow's parts are up."""
    running.stack.wait_ready()
    running.api.unpause(FEED)
    assert wait_until(lambda: not running.under_way(), 120, pause=1)
    running.forget_flights()
    return running


@pytest.fixture
def restored_months(running: Running) -> None:
    """All files of the feeds are in the bucket, as they are at the source."""
    client = make_client(running.stack.store)
    seed(client)
    client.close()


# --- what `make celery` gives


def test_make_celery_ends_with_a_green_run_and_says_where_to_look(running):
    assert "feed_airlines ended with success" in running.said
    for port in ("LANDFALL_AIRFLOW_PORT", "LANDFALL_FLOWER_PORT", "LANDFALL_REPORTS_PORT"):
        assert f"http://127.0.0.1:{running.environ[port]}" in running.said


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
        if line.split()[1] == "0"
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


def flower(running: Running, path: str, password: str) -> str:
    port = running.environ["LANDFALL_FLOWER_PORT"]
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(
        f"http://{LOCALHOST}:{port}{path}", headers={"Authorization": f"Basic {login}"}
    )
    with OPENER.open(request, timeout=30) as answer:
        return answer.read().decode()


def test_flower_shows_both_workers(running):
    password = running.stack.env["LANDFALL_FLOWER_PASSWORD"]

    def seen() -> set[str]:
        return set(re.findall(r"celery@(airflow-worker-\d)", flower(running, "/workers", password)))

    assert wait_until(lambda: seen() == set(WORKERS), 60, pause=2), seen()


def test_flower_asks_for_its_password(running):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        flower(running, "/workers", "guessed")


# --- the flights, on two workers


def test_the_flights_load_through_both_workers(no_flights):
    no_flights.wait_healthy()
    run = no_flights.start_run()
    no_flights.finish(run)
    no_flights.expect_all_flights()
    shares = Counter(load["hostname"] for load in no_flights.loads(run))
    assert set(shares) == set(WORKERS)
    assert sum(shares.values()) == 12
    load = no_flights.loads(run)[0]
    path = f"dags/{FEED}/dagRuns/{load['dag_run_id']}/taskInstances/load/logs/1"
    log = str(no_flights.api.get(path, map_index=load["map_index"], full_content=True))
    assert f"s3://{BUCKET}/flights/" in log, "a worker's log is read through the API server"


@pytest.fixture
def large_file(no_flights: Running) -> Iterator[int]:
    """One file that takes seconds to load, beside the twelve; all its rows."""
    yield put_large_file(no_flights, LARGE, 5)
    remove_file(no_flights, LARGE)


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_worker_killed_in_mid_load_loses_and_doubles_no_row(
    no_flights, large_file, kill, record_property
):
    run = no_flights.start_run()
    victim = no_flights.worker_in_mid_load()
    docker("kill", no_flights.container(victim))
    killed = time.time()
    try:
        no_flights.finish(run)
    finally:
        docker("start", no_flights.container(victim))
    no_flights.expect_all_flights(336_776 + large_file, files=13)
    again = [load for load in no_flights.loads(run) if load["try_number"] > 1]
    assert again, "the kill came too late: nothing was tried again"
    assert {load["hostname"] for load in again} <= set(WORKERS) - {victim}
    first = min(datetime.fromisoformat(load["start_date"]).timestamp() for load in again)
    record_property("figure", f"{victim} killed, second try {first - killed:.0f} s later")


# --- the parts that a run leans on


def restart_at_once(running: Running, service: str) -> None:
    docker("restart", "--time", "1", running.container(service))


def kill_and_start(running: Running, service: str) -> None:
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
    no_flights, large_file, service, breaks, record_property
):
    """It ends right, or fails with one clear error and is right when it runs again."""
    run = no_flights.start_run()
    no_flights.worker_in_mid_load()
    breaks(no_flights, service)
    try:
        no_flights.finish(run)
    except LocalError as failed:
        record_property("figure", f"{service} started again, run failed and ran again: {failed}")
        no_flights.wait_healthy()
        no_flights.finish(no_flights.start_run())
    no_flights.expect_all_flights(336_776 + large_file, files=13)


# --- from the files to the marts, the model and the reports


def test_the_marts_follow_and_the_model_is_trained_in_a_container(no_flights, restored_months):
    """The socket, the network and the key reach the training from a worker in a container."""
    for dag_id in (*CHAIN, "delay_model"):
        no_flights.api.unpause(dag_id)
    no_flights.finish(no_flights.start_run())

    def last() -> str | None:
        runs = no_flights.api.get("dags/delay_model/dagRuns", limit=1, order_by="-run_after")
        return next((run["state"] for run in runs["dag_runs"]), None)

    assert wait_until(lambda: last() in ("success", "failed"), 600, pause=2)
    assert last() == "success"
    client = make_client(no_flights.stack.store)
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix="models/arrival_delay/")["Contents"]
    client.close()
    names = {entry["Key"].rpartition("/")[2] for entry in listed}
    assert names >= {"model.joblib", "metrics.json", "plot.png"}


def reports(running: Running, path: str, body: object = None, key: str | None = None) -> Any:
    url = f"http://{LOCALHOST}:{running.environ['LANDFALL_REPORTS_PORT']}{path}"
    headers = {"X-API-Key": key or running.stack.env["LANDFALL_REPORTS_KEY"]}
    data = None if body is None else json.dumps(body).encode()
    with OPENER.open(urllib.request.Request(url, data, headers), timeout=30) as answer:
        return json.loads(answer.read())


def test_a_report_is_made_and_its_link_opens_from_this_machine(running):
    asked = reports(running, "/reports", {"report": "flights", "first": "2013-07-04"})

    def made() -> dict[str, Any] | None:
        now = reports(running, f"/reports/{asked['id']}")
        return now if now["state"] in ("done", "failed") else None

    assert wait_until(lambda: made() is not None, 120, pause=1)
    report = made() or {}
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


# --- and its end; last of all


def test_make_celery_down_leaves_nothing(running):
    """Nor what a task has started in the stack's network, of which compose knows nothing."""
    network = f"{PROJECT_NAME}_airflow"
    image = "python:3.11-slim-bookworm"
    stray = docker("run", "--detach", "--network", network, image, "sleep", "600").strip()
    done = local(running.environ, "celery-down")
    assert done.returncode == 0, done.stdout + done.stderr
    assert running.stack.left() == []
    assert docker("ps", "--all", "--quiet", "--no-trunc").count(stray) == 0
