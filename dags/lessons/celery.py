"""# 19. Executors, and Celery

## What
An **executor** is the part of Airflow that starts the scheduler's tasks. **Celery** hands work to
other processes, on this machine or on many: a program puts a message into a **broker** (here
Redis), and a **worker** takes it from there. This lesson asks the project's own report service, an
API with Celery behind it, for the same report in two ways, and shows how long each took to answer.

## Why
An API that makes a report while its caller waits is simple, but it fails under load: each report
occupies a thread, many reports occupy all of them, and a restart loses the reports in progress. The
same API with a broker answers at once, however busy the workers are, and a report is not lost when
a process dies:

| part | does |
|---|---|
| API | keeps the request in Redis, answers 202 with an id |
| broker (Redis) | holds the messages, on its disk before the answer is sent |
| worker | a pool of processes; takes a message, streams rows from Postgres to S3 |
| beat | puts a message into the broker on a schedule: the nightly report |
| Flower | shows workers and tasks in a browser |

Airflow uses Celery in the same way for its tasks. Which executor should you use?

| executor | tasks run | use it |
|---|---|---|
| `LocalExecutor` | as processes beside the scheduler | on one machine, as here |
| `CeleryExecutor` | on workers that wait for tasks | for many short tasks on several machines |
| `KubernetesExecutor` | each in its own pod | where tasks need different images |

## The code that matters
```python
queued = call_service("POST", "/reports", REPORT)
```
answers `{"id": …, "state": "accepted"}`. In most programs an API hands work on with one line,
`make.delay(report_id)`: Celery's `delay` puts a message with the task's name and its arguments into
the broker, and returns at once. This API writes the same message itself, so that Redis gets the
request and its message in one step. The code of the service is in `include/reports`. Its worker
acknowledges a message **late**, when the report is done, so that another worker gets the
message of a killed one. A **lease** in Redis makes sure that two workers never make the same report
at the same time. A task that waits for such work should not occupy a slot: with
`mode="reschedule"` a sensor frees its slot between two looks.

## Look at
The XCom of `compare` has the seconds until each answer, and until the queued report was done. Both
reports have the same rows and bytes. The DAG needs the connection `reports`, and the service needs
the table `raw.flights`. `make lessons L=celery` provides both, and so does `make celery`, where
Airflow itself runs on Celery: trigger `feed_flights` there first. To do it yourself, run `make
demo`, which creates the table, and `make reports`, which runs the service. It prints its address,
its key, the address and the password of Flower, and the command that gives Airflow the connection.

## Since Airflow 2.9
`SequentialExecutor` and `DaskExecutor` no longer exist. Since 2.10 a deployment may have several
executors, and a task can name one (`executor="CeleryExecutor"`). A task on a Celery worker now asks
the API server for what it needs, and never the metadata database.

## Exercise
Ask for all flights of January: in `REPORT`, write `2013-01-31` as the last day. Which of the two
answers takes longer now, and which does not?

The answer is in the tab [Code](/dags/lesson_19_celery/code), below this text.

<details><summary>Answer</summary>
The blocking one takes longer: it makes the report before it answers, so its time grows with the
number of rows. The queued one only keeps the request, which takes the same time for one row as for
a million. What grows is the time until the queued report is done.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, BaseSensorOperator, PokeReturnValue, task
from airflow.sdk.exceptions import AirflowFailException

REPORT = {"report": "flights", "format": "csv.gz", "first": "2013-01-01", "last": "2013-01-07"}


def call_service(method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Returns the answer of the report service, and the seconds until it came."""
    import time

    import httpx
    from airflow.sdk import BaseHook

    service = BaseHook.get_connection("reports")
    url, headers = f"http://{service.host}:{service.port}{path}", {"X-API-Key": service.password}
    began = time.monotonic()
    answer = httpx.request(method, url, json=body, headers=headers, timeout=300, trust_env=False)
    answer.raise_for_status()
    # Anybody who has a link can read the file, so links are left out of the XCom.
    values = {name: value for name, value in answer.json().items() if not name.startswith("link")}
    return {**values, "seconds": round(time.monotonic() - began, 3)}


class ReportSensor(BaseSensorOperator):
    """A sensor that waits until the queued report is done."""

    template_fields = ("queued",)

    def __init__(self, *, queued: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.queued = queued

    def poke(self, context: Any) -> PokeReturnValue:
        """Returns whether the report is done, and hands the report on to `compare`.

        Raises: AirflowFailException when the report failed.
        """
        report = call_service("GET", f"/reports/{self.queued['id']}")
        if report["state"] == "failed":
            raise AirflowFailException(report["error"])
        return PokeReturnValue(report["state"] == "done", report)


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
        """Asks for the report, and waits until the API has made it."""
        return call_service("POST", "/reports/blocking", REPORT)

    @task
    def ask_and_go_on() -> dict[str, Any]:
        """Asks for the report, which a worker makes later."""
        return call_service("POST", "/reports", REPORT)

    @task
    def compare(
        blocking: dict[str, Any], queued: dict[str, Any], done: dict[str, Any]
    ) -> dict[str, Any]:
        """Returns the seconds until each answer, and until the queued report was done."""
        took = datetime.fromisoformat(done["ended"]) - datetime.fromisoformat(done["accepted"])
        return {
            "blocking": blocking["seconds"], "queued": queued["seconds"],
            "made_after": took.total_seconds(), "rows": [blocking["rows"], done["rows"]],
            "bytes": [blocking["bytes"], done["bytes"]], "ids": [blocking["id"], done["id"]],
        }  # fmt: skip

    queued = ask_and_go_on()
    done = ReportSensor(
        task_id="arrived", queued=queued, poke_interval=1, timeout=300, mode="reschedule"
    )
    compare(ask_and_wait(), queued, done.output)
