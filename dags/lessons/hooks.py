"""# 17. Hooks

## What
A **hook** is a Python class that looks a connection up and talks to its server. Operators use
hooks inside. Where no operator fits, your task can use a hook directly. This lesson takes the
orders of one day from Postgres to a text file in S3, and from there into another table.

## Why
The lesson uses three hooks, each for what it does best:

| hook | comes with | good for |
|---|---|---|
| `PostgresHook` | provider `postgres` | statements, small answers: `run`, `get_first` |
| `S3Hook` | provider `amazon` | one object: `head_object`, `read_key`, `load_string` |
| `S3ToPostgresHook` | this project, in `plugins` | data of any size: `load`, `export` |

The first two hold everything that they fetch in memory (`get_records`, `read_key`). This is right
for a count, and wrong for ten million rows. The third one streams: it writes an object completely
or not at all, and loads a file exactly once.

## The code that matters
```python
key = f"lessons/hooks/{day}.csv"
exported = S3ToPostgresHook().export(ORDERS, {"day": day}, bucket="landing", key=key)
```
- The **key contains the run's day**, and the query has an `ORDER BY`. So the same day writes the
  same bytes to the same key, and the object keeps its ETag, a fingerprint of its content.
- **Loading it again does nothing**, because the ledger has that version of the object
  (`already_loaded`).
- The providers' hooks are imported **inside** the task. At the top of the file, the import would
  cost time at each parse. This project's hook may stand at the top: it imports what it needs only
  when it is used.

## Look at
The XComs: `export_orders` left the object's address, its ETag and the number of rows, but never the
rows. `load_back` left the counts of both tables; it fails unless they agree with the file. Clear
the run and look again: the same ETag, `already_loaded`, the same counts.

## Since Airflow 2.9
`BaseHook` is imported from `airflow.sdk`. When the environment does not have a connection, the hook
asks the API server for it, and not the metadata database. `PostgresHook` uses psycopg 3 where
SQLAlchemy 2 is installed, as here. The server then binds the values, so you may have to name a type
(`%(day)s::date`).

## Exercise
Change the orders of a day: in `FILL_ORDERS` write `n * 20` instead of `n * 10`, and clear the run
of that day. What is the ETag now, what does the load do, and how many rows does
`lessons.hooks_back` have for that day?

The answer is in the tab [Code](/dags/lesson_17_hooks/code), below this text.

<details><summary>Answer</summary>
The content is different, so the ETag is different, and the file is a new **version** of the same
object. The load reports `loaded`, and its rows replace those of the first version. There are as
many rows as before, with the new amounts. In `landfall.ledger` the first version is `superseded`.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowFailException

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from plugins.s3_to_postgres import S3ToPostgresHook

DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"
FILL_ORDERS = [
    "CREATE SCHEMA IF NOT EXISTS lessons",
    "CREATE TABLE IF NOT EXISTS lessons.hooks_orders (day date, order_id int, amount int)",
    "DELETE FROM lessons.hooks_orders WHERE day = %(day)s::date",
    "INSERT INTO lessons.hooks_orders SELECT %(day)s::date, n, n * 10 FROM generate_series(1, 5) n",
]
ORDERS = "SELECT * FROM lessons.hooks_orders WHERE day = %(day)s::date ORDER BY order_id"
# The FULL JOIN keeps an order without a row in hooks_back, and a row without an order.
COUNTS = (
    "SELECT count(o), count(b), count(*) FROM lessons.hooks_orders AS o"
    " FULL JOIN lessons.hooks_back AS b USING (day, order_id, amount) WHERE day = %(day)s::date"
)
FEED = Feed.model_validate(
    {
        "feed": "lesson_hooks",
        "source": {"bucket": "landing", "pattern": "lessons/hooks/*.csv"},
        "target": {"table": "lessons.hooks_back"},
        "columns": {"day": "date", "order_id": "integer", "amount": "integer"},
    }
)

with DAG(
    dag_id="lesson_17_hooks",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 17"],
    doc_md=__doc__,
):

    @task
    def make_orders(day: str) -> str:
        """Fills the table with the day's orders, as a shop would."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        PostgresHook("warehouse").run(FILL_ORDERS, parameters={"day": day})
        return day

    @task
    def export_orders(day: str) -> dict[str, Any]:
        """Writes the day's orders from the table to a text file in the bucket."""
        key = f"lessons/hooks/{day}.csv"
        exported = S3ToPostgresHook().export(ORDERS, {"day": day}, bucket="landing", key=key)
        return {"day": day, "key": key, **exported.as_dict()}

    @task
    def load_back(file: dict[str, Any]) -> dict[str, Any]:
        """Loads the file into another table.

        Raises: AirflowFailException unless each order came back exactly once.
        """
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        head = S3Hook("landing").head_object(file["key"], "landing")
        arrival = Arrival("landing", file["key"], file["etag"], file["bytes"], head["LastModified"])
        outcome = S3ToPostgresHook().load(FEED, arrival).outcome
        orders, back, pairs = PostgresHook("warehouse").get_first(COUNTS, parameters=file)
        if not file["rows"] == orders == back == pairs:
            raise AirflowFailException(f"{orders} orders, {file['rows']} in the file, {back} back")
        return {"outcome": outcome, "etag": file["etag"], "orders": orders, "back": back}

    load_back(export_orders(make_orders(DAY)))
