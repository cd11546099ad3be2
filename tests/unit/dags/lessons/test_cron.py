"""The tables of the page show what Airflow's own timetables compute."""

from __future__ import annotations

import pendulum
import pytest

from tests.support.lesson_module import load

# One second past the hour, because a run at exactly 12:00 would count as a next one.
MOMENT = pendulum.datetime(2026, 7, 1, 12, 0, 1)
BERLIN = "Europe/Berlin"


@pytest.fixture(scope="module")
def lesson():
    return load("cron")


def rows(text: str, start: str) -> list[list[str]]:
    """Returns the cells of the table whose head begins with `start`, row by row."""
    table = text[text.index(f"| {start}") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in table]


def plain(cell: str) -> str:
    return cell.strip("`")


def timetable(cron: str, zone: str = "UTC", name: str = "CronTriggerTimetable"):
    from airflow.timetables.interval import CronDataIntervalTimetable
    from airflow.timetables.trigger import CronTriggerTimetable

    classes = {each.__name__: each for each in (CronTriggerTimetable, CronDataIntervalTimetable)}
    return classes[name](cron, timezone=zone)


def test_each_next_run_is_airflow_s(lesson):
    _, _, *table = rows(lesson.__doc__, "schedule")
    assert len(table) == 9
    for _, cron, shown in table:
        (run,) = lesson.runs_after(timetable(plain(cron)), MOMENT, 1)
        assert run.run_after.format("ddd YYYY-MM-DD HH:mm") == shown, cron


def test_each_preset_is_the_cron_beside_it(lesson):
    from airflow.utils.dates import cron_presets

    _, _, *table = rows(lesson.__doc__, "schedule")
    shown = {plain(name): plain(cron) for name, cron, _ in table if name.startswith("`@")}
    assert shown == cron_presets


def test_the_nights_when_the_clocks_change_are_as_airflow_runs_them(lesson):
    (_, *crons), _, *table = rows(lesson.__doc__, "day |")
    assert [day[:10] for day, *_ in table] == list(lesson.CLOCKS_CHANGE)
    for day, *shown in table:
        begin = pendulum.parse(day[:10], tz=BERLIN)
        night = (begin.add(hours=1), begin.at(4))
        for cron, cell in zip(crons, shown, strict=True):
            runs = lesson.runs_after(timetable(plain(cron), BERLIN), begin.in_timezone("UTC"), 10)
            local = [run.run_after.in_timezone(BERLIN) for run in runs]
            seen = [each.format("HH:mmZ") for each in local if night[0] <= each < night[1]]
            assert ", ".join(seen) == cell, (day, cron)


def test_timetable_and_data_interval_differ_as_the_page_says(lesson):
    _, _, *table = rows(lesson.__doc__, "`@daily`, the run")
    start = pendulum.datetime(2026, 7, 2)
    assert len(table) == 2
    for name, logical, interval in table:
        daily = timetable("@daily", name=plain(name))
        runs = lesson.runs_after(daily, start.subtract(days=1), 2)
        (run,) = [each for each in runs if each.run_after == start]
        assert run.logical_date.to_date_string() == logical
        ends = (run.data_interval.start, run.data_interval.end)
        assert " to ".join(end.to_date_string() for end in ends) == interval


def test_a_cron_text_is_a_trigger_timetable_today_in_the_zone_of_the_start():
    from airflow.sdk import DAG, CronTriggerTimetable

    zone = pendulum.timezone(BERLIN)
    dag = DAG("d", schedule="30 2 * * *", start_date=pendulum.datetime(2026, 1, 1, tz=zone))
    assert isinstance(dag.timetable, CronTriggerTimetable)
    assert dag.timetable.timezone.name == BERLIN


def test_the_dag_has_the_timetable_that_its_page_quotes(lesson):
    assert f'CronTriggerTimetable("{lesson.CRON}", timezone="{lesson.ZONE}")' in lesson.__doc__


def test_the_answer_is_right_about_mondays(lesson):
    """With both days restricted, either is enough. With #1 it is the first Monday."""
    either = lesson.runs_after(timetable("0 9 1-7 * 1"), MOMENT, 10)
    assert [run.run_after.day for run in either][:8] == [2, 3, 4, 5, 6, 7, 13, 20]
    first = lesson.runs_after(timetable("0 9 * * 1#1"), MOMENT, 3)
    assert [run.run_after.to_date_string() for run in first] == [
        "2026-07-06", "2026-08-03", "2026-09-07",
    ]  # fmt: skip
