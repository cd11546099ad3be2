"""# 5. The life of a task

## What
A task always has one state: none, as long as the scheduler has not looked at it, or one of thirteen
states with a name. Here a few real tasks go through all of them. Most tasks need no help, but some
states come only from a person. Either you do that part, or `make lessons L=life_cycle` does it
through the REST API and draws a picture of what it saw. The picture is in `docs/course.md`.

## Why
"Why does my task not run?" has a different answer in each state.

| State | What the task waits for, or how it ended |
|---|---|
| none | the tasks before it |
| scheduled | a free slot in its pool, its DAG and the executor |
| queued | the executor, which must start its process |
| running | its own code |
| up_for_retry | the end of its retry delay; then it is tried again |
| up_for_reschedule | the next look of its sensor; it uses no worker until then |
| deferred | an event that the triggerer watches for; it uses no worker either |
| awaiting_input | a person's answer; it uses no worker and no triggerer |
| restarting | the end of its old process, because somebody cleared it while it ran |
| success, failed | it ran and ended so, or somebody marked it so |
| skipped | it reported that there is nothing to do, or a task before it was skipped |
| upstream_failed | it never ran, because a task before it failed |
| removed | it no longer exists: its DAG or its map became smaller |

## The code that matters
```python
raise AirflowSkipException("nothing to do")                 # skipped
@task(execution_timeout=timedelta(seconds=1), retry_policy=…)  # failed, with no second try
LooksTwice(task_id="looks_twice", mode="reschedule", …)     # up_for_reschedule
DateTimeSensorAsync(task_id="defers", target_time=…)        # deferred
ApprovalOperator(task_id="asks", subject="Go on?")          # awaiting_input
part.expand(name=fails_once())                              # one part for each name
```

- A task ends as *failed* when it has no try left. `times_out` fails at its first try: its retry
  policy says that another try cannot help, so Airflow does not use the two that are left.
- A run is *failed* when one of its last tasks failed. This run always is, because of
  `upstream_fails`.

## Look at
Trigger the lesson and open the run: its tab *Task Instances* shows each new state. A click on a
task opens it; at its top right the round arrow clears it, and the tick marks it as *Success*.

1. When `runs_long` is *running* (for a minute), clear it: first untick *Prevent rerun if task is
   running*, or Airflow refuses. It is *restarting* for some seconds, until its process has ended.
   Then its state is none, and it runs again, as try 2.
2. When it runs again, mark it as *Success*. This ends its process too.
3. When both instances of `part` have succeeded, clear `fails_once` alone: *Downstream* is chosen at
   first, and would clear `part` too. When it has succeeded again, clear the `part` with the map
   index 1. Now `fails_once` names only one part, so `part[1]` is *removed*.
4. `asks` is *awaiting_input* all the time. Answer it in its tab *Required Actions*. It continues
   where it stopped, and the run ends.

Click a task to see its tries: each has its own log, times and state. The tab *Audit Log* shows what
each task reported, and what you did. When a try failed and the task will be tried again, the audit
log shows *failed*: the try has failed, and the task is *up_for_retry*.

You can see all fourteen states in the UI, but you have to look at the right moment for some of
them: none, *removed*, *scheduled*, *queued*, *restarting* and *upstream_failed* leave no line in
the audit log.

## Since Airflow 2.9
- `awaiting_input` and `retry_policy` are new in 3.3. The state `shutdown` no longer exists: a task
  that is cleared while it runs is *restarting*.
- Tasks report to the API server; they no longer write their state into the database.

## Exercise
Clear `upstream_fails`, and nothing else. Which state does it get, and how do you repair that?

The answer is in the tab [Code](/dags/lesson_05_life_cycle/code), below this text.

<details><summary>Answer</summary>
Within a second it is *upstream_failed* again, because the task before it is still *failed*. Repair
`times_out` first: give it more than one second, or let it sleep for less. Then clear it together
with its downstream tasks. Or, if its work was done elsewhere, mark `times_out` as *success* by
hand, and then clear `upstream_fails`.
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
    """A sensor that looks, leaves the worker, and looks again."""

    def poke(self, context: Any) -> bool:
        """Returns True at the second look."""
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
        """Fails, then returns two names; after it was cleared, it returns one."""
        if ti.try_number == 1:
            raise ConnectionError("try 1 fails on purpose")
        return ["a", "b"] if ti.try_number == 2 else ["a"]

    @task
    def part(name: str) -> str:
        """Returns its name; there is one instance for each name."""
        return name

    @task
    def skips() -> None:
        """Skips itself."""
        raise AirflowSkipException("nothing to do")

    @task(
        execution_timeout=timedelta(seconds=1),
        retry_policy=ExceptionRetryPolicy([RetryRule(AirflowTaskTimeout, RetryAction.FAIL)]),
    )
    def times_out() -> None:
        """Sleeps for longer than its timeout."""
        time.sleep(30)

    @task
    def runs_long() -> None:
        """Runs for long enough to be cleared, or marked, before it ends."""
        time.sleep(60)

    later = "{{ ti.start_date + macros.timedelta(seconds=10) }}"
    DateTimeSensorAsync(task_id="defers", target_time=later)
    ApprovalOperator(task_id="asks", subject="Go on?")
    part.expand(name=fails_once())
    skips() >> EmptyOperator(task_id="skipped_too")
    times_out() >> EmptyOperator(task_id="upstream_fails")
    LooksTwice(task_id="looks_twice", mode="reschedule", poke_interval=2, timeout=300)
    runs_long()
