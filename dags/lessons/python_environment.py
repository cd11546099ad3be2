"""
# 2. Airflow in a Python environment

## What
Airflow is a Python package. This lesson's one task looks at where it runs: which Python, which
Airflow, where its home is, which executor starts the tasks.

## Why
Docker is not needed to learn or to develop. `make` makes a Python environment in the folder
`.venv`, with every package at the version that `requirements-dev.txt` locks, and Airflow runs in
it as the four programs that it always is:
```sh
make airflow
```
PostgreSQL and the object store are real servers too, from packages in the same environment. All
listens on this machine alone: nobody in your network can open the page.

## The code that matters
```python
return {"environment": sys.prefix, "airflow": version("apache-airflow"), …}
```
A task is a function that runs on a worker. Here the worker is a process on this machine, with the
Python of `.venv`: so it can import what stands in `.venv`, and nothing else.

## Look at
The XCom of `where_am_i` (its tab *Storage*): the paths are in this project's folder. To use the
same Airflow from a shell, with `psql` and the `airflow` command at hand:
```sh
eval "$(make -s env)"
.venv/bin/airflow dags list
```
Who has the Astro CLI can have Airflow without Docker from it as well: `astro dev start
--standalone` (experimental). It makes a `.venv` of its own in the same place, so give it a clone of
its own; and it brings no servers along, so the connections then come from `.env`.

## Since Airflow 2.9
`airflow webserver` has become `airflow api-server`, and reading DAG files is a program of its own,
`airflow dag-processor`. `airflow standalone` still starts all in one, for a first look: on SQLite,
with the examples. The sequential executor, once the default, is gone: it is `LocalExecutor`.

## Exercise
Which setting keeps the page on this machine, and how would you see that it does?

The answer is in the tab [Code](/dags/lesson_02_python_environment/code), below these words.

<details><summary>Answer</summary>
`AIRFLOW__API__HOST=127.0.0.1`; Airflow's default is 0.0.0.0, every address of the machine. Open
the page by this machine's own name or network address instead of 127.0.0.1: nobody answers. The
lesson's walk (`make lessons L=2`) tries just that.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, task

with DAG(
    dag_id="lesson_02_python_environment",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 2"],
    doc_md=__doc__,
):

    @task
    def where_am_i() -> dict[str, str]:
        """Where this task runs: nothing of it is secret, so it may be an XCom."""
        import os
        import platform
        import sys
        from importlib.metadata import version

        from airflow.sdk.configuration import conf

        return {
            "python": platform.python_version(),
            "environment": sys.prefix,
            "airflow": version("apache-airflow"),
            "executor": conf.get("core", "executor"),
            "home": os.environ.get("AIRFLOW_HOME", ""),
            "dags": conf.get("core", "dags_folder"),
            "page": conf.get("api", "base_url"),
        }

    where_am_i()
