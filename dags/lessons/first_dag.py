"""# 7. A first DAG

## What

Two tasks, each a command of the shell. `hello` prints two lines. When it has succeeded, `answer`
runs, and prints what `hello` handed on to it.

## Why

A `BashOperator` is the shortest way to run what you already have: a script, `psql`, `curl`. Airflow
adds what `cron` lacks: an order, a log for each run, and a second and third try when it fails.

## The code that matters

```python
hello = BashOperator(task_id="hello", bash_command="echo … ; echo Hello from bash $BASH_VERSION")
answer = BashOperator(…, env={"SAID": "{{ ti.xcom_pull(task_ids='hello') }}"}, append_env=True)
hello >> answer
```

- `>>` is the order: `answer` waits until `hello` has succeeded.
- The exit code is the verdict: 0 is success, 99 is *skipped*, anything else fails.
- The last line that a command prints is handed on, as the task's *return value*: an **XCom**.
- `{{ … }}` is filled in just before the task runs. It goes through `env`, and not into the command
  itself: what is spliced into a command can be a command.

## Look at

- *Grid*: a column for each run, a square for each task. Click on the square of `hello`.
- *Logs*: both lines. *Storage*, then *XCom*: the second line alone, as
  `return_value`.
- The list of DAGs: there is nothing of which you ask where it comes from. The setting
  `AIRFLOW__CORE__LOAD_EXAMPLES=False` keeps Airflow's own examples out.

## Since Airflow 2.9

- `BashOperator` is in `airflow.providers.standard`; it was in `airflow.operators.bash`.
- `DAG` comes from `airflow.sdk`. A DAG that names no schedule has none; it ran once a day.

## Exercise

Have `hello` skip itself on purpose. What becomes of `answer`?

The answer is in the tab [Code](/dags/lesson_07_first_dag/code), below these words.

<details><summary>Answer</summary>
Put `; exit 99` at the end of its command, save, and trigger the DAG again: `hello` is *skipped*,
and so is `answer`, because a task runs only when all before it have succeeded. The run itself is a
success: skipping is no failure.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="lesson_07_first_dag",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 7"],
    doc_md=__doc__,
):
    hello = BashOperator(
        task_id="hello",
        bash_command="echo This line is in the log alone; echo Hello from bash $BASH_VERSION",
    )
    answer = BashOperator(
        task_id="answer",
        bash_command='echo "hello said: $SAID"',
        env={"SAID": "{{ ti.xcom_pull(task_ids='hello') }}"},
        append_env=True,
    )
    hello >> answer
