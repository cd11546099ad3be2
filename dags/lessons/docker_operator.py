"""# 18. DockerOperator

## What
A **DockerOperator** runs a container as a task. It starts the container from an image, and copies
the container's log to the task's log. The container's exit code decides how the task ends. Here the
container trains a model on a small table in the bucket.

## Why
The model needs scikit-learn, and Airflow pins other versions of half the packages that scikit-learn
needs. With a separate image, each of the two has its own Python, and a program that uses too much
memory harms no other program. The price: whoever may use the Docker socket may do anything on the
machine. The page of the image, `include/training/README.md`, explains what that means.

## The code that matters
```python
train = TrainingOperator(
    task_id="train",
    command=["--input", table["key"], "--output", table["prefix"]],
    mem_limit="512m",
)
```
`TrainingOperator` (in `plugins/training.py`) is a `DockerOperator` that makes five choices for you:
- **The key to the bucket** is looked up when the task runs, and goes to the container through
  `private_environment`. `environment` is a template, so the UI would show it.
- `auto_remove="force"`: the container is removed afterwards, however it ended.
- `mount_tmp_dir=False`: the default would mount a folder of the worker, but Docker may run on
  another machine, which does not have that folder.
- **Labels** name the DAG, the run and the task. When a killed worker leaves a container behind, the
  next try finds it by its labels, and removes it.
- **No XCom**: it would be the last line of the log, whatever that is. The results go to the bucket.

## Look at
`make training-image` builds the image; do this once. Trigger the lesson: the log of `train` has
what the program in the container printed. The XCom of `look` has the addresses of the model, the
metrics and the plot, and two errors: that of the model, and that of always answering with the mean.
Clear the run: the bucket has the same three objects, and no others.

## Since Airflow 2.9
The operator is in the provider `docker`, as before. `auto_remove` used to be a boolean; now it is
`never`, `success` or `force`.

## Exercise
Give the container too little memory: write `mem_limit="32m"`, and trigger the lesson. What does the
log say, and is the task tried again?

The answer is in the tab [Code](/dags/lesson_18_docker_operator/code), below this text.

<details><summary>Answer</summary>
The kernel kills the container, and the log says so: exit code 137, `more memory than 32m`. The task
is tried again, because a person's `docker kill` also gives 137, and then a retry helps. A wrong
table gives exit code 5, and is not tried again, because it will still be wrong in five seconds.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from plugins.training import TrainingOperator, results

BUCKET, PREFIX = "landing", "lessons/docker_operator"
HEADER = "flight_date,carrier,hour,arr_delay"

with DAG(
    dag_id="lesson_18_docker_operator",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 18"],
    doc_md=__doc__,
):

    @task
    def make_table() -> dict[str, Any]:
        """Writes twenty days of flights: 30 minutes late from 17:00 on, UA 10 minutes less."""
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        rows = [
            f"2026-01-{day:02},{carrier},{hour},{30 * (hour > 16) - 10 * (carrier == 'UA') + noise}"
            for day in range(1, 21)
            for hour in range(6, 22)
            for noise, carrier in enumerate(("AA", "UA", "DL"))
        ]
        key = f"{PREFIX}/flights.csv"
        hook = S3Hook("landing")
        hook.load_string("\n".join([HEADER, *rows]), key, BUCKET, replace=True)
        etag = hook.head_object(key, BUCKET)["ETag"].strip('"')
        return {"key": key, "prefix": PREFIX, "etag": etag}

    @task
    def look(table: dict[str, Any]) -> dict[str, Any]:
        """Returns the addresses of the results.

        Raises: AirflowFailException unless they were made from exactly this table.
        """
        return results(table["prefix"], table["etag"], bucket=BUCKET)

    table = make_table()
    train = TrainingOperator(
        task_id="train",
        command=["--input", table["key"], "--output", table["prefix"]],
        mem_limit="512m",
    )
    train >> look(table)
