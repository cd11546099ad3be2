"""An inventory of the DAGs: their ids, what they share, and what parsing them must not do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from include.airflow_bridge.commands import rejects_command
from include.landfall.feed.schema import schema
from include.landfall.feed.yaml_file import read_folder

ROOT = Path(__file__).parents[3]
FEEDS = ROOT / "include" / "feeds"
EXPECTED = {
    "broken_feeds.py": [],
    "delay_model.py": ["delay_model"],
    "feeds.py": [
        "feed_airlines",
        "feed_airports",
        "feed_flight_corrections",
        "feed_flights",
        "feed_planes",
        "feed_weather",
    ],
    "flights_marts.py": ["flights_marts"],
    "late_files.py": [],  # no feed of the project has late_after
    "maintenance.py": ["maintenance"],
}


def parse(folder: Path):
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(folder, bundle_path=folder, safe_mode=True)


@pytest.fixture(scope="module")
def bag():
    return parse(ROOT / "dags")


@pytest.fixture
def copy(tmp_path):
    """The project's DAG files beside feeds that a test may break."""
    shutil.copytree(ROOT / "dags", tmp_path / "dags", ignore=shutil.ignore_patterns("lessons"))
    shutil.copytree(FEEDS, tmp_path / "include" / "feeds")
    return tmp_path


def test_every_file_in_dags_makes_the_dags_that_are_listed_here(bag):
    assert not bag.import_errors
    made = {path: [] for path in (ROOT / "dags").glob("*.py")}
    for dag_id, dag in bag.dags.items():
        made.setdefault(Path(dag.fileloc), []).append(dag_id)
    # test_lessons.py has the rules for the lessons.
    listed = {path.name: sorted(ids) for path, ids in made.items() if path.parent.name == "dags"}
    assert listed == EXPECTED


def test_parsing_warns_of_nothing(bag):
    assert not bag.captured_warnings


def test_every_dag_but_a_lesson_has_the_shared_defaults(bag):
    for dag in bag.dags.values():
        if "lesson" not in dag.tags:
            assert not dag.catchup, dag.dag_id
            assert dag.max_active_runs == 1, dag.dag_id


def test_every_schedule_is_meant(bag):
    for dag_id in EXPECTED["feeds.py"]:
        assert bag.dags[dag_id].schedule == "@hourly"
    assets = {asset.uri for asset in bag.dags["flights_marts"].timetable.asset_condition.objects}
    published = {
        asset.uri
        for dag_id in EXPECTED["feeds.py"]
        for asset in bag.dags[dag_id].task_dict["published"].outlets
    }
    assert len(published) == 6
    assert assets == published


def test_the_model_wakes_for_the_mart_that_is_published(bag):
    """It does not wake for the mart that is built beside it, which a check may refuse."""
    published = bag.dags["flights_marts"].task_dict["flight_delays.publish"].outlets
    (woken_by,) = bag.dags["delay_model"].timetable.asset_condition.objects
    assert [asset.uri for asset in published] == [woken_by.uri]


def test_only_checked_tables_tell_the_marts(bag):
    """An asset that the load itself updates would wake the marts before the checks."""
    for dag_id in EXPECTED["feeds.py"]:
        dag = bag.dags[dag_id]
        publishing = [task.task_id for task in dag.tasks if task.outlets]
        assert publishing == ["published"], dag_id
        upstream = dag.task_dict["published"].upstream_task_ids
        assert {"check_rows"} <= upstream, dag_id


PARSES = """
import sys
from airflow.dag_processing.dagbag import DagBag
for path in sys.argv[1:4]:
    bag = DagBag(path)
    assert bag.dags and not bag.import_errors, bag.import_errors
    print("parsed", *sorted(set(sys.argv[3:]) & sys.modules.keys()))
"""
HEAVY = [
    "psycopg",
    "pyarrow.csv",
    "pyarrow.parquet",
    "include.landfall.load",
    "include.landfall.s3.client",
]


def test_parsing_leaves_to_the_tasks_what_only_they_need():
    """Every process that parses a DAG, so every task, would pay half a second for it."""
    paths = [
        str(ROOT / "dags" / name) for name in ("feeds.py", "flights_marts.py", "delay_model.py")
    ]
    command = [sys.executable, "-c", PARSES, *paths, *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    parsed = [line for line in done.stdout.splitlines() if line.startswith("parsed")]
    assert parsed == ["parsed"] * len(paths)


def test_every_feed_of_the_project_is_read():
    """This test keeps a broken feed from being merged."""
    folder = read_folder(FEEDS)
    assert not {path.name: str(error) for path, error in folder.broken.items()}
    assert {feed.name for feed in folder.feeds} == {path.stem for path in FEEDS.glob("*.yaml")}


def test_every_feed_points_its_editor_at_the_schema_of_today():
    assert json.loads((FEEDS / "feed.schema.json").read_text()) == schema(), (
        "run: python -m include.landfall schema > include/feeds/feed.schema.json"
    )
    for path in FEEDS.glob("*.yaml"):
        first = path.read_text().splitlines()[0]
        assert first == "# yaml-language-server: $schema=feed.schema.json", path.name


def test_every_column_of_every_feed_is_described():
    for feed in read_folder(FEEDS).feeds:
        assert feed.description
        assert not [name for name, column in feed.columns.items() if not column.description]


BREAKAGES = {
    "a misspelt key": ("pattern:", "patern:", "patern"),
    "no YAML": ("feed: planes", "feed: [planes", "not YAML"),
    "another feed's name": ("feed: planes", "feed: flights", "flights"),
}


def test_the_old_rejects_of_every_feed_expire_every_day(bag):
    dag = bag.dags["maintenance"]
    assert dag.schedule == "@daily"
    assert sorted(task.task_id for task in dag.tasks) == [
        f"expire_rejects_{path.stem}" for path in sorted(FEEDS.glob("*.yaml"))
    ]


def test_a_feed_that_tidies_its_files_has_a_task_for_it_every_night(copy):
    path = copy / "include" / "feeds" / "planes.yaml"
    text = path.read_text()
    path.write_text(re.sub(r"(?m)^(  pattern: .*)$", r"\1\n  loaded_files: {delete: true}", text))
    bag = parse(copy / "dags")
    ids = {task.task_id for task in bag.dags["maintenance"].tasks}
    assert [each for each in ids if each.startswith("tidy")] == ["tidy_files_planes"]


def test_a_feed_that_says_when_it_is_late_is_looked_at_by_a_dag_that_is_not_paused(copy):
    """Airflow and Astro pause what is new: then nobody would hear, and would not know it."""
    path = copy / "include" / "feeds" / "planes.yaml"
    path.write_text(path.read_text().replace("source:\n", "source:\n  late_after: 26 hours\n"))
    dags = parse(copy / "dags").dags
    dag = dags["late_files"]
    assert "no new file comes for 26 hours" in dags["feed_planes"].doc_md
    assert "nobody is told" in dags["feed_flights"].doc_md
    assert dag.is_paused_upon_creation is False
    assert [task.task_id for task in dag.tasks] == ["look"]


def test_a_feeds_page_names_the_command_that_shows_its_rejects(bag):
    assert f"`{rejects_command('planes')}`" in bag.dags["feed_planes"].doc_md


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_broken_feed_hides_no_other_and_shows_its_error(copy, breakage):
    before, after, message = BREAKAGES[breakage]
    path = copy / "include" / "feeds" / "planes.yaml"
    path.write_text(path.read_text().replace(before, after))
    bag = parse(copy / "dags")
    assert sorted(bag.dags) == sorted(dag_id for ids in EXPECTED.values() for dag_id in ids)
    broken = bag.dags["feed_planes"]
    assert "broken" in broken.tags
    assert message in broken.doc_md
    for other in set(EXPECTED["feeds.py"]) - {"feed_planes"}:
        assert "load" in bag.dags[other].task_dict
    # Only broken_feeds.py, which makes no DAGs, has an import error.
    assert list(bag.import_errors) == ["broken_feeds.py"]
    assert "planes.yaml" in bag.import_errors["broken_feeds.py"]
    assert message in bag.import_errors["broken_feeds.py"]
    assert "\n  file: " in bag.import_errors["broken_feeds.py"], "each fact has a line of its own"


def test_fault_2_4_whatever_is_wrong_with_a_feed_the_others_have_their_dags(copy):
    planes = copy / "include" / "feeds" / "planes.yaml"
    text = planes.read_text()
    planes.write_text(re.sub("^schedule: .*", 'schedule: "every hour"', text, flags=re.MULTILINE))
    (copy / "include" / "feeds" / "my orders.yaml").write_text("feed: [")
    dags = parse(copy / "dags").dags
    assert "every hour" in dags["feed_planes"].doc_md
    assert "my orders.yaml" in dags["feed_my_orders"].doc_md
    for other in set(EXPECTED["feeds.py"]) - {"feed_planes"}:
        assert "load" in dags[other].task_dict


def test_the_dag_of_a_broken_feed_fails_with_the_error_and_is_not_retried(copy):
    from airflow.sdk.exceptions import AirflowFailException

    (copy / "include" / "feeds" / "new.yaml").write_text("feed: new\nsorce: {}\n")
    dag = parse(copy / "dags").dags["feed_new"]
    (task,) = dag.tasks
    with pytest.raises(AirflowFailException, match="did you mean 'source'"):
        task.python_callable()


def test_a_feed_that_is_added_has_its_dag_without_any_code(copy):
    text = (FEEDS / "airlines.yaml").read_text()
    added = text.replace("feed: airlines", "feed: cargo").replace("raw.airlines", "raw.cargo")
    (copy / "include" / "feeds" / "cargo.yaml").write_text(added)
    dag = parse(copy / "dags").dags["feed_cargo"]
    assert dag.task_dict["published"].outlets[0].name == "warehouse.raw.cargo"
