"""
# 13. Connections

## What
A **connection** is the address of a server with what opens it: type, host, port, login, password,
and an `extra` for the rest. It has a name (`conn_id`), and a task says only that name. This lesson
asks the two connections of this project, `landing` (S3) and `warehouse` (Postgres), whether they
can be used, and what they may be used for.

## Why
No key stands in code, and the same DAG runs here, in containers and in production. The names and
the types are the same everywhere; the values are not:

| you run | values come from |
|---|---|
| `make airflow`, `make lessons` | the running services, as `AIRFLOW_CONN_LANDING`, `…_WAREHOUSE` |
| a shell | the same two variables: `eval "$(make -s env)"` |
| `astro dev start` | `airflow_settings.yaml`: the containers of `docker-compose.override.yml` |
| that, with servers of your own | the two variables in `.env` (see `.env.example`) |
| production | the two variables, or a secrets backend |

So many places could drift apart. A test holds that all have the same names, types and fields, and
that no feed and no DAG asks for another. `include/airflow_bridge.py` reads them for Airflow and
`include/landfall/connections.py` from a shell, into the same two classes.

## The code that matters
```python
findings = check(asked, store_of, warehouse_of)
```
`store_of` and `warehouse_of` look a connection up by its name, `check` asks the servers. The shell
has the same, for whatever the feeds name:
```sh
eval "$(make -s env)"
.venv/bin/python -m include.landfall check
```
S3 has no log-in, so the check lists the bucket, as a load does. (Airflow's own *Test* button,
which is off unless `AIRFLOW__CORE__TEST_CONNECTION=Enabled`, asks another service of AWS, STS. A
store that is not Amazon's fails there, however well it works.) Of the database it tells what the
role may do: make temporary tables, use the ledger. A host that is silent is given up after some
seconds.

## Look at
The log of `check`: one line for each connection. *Admin → Connections* is empty here: it shows
only what Airflow's own database keeps, and not the environment's.

## Since Airflow 2.9
Tasks read no metadata database any more: they look into a secrets backend, if there is one, into
their environment, and then ask the API server. `BaseHook` is imported from `airflow.sdk`. The
connection type `s3` has gone: it is `aws`, with the server's address as `endpoint_url` in the
extra.

## Exercise
Trigger the lesson with the configuration `{"warehouse": "wharehouse"}`. Why is the failed task not
tried again, though the DAG says `retries: 2`? What would happen with the right name, and the
warehouse away?

The answer is in the tab [Code](/dags/lesson_13_connections/code), below these words.

<details><summary>Answer</summary>
The log says `Airflow has no connection 'wharehouse'`, and where to define it. No retry mends a
misspelt name, so the task raises `AirflowFailException`, which ends it at once. A server that is
away may come back: that raises `AirflowException`, and the task is tried three times in all.
</details>
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from include.airflow_bridge import store_of, verdict, warehouse_of

log = logging.getLogger(__name__)

with DAG(
    dag_id="lesson_13_connections",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"landing": "landing", "warehouse": "warehouse"},
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 13"],
    doc_md=__doc__,
):

    @task(task_id="check")
    def ask(params: dict[str, Any]) -> list[dict[str, Any]]:
        """One line for each connection in the log; fails where one cannot be used."""
        from include.landfall.check import Bucket, Database, check

        asked = (Bucket(params["landing"], "landing"), Database(params["warehouse"]))
        findings = check(asked, store_of, warehouse_of)
        log.info("%-8s%-12s%-48s%s", "", "connection", "address", "answer")
        for found in findings:
            word = "ok" if found.reachable else "FAILED"
            log.info("%-8s%-12s%-48s%s", word, found.connection, found.address, found.answer)
        errors = [found.error for found in findings if found.error]
        if errors:
            raise verdict(str(errors[0]), retryable=all(error.retryable for error in errors))
        return [found.as_dict() for found in findings]

    ask()
