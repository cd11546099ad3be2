"""
# 4. Core concepts

## What
Five tasks in the shape of a diamond: A, then B and C at once, then D and E when both have ended.

```
     ┌─▶ B ─┐  ┌─▶ D
A ───┤      ├──┤
     └─▶ C ─┘  └─▶ E
```

## Why
Everything else in Airflow is said with these words:

| word | is |
|---|---|
| **workflow** | work of several steps, some of which need others to be done before |
| **DAG** | a workflow written down: tasks, and arrows that never lead back |
| **operator** | a kind of work, a class: `BashOperator` runs a command |
| **task** | one step of a DAG: an operator with its arguments and a name |
| **DAG run** | the DAG, gone through once |
| **task instance** | one task in one run: this has a state, a start, an end and a log |
| **logical date** | the moment that a run is *for*, which is not the moment when it runs |

The file that you read here makes one DAG with five tasks. Trigger it three times: three runs,
fifteen task instances, still five tasks.

## The code that matters
```python
A >> [B, C]
cross_downstream([B, C], [D, E])
```
`>>` draws an arrow, from one task or to many. From many to many it cannot: that is what
`cross_downstream` is for. Nothing says that B and C run *at once*. They do because nothing forbids
it, if two workers are free; no arrow means no order.

## Look at
- The graph (press `g`): the diamond. The Gantt chart (*Show Gantt*): the bars of B and C overlap.
- The log of any task: its own name, its run and the logical date of the run.
- A run by hand may have no logical date. Choose one in the dialogue of *Trigger*: say, last Monday.

## Since Airflow 2.9
The logical date was once called *execution date*, which is why old texts and code say
`execution_date`; Airflow 3 no longer knows that name. It may now be empty: a run that is triggered
without a date has none, and two such runs do not collide. A date still has one run at most.

## Exercise
Add a task F that runs after A and before E, and has nothing to do with B, C and D. Then take out
A's arrow to C. When does C begin now?

The answer is in the tab [Code](/dags/lesson_04_core_concepts/code), below these words.

<details><summary>Answer</summary>
F is one more line for the task, and `A >> F >> E` for its arrows. Without the arrow from A, which
means `A >> B` in place of `A >> [B, C]`, C begins as soon as the run does, beside A: a task waits
for the tasks that point to it, and for nothing else.
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
    params={"seconds": Param(2, type="integer", minimum=0, description="how long B and C take")},
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
