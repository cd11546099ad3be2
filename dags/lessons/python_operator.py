"""# 8. A task in Python

## What
Three tasks, each a Python function: `make_orders` makes orders, `sum_orders` adds them up for each
customer, and `report` writes one line about them. The next two lessons continue with this pipeline.

## Why
A `PythonOperator` runs a function that you wrote. Its arguments can come from four sources, and
this lesson uses all four.

## The code that matters
```python
PythonOperator(task_id="make_orders", python_callable=orders, op_args=["{{ params.count }}"])
PythonOperator(…, python_callable=line, op_kwargs={"currency": "EUR", "day": DAY})
```
- **`op_args`** are arguments by position, written in the DAG file.
- **`op_kwargs`** are arguments by name.
- **A template**, `{{ … }}`, in either of them is filled in just before the task runs. The result is
  always text: `make_orders` gets `"6"`, and its function makes an `int` of it.
- **The context**: Airflow fills in an argument that is named `ti`, `dag_run`, `params`, `run_id` or
  like another value of the context. `totals` takes `ti`, its task instance, and uses it to read
  what another task returned.

Airflow keeps what a function returns for the other tasks. This value is an *XCom*, and the next
lesson is about it. Import inside the function what only the function needs: Airflow runs the
imports at the top of the file each time it parses the file.

## Look at
*Rendered Templates* of `report` shows the day that was filled in. *Storage* shows the line, its
XCom. Trigger the DAG with another `count`; the dialogue asks for it because of `params`.

## Since Airflow 2.9
`PythonOperator` moved from `airflow.operators.python` to `airflow.providers.standard`. Old code may
have `provide_context=True`, which Airflow now refuses: the context is always there.

## Exercise
Let `report` name the run that it belongs to, without a template and without `op_kwargs`. And what
happens when a function has an argument that is neither given nor in the context?

The answer is in the tab [Code](/dags/lesson_08_python_operator/code), below this text.

<details><summary>Answer</summary>
Give `line` one more argument, `run_id`, and put it into the text: the context fills it in. For an
argument without a value Python raises its usual error, `line() missing 1 required positional
argument`. The task fails, is tried two more times, and ends as failed.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"


def orders(count: str) -> list[dict[str, Any]]:
    """Returns this number of orders, of three customers in turn."""
    return [{"order": n, "customer": "ABC"[n % 3], "amount": n * 10} for n in range(int(count))]


def totals(ti: Any) -> dict[str, int]:
    """Returns the sum of the orders' amounts for each customer."""
    sums: dict[str, int] = {}
    for order in ti.xcom_pull(task_ids="make_orders"):
        sums[order["customer"]] = sums.get(order["customer"], 0) + order["amount"]
    return sums


def line(ti: Any, day: str, currency: str) -> str:
    """Returns one line of text about the sums."""
    sums = ti.xcom_pull(task_ids="sum_orders")
    parts = [f"{customer} {sums[customer]} {currency}" for customer in sorted(sums)]
    return f"{day}: {', '.join(parts)}, {sum(sums.values())} {currency} in all"


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
