"""The walks of the concepts: DAG and run, Python tasks, XCom, TaskFlow."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg

from include.local.airflow.home import NAME
from include.local.course.classroom import ENDED, Classroom, LessonFailed, Run, Seen, expect
from include.local.demo.seed import BUCKET

TWIN = "lesson_08_python_operator"
PIPELINE = ("make_orders", "sum_orders", "report")
# The limit of an XCom in the documentation of Airflow 1, which many pages still repeat.
OLD_LIMIT = 49_344


def core_concepts(room: Classroom) -> Seen:
    """Checks that B and C begin after A and overlap; D and E begin after both."""
    # While other lessons use the workers, C may begin late: then B must take longer.
    for seconds in (2, 8, 20):
        now = _now()
        run = room.run("lesson_04_core_concepts", conf={"seconds": seconds}, logical_date=now)
        instances = {task["task_id"]: task for task in room.tasks(run)}
        span = {name: _span(task) for name, task in instances.items()}
        _expect_order(span)
        if max(span["B"][0], span["C"][0]) < min(span["B"][1], span["C"][1]):
            return _seen_order(run, now, instances)
    raise LessonFailed(f"expected B and C to overlap, seen: {span}")


def _now() -> str:
    """A logical date that no run has."""
    return datetime.now(UTC).isoformat()


def _span(task: dict[str, Any]) -> tuple[datetime, datetime]:
    began, ended = task["start_date"], task["end_date"]
    return datetime.fromisoformat(began), datetime.fromisoformat(ended)


def _expect_order(span: dict[str, tuple[datetime, datetime]]) -> None:
    for late, early in (("B", "A"), ("C", "A"), ("D", "B"), ("D", "C"), ("E", "B"), ("E", "C")):
        ended, began = span[early][1], span[late][0]
        expect(began >= ended, f"expected {late} after {early}'s end, {ended}, seen: {began}")


def _seen_order(run: Run, now: str, instances: dict[str, dict[str, Any]]) -> Seen:
    """Start and end of each task instance, in seconds from the first start of the run."""
    first = min(_span(task)[0] for task in instances.values())
    columns = ("task_id", "operator_name", "state", "start_date", "end_date")
    shown = ", ".join(
        f"{name} {(began - first).total_seconds():.1f}-{(ended - first).total_seconds():.1f}"
        for name, (began, ended) in sorted((name, _span(task)) for name, task in instances.items())
    )
    listed = [{key: task[key] for key in columns} for _, task in sorted(instances.items())]
    evidence = {"logical_date": run.logical_date, "requested": now, "instances": listed}
    return Seen(f"seconds: {shown}", evidence)


def python_operator(room: Classroom) -> Seen:
    """Checks that templates fill in the positional argument and the day.

    The context has everything else.
    """
    now = _now()
    run = room.run(TWIN, logical_date=now)
    results = {task: room.xcom(run, task) for task in PIPELINE}
    filled = {task["task_id"]: task["rendered_fields"] for task in room.tasks(run)}
    args, day = filled["make_orders"]["op_args"], filled["report"]["op_kwargs"]["day"]
    expect(args == ["6"], f"expected the count as text, seen: {args}")
    expect(day == now[:10], f"expected the day {now[:10]} to be filled in, seen: {day}")
    totals = {"A": 30, "B": 50, "C": 70}
    expect(results["sum_orders"] == totals, f"expected {totals}, seen: {results['sum_orders']}")
    line = f"{day}: A 30 EUR, B 50 EUR, C 70 EUR, 150 EUR in all"
    expect(results["report"] == line, f"expected {line!r}, seen: {results['report']!r}")
    return Seen(line, {"results": results, "args": args, "day": day})


def xcom(room: Classroom) -> Seen:
    """Checks that 100 kB are in the database, and that 2 MB are one object, which is read back.

    A second run of the task adds no object.
    """
    run = room.run("lesson_09_xcom")
    _expect_pulled(room.xcom(run, "pull"))
    sizes = _in_the_database(room, run)
    for key, size in {"small": 12, "beyond_48_kb": 100_002, "reference": 25}.items():
        expect(sizes[key] == size, f"expected {size} bytes of {key} in the database, seen: {sizes}")
    expect(sizes["beyond_48_kb"] > OLD_LIMIT, "expected more than the old limit of 48 KB")
    address = _expect_object(room, run)
    room.api.post(f"{run.path}/clear", {"dry_run": False})
    expect(room.wait(run).state == "success", "expected the cleared run to succeed")
    again = _expect_object(room, run)
    expect(again != address, f"expected another object than {address}")
    return Seen(
        f"in the database {sizes['small']}, {sizes['beyond_48_kb']} and {sizes['big']} bytes; "
        f"the last is the address of {_bytes(room, again)} in the bucket",
        {"database": sizes, "address": again, "bucket": _bytes(room, again), "run_id": run.run_id},
    )


def _expect_pulled(pulled: dict[str, Any]) -> None:
    sizes = {"small": 10, "beyond_48_kb": 100_000, "big": 2_000_000, "reference": 2_000_000}
    expect(pulled["sizes"] == sizes, f"expected {sizes} to come back, seen: {pulled['sizes']}")
    returned = [order["order"] for order in pulled["returned"]]
    expect(returned == [1, 2], f"expected two orders to be returned, seen: {pulled['returned']}")


def _in_the_database(room: Classroom, run: Run) -> dict[str, int]:
    """The size in bytes of each XCom of the task push in Airflow's own database."""
    metadata = replace(room.services.postgres.warehouse, dbname=NAME)
    query = (
        "SELECT key, octet_length(value::text) FROM xcom"
        " WHERE dag_id = %s AND run_id = %s AND task_id = 'push'"
    )
    with psycopg.connect(metadata.conninfo()) as connection:
        return dict(connection.execute(query, [run.dag_id, run.run_id]).fetchall())


def _expect_object(room: Classroom, run: Run) -> str:
    """Checks that the big value is the only object of the run; returns its address."""
    address = room.xcom(run, "push", "big")
    before = f"s3://landing@{BUCKET}/"
    expect(address.startswith(before), f"expected an address below {before}, seen: {address[:99]}")
    prefix = f"xcom/{run.dag_id}/{run.run_id}/"
    listed = room.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    keys = [each["Key"] for each in listed]
    expect(keys == [address.removeprefix(before)], f"expected {address} alone, seen: {keys}")
    expect(_bytes(room, address) == 2_000_002, f"expected 2,000,002 bytes at {address}")
    return str(address)


def _bytes(room: Classroom, address: str) -> int:
    key = address.removeprefix(f"s3://landing@{BUCKET}/")
    body = room.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    expect(json.loads(body) == "x" * 2_000_000, "expected the value as JSON in the bucket")
    return len(body)


def taskflow(room: Classroom) -> Seen:
    """Checks that each task has the result of its classic twin for the same day."""
    now = _now()
    twin = room.trigger(TWIN, logical_date=now)
    run = room.run("lesson_10_taskflow", logical_date=now)
    state = room.until(f"{TWIN} {twin.run_id} ends", lambda: _ended(room, twin), 150)
    expect(state == "success", f"expected the twin to succeed, seen: {state}")
    flow = {task: room.xcom(run, task) for task in PIPELINE}
    classic = {task: room.xcom(twin, task) for task in PIPELINE}
    expect(flow == classic, f"expected what lesson 8 gives, {classic}, seen: {flow}")
    return Seen(f"as lesson 8: {flow['report']}", {"flow": flow, "classic": classic})


def _ended(room: Classroom, run: Run) -> str:
    """The run's state when it has ended, else nothing."""
    # The walk of lesson 8 pauses the DAG at its end, and runs of a paused DAG do not go on.
    room.api.unpause(run.dag_id)
    state = str(room.api.get(run.path)["state"])
    return state if state in ENDED else ""
