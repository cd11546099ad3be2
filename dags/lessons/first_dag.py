"""# 7. A first DAG

## What
Two tasks, and each is a shell command. `hello` prints two lines. When it has succeeded, `answer`
runs and prints the value that `hello` handed on.

## Why
A `BashOperator` is the shortest way to run what you already have: a script, `psql`, `curl`. Airflow
adds what `cron` lacks: an order, a log for each run, and a second and third try after a failure.

## The code that matters
```python
hello = BashOperator(task_id="hello", bash_command="echo … ; echo Hello from bash $BASH_VERSION")
answer = BashOperator(…, env={"LINE": "{{ ti.xcom_pull(task_ids='hello') }}"}, append_env=True)
hello >> answer
```

- `>>` sets the order: `answer` waits until `hello` has succeeded.
- The exit code decides how the task ends: 0 is success, 99 is *skipped*, anything else is a
  failure.
- Airflow hands on the last line that a command prints, as the task's *return value*: an **XCom**.
- Airflow fills in `{{ … }}` just before the task runs. Put such a value into `env`, and not into
  the command itself: bash would run a value that looks like a command.

## Look at
- The grid has a column for each run and a square for each task. Click the square of `hello`.
- *Logs* has both lines. *Storage*, then *XCom*, has only the second line, as `return_value`.
- The list of DAGs has this project's DAGs and no others: the setting
  `AIRFLOW__CORE__LOAD_EXAMPLES=False` keeps Airflow's own examples out.

## Since Airflow 2.9
- `BashOperator` is in `airflow.providers.standard`; it was in `airflow.operators.bash`.
- `DAG` comes from `airflow.sdk`. A DAG without a `schedule` used to run once a day; now it runs
  only when it is triggered.

## Exercise
Let `hello` skip itself on purpose. What happens to `answer`?

The answer is in the tab [Code](/dags/lesson_07_first_dag/code), below this text.

<details><summary>Answer</summary>
Put `; exit 99` at the end of its command, save, and trigger the DAG again. `hello` is *skipped*,
and so is `answer`, because a task runs only when all tasks before it have succeeded. The run itself
is a success: a skipped task is not a failure.
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
        bash_command="echo This line is only in the log; echo Hello from bash $BASH_VERSION",
    )
    answer = BashOperator(
        task_id="answer",
        bash_command='echo "hello printed: $LINE"',
        env={"LINE": "{{ ti.xcom_pull(task_ids='hello') }}"},
        append_env=True,
    )
    hello >> answer
