"""The schedule has five days, and the run of a day loads the file of that day."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from tests.support.lesson_module import FOLDER, load


@pytest.fixture(scope="module")
def lesson():
    return load("backfill")


@pytest.fixture(scope="module")
def dag():
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(FOLDER / "backfill.py", bundle_path=FOLDER).dags["lesson_11_backfill"]


def days(dag, first: int, last: int) -> list[int]:
    """Returns the days of January for which the schedule has a run, as a backfill asks."""
    from airflow.serialization.serialized_objects import DagSerialization

    stored = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    begin, end = datetime(2024, 1, first, tzinfo=UTC), datetime(2024, 1, last, tzinfo=UTC)
    return [info.logical_date.day for info in stored.iter_dagrun_infos_between(begin, end)]


def test_the_schedule_has_a_run_for_each_of_five_days(dag):
    assert dag.catchup
    assert days(dag, 1, 5) == [1, 2, 3, 4, 5]


def test_the_answer_s_three_days_are_past_the_end_of_catching_up(dag):
    assert dag.end_date.day == 5
    assert days(dag, 4, 8) == [4, 5, 6, 7, 8]


def test_a_run_loads_the_file_of_its_own_day(lesson, monkeypatch):
    """The run creates the file if there is none, with the columns of the feed."""
    made, loaded = {}, []
    bucket = SimpleNamespace(
        check_for_key=lambda key, _: key in made,
        load_string=lambda text, key, _: made.__setitem__(key, text),
        head_object=lambda *_: {"ETag": '"e"', "ContentLength": 1, "LastModified": None},
    )

    def load_file(_, arrival):
        loaded.append(arrival.key)
        return SimpleNamespace(outcome="loaded", rows=3)

    monkeypatch.setattr("airflow.providers.amazon.aws.hooks.s3.S3Hook", lambda _: bucket)
    monkeypatch.setattr(lesson, "S3ToPostgresHook", lambda: SimpleNamespace(load=load_file))
    task = lesson.load_day.function
    for day in (2, 3, 2):
        assert task(datetime(2024, 1, day, tzinfo=UTC))["day"] == f"2024-01-0{day}"
    assert [key[-6:] for key in loaded] == ["02.csv", "03.csv", "02.csv"]
    assert len(made) == 2
    header, *rows = made["lessons/backfill/2024-01-02.csv"].splitlines()
    assert header.split(",") == list(lesson.FEED.columns)
    assert {row.split(",")[0] for row in rows} == {"2024-01-02"}
    assert all(lesson.FEED.source.matches(key) for key in made)


def test_the_page_s_command_is_one_that_airflow_understands(lesson):
    from airflow.cli.cli_parser import get_parser

    command = re.search(r"airflow (backfill create .*?)\n```", lesson.__doc__, re.S)[1]
    parsed = get_parser().parse_args(command.replace("\\\n", " ").split())
    assert parsed.dag_id == "lesson_11_backfill"
    assert (parsed.from_date.day, parsed.to_date.day) == (2, 3)
    assert parsed.reprocess_behavior == "completed"


def test_the_page_s_table_of_behaviours_is_airflow_s(lesson):
    from airflow.models.backfill import ReprocessBehavior, _get_dag_run_no_create_reason

    rows = re.findall(r"^\| `(\w+)`[^|]*\| runs \| ([\w ]+) \| ([\w ]+) \|$", lesson.__doc__, re.M)
    assert {name for name, *_ in rows} == {each.value for each in ReprocessBehavior}
    for name, failed, succeeded in rows:
        for state, shown in (("failed", failed), ("success", succeeded)):
            run = SimpleNamespace(state=state)
            reason = _get_dag_run_no_create_reason(run, ReprocessBehavior(name))
            assert shown == ("left alone" if reason else "runs again"), (name, state)
