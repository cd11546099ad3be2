"""A feed's own DAG: what a run that loads nothing still publishes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from include.landfall.cli import main as cli
from include.landfall.feed.model import Feed
from tests.support.astro_dags import World, world
from tests.support.feed_dags import make_dag, run_feed_dag

__all__ = ["world"]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def feed(world: World) -> Feed:
    """A feed with one check."""
    return Feed.model_validate(
        {
            "feed": "parcels",
            "source": {"bucket": world.bucket, "pattern": "parcels/**"},
            "target": {"table": "raw.parcels"},
            "columns": {"id": "integer"},
            "checks": {"id": {"minimum": 1}},
        }
    )


def test_2_6_loads_that_could_not_be_checked_are_published_by_the_next_run(
    world: World, feed: Feed, airflow_db: object
) -> None:
    dag = make_dag(feed)
    world.put("parcels/1.csv", "id\n0\n")
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"], tasks["check_rows"]) == ("failed", ["success"], ["failed"])
    assert tasks["published"] == ["upstream_failed"]
    world.run("UPDATE raw.parcels SET id = 1")  # whatever the check was red for is over
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"], tasks["published"]) == ("success", ["skipped"], ["success"])
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"], tasks["published"]) == ("success", ["skipped"], ["skipped"])
    world.put("parcels/2.csv", "id\n2\n")
    assert run_feed_dag(dag)[1]["published"] == ["success"]


KEYS = {
    "a template": "parcels/{{ ds }}.csv",
    "a template's beginning": "parcels/{%.csv",
    "a comment's beginning": "parcels/{#.csv",
    "a percent sign": "parcels/100%s.csv",
    "a long one": "/".join(["parcels", *["k" * 100] * 9]),
    "a line break": "parcels/a\nb.csv",
}


def test_a_key_of_any_letters_is_loaded_under_a_name_that_airflow_s_database_takes(
    world: World, feed: Feed, airflow_db: object
) -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from sqlalchemy import select

    for key in KEYS.values():
        world.put(key, "id\n1\n")
    dag = make_dag(feed)
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"]) == ("success", ["success"] * len(KEYS))
    keys = {key for (key,) in world.rows("SELECT key FROM landfall.ledger")}
    assert keys == set(KEYS.values())
    with create_session() as session:
        query = select(TaskInstance._rendered_map_index).where(TaskInstance.task_id == "load")
        loaded = query.where(TaskInstance.dag_id == dag.dag_id, TaskInstance.state == "success")
        labels = list(session.scalars(loaded))
    assert max(len(label) for label in labels) == 250
    assert all(label.isprintable() for label in labels)


def test_a_feed_of_a_format_that_astro_does_not_know_is_loaded(
    world: World, airflow_db: object
) -> None:
    fixed = {"type": "fixed", "fields": {"id": {"start": 1, "width": 4}}}
    feed = Feed.model_validate(
        {
            "feed": "pallets",
            "source": {"bucket": world.bucket, "pattern": "pallets/*"},
            "target": {"table": "raw.pallets"},
            "format": fixed,
            "columns": {"id": "integer"},
        }
    )
    world.put("pallets/1.dat", "   1\n   2\n")
    assert run_feed_dag(make_dag(feed))[1]["load"] == ["success"]
    assert world.rows("SELECT id FROM raw.pallets ORDER BY id") == [(1,), (2,)]


def test_2_3_a_run_that_is_skipped_names_the_files_that_failed_and_wait(
    world: World, feed: Feed, airflow_db: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run is green: nothing but the log of its sensor says that a file is not loaded."""
    from plugins.arrivals import sensor

    world.put("parcels/bad.csv", "id\nx\n")
    dag = make_dag(feed)
    assert run_feed_dag(dag)[0] == "failed"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sensor, "is_manual", lambda _: False)  # as a schedule starts it
        state, tasks = run_feed_dag(dag)
    assert (state, tasks["new_arrivals"]) == ("success", ["skipped"])
    message = "failed, and tried again later or by a run that you start: parcels/bad.csv"
    assert message in capsys.readouterr().out


def test_2_6_a_red_check_says_what_it_found_and_how_to_see_the_rows(
    world: World, airflow_db: object, capsys: pytest.CaptureFixture[str]
) -> None:
    feed = Feed.model_validate(
        {
            "feed": "pens",
            "source": {"bucket": world.bucket, "pattern": "pens/*"},
            "target": {"table": "raw.pens"},
            "columns": {"id": "integer", "In cm": "numeric", "note": "text"},
            "checks": {
                "rows": {"at_least": 9},
                "In cm": {"minimum": 0, "maximum": 100},
                "id": {"unique": True},
                "note": {"not_null": True},
            },
        }
    )
    world.put("pens/1.csv", "id,In cm,note\n1,-5.5,\n1,7,\n2,200,a\n")
    state, tasks = run_feed_dag(make_dag(feed))
    assert (state, tasks["check_rows"], tasks["check_columns"]) == (
        "failed", ["failed"], ["failed"],
    )  # fmt: skip
    log = capsys.readouterr().out
    for rule, value, expected in (
        ("rows: at_least", "3", ">= 9"),
        ("In cm: minimum", "-5.5", ">= 0"),
        ("In cm: maximum", "200", "<= 100"),
        ("id: unique_check", "1", "equal_to 0"),
        ("note: null_check", "2", "equal_to 0"),
    ):
        assert f"check: {rule}\n  found: {value}\n  expected: {expected}\n" in log
    queries = re.findall("to see the rows: (.+)", log)
    rows = {query: len(world.rows(query)) for query in dict.fromkeys(queries)}
    assert sorted(rows.values()) == [1, 1, 2, 2]


def test_a_refused_file_s_log_has_the_command_that_shows_its_bad_rows(
    world: World, feed: Feed, airflow_db: object, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    world.put("parcels/a b.csv", "id\nx\ny\n3\n")
    assert run_feed_dag(make_dag(feed))[1]["load"] == ["failed"]
    (command,) = set(re.findall("to see the rows: (.+)", capsys.readouterr().out))
    program, *arguments = shlex.split(command)
    file = tmp_path / "parcels.yaml"
    file.write_text(yaml.safe_dump(feed.model_dump(mode="json", exclude_unset=True)))
    assert (program, arguments[2]) == (".venv/bin/landfall", "include/feeds/parcels.yaml")
    assert cli.main([*arguments[:2], str(file), *arguments[3:]]) == 0
    shown = capsys.readouterr().out
    assert ("line 2" in shown, "line 3" in shown) == (True, True)
