"""
# 14. SQL on Postgres

## What
`SQLExecuteQueryOperator` sends SQL to a database by a connection's name. Here it makes a table,
and then fills one day of it: it deletes the day's rows and inserts them anew.

## Why
A run is repeated: after a failure, or because somebody clears it. Inserting alone would then give
every row twice. *Delete the day, insert the day* gives the same table however often it runs (it is
**idempotent**), if both happen or neither does. That is what a transaction is for.

## The code that matters
```python
fill_day = SQLExecuteQueryOperator(
    conn_id="warehouse",
    parameters={"day": DAY, "orders": "{{ params.orders }}"},
    sql=["DELETE …", "INSERT …", "SELECT …"],
)
```
- **One transaction.** The operator runs the statements of a list one by one on one connection,
  with `autocommit` off unless you turn it on, and commits once, after the last. If one fails, none
  happened.
- **A list**, because Postgres takes one statement at a time when values are bound. Of one text
  with several statements, `split_statements=True` makes such a list.
- **Values are bound**, by `%(day)s` and `parameters`: they travel beside the SQL, so none can
  become SQL. `{{ … }}` inside the SQL would be spliced into its text; in `parameters` it only
  fills the value.
- **The day** is the run's logical date, not today's: clearing the run of last Monday refills last
  Monday.

## Look at
*Rendered Templates* of `fill_day`: the parameters as they were filled in. Its XCom: what the last
`SELECT` gave; the statements before it gave no rows, so they are `null`.

## Since Airflow 2.9
`PostgresOperator` has gone, and so have its siblings for other databases: this one operator of the
provider `common.sql` serves them all. A run that is triggered without a logical date has none
(`logical_date` is `None` and `ds` is not defined), so the lesson falls back to `run_after`.

## Exercise
Trigger the lesson, clear the run, and look at the table:
```sh
eval "$(make -s env)"
psql -c "SELECT day, count(*) FROM lessons.postgres GROUP BY day"
```
Now give `fill_day` the argument `autocommit=True`, save, and trigger a run with the configuration
`{"orders": "many"}` and the same logical date. (A date has one run: delete the old one first, or
Airflow refuses.) What is left of the day, and why?

The answer is in the tab [Code](/dags/lesson_14_postgres/code), below these words.

<details><summary>Answer</summary>
After the clearing there are still five rows: deleted and inserted anew. With `autocommit=True`
each statement commits by itself: the DELETE stays, the INSERT fails on `many`, and the day is
empty until somebody mends it. Without it, the failed INSERT takes the DELETE back with it, and the
five rows are still there.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator
from airflow.sdk import DAG

DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"

with DAG(
    dag_id="lesson_14_postgres",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"orders": 5},
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 14"],
    doc_md=__doc__,
):
    make_table = SQLExecuteQueryOperator(
        task_id="make_table",
        conn_id="warehouse",
        sql=[
            "CREATE SCHEMA IF NOT EXISTS lessons",
            "CREATE TABLE IF NOT EXISTS lessons.postgres"
            " (day date, order_id integer, amount numeric(9, 2), PRIMARY KEY (day, order_id))",
        ],
    )
    fill_day = SQLExecuteQueryOperator(
        task_id="fill_day",
        conn_id="warehouse",
        parameters={"day": DAY, "orders": "{{ params.orders }}"},
        sql=[
            "DELETE FROM lessons.postgres WHERE day = %(day)s::date",
            "INSERT INTO lessons.postgres SELECT %(day)s::date, n, n * 9.95"
            " FROM generate_series(1, %(orders)s::integer) AS n",
            "SELECT day::text, count(*), sum(amount)::text FROM lessons.postgres"
            " WHERE day = %(day)s::date GROUP BY day",
        ],
    )
    make_table >> fill_day
