"""
# 17. Hooks

## What
A **hook** is a connection with a client: a Python class that looks a connection up and talks to
its server. Operators are made of hooks; where no operator fits, a task uses hooks itself. This
lesson takes the orders of one day from Postgres to a text file in S3, and from there back into
another table.

## Why
Three hooks, each for what it is good at:

| hook | comes with | good for |
|---|---|---|
| `PostgresHook` | provider `postgres` | statements, small answers: `run`, `get_first` |
| `S3Hook` | provider `amazon` | one object: `head_object`, `read_key`, `load_string` |
| `S3ToPostgresHook` | this project, in `plugins` | data of any size: `load`, `export` |

The first two hold what they fetch in memory (`get_records`, `read_key`): right for a count, wrong
for ten million rows. The third streams, writes an object whole or not at all, and loads a file
exactly once.

## The code that matters
```python
key = f"lessons/hooks/{day}.csv"
exported = S3ToPostgresHook().export(ORDERS, {"day": day}, bucket="landing", key=key)
```
- The **key has the run's day in it**, and the query an `ORDER BY`: the same day writes the same
  bytes to the same place, so the object keeps its ETag, a fingerprint of its content.
- **Loading it again does nothing**: the ledger knows that version of the object
  (`already_loaded`).
- The providers' hooks are imported **inside** the task. At the top of the file each parse would
  pay for it; ours brings in what it needs only when it is used.

## Look at
The XComs: `export_orders` left the object's address, rows and ETag, never the rows. `load_back`
left the counts of both tables, which are the file's too, or it would have failed. Clear the run
and look again: same ETag, `already_loaded`, same counts.

## Since Airflow 2.9
`BaseHook` is imported from `airflow.sdk`, and what it cannot find in the environment it asks the
API server for, not the metadata database. `PostgresHook` uses psycopg 3 where SQLAlchemy 2 is
installed, as here: values are then bound by the server, so a type may have to be named
(`%(day)s::date`).

## Exercise
Let the orders of a day change: in `MAKE` write `n * 20` for `n * 10`, and clear the run of that
day. What is the ETag now, what became of the load, and how many rows has `lessons.hooks_back` of
that day?

The answer is in the tab [Code](/dags/lesson_17_hooks/code), below these words.

<details><summary>Answer</summary>
Another content is another ETag, and so another **version** of the same object: it is `loaded`, and
takes the place of the rows that the first version brought. There are as many rows as before, with
the new amounts; `landfall.ledger` calls the first version `superseded`.
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
MAKE = [
    "CREATE SCHEMA IF NOT EXISTS lessons",
    "CREATE TABLE IF NOT EXISTS lessons.hooks_orders (day date, order_id int, amount int)",
    "DELETE FROM lessons.hooks_orders WHERE day = %(day)s::date",
    "INSERT INTO lessons.hooks_orders SELECT %(day)s::date, n, n * 10 FROM generate_series(1, 5) n",
]
ORDERS = "SELECT * FROM lessons.hooks_orders WHERE day = %(day)s::date ORDER BY order_id"
# Pairs each order with the row that came back for it, and keeps those that found no partner.
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
        """The day's orders, as a shop would have left them in its database."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        PostgresHook("warehouse").run(MAKE, parameters={"day": day})
        return day

    @task
    def export_orders(day: str) -> dict[str, Any]:
        """From the table to a text file in the bucket."""
        key = f"lessons/hooks/{day}.csv"
        exported = S3ToPostgresHook().export(ORDERS, {"day": day}, bucket="landing", key=key)
        return {"day": day, "key": key, **exported.as_dict()}

    @task
    def load_back(file: dict[str, Any]) -> dict[str, Any]:
        """From the file into another table; fails unless each order came back, once."""
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
