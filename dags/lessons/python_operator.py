"""
# 8. A task in Python

## What
Three tasks, each a Python function: `make_orders` makes orders, `sum_orders` adds them up by
customer, `report` writes a line about them. The next two lessons take this pipeline up.

## Why
A `PythonOperator` runs a function of yours. What such a function needs comes to it in four ways,
and all of them are here.

## The code that matters
```python
PythonOperator(task_id="make_orders", python_callable=orders, op_args=["{{ params.count }}"])
PythonOperator(…, python_callable=line, op_kwargs={"currency": "EUR", "day": DAY})
```
- **`op_args`**: arguments by their place, fixed when the file is read.
- **`op_kwargs`**: arguments by name.
- **A template** in either, `{{ … }}`, is filled in just before the task runs. What comes out of it
  is always text: `make_orders` is given `"6"`, and its function makes an `int` of it.
- **The context**: an argument named `ti`, `dag_run`, `params`, `run_id`, … is filled in by Airflow.
  `totals` asks for `ti`, its task instance, and by it for what another task returned.

What a function returns is kept for the others: an *XCom*, which is the next lesson. Whatever the
function needs, it imports itself: an import at the top of the file is paid for at each parse.

## Look at
*Rendered Templates* of `report`: the day, filled in. *Storage*: the line, its XCom. Trigger it
with another `count`; the dialogue asks for it because of `params`.

## Since Airflow 2.9
`PythonOperator` moved from `airflow.operators.python` to `airflow.providers.standard`.
`provide_context=True`, still seen in old code, is refused: the context is always there.

## Exercise
Have `report` say which run it speaks for, without a template and without `op_kwargs`. And what
happens if you ask for an argument that is neither given nor in the context?

The answer is in the tab [Code](/dags/lesson_08_python_operator/code), below these words.

<details><summary>Answer</summary>
Give `line` one more argument, `run_id`, and put it into the line: the context fills it in. An
argument that nobody fills is Python's own error: `line() missing 1 required positional argument`.
The task fails, is tried again twice, and fails.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"


def orders(count: str) -> list[dict[str, Any]]:
    """So many orders, of three customers in turn."""
    return [{"order": n, "customer": "ABC"[n % 3], "amount": n * 10} for n in range(int(count))]


def totals(ti: Any) -> dict[str, int]:
    """The orders' amounts by customer."""
    found: dict[str, int] = {}
    for order in ti.xcom_pull(task_ids="make_orders"):
        found[order["customer"]] = found.get(order["customer"], 0) + order["amount"]
    return found


def line(ti: Any, day: str, currency: str) -> str:
    """One line for people."""
    found = ti.xcom_pull(task_ids="sum_orders")
    parts = [f"{customer} {found[customer]} {currency}" for customer in sorted(found)]
    return f"{day}: {', '.join(parts)}, {sum(found.values())} {currency} in all"


with DAG(
    dag_id="lesson_08_python_operator",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"count": 6},
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 8"],
    doc_md=__doc__,
):
    make_orders = PythonOperator(
        task_id="make_orders",
        python_callable=orders,
        op_args=["{{ params.count }}"],
    )
    sum_orders = PythonOperator(
        task_id="sum_orders",
        python_callable=totals,
    )
    report = PythonOperator(
        task_id="report",
        python_callable=line,
        op_kwargs={"day": DAY, "currency": "EUR"},
    )
    make_orders >> sum_orders >> report
