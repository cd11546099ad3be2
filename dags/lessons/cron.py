"""# 12. Cron

## What
A DAG that runs at 02:30 in Berlin. Its task asks Airflow's own timetable for the next ten runs, and
for the runs on the two days when the clocks change.

## Why
A cron expression has five fields: minute, hour, day of the month, month, day of the week. It is
short, and easy to misread. So Airflow has names for the usual ones, and you should look at the next
runs before you rely on an expression.

## The code that matters
```python
schedule=CronTriggerTimetable("30 2 * * *", timezone="Europe/Berlin")
```
A plain cron text, `schedule="30 2 * * *"`, means the same in the time zone of `start_date`, which
here is UTC.

| schedule | cron | the first run after Wednesday, 2026-07-01 12:00 UTC |
|---|---|---|
| `@hourly` | `0 * * * *` | Wed 2026-07-01 13:00 |
| `@daily` | `0 0 * * *` | Thu 2026-07-02 00:00 |
| `@weekly` | `0 0 * * 0` | Sun 2026-07-05 00:00 |
| `@monthly` | `0 0 1 * *` | Sat 2026-08-01 00:00 |
| `@quarterly` | `0 0 1 */3 *` | Thu 2026-10-01 00:00 |
| `@yearly` | `0 0 1 1 *` | Fri 2027-01-01 00:00 |
| every quarter of an hour | `*/15 * * * *` | Wed 2026-07-01 12:15 |
| on workdays | `30 2 * * 1-5` | Thu 2026-07-02 02:30 |
| the 1st, **or** a Monday | `0 0 1 * 1` | Mon 2026-07-06 00:00 |

(Three schedules are not cron. `@once` means one run and no more, `@continuous` means a new run as
soon as the last one has ended, and `None` means only runs that are triggered.)

When the clocks change in Berlin, these runs start between 01:00 and 04:00 of that day:

| day | `30 2 * * *` | `30 * * * *` |
|---|---|---|
| 2026-03-29, no 02:30 | 03:30+02:00 | 01:30+01:00, 03:30+02:00 |
| 2026-10-25, two 02:30s | 02:30+01:00 | 01:30+02:00, 02:30+02:00, 02:30+01:00, 03:30+01:00 |

The daily run is neither left out nor doubled, but in March it starts an hour late. The hourly run
starts once in every real hour. Where this matters, choose UTC, or an hour that every day has
exactly once.

**Timetable and data interval.** Two timetables read the same cron expression:

| `@daily`, the run that starts on 2026-07-02 00:00 | logical date | data interval |
|---|---|---|
| `CronTriggerTimetable` | 2026-07-02 | 2026-07-02 to 2026-07-02 |
| `CronDataIntervalTimetable` | 2026-07-01 | 2026-07-01 to 2026-07-02 |

The first one says *when* to run. The second one says *for which time*, and runs when that time is
over.

## Look at
The list of DAGs shows the cron expression; hold the pointer over it to read it in words. When you
unpause the DAG, *Next Run* has a time too, in the zone that the clock at the bottom left names, and
the DAG has one run for the last 02:30, and none for earlier days (`catchup=False`). The XCom of
`next_runs` (its tab *Storage*) has the runs.

## Since Airflow 2.9
A cron text, and each preset, is now a `CronTriggerTimetable`; it used to be a
`CronDataIntervalTimetable`. So a `@daily` run starts at the same minute as before, but its logical
date is a day later. The setting `AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS=True` restores the
old meaning.

## Exercise
Trigger the lesson, and write `0 9 1-7 * 1` as *cron* in the dialogue. Does it mean the first Monday
of each month?

The answer is in the tab [Code](/dags/lesson_12_cron/code), below this text.

<details><summary>Answer</summary>
No. It means the 1st to the 7th of each month, and every Monday as well: when an expression
restricts both the day of the month and the day of the week, a day that fits either of them is
enough. Airflow also understands `0 9 * * 1#1`, which is the first Monday. Ordinary cron does not.
</details>
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, task

CRON, ZONE = "30 2 * * *", "Europe/Berlin"
CLOCKS_CHANGE = ("2026-03-29", "2026-10-25")


def runs_after(timetable: Any, moment: datetime, count: int) -> list[Any]:
    """Returns the next runs as the scheduler computes them, each from the run before it."""
    from airflow.timetables.base import TimeRestriction

    restriction = TimeRestriction(earliest=moment, latest=None, catchup=True)
    runs: list[Any] = []
    for _ in range(count):
        last = runs[-1].data_interval if runs else None
        runs.append(
            timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        )
    return runs


with DAG(
    dag_id="lesson_12_cron",
    schedule=CronTriggerTimetable(CRON, timezone=ZONE),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    params={"cron": CRON, "zone": ZONE},
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 12"],
    doc_md=__doc__,
):

    @task
    def next_runs(params: dict[str, str]) -> dict[str, list[str]]:
        """Returns the next runs from now, and those from the days when the clocks change."""
        import pendulum
        from airflow.timetables.trigger import CronTriggerTimetable as Timetable

        cron, zone = params["cron"], params["zone"]
        timetable = Timetable(cron, timezone=zone)
        starts = {"now": pendulum.now("UTC")}
        starts |= {
            day: pendulum.from_format(day, "YYYY-MM-DD", zone).in_timezone("UTC")
            for day in CLOCKS_CHANGE
        }
        return {
            name: [
                run.run_after.in_timezone(zone).isoformat()
                for run in runs_after(timetable, start, 10)
            ]
            for name, start in starts.items()
        }

    next_runs()
