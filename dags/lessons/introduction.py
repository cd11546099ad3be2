"""
# 1. Introduction

## What
Airflow runs work in order, on time, and shows what became of it. This lesson is the work of this
whole project, at its smallest: a file lands in a bucket, its rows land in a table, and somebody
counts them. Each of the three steps is a **task**; the three together, with their order, are a
**DAG**.

## Why
A script could do the same, once. But who runs it at night, who tries again when the database is
away for a minute, who sees that step two failed and step three must not start, and who remembers
in a month which file brought which row? Airflow answers the first three. For the last there is the
**ledger**, a table with one row for each file that was loaded. So running it again is harmless.

## The code that matters
```python
count_rows(load_file(put_file()))
```
The tasks look like functions, and what one returns the next one takes. That makes the order:
`put_file`, then `load_file`, then `count_rows`.
```python
receipt = S3ToPostgresHook().load(FEED, arrival)
```
`FEED` says what the file looks like and into which table it goes. The hook loads it **exactly
once**: rows and ledger commit together.

## Look at
Trigger it (the button at the top right). Three squares turn green, one after the other: a click on
one shows its log. Then trigger it once more: the log of `load_file` now says `already_loaded`, and
`count_rows` counts three rows, as before.

## Since Airflow 2.9
Everything that a DAG file needs comes from `airflow.sdk`. A task can no longer reach into Airflow's
own database: it asks the API server.

## Exercise
Add a line for `Anna` to `PEOPLE`, save the file, and trigger the lesson. How many rows are there,
and how many rows has the ledger for this file?

The answer is in the tab [Code](/dags/lesson_01_introduction/code), below these words.

<details><summary>Answer</summary>
Four rows, not seven. The changed file is a new version of the same object: its rows take the place
of those that the first version brought. The ledger has two rows, the older one `superseded`.
Nobody had to clean up.
</details>
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from include.airflow_bridge import store_of
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
        """A file lands in the bucket; the same file, when it was there already."""
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        S3Hook("landing").load_string(PEOPLE, KEY, BUCKET, replace=True)
        return KEY

    @task
    def load_file(key: str) -> str:
        """Its rows land in the table, unless the ledger knows the file."""
        from include.landfall.s3.client import make_client
        from include.landfall.s3.listing import find_arrival

        arrival = find_arrival(make_client(store_of("landing")), BUCKET, key)
        receipt = S3ToPostgresHook().load(FEED, arrival)
        return receipt.outcome

    @task
    def count_rows(outcome: str) -> dict[str, Any]:
        """What is in the table now, and what the ledger says of the file."""
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        warehouse = PostgresHook("warehouse")
        (rows,) = warehouse.get_first(COUNT)
        ledger = [list(row) for row in warehouse.get_records(LEDGER, parameters=[FEED.name])]
        log.info("%s: %s rows in the table; the ledger has %s", outcome, rows, ledger)
        return {"outcome": outcome, "rows": rows, "ledger": ledger}

    count_rows(load_file(put_file()))
