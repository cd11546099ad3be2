"""One DAG for each feed in include/feeds: wait for new arrivals, load each, check, tell the marts.

A feed whose file cannot be read has its DAG too, which fails with the error; the other feeds' DAGs
are as they were. dags/broken_feeds.py shows the same error among Airflow's import errors.
"""

from __future__ import annotations

from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException

from include import astro_sdk
from include.astro_sdk import aql, feed_checks, feed_table, table_asset
from include.landfall.errors import FeedError
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_folder
from dags.common.defaults import NO_RETRY, dag_defaults
from dags.common.feed_pages import broken_feed_doc, feed_doc
from plugins.arrivals.sensor import NewArrivalsSensor

FEEDS = Path(__file__).parents[1] / "include" / "feeds"
# A bad file is no reason to keep the good ones from the marts.
SOME_LOADED = TriggerRule.ALL_DONE_MIN_ONE_SUCCESS


def feed_dag(feed: Feed) -> DAG:
    """sensor → one load for each arrival → checks → the feed's asset."""
    with DAG(
        f"feed_{feed.name}",
        description=feed.description,
        doc_md=feed_doc(feed),
        schedule=feed.schedule,
        tags=["feed", feed.target.table],
        **dag_defaults(feed.owner),
    ) as dag:
        arrivals = NewArrivalsSensor(task_id="new_arrivals", feed=feed, soft_fail=True)
        table, checks = feed_table(feed), feed_checks(feed)
        load = aql.LoadFileOperator.partial(
            task_id="load",
            output_table=table,
            if_exists="append",
            outlets=[],  # the asset waits for the checks
            map_index_template="{{ task.input_file.key }}",
        ).expand(
            # `astro_sdk.` and no sooner: it brings the whole engine, which a parse can do without.
            input_file=arrivals.output.map(lambda found: astro_sdk.ArrivalFile.of(found, feed))
        )
        published = EmptyOperator(task_id="published", outlets=[table_asset(table)])
        # A run is as green as its last tasks: this one is red when any file was refused.
        load >> EmptyOperator(task_id="every_file_loaded")
        some_file_loaded = EmptyOperator(task_id="some_file_loaded", trigger_rule=SOME_LOADED)
        load >> some_file_loaded >> published
        if checks.table:
            rows = aql.check_table(
                dataset=table, checks=checks.table, task_id="check_rows", **NO_RETRY
            )
            some_file_loaded >> rows >> published
        if checks.columns:
            columns = aql.check_column(
                dataset=table, column_mapping=checks.columns, task_id="check_columns", **NO_RETRY
            )
            some_file_loaded >> columns >> published
    return dag


def broken_feed_dag(path: Path, error: FeedError) -> DAG:
    """A DAG that fails on schedule with the reason why the feed's own is not here."""
    with DAG(
        f"feed_{path.stem}",
        description=f"{path.name} cannot be read: {error.what}",
        doc_md=broken_feed_doc(path, error),
        schedule="@hourly",
        tags=["feed", "broken"],
        **dag_defaults(),
    ) as dag:
        message = str(error)

        @task(task_id="read_feed")
        def read_feed() -> None:
            raise AirflowFailException(message)

        read_feed()
    return dag


_found = read_folder(FEEDS)
for _feed in _found.feeds:
    globals()[f"feed_{_feed.name}"] = feed_dag(_feed)
for _path, _error in _found.broken.items():
    if f"feed_{_path.stem}" not in globals():  # it may have taken another feed's name
        globals()[f"feed_{_path.stem}"] = broken_feed_dag(_path, _error)
