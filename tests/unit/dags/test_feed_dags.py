"""The DAGs of feeds, whatever is in the folder: one feed's fault never takes another's DAG."""

from __future__ import annotations

from datetime import timedelta

import airflow  # noqa: F401  finds the patches
import pytest
import yaml
from airflow.sdk import RetryAction
from airflow.sdk.exceptions import AirflowTaskTimeout
from croniter import croniter

from dags import feeds
from include.landfall.feed.model import Feed

ORDERS = {
    "feed": "orders",
    "source": {"bucket": "landing", "pattern": "orders/*"},
    "target": {"table": "raw.orders"},
    "columns": {"id": "integer", "changed": "date"},
}
MERGED = {"table": "raw.orders", "disposition": "merge", "key": ["id"]}


def feed(**values) -> Feed:
    return Feed.model_validate({**ORDERS, **values})


@pytest.fixture
def dags_of(tmp_path):
    """Makes the DAGs of a folder with the feed orders and the given files."""

    def make(files):
        (tmp_path / "orders.yaml").write_text(yaml.safe_dump(ORDERS))
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        return feeds.make_dags(tmp_path)

    return make


def is_broken(dag):
    return "broken" in dag.tags and [task.task_id for task in dag.tasks] == ["read_feed"]


BROKEN_FILES = {
    "a blank": "my orders.yaml",
    "a letter that is not ASCII": "größe.yaml",
    "a name that is longer than an id": f"{'x' * 249}.yml",
    "only signs": "%%%.yaml",
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_2_4_a_broken_file_of_any_name_has_its_dag_beside_the_others(dags_of, case):
    dags = dags_of({BROKEN_FILES[case]: "feed: ["})
    broken = dags.keys() - {"feed_orders"}
    assert len(broken) == 1
    assert is_broken(dags[broken.pop()])
    assert "load" in dags["feed_orders"].task_dict


def test_2_4_a_broken_file_never_takes_the_id_of_a_good_feed(dags_of):
    """The id of the file's DAG is made of its name, and the feed has the same."""
    good = yaml.safe_dump({**ORDERS, "feed": "my_orders"})
    dags = dags_of({"good.yaml": good, "my orders.yaml": "feed: ["})
    assert "load" in dags["feed_my_orders"].task_dict
    (other,) = dags.keys() - {"feed_my_orders", "feed_orders"}
    assert is_broken(dags[other])


def test_2_4_two_broken_files_whose_names_become_one_id_both_show(dags_of):
    dags = dags_of({"a b.yaml": "feed: [", "a+b.yaml": "feed: [", "a_b.yml": "feed: ["})
    assert len(dags) == 4
    assert all(dag.dag_id == name for name, dag in dags.items())


def test_2_4_a_file_that_exhausts_the_reader_hides_no_other_feed(dags_of):
    dags = dags_of({"deep.yaml": "[" * 5000})
    assert is_broken(dags["feed_deep"])
    assert "load" in dags["feed_orders"].task_dict


def test_2_4_an_error_of_the_reader_that_nobody_foresaw_hides_no_other_feed(dags_of, monkeypatch):
    real = Feed.model_validate

    def validate(values):
        if values["feed"] == "odd":
            raise ZeroDivisionError("not foreseen")
        return real(values)

    monkeypatch.setattr(Feed, "model_validate", validate)
    dags = dags_of({"odd.yaml": "feed: odd"})
    assert "ZeroDivisionError: not foreseen" in dags["feed_odd"].doc_md
    assert "load" in dags["feed_orders"].task_dict


def test_a_task_makes_its_own_dag_alone(dags_of, monkeypatch):
    """With 300 feeds each task, however short, took six seconds before its first line."""
    more = yaml.safe_dump({**ORDERS, "feed": "more"})  # in a file of another name
    twin = yaml.safe_dump({**ORDERS, "owner": "first"})  # whose name comes before orders.yaml
    files = {"a.yml": twin, "deep.yaml": "[" * 100_000, "z.yaml": more}
    whole = dags_of(files)
    assert {dag_id for dag_id, dag in whole.items() if not is_broken(dag)} == {
        "feed_orders", "feed_more",
    }  # fmt: skip
    for dag_id in (*whole, "feed_", "feed_gone", "other"):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        is_feed = dag_id in {"feed_orders", "feed_more"}
        dags = dags_of(files)
        assert dags.keys() == ({dag_id} if is_feed else whole.keys())
        if is_feed:
            assert dags[dag_id].owner == whole[dag_id].owner


def test_2_4_a_dag_that_fails_half_way_is_not_taken_for_the_feed_s(dags_of, monkeypatch):
    def refuse(*_):
        raise ValueError("Airflow takes no such task")

    monkeypatch.setattr(feeds, "check_and_publish", refuse)
    dag = dags_of({})["feed_orders"]
    assert is_broken(dag)
    assert "Airflow takes no such task" in dag.doc_md


def test_2_4_only_whole_dags_are_registered():
    """Airflow registers a DAG that ends in an error too, under the id of the one that tells why."""
    assert not feeds.make_feed_dag(feed()).auto_register


@pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4,6 *", "61 * * * *"])
def test_2_4_a_schedule_that_never_comes_is_refused(dags_of, cron):
    """The scheduler would fail on it, after the DAG is made."""
    dags = dags_of({"never.yaml": yaml.safe_dump({**ORDERS, "feed": "never", "schedule": cron})})
    assert is_broken(dags["feed_never"])
    assert "'schedule' is wrong" in dags["feed_never"].doc_md
    assert "load" in dags["feed_orders"].task_dict


@pytest.mark.parametrize("cron", ["0 0 29 2 *", "*/5 * * * *", "0 6 * * 1-5", "@quarterly", None])
def test_a_schedule_that_comes_is_taken(cron):
    feeds.check_schedule(feed(schedule=cron))
    assert cron is None or cron.startswith("@") or croniter.is_valid(cron)


def test_a_table_of_the_longest_name_has_a_dag():
    """A tag of Airflow has at most 100 characters, and a table's name up to 127."""
    table = f"{'s' * 63}.{'t' * 63}"
    dag = feeds.dag_of(feed(target={"table": table}))
    assert "load" in dag.task_dict
    (tag,) = set(dag.tags) - {"feed"}
    assert len(tag) == 100
    assert (tag[:40], tag[-40:]) == (table[:40], table[-40:])


@pytest.mark.parametrize(
    ("target", "at_once"),
    [
        ({"table": "raw.orders"}, None),
        ({"table": "raw.orders", "disposition": "replace"}, None),  # the newest file wins
        ({**MERGED, "newest": "changed"}, None),  # the newest row wins
        (MERGED, 1),
        ({**MERGED, "strategy": "delete-insert"}, 1),
        ({**MERGED, "strategy": "scd2"}, 1),
        ({"table": "raw.orders", "disposition": "replace", "replace_where": ["changed"]}, 1),
    ],
    ids=str,
)
def test_files_of_which_the_later_one_wins_are_not_loaded_at_the_same_time(target, at_once):
    """Two loads of one run that end in any order would leave either file's row."""
    load = feeds.make_feed_dag(feed(target=target)).task_dict["load"]
    assert load.max_active_tis_per_dag == at_once


def test_a_continuous_feed_waits_for_files_and_does_not_start_a_run_every_second():
    waits = feeds.make_feed_dag(feed(schedule="@continuous")).task_dict["new_arrivals"]
    looks_once = feeds.make_feed_dag(feed(schedule="@hourly")).task_dict["new_arrivals"]
    assert (waits.timeout, waits.deferrable, looks_once.timeout) == (600, True, 0)


def test_2_1_no_task_hangs_for_ever():
    dag = feeds.make_feed_dag(feed(checks={"id": {"minimum": 1, "not_null": True}}))
    real = [task for task in dag.tasks if task.task_id != "every_file_loaded"]
    assert {task.execution_timeout for task in real} == {timedelta(hours=24)}
    assert {after_timeout(task) for task in real} == {RetryAction.FAIL}


def after_timeout(task):
    """What Airflow does with a task that has run for too long, before anybody is told."""
    return task.retry_policy.evaluate(AirflowTaskTimeout("Timeout, PID: 1"), 1, 2).action


def test_a_description_of_several_lines_stays_one_row_of_the_page():
    columns = {"id": {"type": "integer", "description": "first\nsecond | third"}}
    assert "| first second \\| third |" in feeds.feed_page(feed(columns=columns))
