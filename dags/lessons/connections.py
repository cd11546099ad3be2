"""# 13. Connections

## What
A **connection** is the address of a server together with the login for it: type, host, port, login,
password, and an `extra` for the rest. It has a name (`conn_id`), and a task uses only that name.
This lesson checks the two connections of this project, `landing` (S3) and `warehouse` (Postgres):
whether they work, and what their logins are allowed to do.

## Why
The code contains no password, and the same DAG runs here, in containers and in production. The
names and the types are the same everywhere. The values are not:

| you run | the values come from |
|---|---|
| `make airflow`, `make lessons` | the running services, as `AIRFLOW_CONN_LANDING`, `…_WAREHOUSE` |
| a shell | the same two variables: `eval "$(make -s env)"` |
| `astro dev start` | `airflow_settings.yaml`: the containers of `docker-compose.override.yml` |
| the same, with your own servers | the two variables in `.env` (see `.env.example`) |
| production | the two variables, or a secrets backend |

To keep these places alike, a test checks that all of them have the same names, types and fields,
and that no feed and no DAG uses another connection. `include/airflow_bridge` reads connections
from Airflow, and `include/landfall/connections` reads them in a shell. Both return objects of
the same two classes.

## The code that matters
```python
findings = check(connections, store_of, warehouse_of)
```
`store_of` and `warehouse_of` look a connection up by its name, and `check` asks the servers. A
shell can do the same for all connections that the feeds name:
```sh
eval "$(make -s env)"
.venv/bin/python -m include.landfall check
```
S3 has no login step, so the check lists the bucket, as a load does. (Airflow's own button *Test
Connection*, which is off unless `AIRFLOW__CORE__TEST_CONNECTION=Enabled`, asks another service of
AWS, STS. A store that is not from Amazon fails that test, even if it works well.) For the database,
the check reports what the role may do: make temporary tables, use the ledger. When a host does not
answer, the check stops waiting after a few seconds.

## Look at
The log of `check` has one line for each connection. *Admin → Connections* is empty here, because it
shows only the connections in Airflow's own database, and not those in the environment.

## Since Airflow 2.9
Tasks no longer read the metadata database. To find a connection, a task looks into the secrets
backend, if there is one, then into its environment, and then asks the API server. `BaseHook` is
imported from `airflow.sdk`. The connection type `s3` no longer exists: use `aws`, with the server's
address as `endpoint_url` in the extra.

## Exercise
Trigger the lesson, and write `wharehouse` as *warehouse* in the dialogue. Why is the failed task
not tried again, although the DAG says `retries: 2`? And what would happen with the right name, if
the warehouse did not answer?

The answer is in the tab [Code](/dags/lesson_13_connections/code), below this text.

<details><summary>Answer</summary>
The log says `Airflow has no connection 'wharehouse'`, and where to define it. A retry does not
correct a misspelt name, so the task raises `AirflowFailException`, which ends it at once. A server
that does not answer may do so later. For that case the task raises `AirflowException`, and Airflow
tries it three times in all.
</details>
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from include.airflow_bridge.connections import store_of, warehouse_of
from include.airflow_bridge.errors import verdict

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
    def check_connections(params: dict[str, Any]) -> list[dict[str, Any]]:
        """Logs one line for each connection.

        Raises: AirflowFailException or AirflowException when a connection does not work.
        """
        from include.landfall.check import Bucket, Database, check

        connections = (Bucket(params["landing"], "landing"), Database(params["warehouse"]))
        findings = check(connections, store_of, warehouse_of)
        log.info("%-6s  %-10s  %-46s  %s", "", "connection", "address", "answer")
        for each in findings:
            mark = "ok" if each.reachable else "FAILED"
            log.info("%-6s  %-10s  %-46s  %s", mark, each.connection, each.address, each.answer)
        errors = [each.error for each in findings if each.error]
        if errors:
            raise verdict(str(errors[0]), retryable=all(error.retryable for error in errors))
        return [each.as_dict() for each in findings]

    check_connections()
