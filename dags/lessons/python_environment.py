"""# 2. Airflow in a Python environment

## What
Airflow is a Python package. The one task of this lesson reports where it runs: which Python, which
Airflow, where Airflow's home is, and which executor starts the tasks.

## Why
You do not need Docker to learn Airflow or to develop with it. `make` creates a Python environment
in the folder `.venv`, with every package at the version that `requirements-dev.txt` locks. Airflow
runs there as the same four programs as everywhere: API server, scheduler, DAG processor and
triggerer.
```sh
make airflow
```
PostgreSQL and the object store are real servers too; they come from packages in the same
environment. All of them listen on this machine only, so nobody else in your network can open the
page.

## The code that matters
```python
return {"environment": sys.prefix, "airflow": version("apache-airflow"), …}
```
A task is a function that runs on a worker. Here the worker is a process on this machine, and it
uses the Python of `.venv`. So a task can import what is installed in `.venv`, and nothing else.

## Look at
The XCom of `where_am_i` (its tab *Storage*): the paths are in this project's folder. To use the
same Airflow from a shell, with `psql` and the `airflow` command at hand:
```sh
eval "$(make -s env)"
.venv/bin/airflow dags list
```
If you have the Astro CLI, it can run Airflow without Docker as well: `astro dev start --standalone`
(experimental). It uses the folder `.venv` too, so run it in a second clone of the project. It
starts no other servers. The page *With the Astro CLI* in `docs` has every command.

## Since Airflow 2.9
`airflow webserver` is now `airflow api-server`, and a separate program, `airflow dag-processor`,
reads the DAG files. For a first look, `airflow standalone` still starts all of it at once, on
SQLite and with Airflow's examples. The sequential executor, which used to be the default, no longer
exists: the default is now `LocalExecutor`.

## Exercise
Which setting keeps the page on this machine, and how can you check that it works?

The answer is in the tab [Code](/dags/lesson_02_python_environment/code), below this text.

<details><summary>Answer</summary>
The setting is `AIRFLOW__API__HOST=127.0.0.1`. Airflow's default is 0.0.0.0, which means every
address of the machine. To check it, open the page with this machine's name or network address
instead of 127.0.0.1: nothing answers. `make lessons L=2` makes the same check.
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
        """Returns where this task runs. None of it is secret, so it may be an XCom."""
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
