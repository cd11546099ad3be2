"""Deletes old rejects, and moves or deletes the objects of loaded files, every night.

A feed says how long its rejects are kept (`rejects.days`, 90 unless it says otherwise), and what
becomes of its loaded files (`source.loaded_files`; without it they stay). Each feed has tasks of
its own, so a database that cannot be reached keeps no other feed waiting. What was done is in the
task's log and XCom. An `open` reject is a row that nobody has replayed or dismissed.
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, task

from dags.common.defaults import dag_defaults
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import Feeds, read_folder
from plugins.s3_to_postgres import S3ToPostgresHook

FEEDS = Path(__file__).parents[1] / "include" / "feeds"


def expire_rejects(feed: Feed) -> None:
    """Adds the task that deletes the feed's old rejects."""

    @task(task_id=f"expire_rejects_{feed.name}")
    def expire() -> dict[str, int]:
        return S3ToPostgresHook.of(feed).expire_rejects(feed)

    expire()


def tidy_files(feed: Feed, feeds: Feeds) -> None:
    """Adds the task that moves or deletes the objects of the feed's loaded files."""

    @task(task_id=f"tidy_files_{feed.name}")
    def tidy() -> dict[str, int]:
        return S3ToPostgresHook.of(feed).tidy(feed, others=feeds)

    tidy()


with DAG(
    "maintenance",
    description="Deletes old rejects, and tidies loaded files away",
    doc_md=__doc__,
    schedule="@daily",
    tags=["maintenance"],
    **dag_defaults(),
):
    every = read_folder(FEEDS)  # dags/broken_feeds.py shows those that cannot be read
    for each in every.feeds:
        expire_rejects(each)
        if each.source.loaded_files:
            tidy_files(each, every)
