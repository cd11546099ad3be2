"""# 5. The life of a task

## What

A task is always in one state: none (nobody has looked at it yet) or one of thirteen that have a
name. Here a handful of real tasks goes through all of them. Most need nothing from you. Some states
only a person can bring about, so this lesson wants a hand: yours, or that of
`make lessons L=life_cycle`, which does it by the REST API and draws what it has seen. The picture
is in `docs/course.md`.

## Why

"Why does my task not run?" has a different answer in each state.

| State | What it waits for, or how it ended |
|---|---|
| none | for the tasks before it |
| scheduled | for room: a slot of its pool, its DAG, the executor |
| queued | for the executor to start its process |
| running | for its own code |
| up_for_retry | its delay, then the next of its tries |
| up_for_reschedule | a sensor that looks now and then; it holds no worker meanwhile |
| deferred | an event, which the triggerer listens for; it holds no worker either |
| awaiting_input | a person's answer; no worker and no triggerer |
| restarting | its old process to end, because somebody cleared it in mid-run |
| success, failed | it ran, or somebody marked it |
| skipped | it said that there is nothing to do, or what it needs was skipped |
| upstream_failed | it never ran: what it needs has failed |
| removed | it is no more: its DAG or its map has become smaller |

## The code that matters

```python
raise AirflowSkipException("nothing to do")                 # skipped
@task(execution_timeout=timedelta(seconds=1), retry_policy=…)  # failed, with no second try
LooksTwice(task_id="looks_twice", mode="reschedule", …)     # up_for_reschedule
DateTimeSensorAsync(task_id="defers", target_time=…)        # deferred
ApprovalOperator(task_id="asks", subject="Go on?")          # awaiting_input
part.expand(name=fails_once())                              # one part for each name
```

- A task fails for good when no try is left. The retry policy of `times_out` says that another try
  would not help: the two that are left are not used.
- A run is *failed* when one of its last tasks is: this one always is, by `upstream_fails`.

## Look at

Trigger the lesson, open the run and stay: the tab *Task Instances* shows each state as it comes.

1. `runs_long` is *running*: *Clear* it. It is *restarting* for some seconds, until its process has
   been ended, then none, and runs again, as try 2.
2. It runs again: mark it as *Success*. Its process is ended too.
3. Both instances of `part` have succeeded: clear `fails_once` alone, and `part[1]`. Now
   `fails_once` names one part only, so `part[1]` is *removed*.
4. `asks` is *awaiting_input* all the while: answer it in its tab *Required Actions*. It runs on
   where it stopped, and the run ends.

A click on a task shows its tries: each has its own log, times and state. The tab *Audit Log* tells
what each task reported, and what you did. A try that failed and is tried again counts as *failed*
there: *up_for_retry* is what the task is, not what the try was.

All fourteen can be seen from outside. None and *removed* leave no line in the audit log, nor do
*scheduled*, *queued*, *restarting* and *upstream_failed*: only who looks at the time sees them.

## Since Airflow 2.9

- `awaiting_input` is new in 3.3, and so is `retry_policy`. `shutdown` has gone: a task that is
  cleared while it runs is *restarting*.
- Tasks report to the API server; they no longer write their state into the database.

## Exercise

Clear `upstream_fails`, and nothing else. Which state does it come to, and how do you mend it?

The answer is in the tab [Code](/dags/lesson_05_life_cycle/code), below these words.

<details><summary>Answer</summary>
It is *upstream_failed* again within a second: the task before it still is *failed*. Clear
`times_out` with its downstream tasks, after you have mended it: give it more than one second, or
have it sleep for less. Or mark `times_out` as *success* by hand, if its work was done elsewhere,
and then clear `upstream_fails`.
</details>
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.providers.standard.sensors.date_time import DateTimeSensorAsync
from airflow.sdk import (
    DAG,
    BaseSensorOperator,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    task,
)
from airflow.sdk.exceptions import AirflowSkipException, AirflowTaskTimeout


class LooksTwice(BaseSensorOperator):
    """Looks, leaves the worker, looks again."""

    def poke(self, context: Any) -> bool:
        """Whether there is what it waits for: at the second look there is."""
        return context["task_reschedule_count"] > 0


with DAG(
    dag_id="lesson_05_life_cycle",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=2)},
    tags=["lesson", "section 5"],
    doc_md=__doc__,
):

    @task
    def fails_once(ti: Any = None) -> list[str]:
        """Fails, then names two parts; once cleared, it names one."""
        if ti.try_number == 1:
            raise ConnectionError("try 1 fails on purpose")
        return ["a", "b"] if ti.try_number == 2 else ["a"]

    @task
    def part(name: str) -> str:
        """One instance for each name."""
        return name

    @task
    def skips() -> None:
        """There is nothing to do."""
        raise AirflowSkipException("nothing to do")

    @task(
        execution_timeout=timedelta(seconds=1),
        retry_policy=ExceptionRetryPolicy([RetryRule(AirflowTaskTimeout, RetryAction.FAIL)]),
    )
    def times_out() -> None:
        """Sleeps beyond its time."""
        time.sleep(30)

    @task
    def runs_long() -> None:
        """Long enough to be cleared, or marked, in mid-run."""
        time.sleep(60)

    later = "{{ ti.start_date + macros.timedelta(seconds=10) }}"
    DateTimeSensorAsync(task_id="defers", target_time=later)
    ApprovalOperator(task_id="asks", subject="Go on?")
    part.expand(name=fails_once())
    skips() >> EmptyOperator(task_id="skipped_too")
    times_out() >> EmptyOperator(task_id="upstream_fails")
    LooksTwice(task_id="looks_twice", mode="reschedule", poke_interval=2, timeout=300)
    runs_long()
