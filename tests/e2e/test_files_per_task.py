"""Tasks that load several files: each file has its own fate, and nothing is loaded twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from include.landfall import load as engine
from include.landfall.errors import ServerUnavailable
from include.landfall.feed.model import Feed
from tests.support.astro_dags import World, world
from tests.support.feed_dags import make_dag, run_feed_dag

__all__ = ["world"]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def feed(world: World) -> Feed:
    """A feed whose tasks load three files each."""
    return Feed.model_validate(
        {
            "feed": "crates",
            "files_per_task": 3,
            "source": {"bucket": world.bucket, "pattern": "crates/*"},
            "target": {"table": "raw.crates"},
            "columns": {"id": "integer"},
        }
    )


@pytest.fixture
def files(world: World) -> list[str]:
    """Five files with one row each."""
    for n in range(5):
        world.put(f"crates/{n}.csv", f"id\n{n}\n")
    return [f"crates/{n}.csv" for n in range(5)]


def ids(world: World) -> list[int]:
    """The rows of the table."""
    return [row[0] for row in world.rows("SELECT id FROM raw.crates ORDER BY id")]


def events(dag: Any) -> list[dict[str, Any]]:
    """What the events of the feed's asset carry."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(AssetEvent.extra).where(AssetEvent.source_dag_id == dag.dag_id)
        return list(session.scalars(query.order_by(AssetEvent.id)))


def test_every_file_is_loaded_in_two_tasks_and_the_event_tells_of_all(
    world: World, feed: Feed, files: list[str], airflow_db: object
) -> None:
    dag = make_dag(feed)
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"]) == ("success", ["success", "success"])
    assert ids(world) == [0, 1, 2, 3, 4]
    assert (events(dag)[-1]["rows"], len(events(dag)[-1]["load_ids"])) == (5, 5)
    assert run_feed_dag(dag)[1]["load"] == ["skipped"]


def test_bad_files_fail_their_task_with_each_reason_and_the_others_are_loaded(
    world: World, feed: Feed, files: list[str], airflow_db: object, capsys: Any
) -> None:
    world.put("crates/0.csv", "id\nx\n")
    world.put("crates/2.csv", "id\n1,2\n")
    dag = make_dag(feed)
    state, tasks = run_feed_dag(dag)
    assert (state, sorted(tasks["load"])) == ("failed", ["failed", "success"])
    assert ids(world) == [1, 3, 4]
    log = capsys.readouterr().out
    assert "2 of 3 files failed" in log
    for key in ("crates/0.csv", "crates/2.csv"):
        assert f"object: s3://{world.bucket}/{key}" in log
        assert f"include/feeds/crates.yaml --object {key} --state sample" in log
    assert events(dag)[-1]["rows"] == 3


def test_a_server_that_is_away_stops_the_task_and_its_retry_loads_the_rest(
    world: World, feed: Feed, files: list[str], airflow_db: object, capsys: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    real, calls = engine.load, []

    def load(feed: Feed, arrival: Any, **options: Any) -> Any:
        calls.append(arrival.key)
        if arrival.key == "crates/1.csv" and calls.count(arrival.key) == 1:
            raise ServerUnavailable("the database is away")
        return real(feed, arrival, **options)

    monkeypatch.setattr(engine, "load", load)
    monkeypatch.setattr("dags.common.defaults.RETRY_DELAY", timedelta(0))
    state, tasks = run_feed_dag(make_dag(feed))
    assert (state, tasks["load"]) == ("success", ["success", "success"])
    assert "1 of 3 files failed, and 1 were not tried" in capsys.readouterr().out
    assert ids(world) == [0, 1, 2, 3, 4]
    of_first = [key[7] for key in calls if key < "crates/3.csv"]
    assert "".join(of_first) == "01" + "012"
    assert len(world.rows("SELECT FROM landfall.ledger WHERE status = 'loaded'")) == 5


def test_a_file_that_changes_meanwhile_fails_nothing_and_the_next_run_takes_it(
    world: World, feed: Feed, files: list[str], airflow_db: object,
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    real = engine.load

    def load(feed: Feed, arrival: Any, **options: Any) -> Any:
        if arrival.key == "crates/0.csv":
            world.put("crates/1.csv", "id\n100\n")
        return real(feed, arrival, **options)

    monkeypatch.setattr(engine, "load", load)
    dag = make_dag(feed)
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"]) == ("success", ["success", "success"])
    assert ids(world) == [0, 2, 3, 4]
    assert "not loaded: the next run lists the feed again" in caplog.text
    assert run_feed_dag(dag)[0] == "success"
    assert ids(world) == [0, 2, 3, 4, 100]


def test_a_run_of_many_files_has_few_tasks_without_a_word_in_the_feed(
    world: World, feed: Feed, files: list[str], airflow_db: object, monkeypatch: Any
) -> None:
    monkeypatch.setattr("plugins.arrivals.grouping.MOST_TASKS", 2)
    dag = make_dag(feed.model_copy(update={"files_per_task": None}))
    state, tasks = run_feed_dag(dag)
    assert (state, tasks["load"]) == ("success", ["success", "success"])
    assert ids(world) == [0, 1, 2, 3, 4]
