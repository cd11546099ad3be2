"""The walks of the data lessons: connections, Postgres, packages, the S3 sensor, hooks."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from include.local.course.classroom import Classroom, Run, Seen, expect
from include.local.demo.seed import BUCKET
from include.local.state import PROJECT

# A Monday and a Tuesday for which no schedule of the lessons makes a run.
DAYS = ("2026-02-02", "2026-02-03")
INJECTION = "5); DROP TABLE lessons.postgres; --"


def connections(room: Classroom) -> Seen:
    """Checks that Airflow and a shell can use both connections.

    A misspelt connection fails at once, and the error has its name.
    """
    dag_id = "lesson_13_connections"
    run = room.run(dag_id)
    airflow = room.xcom(run, "check")
    expect(all(each["reachable"] for each in airflow), f"expected both to be reachable: {airflow}")
    shell = _check_from_a_shell(room)
    addresses = {each["address"] for each in airflow}
    expect(
        addresses <= {each["address"] for each in shell},
        f"expected Airflow and a shell to reach the same servers: {airflow}, {shell}",
    )
    log = room.log(run, "check")
    _hides_secrets(room, log + json.dumps(airflow))
    misspelt = room.wait(room.trigger(dag_id, conf={"warehouse": "wharehouse"}))
    error = room.log(misspelt, "check")
    expect("no connection 'wharehouse'" in error, f"expected the log to name it: {error}")
    (task,) = room.tasks(misspelt)
    tries = task["try_number"]
    expect(tries == 1, f"expected no second try with a misspelt name, seen: {tries} tries")
    return Seen(
        f"{len(airflow)} connections reachable, by Airflow and from a shell; a misspelt one named",
        {
            "airflow": airflow,
            "shell": shell,
            "log": log,
            "misspelt": misspelt.state,
            "error": error,
        },
    )


def _check_from_a_shell(room: Classroom) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "include.landfall", "check", "--json"],
        capture_output=True, text=True, check=False, cwd=PROJECT, env=room.environ,
    )  # fmt: skip
    expect(done.returncode == 0, f"expected check to end with 0: {done.stdout}{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _hides_secrets(room: Classroom, text: str) -> None:
    services = room.services
    for secret in (
        services.postgres.warehouse.password, services.object_store.store.secret_key,
    ):  # fmt: skip
        expect(not secret or secret not in text, "expected no secret in log or XCom, seen: one")


def postgres(room: Classroom) -> Seen:
    """Checks that a day that runs twice has its rows once.

    A failed run leaves the rows as they are. A value is never SQL.
    """
    dag_id = "lesson_14_postgres"
    _clear_runs(room, dag_id, *DAYS)
    room.query("DROP TABLE IF EXISTS lessons.postgres")
    first, second = DAYS
    run = room.run(dag_id, logical_date=_midnight(first))
    once = _days(room)
    expect(once == {first: 5}, f"expected 5 rows of {first}, seen: {once}")
    before = _written(room)
    _run_again(room, run)
    twice = _days(room)
    expect(twice == once, f"expected a second run to change nothing, seen: {twice}")
    expect(_written(room) != before, "expected the second run to write the rows again")
    room.run(dag_id, logical_date=_midnight(second))
    both = _days(room)
    expect(both == {first: 5, second: 5}, f"expected 5 rows of each day, seen: {both}")
    _fail_on(room, dag_id, second, INJECTION)
    left = _days(room)
    expect(left == both, f"expected the failed run to leave all rows, seen: {left}")
    return Seen(
        f"2 days, 5 rows each: still, after {first} ran twice and a second run of {second} failed",
        {"once": once, "twice": twice, "both": both, "left": left},
    )


def _days(room: Classroom) -> dict[str, int]:
    query = "SELECT day::text, count(*) FROM lessons.postgres GROUP BY day ORDER BY day"
    return dict(room.query(query))


def _written(room: Classroom) -> list[tuple[Any, ...]]:
    """The ids of the transactions that wrote the rows."""
    return room.query("SELECT DISTINCT xmin::text FROM lessons.postgres")


def _fail_on(room: Classroom, dag_id: str, day: str, orders: str) -> None:
    """Runs that day so that its INSERT is refused after its DELETE."""
    _clear_runs(room, dag_id, day)
    run = room.trigger(dag_id, logical_date=_midnight(day), conf={"orders": orders})
    room.until(
        f"fill_day of {dag_id} is refused",
        lambda: room.states(run).get("fill_day") in ("up_for_retry", "failed"),
    )
    # The whole log, because the exception is not among the lines that room.log gives.
    answer = room.api.get(f"{run.path}/taskInstances/fill_day/logs/1", full_content=True)
    log = json.dumps(answer["content"])
    expect("Rows affected: 5" in log, f"expected the DELETE to have run: {log}")
    expect("invalid input syntax for type integer" in log, f"expected a refused value: {log}")
    _end(room, run)


def packages(room: Classroom) -> Seen:
    """Checks that the packages of requirements.txt are installed, with a log line for each."""
    run = room.run("lesson_15_packages")
    installed = room.xcom(run, "compare")
    log = room.log(run, "compare")
    lines = {(line.split()[0], line.split()[-1]) for line in log.splitlines() if line.strip()}
    missing = [name for name in installed["packages"] if (name, "ok") not in lines]
    expect(not missing, f"expected a line with ok for each package, seen none for: {missing}")
    return Seen(
        f"{len(installed['packages'])} packages as requirements.txt names them; Airflow"
        f" {installed['airflow']} on Python {installed['python']}; the image is"
        f" {installed['image']}",
        {**installed, "log": log},
    )


def s3_sensor(room: Classroom) -> Seen:
    """Checks that a new file wakes the waiting run, which names the file.

    The next run waits for the next file.
    """
    dag_id, folder = "lesson_16_s3_sensor", "lessons/s3_sensor/"
    _clear_runs(room, dag_id)
    _forget(room, "lesson_s3_sensor", folder, "lessons.s3_sensor")
    woken, seconds = [], []
    for name in ("monday", "tuesday"):
        run = room.trigger(dag_id)
        room.until(
            f"{dag_id} waits on the triggerer",
            lambda run=run: room.states(run).get("wait_for_file") == "deferred",  # type: ignore[misc]
        )
        key, dropped = f"{folder}{name}.csv", time.monotonic()
        room.client.put_object(Bucket=BUCKET, Key=key, Body=b"order_id,amount\n1,9.95\n2,19.90\n")
        ended = room.wait(run)
        expect(ended.state == "success", f"expected the run to succeed, seen: {ended.state}")
        seconds.append(round(time.monotonic() - dropped, 1))
        woken.append(room.xcom(run, "load")["woken_by"])
        expect(woken[-1] == [key], f"expected {key} to have woken the run, seen: {woken[-1]}")
        log = room.log(run, "load")
        expect(f"woken by s3://{BUCKET}/{key}" in log, f"expected the log to name {key}: {log}")
    rows = room.query("SELECT count(*) FROM lessons.s3_sensor")[0][0]
    expect(rows == 4, f"expected the 2 rows of each file, seen: {rows}")
    return Seen(
        f"monday.csv woke the first run, tuesday.csv the second; done {seconds[0]} s later",
        {"woken_by": woken, "seconds": seconds, "rows": rows, "log": log},
    )


def hooks(room: Classroom) -> Seen:
    """Checks that a day's orders go to a file and back.

    The same day, run again, gives the same file and rows.
    """
    dag_id, (first, second) = "lesson_17_hooks", DAYS
    _clear_runs(room, dag_id, *DAYS)
    _forget(room, "lesson_hooks", "lessons/hooks/", "lessons.hooks_back")
    run = room.run(dag_id, logical_date=_midnight(first))
    once = room.xcom(run, "load_back")
    expect(once["outcome"] == "loaded", f"expected the file to be loaded, seen: {once}")
    _run_again(room, run)
    twice = room.xcom(run, "load_back")
    expect(
        twice == {**once, "outcome": "already_loaded"},
        f"expected the same file and no load, seen: {twice} after {once}",
    )
    other = room.xcom(room.run(dag_id, logical_date=_midnight(second)), "load_back")
    body = room.client.get_object(Bucket=BUCKET, Key=f"lessons/hooks/{first}.csv")["Body"]
    lines = body.read().decode().splitlines()
    rows = room.query("SELECT day::text, count(*) FROM lessons.hooks_back GROUP BY 1 ORDER BY 1")
    expect(rows == [(first, 5), (second, 5)], f"expected 5 rows of each day, seen: {rows}")
    return Seen(
        f"{once['orders']} orders of {first} to a file of {len(lines)} lines and back;"
        " again: same ETag, nothing loaded",
        {"once": once, "twice": twice, "other": other, "lines": lines, "rows": dict(rows)},
    )


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"


def _run_again(room: Classroom, run: Run) -> None:
    """Clears the run, as its reader would, and waits for its end: a date has only one run."""
    room.api.post(f"{run.path}/clear", {"dry_run": False})
    ended = room.wait(run)
    expect(ended.state == "success", f"expected the cleared run to succeed, seen: {ended.state}")


def _clear_runs(room: Classroom, dag_id: str, *days: str) -> None:
    """Ends runs that an earlier walk has left waiting, and deletes the runs of these days."""
    room.until(f"Airflow reads {dag_id}", lambda: dag_id in room.api.dags())
    dates = {_midnight(day) for day in days}
    for run in room.runs(dag_id):
        if run.state in ("queued", "running"):
            _end(room, run)
        if run.logical_date in dates:
            room.api.delete(run.path)


def _end(room: Classroom, run: Run) -> None:
    room.api.patch(run.path, {"state": "failed"})


def _forget(room: Classroom, feed: str, folder: str, table: str) -> None:
    """Deletes a feed's files, its table, and its rows of the ledger."""
    client = room.client
    for entry in client.list_objects_v2(Bucket=BUCKET, Prefix=folder).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    room.query(f"DROP TABLE IF EXISTS {table}")
    if room.query("SELECT to_regclass('landfall.ledger')") != [(None,)]:
        room.query("DELETE FROM landfall.ledger WHERE feed = %s", feed)
