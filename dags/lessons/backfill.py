r"""# 11. Catch-up and backfill

## What
A DAG for the first five days of January 2024. Each day has its own file in the bucket. When you
unpause the DAG, Airflow runs it for all five days: it **catches up**. When the files of some days
change later, a **backfill** runs the DAG again for those days, and for no others.

## Why
When a schedule starts in the past, Airflow either runs the missed days (`catchup=True`) or leaves
them out (`catchup=False`, the default). A day that has run may have to run again, because its file
was sent again or because of a mistake. For both, a run must know the day that it is *for*, which is
its logical date, and must have the same result when it runs twice.

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
  the table. It loads the same version once, and the rows of a changed file replace the file's old
  rows. So the lesson needs no `force=True`, and a day whose file did not change is not loaded
  again. With plain SQL you would delete the day's rows and insert them again, as in lesson 14.

## Look at
Unpause the DAG with the switch beside its name. Do not trigger it: that would add a run for today.
The tab *Runs* soon has five, one for each day, although all of them took place today. Then change
the file of a day, and backfill two days:

```sh
eval "$(make -s env)"
printf 'day,order_id,amount\n2024-01-02,1,99\n' > /tmp/day.csv
.venv/bin/python -m include.local put /tmp/day.csv lessons/backfill/2024-01-02.csv
.venv/bin/airflow backfill create --dag-id lesson_11_backfill \
  --from-date 2024-01-02 --to-date 2024-01-03 --reprocess-behavior completed
```

There are still five runs, because each day has one run. Airflow cleared the two runs in the range
and ran them again, and they now have the icon of a backfill. The tab *Backfills* lists the
backfill. The XCom of the 2nd says `loaded` and one row, that of the 3rd `already_loaded`: its file
is as it was. (The dialogue of *Trigger* has *Backfill* too.) This is what `--reprocess-behavior`
does with a day of the range:

| | the day has no run | its run failed | its run succeeded |
|---|---|---|---|
| `none` (the default) | runs | left alone | left alone |
| `failed` | runs | runs again | left alone |
| `completed` | runs | runs again | runs again |

## Since Airflow 2.9
`airflow dags backfill` ran everything in your terminal, without the scheduler. Now the scheduler
runs a backfill, and you can watch, pause and cancel it in the UI. A DAG has at most one backfill at
a time. `catchup` used to be on by default; now it is off. With today's `@daily`, the run of 2
January starts when that day begins; it used to start when the day was over (see lesson 12).

## Exercise
Backfill 4 to 8 January with `--reprocess-behavior none --dry-run`. How many runs would there be,
and why?

The answer is in the tab [Code](/dags/lesson_11_backfill/code), below this text.

<details><summary>Answer</summary>
Three: the 6th, the 7th and the 8th, which have no run yet. The 4th and the 5th have a run that
succeeded, and `none` leaves them alone; with `completed` there would be five. A backfill looks only
at the cron expression, so it goes beyond the DAG's `end_date`, where catching up stops.
(`--dry-run` only prints the list.)
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
        """Loads the file of the run's day, and creates the file first if there is none."""
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
