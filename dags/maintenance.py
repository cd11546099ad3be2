"""Deletes rejects that are older than their feed keeps them, every night.

A feed says how long (`rejects.days`, 90 unless it says otherwise). Each feed has a task, so a
database that cannot be reached keeps no other feed waiting. What was deleted, and in which state it
was, is in the task's log and XCom: an `open` one is a row that nobody has replayed or dismissed.
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, task

from dags.common.defaults import dag_defaults
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_folder
from plugins.s3_to_postgres import S3ToPostgresHook

FEEDS = Path(__file__).parents[1] / "include" / "feeds"


def expire_rejects(feed: Feed) -> None:
    """Adds the task that deletes the feed's old rejects."""

    @task(task_id=f"expire_rejects_{feed.name}")
    def expire() -> dict[str, int]:
        return S3ToPostgresHook.of(feed).expire_rejects(feed)

    expire()


with DAG(
    "maintenance",
    description="Deletes old rejects",
    doc_md=__doc__,
    schedule="@daily",
    tags=["maintenance"],
    **dag_defaults(),
):
    for each in read_folder(FEEDS).feeds:  # dags/broken_feeds.py shows those that cannot be read
        expire_rejects(each)
