"""
# 18. DockerOperator

## What
**DockerOperator** runs a container as a task: it is made from an image, its log is the task's log,
its exit code is the task's end. Here it trains a model on a small table in the bucket.

## Why
A model wants scikit-learn, and Airflow pins other versions of half of what that needs. In an image
of its own each has its own Python, and a program that takes all memory ends alone. The price is
that whoever may use the Docker socket may do anything on the machine: the page of the image,
`include/training/README.md`, says what that means.

## The code that matters
```python
train = TrainingOperator(
    task_id="train",
    command=["--input", table["key"], "--output", table["prefix"]],
    mem_limit="512m",
)
```
`TrainingOperator` (`plugins/training/operator.py`) is a `DockerOperator` with five things settled:
- **The key to the bucket** is looked up when the task runs, and goes to the container as
  `private_environment`. `environment` is a template: it would be shown in the UI.
- `auto_remove="force"`: the container is gone afterwards, however it ended.
- `mount_tmp_dir=False`: a folder of the worker is not one of the machine that Docker runs on.
- **Labels** name the DAG, the run and the task: what a killed worker left behind is found by them,
  and removed before the next try.
- **No XCom**: it would be the log's last line, whichever that is. Results go to the bucket.

## Look at
`make training-image` builds the image, once. Trigger the lesson: the log of `train` has what the
program in the container said. `look` leaves the addresses of model, metrics and plot, and how far
the model is off, beside always saying the mean. Clear the run: the same three objects, no others.

## Since Airflow 2.9
The operator is in the provider `docker`, as before. `auto_remove` was a boolean once; it is
`never`, `success` or `force`.

## Exercise
Give the container too little: write `mem_limit="32m"`, and trigger it. What does the log say, and
is the task tried again?

The answer is in the tab [Code](/dags/lesson_18_docker_operator/code), below these words.

<details><summary>Answer</summary>
The kernel kills the container, and the log says so: exit code 137, `more memory than 32m`. It is
tried again, since 137 is also what a person's `docker kill` gives, and then a retry helps. A wrong
table is exit code 5, and is not tried again: it will be wrong in five seconds too.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from plugins.training.operator import TrainingOperator
from plugins.training.results import results

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
        """Twenty days of flights: after 16:00 half an hour late, UA ten minutes less."""
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
        """Where the results are; fails unless they are of this very table."""
        return results(table["prefix"], table["etag"], bucket=BUCKET)

    table = make_table()
    train = TrainingOperator(
        task_id="train",
        command=["--input", table["key"], "--output", table["prefix"]],
        mem_limit="512m",
    )
    train >> look(table)
