"""# 10. TaskFlow

## What
The pipeline of lesson 8 again: it makes orders, adds them up and reports them. The tasks, their
values and the result are the same, in about half the code.

## Why
With operators you write everything twice: what a task returns, and who pulls it under which name;
who needs which value, and which arrow there is. In **TaskFlow** a task is a function with `@task`
above it, and you hand a value on with a function call.

## The code that matters
```python
report(sum_orders(make_orders("{{ params.count }}")), DAY, "EUR")
```
This line runs no task. Python runs it when Airflow parses the file: each call makes a task, and
returns a placeholder for the value that the task will return later. When you pass the placeholder
to another task, you get both the `xcom_pull` and the arrow.

| | classic (lesson 8) | TaskFlow |
|---|---|---|
| a task | a function, and an operator that names it | a function with `@task` |
| a value from another task | `ti.xcom_pull(task_ids="make_orders")` | an argument |
| the order | `make_orders >> sum_orders >> report` | follows from the values |
| lines, from the first function on, without the DAG's own arguments | 26 | 14 |

To Airflow both are the same, and you can mix them: an operator has `.output`, which you can pass to
a TaskFlow task, and `>>` works between all of them.

## Look at
The graph (press `g`) shows the same three squares as in lesson 8. *Storage* of each task shows the
same values.

## Since Airflow 2.9
Write `from airflow.sdk import task`. The old import from `airflow.decorators` still works, with a
warning. A task no longer reads the metadata database: it asks the API server for what it needs.

## Exercise
Add a task `largest` that returns the amount of the largest order, and runs beside `sum_orders`.
Which line says that it runs beside `sum_orders`, and not after it?

The answer is in the tab [Code](/dags/lesson_10_taskflow/code), below this text.

<details><summary>Answer</summary>
Write `@task`, and below it `def largest(orders): return max(order["amount"] for order in orders)`.
At the end of the file, first write `orders = make_orders("{{ params.count }}")`, then
`report(sum_orders(orders), DAY, "EUR")`, then `largest(orders)`. No line says *beside*: both tasks
take `orders`, and neither takes the other's value, so neither waits for the other.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"


@task
def make_orders(count: str) -> list[dict[str, Any]]:
    """Returns this number of orders, of three customers in turn."""
    return [{"order": n, "customer": "ABC"[n % 3], "amount": n * 10} for n in range(int(count))]


@task
def sum_orders(orders: list[dict[str, Any]]) -> dict[str, int]:
    """Returns the sum of the orders' amounts for each customer."""
    sums: dict[str, int] = {}
    for order in orders:
        sums[order["customer"]] = sums.get(order["customer"], 0) + order["amount"]
    return sums


@task
def report(sums: dict[str, int], day: str, currency: str) -> str:
    """Returns one line of text about the sums."""
    parts = [f"{customer} {sums[customer]} {currency}" for customer in sorted(sums)]
    return f"{day}: {', '.join(parts)}, {sum(sums.values())} {currency} in all"


with DAG(
    dag_id="lesson_10_taskflow",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"count": 6},
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 10"],
    doc_md=__doc__,
):
    report(sum_orders(make_orders("{{ params.count }}")), DAY, "EUR")
