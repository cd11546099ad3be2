"""# 9. XCom

## What
A value that one task leaves for others is an **XCom**. It belongs to one task in one run, and has a
key. `push` leaves values of four sizes; `pull` fetches them and reports what it got.

## Why
Tasks share no memory: they may run on different machines, a day apart. A small value (a count, a
day, the name of a file) goes through Airflow's database, where everybody can see it. Data does not
belong there. Pass a **reference** to it instead.

## The code that matters
```python
ti.xcom_push(key="small", value="…")                  # under a key that you choose
return ORDERS                                         # under the key return_value
ti.xcom_pull(task_ids="push", key="small")            # by task and key
ti.xcom_pull(task_ids="push")                         # what the task returned
```
How big may it be? `make lessons L=xcom` measures these sizes, in bytes:

| key | value as JSON | in the database | in the bucket |
|---|---|---|---|
| `small` | 12 | 12 | |
| `beyond_48_kb` | 100,002 | 100,002 | |
| `big` | 2,000,002 | an address, less than 200 | 2,000,002 |
| `reference` | 25 | 25 | the 2,000,000 of the file |

- **The limit of 48 KB**, which many texts name, does not exist. Airflow 2 still had a constant,
  `MAX_XCOM_SIZE = 49344`, because MySQL's column took 64 KB until Airflow 2.9; but it compared no
  XCom with it. Today the column is JSON, and Airflow does not check the size either: 100,002 bytes
  are no problem. On Postgres the limit is 256 MB (268,435,455 bytes), because that is the limit of
  its type `jsonb`.
- **48 KB is a good rule all the same.** The whole value travels from the task through its
  supervisor and the API server into the database, each of which holds it in memory. It travels back
  for each task that pulls it, and the database keeps it for each run.
- **The object-storage backend** is for values that are sometimes big. It takes three settings for
  the whole Airflow (`include/local/airflow/home.py`), and no line in the DAG:

```sh
AIRFLOW__CORE__XCOM_BACKEND=airflow.providers.common.io.xcom.backend.XComObjectStorageBackend
AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH=s3://landing@landing/xcom
AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD=1000000
```

  A value of a million bytes or more becomes an object in the bucket `landing` (through the
  connection `landing`), and the database has only its address. When a task runs again, its old
  object is deleted.
- **A reference** is the best choice for data: `push` writes a file and hands on its name.

## Look at
The tab *Storage* of a task has its XComs. Those of `push`: `big` is an address, all the others are
the values themselves. Those of `pull`: the length of each value that came back.

## Since Airflow 2.9
XComs are JSON. Pickling no longer exists, so a class that JSON does not know must define how it
becomes JSON. `xcom_pull(key=…)` without `task_ids` now looks only at the task itself; it used to
look at every task.

## Exercise
What does `xcom_pull` return for a key that no task pushed? And how can you make `big` small enough
for the database without changing a setting?

The answer is in the tab [Code](/dags/lesson_09_xcom/code), below this text.

<details><summary>Answer</summary>
It returns `None`, and raises no error, so a misspelt key is easy to miss. For the second question,
write a size of 999_997 in `SIZES`. This is the biggest value that stays in the database: with its
two quotation marks it has 999,999 bytes, and the threshold is 1,000,000.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

ORDERS = [{"order": 1, "amount": 10}, {"order": 2, "amount": 20}]
SIZES = {"small": 10, "beyond_48_kb": 100_000, "big": 2_000_000}
KEY = "lessons/xcom/orders.txt"


def push_values(ti: Any) -> list[dict[str, int]]:
    """Pushes a value of each size, and a reference to a file."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    for key, size in SIZES.items():
        ti.xcom_push(key=key, value="x" * size)
    S3Hook("landing").load_string("x" * SIZES["big"], KEY, "landing", replace=True)
    ti.xcom_push(key="reference", value=KEY)
    return ORDERS


def pull_values(ti: Any) -> dict[str, Any]:
    """Pulls the values, and returns how long each of them is."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    pulled = {key: ti.xcom_pull(task_ids="push", key=key) for key in SIZES}
    reference = ti.xcom_pull(task_ids="push", key="reference")
    pulled["reference"] = S3Hook("landing").read_key(reference, "landing")
    sizes = {key: len(value) for key, value in pulled.items() if set(value) == {"x"}}
    return {"returned": ti.xcom_pull(task_ids="push"), "sizes": sizes}


with DAG(
    dag_id="lesson_09_xcom",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 9"],
    doc_md=__doc__,
):
    push = PythonOperator(task_id="push", python_callable=push_values)
    pull = PythonOperator(task_id="pull", python_callable=pull_values)
    push >> pull
