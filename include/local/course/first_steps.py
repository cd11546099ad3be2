"""The walks of the first steps: introduction, Airflow here and in Docker, a first DAG."""

from __future__ import annotations

import importlib.metadata
import socket
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import psutil

from include.local.airflow.api import OPENER
from include.local.course.classroom import Classroom, LessonFailed, Run, Seen, expect
from include.local.demo.seed import BUCKET
from include.local.services.process import LOCALHOST
from include.local.state import PROJECT

FEED = "lesson_introduction"
KEY = "lessons/introduction/people.csv"


def introduction(room: Classroom) -> Seen:
    """Checks that the first run loads the file.

    The second run sees the file in the ledger and loads nothing.
    """
    _forget(room)
    first = room.xcom(room.run("lesson_01_introduction"), "count_rows")
    again = room.run("lesson_01_introduction")
    second = room.xcom(again, "count_rows")
    _expect_outcome(first, "loaded", rows=3)
    _expect_outcome(second, "already_loaded", rows=3)
    (rows,) = room.query("SELECT count(*) FROM lessons.introduction")[0]
    expect(rows == 3, f"expected 3 rows in lessons.introduction, seen: {rows}")
    return Seen(
        f"{first['rows']} rows loaded; run again, the ledger has the file: 0 more",
        {"first": first, "second": second, "log": room.log(again, "load_file")},
    )


def _forget(room: Classroom) -> None:
    """Removes what earlier runs of the lesson have left."""
    room.query("DROP TABLE IF EXISTS lessons.introduction")
    room.client.delete_object(Bucket=BUCKET, Key=KEY)
    if room.query("SELECT to_regclass('landfall.ledger')")[0][0]:
        room.query("DELETE FROM landfall.ledger WHERE feed = %s", FEED)


def _expect_outcome(counted: dict[str, Any], outcome: str, rows: int) -> None:
    expect(counted["outcome"] == outcome, f"expected {outcome}, seen: {counted}")
    expect(counted["rows"] == rows, f"expected {rows} rows, seen: {counted}")
    ledger = [[KEY, rows, "loaded"]]
    expect(counted["ledger"] == ledger, f"expected {ledger} in the ledger, seen: {counted}")


def python_environment(room: Classroom) -> Seen:
    """Checks that the task has this environment's Python and home.

    The page is on localhost alone.
    """
    seen = room.xcom(room.run("lesson_02_python_environment"), "where_am_i")
    expected = {
        "environment": sys.prefix,
        "airflow": importlib.metadata.version("apache-airflow"),
        "home": str(room.home / "airflow"),
        "dags": str(PROJECT / "dags"),
        "page": room.api.address,
    }
    for name, value in expected.items():
        expect(seen[name] == value, f"expected {name} to be {value}, seen: {seen[name]}")
    with OPENER.open(room.api.address, timeout=30) as answer:
        page = answer.read().decode()
    expect("<title>Airflow" in page, f"expected Airflow's page, seen: {page[:200]}")
    reached = _reached_from(room.api.address)
    expect(reached == [LOCALHOST], f"expected {LOCALHOST} alone to answer, seen: {reached}")
    return Seen(
        f"Airflow {seen['airflow']}, Python {seen['python']}, {seen['executor']}; "
        "the page answers on localhost only",
        {**seen, "reached": reached},
    )


def _reached_from(url: str) -> list[str]:
    """The addresses of this machine at which the page's port answers."""
    own = {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family == socket.AF_INET
    }
    reached = []
    for address in sorted(own | {LOCALHOST}):
        with suppress(OSError), socket.create_connection((address, urlsplit(url).port), 2):
            reached.append(address)
    return reached


def docker(room: Classroom) -> Seen:
    """Checks that each connection of the containers has a service.

    The service's port is open to this machine alone.
    """
    served = room.xcom(room.run("lesson_03_docker"), "who_serves")
    names = [each["connection"] for each in served]
    expect(names == ["landing", "warehouse"], f"expected landing and warehouse, seen: {names}")
    outside = [each["outside"] for each in served]
    expect(
        all(address.startswith(f"{LOCALHOST}:") for address in outside),
        f"expected ports of {LOCALHOST} alone, seen: {outside}",
    )
    shown = ", ".join(f"{each['connection']} at {each['inside']}" for each in served)
    return Seen(f"in containers: {shown}; ports on localhost only", {"connections": served})


def first_dag(room: Classroom) -> Seen:
    """Checks that two commands run in order.

    The last line alone is an XCom. There are no example DAGs.
    """
    run = room.run("lesson_07_first_dag")
    line, log = room.xcom(run, "hello"), room.log(run, "hello")
    expect(line.startswith("Hello from bash"), f"expected the last line as XCom, seen: {line!r}")
    first = "This line is only in the log"
    expect(first in log.splitlines(), f"expected {first!r} in the log, seen: {log}")
    answer = room.xcom(run, "answer")
    expect(answer == f"hello printed: {line}", f"expected the answer to quote it, seen: {answer!r}")
    _expect_order(room, run)
    examples = room.environ["AIRFLOW__CORE__LOAD_EXAMPLES"]
    expect(examples == "False", f"expected no example DAGs, seen: {examples}")
    foreign = _foreign_dags(room)
    expect(not foreign, f"expected no DAGs but the project's, seen: {foreign}")
    return Seen(f"{answer}; no example DAGs", {"line": line, "answer": answer, "log": log})


def _expect_order(room: Classroom, run: Run) -> None:
    """Checks that `answer` waits for `hello` by the DAG itself, not by chance this time."""
    (hello,) = [
        task
        for task in room.api.get(f"dags/{run.dag_id}/tasks")["tasks"]
        if task["task_id"] == "hello"
    ]
    after = hello["downstream_task_ids"]
    expect(after == ["answer"], f"expected answer to wait for hello, seen: {after} does")
    tasks = {task["task_id"]: task for task in room.tasks(run)}
    ended, began = tasks["hello"]["end_date"], tasks["answer"]["start_date"]
    if began < ended:
        raise LessonFailed(f"expected answer to begin after hello, at {ended}, seen: {began}")


def _foreign_dags(room: Classroom) -> list[str]:
    """The DAGs whose file is not in this project's folder."""
    dags = room.api.get("dags", limit=100, exclude_stale=False)["dags"]
    return [dag["dag_id"] for dag in dags if not dag["fileloc"].startswith(f"{PROJECT / 'dags'}/")]
