"""
# 11. Catch-up and backfill

## What
A DAG for the first five days of January 2024, each with a file of its own in the bucket. As soon as
it is unpaused, Airflow runs it for all five: it **catches up**. Later, files of some days change,
and a **backfill** runs those days again, and no others.

## Why
A schedule that begins in the past has runs to make up for (`catchup=True`), or has not
(`catchup=False`, the default). And what has run may have to run again: a file was sent anew, a
mistake was mended. For both, a run must know the day that it is *for*, which is its logical date,
and must be free to run twice.

## The code that matters
```python
day = f"{logical_date:%Y-%m-%d}"
key = f"lessons/backfill/{day}.csv"
…
S3ToPostgresHook().load(FEED, arrival)
```
- The day comes from the run, never from the clock: `datetime.now()` would load today's file five
  times.
- Loading twice must not double the rows. The hook's ledger knows which version of which file is in
  the table: the same version is loaded once, a changed one takes the place of its own rows. So no
  `force=True`: a day whose file did not change costs nothing. With plain SQL you would delete the
  day and insert it anew, as in lesson 14.

## Look at
The grid: five columns, one for each day, though all ran today. Then change two files and backfill:

```sh
eval "$(make -s env)"
.venv/bin/airflow backfill create --dag-id lesson_11_backfill \\
  --from-date 2024-01-02 --to-date 2024-01-03 --reprocess-behavior completed
```

There are still five runs: a day has one. The two in the range were cleared and run again, and the
icon of their run type is now the backfill's. The tab *Backfills* lists it. What
`--reprocess-behavior` does to a day of the range:

| | the day has no run | its run failed | its run succeeded |
|---|---|---|---|
| `none` (the default) | runs | left alone | left alone |
| `failed` | runs | runs again | left alone |
| `completed` | runs | runs again | runs again |

## Since Airflow 2.9
`airflow dags backfill` ran everything in your terminal, beside the scheduler. Now a backfill is an
object of its own: the scheduler runs it, the UI shows, pauses and cancels it, and a DAG has one at
a time. `catchup` was on unless you turned it off; now it is off. With the `@daily` of today a run
of 2 January starts as that day begins; it used to start when the day was over (see lesson 12).

## Exercise
Backfill 4 to 8 January with `--reprocess-behavior none --dry-run`. How many runs would there be,
and why?

The answer is in the tab [Code](/dags/lesson_11_backfill/code), below these words.

<details><summary>Answer</summary>
Three: the 6th, 7th and 8th, which have no run yet. The 4th and 5th have one that succeeded, and
`none` leaves them alone; with `completed` there would be five. A backfill asks the cron alone: it
goes past the DAG's `end_date`, where catching up stops. (`--dry-run` prints the list, no more.)
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, task

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from plugins.s3_to_postgres import S3ToPostgresHook

FEED = Feed.model_validate(
    {
        "feed": "lesson_backfill",
        "source": {"bucket": "landing", "pattern": "lessons/backfill/*.csv"},
        "target": {"table": "lessons.backfill"},
        "columns": {"day": "date", "order_id": "integer", "amount": "integer"},
    }
)

with DAG(
    dag_id="lesson_11_backfill",
    schedule="@daily",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    end_date=datetime(2024, 1, 5, tzinfo=UTC),
    catchup=True,
    max_active_runs=5,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 11"],
    doc_md=__doc__,
):

    @task
    def load_day(logical_date: datetime) -> dict[str, Any]:
        """The file of the run's day into the table; made first, where the shop sent none."""
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook

        day = f"{logical_date:%Y-%m-%d}"
        key = f"lessons/backfill/{day}.csv"
        s3 = S3Hook("landing")
        if not s3.check_for_key(key, "landing"):
            orders = "".join(f"{day},{n},{n * 10}\n" for n in (1, 2, 3))
            s3.load_string("day,order_id,amount\n" + orders, key, "landing")
        head = s3.head_object(key, "landing")
        etag, size = head["ETag"].strip('"'), head["ContentLength"]
        arrival = Arrival("landing", key, etag, size, head["LastModified"])
        receipt = S3ToPostgresHook().load(FEED, arrival)
        return {"day": day, "outcome": receipt.outcome, "rows": receipt.rows}

    load_day()
