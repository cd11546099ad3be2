"""
# 10. TaskFlow

## What
The pipeline of lesson 8 once more: orders made, summed up, reported. Same tasks, same values handed
on, same result, about half the code.

## Why
With operators you say everything twice: what a task returns, and who pulls it under which name; who
needs whose value, and which arrow there is. In **TaskFlow** a task is a function with `@task` above
it, and handing a value on is a call.

## The code that matters
```python
report(sum_orders(make_orders("{{ params.count }}")), DAY, "EUR")
```
This line runs nothing. It is read when the file is parsed: each call makes a task and gives back a
stand-in for the value that the task will return. Passed to another task, the stand-in is both: the
`xcom_pull`, and the arrow.

| | classic (lesson 8) | TaskFlow |
|---|---|---|
| a task | a function, and an operator that names it | a function with `@task` |
| a value from another task | `ti.xcom_pull(task_ids="make_orders")` | an argument |
| the order | `make_orders >> sum_orders >> report` | follows from the values |
| lines, from the first function on, without the DAG's own arguments | 26 | 14 |

Both are the same to Airflow, and they mix: an operator has `.output`, which a TaskFlow task takes,
and `>>` works between all of them.

## Look at
The graph (press `g`): the same three squares as lesson 8. *Storage* of each task: the same values.

## Since Airflow 2.9
`from airflow.sdk import task`; before it was `airflow.decorators`, which still works but warns. A
task no longer reaches the metadata database: what it asks for goes through the API server.

## Exercise
Add a task `largest` that returns the largest order's amount, and runs beside `sum_orders`. Which
line says that it runs beside it, and not after it?

The answer is in the tab [Code](/dags/lesson_10_taskflow/code), below these words.

<details><summary>Answer</summary>
Write `@task`, below it `def largest(orders): return max(order["amount"] for order in orders)`, and
at the end two lines for one: `orders = make_orders("{{ params.count }}")`, then
`report(sum_orders(orders), DAY, "EUR")` and `largest(orders)`. No line says *beside*: both take
`orders`, neither takes the other's value, so neither waits for the other.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

DAY = "{{ (dag_run.logical_date or dag_run.run_after) | ds }}"


@task
def make_orders(count: str) -> list[dict[str, Any]]:
    """So many orders, of three customers in turn."""
    return [{"order": n, "customer": "ABC"[n % 3], "amount": n * 10} for n in range(int(count))]


@task
def sum_orders(orders: list[dict[str, Any]]) -> dict[str, int]:
    """The orders' amounts by customer."""
    totals: dict[str, int] = {}
    for order in orders:
        totals[order["customer"]] = totals.get(order["customer"], 0) + order["amount"]
    return totals


@task
def report(totals: dict[str, int], day: str, currency: str) -> str:
    """One line for people."""
    parts = [f"{customer} {totals[customer]} {currency}" for customer in sorted(totals)]
    return f"{day}: {', '.join(parts)}, {sum(totals.values())} {currency} in all"


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
