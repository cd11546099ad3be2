"""# 14. SQL on Postgres

## What
`SQLExecuteQueryOperator` sends SQL to a database, which it finds by the name of a connection. Here
it creates a table, and then fills one day of it: it deletes the day's rows and inserts them again.

## Why
A run may be repeated, after a failure or because somebody clears it. If it only inserted, every row
would then be there twice. *Delete the day, insert the day* has the same result however often it
runs: it is **idempotent**. But both statements must take effect together or not at all, and a
transaction makes sure of that.

## The code that matters
```python
fill_day = SQLExecuteQueryOperator(
    conn_id="warehouse",
    parameters={"day": DAY, "orders": "{{ params.orders }}"},
    sql=["DELETE …", "INSERT …", "SELECT …"],
)
```
- **One transaction.** The operator runs the statements of a list one after the other on one
  connection. `autocommit` is off unless you turn it on, so the operator commits once, after the
  last statement. If one statement fails, none of them takes effect.
- **A list**, because Postgres takes only one statement at a time when values are bound. If you have
  one text with several statements, `split_statements=True` makes such a list of it.
- **Values are bound** with `%(day)s` and `parameters`: they travel separately from the SQL, so no
  value can become SQL. Do not write `{{ … }}` inside the SQL, because Airflow would put the value
  into its text. In `parameters`, `{{ … }}` only fills in the value.
- **The day** is the run's logical date, and not today: when you clear the run of last Monday, it
  fills last Monday again.

## Look at
*Rendered Templates* of `fill_day` shows the parameters that were filled in. Its XCom has the result
of the last `SELECT`. The statements before it return no rows, so their results are `null`.

## Since Airflow 2.9
`PostgresOperator` no longer exists, nor do the similar operators for other databases. This one
operator of the provider `common.sql` replaces them all. A run that is triggered without a logical
date has none (`logical_date` is `None` and `ds` is not defined), so the lesson uses `run_after`
instead.

## Exercise
Trigger the lesson, clear the run, and look at the table:
```sh
eval "$(make -s env)"
psql -c "SELECT day, count(*) FROM lessons.postgres GROUP BY day"
```
Now give `fill_day` the argument `autocommit=True`, save the file, and trigger the lesson once more
on the same day. In the dialogue, write `many` as *orders*. What is left of the day, and why?

The answer is in the tab [Code](/dags/lesson_14_postgres/code), below this text.

<details><summary>Answer</summary>
After you cleared the run there are still five rows: the run deleted and inserted them again. With
`autocommit=True` each statement commits on its own: the DELETE takes effect, the INSERT fails on
`many`, and the day stays empty until somebody repairs it. Without `autocommit=True`, Postgres also
undoes the DELETE when the INSERT fails, and the five rows are still there.
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
    params={"orders": "5"},
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
