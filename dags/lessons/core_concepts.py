"""# 4. Core concepts

## What
Five tasks in the shape of a diamond: A first, then B and C at the same time, then D and E when both
B and C have ended.

```
     ┌─▶ B ─┐  ┌─▶ D
A ───┤      ├──┤
     └─▶ C ─┘  └─▶ E
```

## Why
Airflow explains everything else with these words:

| word | meaning |
|---|---|
| **workflow** | work of several steps, where some steps must wait for others |
| **DAG** | a workflow as code: tasks, and arrows that never lead back to where they began |
| **operator** | a class for one sort of work: `BashOperator` runs a command |
| **task** | one step of a DAG: an operator with its arguments and a name |
| **DAG run** | one pass through the DAG |
| **task instance** | one task in one run: it has a state, a start, an end and a log |
| **logical date** | the moment that a run is *for*, which is not the moment when it runs |

This file makes one DAG with five tasks. Trigger it three times, and you have three runs and fifteen
task instances, but still five tasks.

## The code that matters
```python
A >> [B, C]
cross_downstream([B, C], [D, E])
```
`>>` draws an arrow from one task to one or many others. It cannot draw arrows from many tasks to
many tasks; `cross_downstream` does that. No line says that B and C run *at the same time*. They do
so because there is no arrow between them, and two workers are free.

## Look at
- The graph (press `g`) shows the diamond. Click a run, then the button *Show Gantt* beside the
  graph's: the bars of B and C overlap.
- The log of each task shows the task's name, its run and the run's logical date.
- The dialogue of *Trigger* proposes this minute as the logical date. Choose another one, for
  example last Monday: the log shows it. Then empty the field: such a run has none (`None`).

## Since Airflow 2.9
The logical date used to be called *execution date*, so old texts and code say `execution_date`.
Airflow 3 no longer has that name. The logical date may now be empty: a run that is triggered
without a date has none, and several runs without a date may exist side by side. For each date there
is still at most one run.

## Exercise
Add a task F that runs after A and before E, with no arrow to or from B, C and D. Then remove the
arrow from A to C. When does C start now?

The answer is in the tab [Code](/dags/lesson_04_core_concepts/code), below this text.

<details><summary>Answer</summary>
Add one line for the task F, and `A >> F >> E` for its arrows. To remove the arrow from A to C,
write `A >> B` instead of `A >> [B, C]`. C now starts when the run starts, at the same time as A: a
task waits for the tasks that point to it, and for nothing else.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Param, cross_downstream

SAY = "echo {{ ti.task_id }} of {{ run_id }}, logical date {{ dag_run.logical_date }}"
WORK = SAY + "; sleep {{ params.seconds }}"

with DAG(
    dag_id="lesson_04_core_concepts",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"seconds": Param(2, type="integer", minimum=0, description="Seconds of B and C")},
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 4"],
    doc_md=__doc__,
):
    A = BashOperator(task_id="A", bash_command=SAY)
    B = BashOperator(task_id="B", bash_command=WORK)
    C = BashOperator(task_id="C", bash_command=WORK)
    D = BashOperator(task_id="D", bash_command=SAY)
    E = BashOperator(task_id="E", bash_command=SAY)

    A >> [B, C]
    cross_downstream([B, C], [D, E])
