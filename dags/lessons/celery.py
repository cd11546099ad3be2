"""
# 19. Executors, and Celery

## What
An **executor** is how the scheduler has a task run. **Celery** is a way to hand work to other
processes, on this machine or on many: who has work puts a message into a **broker** (here Redis),
and a **worker** takes it from there. This lesson asks the project's own report service, an API with
Celery behind it, for the same report in two ways, and shows how long each took to answer.

## Why
An API that makes a report while its caller waits is simple, and falls over: each report holds a
thread, many hold all of them, and a restart loses those that were under way. The same API with a
broker answers at once, whatever the workers do, and a report outlives whoever dies:

| part | does |
|---|---|
| API | keeps the request in Redis, answers 202 with an id |
| broker (Redis) | holds the messages, on its disk before the answer is sent |
| worker | a pool of processes; takes a message, streams rows from Postgres to S3 |
| beat | puts a message in on a schedule: the night's report |
| Flower | shows workers and tasks in a browser |

Airflow uses Celery just so, for its tasks. Which executor to use:

| executor | tasks run | use it |
|---|---|---|
| `LocalExecutor` | as processes beside the scheduler | on one machine, as here |
| `CeleryExecutor` | on workers that wait for them | for many short tasks on several machines |
| `KubernetesExecutor` | each in a pod of its own | where tasks need images of their own |

## The code that matters
```python
queued = ask("POST", "/reports", REPORT)
```
answers `{"id": …, "state": "accepted"}`. The service's side is in `include/reports`: the worker
acknowledges a message **late**, when the report is done, so that a killed worker's message is
given to another; and a **lease** in Redis sees to it that two never make the same report at once.
A task that waits for such work must not hold a slot: `mode="reschedule"` gives it back between two
looks.

## Look at
The XCom of `compare`: seconds until each answer, and until the queued report was there; both have
the same rows and bytes. The DAG asks for the connection `reports`, and the service for the table
`raw.flights`. `make lessons L=celery` sees to both, and so does `make celery`, where Airflow itself
runs on Celery: trigger `feed_flights` there first. By hand: `make demo` makes the table,
`make reports` runs the service, and prints its address, its key, Flower's address and password, and
the command that gives Airflow the connection.

## Since Airflow 2.9
`SequentialExecutor` and `DaskExecutor` are gone. Since 2.10 a deployment may have several
executors, and a task names its own (`executor="CeleryExecutor"`). A task on a Celery worker now
asks the API server for what it needs, never the metadata database.

## Exercise
Ask for all flights of January: in `REPORT` write `2013-01-31` for the last day. Which of the two
answers takes longer now, and which does not?

The answer is in the tab [Code](/dags/lesson_19_celery/code), below these words.

<details><summary>Answer</summary>
The blocking one: it makes the report before it answers, so its time grows with the rows. The queued
one only keeps the request, which costs the same for one row as for a million; what grows is the
time until the report is there.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, BaseSensorOperator, PokeReturnValue, task
from airflow.sdk.exceptions import AirflowFailException

REPORT = {"report": "flights", "format": "csv.gz", "first": "2013-01-01", "last": "2013-01-07"}


def ask(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """What the service answers, and after how many seconds."""
    import time

    import httpx
    from airflow.sdk import BaseHook

    found = BaseHook.get_connection("reports")
    url, headers = f"http://{found.host}:{found.port}{path}", {"X-API-Key": found.password}
    began = time.monotonic()
    answer = httpx.request(method, url, json=body, headers=headers, timeout=300, trust_env=False)
    answer.raise_for_status()
    # A link opens the file to whoever has it: it is not for an XCom.
    told = {name: value for name, value in answer.json().items() if not name.startswith("link")}
    return {**told, "seconds": round(time.monotonic() - began, 3)}


class Arrived(BaseSensorOperator):
    """Looks until the queued report is done."""

    template_fields = ("queued",)

    def __init__(self, *, queued: Any, **more: Any) -> None:
        super().__init__(**more)
        self.queued = queued

    def poke(self, context: Any) -> PokeReturnValue:
        """One look; what was found when it is done goes on to `compare`."""
        found = ask("GET", f"/reports/{self.queued['id']}")
        if found["state"] == "failed":
            raise AirflowFailException(found["error"])
        return PokeReturnValue(found["state"] == "done", found)


with DAG(
    dag_id="lesson_19_celery",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 19"],
    doc_md=__doc__,
):

    @task
    def ask_and_wait() -> dict[str, Any]:
        """The way it begins: the report is made while the caller waits."""
        return ask("POST", "/reports/blocking", REPORT)

    @task
    def ask_and_go_on() -> dict[str, Any]:
        """The report is accepted, and a worker makes it."""
        return ask("POST", "/reports", REPORT)

    @task
    def compare(
        blocking: dict[str, Any], queued: dict[str, Any], done: dict[str, Any]
    ) -> dict[str, Any]:
        """How long each took to answer, and how long until the queued report was there."""
        took = datetime.fromisoformat(done["ended"]) - datetime.fromisoformat(done["accepted"])
        return {
            "blocking": blocking["seconds"], "queued": queued["seconds"],
            "made_after": took.total_seconds(), "rows": [blocking["rows"], done["rows"]],
            "bytes": [blocking["bytes"], done["bytes"]], "ids": [blocking["id"], done["id"]],
        }  # fmt: skip

    queued = ask_and_go_on()
    done = Arrived(
        task_id="arrived", queued=queued, poke_interval=1, timeout=300, mode="reschedule"
    )
    compare(ask_and_wait(), queued, done.output)
