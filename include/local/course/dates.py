"""The walks of the lessons on dates: catch-up and backfill, cron."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from include.local.course.classroom import ENDED, Classroom, Run, Seen, expect
from include.local.demo.seed import BUCKET

BACKFILL, FOLDER = "lesson_11_backfill", "lessons/backfill/"
DAYS = tuple(f"2024-01-0{day}" for day in range(1, 6))
# The files of CHANGED change and are backfilled; the file of LEFT changes and is not.
CHANGED, LEFT = DAYS[1:3], DAYS[4]
CRON = "lesson_12_cron"


def backfill(room: Classroom) -> Seen:
    """Checks that each day has one run, and that a backfill changes only its own days' rows."""
    room.until(f"Airflow reads {BACKFILL}", lambda: BACKFILL in room.api.dags())
    _remove_other_days(room)
    _repair(room)
    room.api.unpause(BACKFILL)
    caught_up = _expect_a_run_a_day(room)
    before = _rows(room)
    expect(list(before) == list(DAYS), f"expected rows of each day, seen: {before}")
    amount = _change_files(room)
    _create(room, "completed")
    expected = {day: [2, amount] for day in CHANGED}
    changed = room.until("the changed files are in", lambda: _changed(room, expected))
    backfilled = _expect_a_run_a_day(room)
    for day in set(DAYS) - set(CHANGED):
        now, then = changed[day], before[day]
        expect(now == then, f"expected {day} to stay as it was, {then}, seen: {now}")
    _create(room, "none")
    left = _expect_a_run_a_day(room)
    expect(left == backfilled, f"expected no run to start, {backfilled}, seen: {left}")
    return Seen(
        f"{len(caught_up)} days, {len(left)} runs; a backfill ran {' and '.join(CHANGED)} again, "
        "and no other; with none: nothing",
        {"before": before, "after": changed, "caught_up": caught_up, "left": left},
    )


def _remove_other_days(room: Classroom) -> None:
    """Removes what a reader's own runs of other days have left: runs, files, rows."""
    for run in room.runs(BACKFILL):
        if str(run.logical_date)[:10] not in DAYS:
            if run.state not in ENDED:
                room.api.patch(run.path, {"state": "failed"})
            room.api.delete(run.path)
    keys = [f"{FOLDER}{day}.csv" for day in DAYS]
    for entry in room.client.list_objects_v2(Bucket=BUCKET, Prefix=FOLDER).get("Contents", []):
        if entry["Key"] not in keys:
            room.client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    if _rows(room):
        room.query("DELETE FROM lessons.backfill WHERE day::text <> ALL(%s)", list(DAYS))
        query = "DELETE FROM landfall.ledger WHERE feed = %s AND key <> ALL(%s)"
        room.query(query, "lesson_backfill", keys)


def _repair(room: Classroom) -> None:
    """Runs the days again whose run failed, or whose rows are gone, in a home that was used."""
    rows = _rows(room)
    for run in room.runs(BACKFILL):
        day = str(run.logical_date)[:10]
        if run.state == "failed" or day not in rows:
            if room.query("SELECT to_regclass('landfall.ledger')")[0][0]:
                query = "DELETE FROM landfall.ledger WHERE feed = %s AND key LIKE %s"
                room.query(query, "lesson_backfill", f"%{day}.csv")
            room.api.post(f"{run.path}/clear", {"dry_run": False})


def _rows(room: Classroom) -> dict[str, list[int]]:
    """Each day's number of rows, sum of amounts, and lowest and highest load id."""
    if not room.query("SELECT to_regclass('lessons.backfill')")[0][0]:
        return {}
    query = (
        "SELECT day::text, count(*), sum(amount), min(_load_id), max(_load_id)"
        " FROM lessons.backfill GROUP BY day ORDER BY day"
    )
    return {day: [int(number) for number in numbers] for day, *numbers in room.query(query)}


def _changed(room: Classroom, expected: dict[str, list[int]]) -> dict[str, list[int]]:
    """All rows, when those of the changed days are as expected; else nothing."""
    rows = _rows(room)
    return rows if all(rows.get(day, [])[:2] == row for day, row in expected.items()) else {}


def _change_files(room: Classroom) -> int:
    """Writes two new orders into the files of three days; returns the sum of their amounts."""
    amount = int(time.time())
    for day in (*CHANGED, LEFT):
        body = f"day,order_id,amount\n{day},1,{amount - 1}\n{day},2,1\n"
        room.client.put_object(Bucket=BUCKET, Key=f"{FOLDER}{day}.csv", Body=body.encode())
    return amount


def _create(room: Classroom, behaviour: str) -> None:
    """Creates a backfill as users do, once the scheduler has ended the one before."""
    room.until("no other backfill is at work", lambda: not _active(room))
    room.airflow(
        "backfill", "create", "--dag-id", BACKFILL, "--from-date", CHANGED[0],
        "--to-date", CHANGED[-1], "--reprocess-behavior", behaviour,
    )  # fmt: skip


def _active(room: Classroom) -> list[int]:
    backfills = room.api.get("backfills", dag_id=BACKFILL, limit=100)["backfills"]
    return [each["id"] for each in backfills if each["completed_at"] is None]


def _expect_a_run_a_day(room: Classroom) -> dict[str, list[str]]:
    """Waits for the runs' ends; returns the type and the start of each day's run.

    Raises: LessonFailed unless each day has exactly one.
    """

    def ended() -> list[Run]:
        runs = room.runs(BACKFILL)
        return runs if len(runs) >= len(DAYS) and all(r.state == "success" for r in runs) else []

    room.until("all days have run", ended, 150)
    runs = room.api.get(f"dags/{BACKFILL}/dagRuns", order_by="logical_date")["dag_runs"]
    days = [run["logical_date"][:10] for run in runs]
    expect(days == list(DAYS), f"expected one run a day, seen: {days}")
    return {day: [run["run_type"], run["start_date"]] for day, run in zip(days, runs, strict=True)}


def cron(room: Classroom) -> Seen:
    """Checks that the task and the scheduler agree on the next run.

    The clocks change as the page says.
    """
    run = room.run(CRON)
    daily = room.xcom(run, "next_runs")
    hourly = room.xcom(room.run(CRON, conf={"cron": "30 * * * *"}), "next_runs")
    dag = room.api.get(f"dags/{CRON}")
    ahead = _moment(dag["next_dagrun_run_after"])
    expect(_moment(daily["now"][0]) == ahead, f"expected {ahead}, seen: {daily['now'][0]}")
    expect(len(set(daily["now"])) == 10, f"expected ten runs, seen: {daily['now']}")
    _expect_days(daily, "2026-03-29", ["03:30+02:00"])
    _expect_days(daily, "2026-10-25", ["02:30+01:00"])
    _expect_days(hourly, "2026-03-29", ["00:30+01:00", "01:30+01:00", "03:30+02:00"])
    _expect_days(hourly, "2026-10-25", ["00:30+02:00", "01:30+02:00", "02:30+02:00", "02:30+01:00"])
    scheduled = room.until("a run for the last 02:30", lambda: _scheduled(room))
    return Seen(
        f"next {daily['now'][0]}; in March at 03:30, in October once at the second 02:30",
        {"daily": daily, "hourly": hourly, "next": str(ahead), "scheduled": scheduled},
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _expect_days(next_runs: dict[str, list[str]], day: str, times: list[str]) -> None:
    """Checks the first runs of that day, in the local time of the zone."""
    seen = [each[11:16] + each[19:] for each in next_runs[day] if each.startswith(day)]
    first = seen[: len(times)]
    expect(first == times, f"expected {times} on {day}, seen: {first}")


def _scheduled(room: Classroom) -> list[Any]:
    """The logical dates of the runs that the schedule made since yesterday's."""
    runs = room.api.get(f"dags/{CRON}/dagRuns", run_type="scheduled", limit=100)["dag_runs"]
    since = datetime.now(UTC) - timedelta(hours=25)
    return [each["logical_date"] for each in runs if _moment(each["logical_date"]) > since]
