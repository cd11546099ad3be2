"""# 6. The parts of Airflow

## What

Airflow is not one program. This lesson asks each part of the Airflow that runs it: are you up? It
prints a table: the part, whether it is up, how that is known, what the part does, and what stands
still without it. The run fails when a part is down.

## Why

When nothing happens, one part is to blame, and each fails in its own way: no new runs, or no new
code, or tasks that wait for ever. Who knows what each part does knows where to look.

| Part | Does | Without it |
|---|---|---|
| API server | the UI, the REST API, the tasks' way to all else | no task starts or can report |
| DAG processor | reads the files in `dags/` | new and changed files are not seen |
| scheduler | makes runs, decides which task is next | nothing new starts |
| executor | starts the processes of tasks (workers) | tasks stay *queued* |
| triggerer | waits for all that is *deferred* | deferred tasks stay deferred |
| database | keeps DAGs, runs, states, XComs, connections | everything stops |

The picture of the parts, and who talks to whom, is in `docs/course.md`.

## The code that matters

```python
health = httpx.get(f"{api}/api/v2/monitor/health").json()       # as a monitor asks
self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=8)), …)   # the triggerer must wake it
```

- The address needs no login. It tells how long ago scheduler, DAG processor and triggerer said
  that they are alive. It is believed for 30 seconds, so a dead part looks well for so long.
- So there is a proof by doing, too. `is_woken` defers itself: only a triggerer that works wakes it.
  This table was printed by a task: a scheduler and an executor must have started it.
- A task cannot ask the database, and need not: since Airflow 3 only the API server may. It asks.

## Look at

- The log of `ask_each_part`: the table. Its tab *Storage* has the same as data, the XCom `parts`.
- The dots on the start page of the UI are the same four answers.
- From a shell: `curl` and the address that `make airflow` prints, with `/api/v2/monitor/health`
  after it.
- A lesson that runs in Airflow cannot tell you that Airflow does not run. No run at all is an
  answer too: have something outside ask that address, every minute.

## Since Airflow 2.9

- The *web server* became the *API server*. Tasks talk to it alone, so the machines of workers need
  no way to the database. The UI is a client of it like any other.
- The *DAG processor* is a program of its own, and no longer hides in the scheduler.
- Sequential and Dask executors have gone; Local, Celery and Kubernetes are left.

## Exercise

The triggerer dies. What does the table say, what does lesson 16 do, and what lesson 7? Try what
`make airflow` does then: find the triggerer (`ps -ef | grep triggerer`) and `kill` it.

The answer is in the tab [Code](/dags/lesson_06_architecture/code), below these words.

<details><summary>Answer</summary>
`make airflow` takes a part that has ended for an error, names it and its log, and stops the rest:
nothing that it started stays behind half. In production each part runs by itself, and there
`tests/e2e/test_scheduler.py` shows what comes: `is_woken` is never woken and fails when its time is
over, the table says that the triggerer is down, the run is red. Lesson 16 would wait for ever,
deferred, whatever is dropped. Everything that does not defer goes on as if nothing were amiss.
</details>
"""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
from airflow.sdk import DAG, BaseOperator, ExceptionRetryPolicy, RetryAction, RetryRule, task
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowFailException, TaskDeferralTimeout

log = logging.getLogger(__name__)
WITHOUT = {
    "API server": "no task starts or can report",
    "database": "everything stops",
    "scheduler": "nothing new starts",
    "DAG processor": "new and changed files are not seen",
    "triggerer": "deferred tasks stay deferred",
    "executor": "tasks stay queued",
}


class IsWoken(BaseOperator):
    """Defers itself for some seconds: only a triggerer can wake it."""

    def execute(self, context: Any) -> None:
        """On a worker: hand the waiting on, and leave."""
        trigger = TimeDeltaTrigger(timedelta(seconds=5))
        self.defer(trigger=trigger, method_name="woken", timeout=timedelta(seconds=15))

    def woken(self, context: Any, event: Any) -> str:
        """On a worker again, when the trigger has fired."""
        return f"woke a task at {event:%H:%M:%S}"


with DAG(
    dag_id="lesson_06_architecture",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 6"],
    doc_md=__doc__,
):
    no_retry = ExceptionRetryPolicy([RetryRule(TaskDeferralTimeout, RetryAction.FAIL)])
    is_woken = IsWoken(task_id="is_woken", retry_policy=no_retry)

    @task(trigger_rule="all_done")
    def ask_each_part(ti: Any = None) -> None:
        """Prints which parts are up, and hands it on; fails when one is down."""
        import httpx  # not while the file is parsed

        api = conf.get("core", "execution_api_server_url").removesuffix("/execution/")
        health = httpx.get(f"{api}/api/v2/monitor/health", trust_env=False).json()
        known = {
            "API server": (True, f"answered at {api}"),
            "database": (health["metadatabase"]["status"] == "healthy", "the API server asked it"),
            "executor": (True, f"{conf.get('core', 'executor')} started this, pid {os.getpid()}"),
        }
        for part in ("scheduler", "DAG processor", "triggerer"):
            name = part.lower().replace(" ", "_")
            said = health[name][f"latest_{name}_heartbeat"]
            known[part] = (health[name]["status"] == "healthy", f"last heard of at {said}")
        woke = ti.xcom_pull(task_ids="is_woken")
        up, said = known["triggerer"]
        known["triggerer"] = (up and bool(woke), woke or f"woke nobody; {said}")
        parts = {part: [*known[part], without] for part, without in WITHOUT.items()}
        ti.xcom_push("parts", parts)
        for part, (up, how, without) in parts.items():
            log.info("%-14s%-6s%-60s without it: %s", part, "up" if up else "DOWN", how, without)
        if down := [part for part, (up, *_) in parts.items() if not up]:
            raise AirflowFailException(f"down: {', '.join(down)}")

    is_woken >> ask_each_part()
