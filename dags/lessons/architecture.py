"""# 6. The parts of Airflow

## What
Airflow is not one program. This lesson asks each part of the Airflow that runs it whether it is up,
and prints a table: the part, whether it is up, how the lesson knows, and what stops without it. The
run fails when a part is down.

## Why
When nothing happens, one part is usually the cause, and each part fails differently: there are no
new runs, or new code is not seen, or tasks wait for ever. If you know what each part does, you know
where to look.

| Part | Does | Without it |
|---|---|---|
| API server | serves the UI, the REST API, and all that tasks need | no task starts or can report |
| DAG processor | reads the files in `dags/` | new and changed files are not seen |
| scheduler | creates runs, and decides which task is next | nothing new starts |
| executor | starts the processes of tasks (workers) | tasks stay *queued* |
| triggerer | watches for the events that *deferred* tasks need | deferred tasks stay deferred |
| database | keeps DAGs, runs, states, XComs, connections | everything stops |

`docs/course.md` has a picture of the parts, and of which part talks to which.

## The code that matters
```python
health = httpx.get(f"{api}/api/v2/monitor/health", …).json()    # the address that monitors ask
self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=5)), …)   # only the triggerer can wake it
```

- The address needs no login. Its answer says when the scheduler, the DAG processor and the
  triggerer last reported that they are alive. Airflow trusts such a report for 30 seconds, so a
  part that died less than 30 seconds ago still looks healthy.
- So the lesson also makes a direct test. `is_woken` defers itself, and only a working triggerer can
  wake it. And a task prints the table, so a scheduler and an executor must have started that task.
- A task cannot ask the database, because since Airflow 3 only the API server may do that. So the
  lesson asks the API server about the database.

## Look at
- The log of `ask_each_part` has the table. Its tab *Storage* has the same values as the XCom
  `parts`.
- The dots on the start page of the UI show the same answers for four of the parts.
- In a shell, call `curl` with the address that `make airflow` prints, followed by
  `/api/v2/monitor/health`.
- A lesson that runs in Airflow cannot report that Airflow does not run. So let a program outside
  Airflow ask that address every minute.

## Since Airflow 2.9
- The *web server* became the *API server*. Tasks talk only to it, so the machines of workers need
  no access to the database. The UI is a client of the API server, like any other client.
- The *DAG processor* is a separate program, and no longer a part of the scheduler.
- The sequential and the Dask executor no longer exist. Local, Celery and Kubernetes remain.

## Exercise
The triggerer dies. What does the table say, and what happens to lessons 16 and 7? Then see what
`make airflow` does in that case: find the triggerer (`ps -ef | grep triggerer`) and `kill` it.

The answer is in the tab [Code](/dags/lesson_06_architecture/code), below this text.

<details><summary>Answer</summary>
`make airflow` treats a part that has ended as an error: it names the part and its log, and stops
all other parts. In production each part runs on its own, and `tests/e2e/test_scheduler.py` shows
what happens there: nothing wakes `is_woken`, so it fails when its time is over. The table says that
the triggerer is down, and the run fails. Lesson 16 would stay deferred for ever, whatever file you
drop. Lesson 7 and every other DAG that does not defer run as before.
</details>
"""

from __future__ import annotations

import logging
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
    """A task that defers itself for some seconds: only a triggerer can wake it."""

    def execute(self, context: Any) -> None:
        """Lets the triggerer wait, and leaves the worker."""
        trigger = TimeDeltaTrigger(timedelta(seconds=5))
        self.defer(trigger=trigger, method_name="woken", timeout=timedelta(seconds=15))

    def woken(self, context: Any, event: Any) -> str:
        """Runs on a worker again, after the trigger has fired."""
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
        """Prints which parts are up, and pushes the table as an XCom.

        Raises: AirflowFailException when a part is down.
        """
        import httpx  # here, because parsing the file does not need it

        api = conf.get("core", "execution_api_server_url").removesuffix("/execution/")
        health = httpx.get(f"{api}/api/v2/monitor/health", trust_env=False).json()
        healthy = {name: info["status"] == "healthy" for name, info in health.items()}
        checks = {
            "API server": (True, f"answered at {api}"),
            "database": (healthy["metadatabase"], "the API server asked it"),
            "executor": (True, f"{conf.get('core', 'executor')} started this task"),
        }
        for part in ("scheduler", "DAG processor", "triggerer"):
            name = part.lower().replace(" ", "_")
            report = f"last reported at {health[name][f'latest_{name}_heartbeat']}"
            checks[part] = (healthy[name], report)
        woken = ti.xcom_pull(task_ids="is_woken")
        proof = woken or f"woke no task; {checks['triggerer'][1]}"
        checks["triggerer"] = (healthy["triggerer"] and bool(woken), proof)
        parts = {part: [*checks[part], without] for part, without in WITHOUT.items()}
        ti.xcom_push("parts", parts)
        for part, (up, *rest) in parts.items():
            log.info("%-13s  %-4s  %-60s  without it: %s", part, "up" if up else "DOWN", *rest)
        if down := [part for part, (up, *_) in parts.items() if not up]:
            raise AirflowFailException(f"down: {', '.join(down)}")

    is_woken >> ask_each_part()
