"""
# 9. XCom

## What
What one task gives another is an **XCom**: a value under a key, of one task in one run. `push`
leaves values of four sizes, `pull` fetches them and says what came.

## Why
Tasks share no memory. They may run on different machines, a day apart. A small value (a count, a
day, the name of a file) goes through Airflow's database, and everybody can see it. Data does not
belong there: pass a **reference** to it.

## The code that matters
```python
ti.xcom_push(key="small", value="…")                  # under a key of one's own
return ORDERS                                         # under the key return_value
ti.xcom_pull(task_ids="push", key="small")            # by task and key
ti.xcom_pull(task_ids="push")                         # what it returned
```
How big may it be? Measured by `make lessons L=xcom`, in bytes:

| key | value as JSON | in the database | in the bucket |
|---|---|---|---|
| `small` | 12 | 12 | |
| `beyond_48_kb` | 100,002 | 100,002 | |
| `big` | 2,000,002 | an address, less than 200 | 2,000,002 |
| `reference` | 25 | 25 | the 2,000,000 of the file |

- **48 KB** is folklore. Airflow 1 had a constant, `MAX_XCOM_SIZE = 49344`, for MySQL, whose column
  took 64 KB until Airflow 2.9. Today the column is JSON, and nothing in Airflow looks at the size:
  100,002 bytes go through. On Postgres the end is at 256 MB (268,435,455 bytes), for its `jsonb`.
- **It is a good rule all the same.** The value goes from the task through its supervisor and the
  API server into the database, whole, in memory each time, and back for each task that pulls it;
  and there it stays, for each run.
- **The object-storage backend** is for values that grow now and then. Three settings of the whole
  Airflow (`include/local/airflow/home.py`), and no line in the DAG:

```sh
AIRFLOW__CORE__XCOM_BACKEND=airflow.providers.common.io.xcom.backend.XComObjectStorageBackend
AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_PATH=s3://landing@landing/xcom
AIRFLOW__COMMON_IO__XCOM_OBJECTSTORAGE_THRESHOLD=1000000
```

  A value of a million bytes or more is an object in the bucket `landing` (by the connection
  `landing`), and the database has its address. A task that runs again deletes its old one.
- **A reference of one's own** is the best way for data: `push` writes a file and hands on its name.

## Look at
A task's tab *Storage* has its XComs. Those of `push`: `big` is an address, all the
others are themselves. Those of `pull`: how long each value was when it came back.

## Since Airflow 2.9
XComs are JSON: pickling has gone, and what JSON does not know must say how it becomes JSON.
`xcom_pull(key=…)` without `task_ids` means the task itself; it used to look at every task.

## Exercise
What does `xcom_pull` give for a key that nobody pushed? And make `big` small enough for the
database without changing a setting.

The answer is in the tab [Code](/dags/lesson_09_xcom/code), below these words.

<details><summary>Answer</summary>
`None`, and no error: so a misspelt key is found late, if at all. For the second, a size of 999_997
in `SIZES` is the most that stays: two quotation marks make 999,999 bytes of it, and at 1,000,000
the threshold is reached.
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
    """Leave a value of each size, and a reference to a file."""
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    for key, size in SIZES.items():
        ti.xcom_push(key=key, value="x" * size)
    S3Hook("landing").load_string("x" * SIZES["big"], KEY, "landing", replace=True)
    ti.xcom_push(key="reference", value=KEY)
    return ORDERS


def pull_values(ti: Any) -> dict[str, Any]:
    """Fetch them, and say how long each was."""
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
