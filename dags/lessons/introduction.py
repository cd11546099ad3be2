"""# 1. Introduction

## What
Airflow runs work in the right order and at the right time, and shows how it ended. This lesson does
what the whole project does, with one small file: the file lands in a bucket, its rows land in a
table, and a last step counts them. Each of the three steps is a **task**. The tasks and their order
are a **DAG**.

## Why
A script could do this once. But who starts it at night? Who tries again when the database does not
answer for a minute? Who stops step three when step two has failed? And who knows, a month later,
which file brought which row? Airflow answers the first three questions. The project's **ledger**
answers the last one: it is a table with one row for each file that was loaded. Because of the
ledger, it is safe to run the lesson again.

## The code that matters
```python
count_rows(load_file(put_file()))
```
The tasks look like functions, and each one takes what the task before it returned. This sets the
order: `put_file`, then `load_file`, then `count_rows`.
```python
receipt = S3ToPostgresHook().load(FEED, arrival)
```
`FEED` describes the file and names the table for its rows. The hook loads the file **exactly
once**: the rows and the ledger's row are committed together.

## Look at
Trigger the DAG with the button at the top right. Three squares turn green, one after the other.
Click one to see its log. Then trigger the DAG again: the log of `count_rows` now says
`already_loaded`, and there are three rows, as before.

## Since Airflow 2.9
What every DAG file needs, such as `DAG` and `task`, comes from `airflow.sdk`; operators come from
the providers. A task can no longer read Airflow's own database: it asks the API server.

## Exercise
Add a line for `Anna` to `PEOPLE`, save the file, and trigger the lesson. How many rows does the
table have now, and how many rows does the ledger have for this file?

The answer is in the tab [Code](/dags/lesson_01_introduction/code), below this text.

<details><summary>Answer</summary>
The table has four rows, not seven. The changed file is a new version of the same object, so its
rows replace those of the first version. The ledger has two rows, and the older one is
`superseded`. Nobody had to clean up.
</details>
"""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from include.airflow_bridge.connections import store_of
from include.landfall.feed.model import Feed
from plugins.s3_to_postgres import S3ToPostgresHook

log = logging.getLogger(__name__)
BUCKET, KEY = "landing", "lessons/introduction/people.csv"
PEOPLE = "name,born\nAda,1815\nGrace,1906\nMargaret,1936\n"
FEED = Feed.model_validate(
    {
        "feed": "lesson_introduction",
        "source": {"bucket": BUCKET, "pattern": KEY},
        "target": {"table": "lessons.introduction"},
        "columns": {"name": "text", "born": "smallint"},
    }
)
COUNT = "SELECT count(*) FROM lessons.introduction"
LEDGER = "SELECT key, rows, status FROM landfall.ledger WHERE feed = %s ORDER BY load_id"

with DAG(
    dag_id="lesson_01_introduction",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 1"],
    doc_md=__doc__,
):

    @task
    def put_file() -> str:
        """Puts the file into the bucket, also when it is there already."""
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        S3Hook("landing").load_string(PEOPLE, KEY, BUCKET, replace=True)
        return KEY

    @task
    def load_file(key: str) -> str:
        """Loads the file's rows into the table, unless the ledger has this version of the file."""
        from include.landfall.s3.client import make_client
        from include.landfall.s3.listing import find_arrival

        with closing(make_client(store_of("landing"))) as client:
            arrival = find_arrival(client, BUCKET, key)
        receipt = S3ToPostgresHook().load(FEED, arrival)
        return receipt.outcome

    @task
    def count_rows(outcome: str) -> dict[str, Any]:
        """Counts the rows of the table, and returns the ledger's rows for the file."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        warehouse = PostgresHook("warehouse")
        (rows,) = warehouse.get_first(COUNT)
        ledger = [list(row) for row in warehouse.get_records(LEDGER, parameters=[FEED.name])]
        log.info("%s: the table has %s rows; the ledger has %s", outcome, rows, ledger)
        return {"outcome": outcome, "rows": rows, "ledger": ledger}

    count_rows(load_file(put_file()))
