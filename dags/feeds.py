"""One DAG for each feed in include/feeds: wait for new arrivals, load each, check, tell the marts.

A feed whose file cannot be read has a DAG too, which fails with the error; it changes nothing for
the other feeds. dags/broken_feeds.py shows the same error among Airflow's import errors.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, task
from airflow.sdk.exceptions import AirflowFailException
from croniter import croniter

from dags.common.defaults import NO_RETRY, dag_defaults
from dags.common.feed_pages import broken_feed_page, feed_page
from dags.common.receipts import extra_of
from include import astro_sdk
from include.astro_sdk import aql, feed_checks, feed_table, table_asset
from include.landfall.errors import FeedError
from include.landfall.feed.model import PRESETS, Feed
from include.landfall.feed.yaml_file import read_folder
from plugins.arrivals.publishing import FINGERPRINT, unpublished_loads
from plugins.arrivals.sensor import NewArrivalsSensor

FEEDS = Path(__file__).parents[1] / "include" / "feeds"


def make_dags(folder: Path) -> None:
    """Makes the DAG of every feed in a folder.

    Airflow registers every DAG that is made in a `with` block while it parses this file.
    """
    feeds = read_folder(folder)
    for feed in feeds.feeds:
        try:
            check_schedule(feed)
            make_feed_dag(feed)
        except FeedError as wrong:
            make_broken_feed_dag(Path(f"{feed.name}.yaml"), wrong.at(feed=feed.name))
        except Exception as cause:  # noqa: BLE001  Airflow refuses it; the other feeds must not go
            refused = FeedError("Airflow refuses the feed", found=str(cause)).at(feed=feed.name)
            make_broken_feed_dag(Path(f"{feed.name}.yaml"), refused)
    names = {feed.name for feed in feeds.feeds}
    for path, error in feeds.broken.items():
        if path.stem not in names:  # the file may be broken because it took another feed's name
            make_broken_feed_dag(path, error)
            names.add(path.stem)


def check_schedule(feed: Feed) -> None:
    """Checks that Airflow can take the schedule: it looks only after it has made the DAG.

    Raises: FeedError when the schedule is neither a preset nor cron.
    """
    if feed.schedule in (None, *PRESETS) or croniter.is_valid(str(feed.schedule)):
        return
    raise FeedError(
        "'schedule' is wrong",
        found=feed.schedule,
        expected=f"cron such as '0 6 * * *', null, or one of {', '.join(PRESETS)}",
    )


def make_feed_dag(feed: Feed) -> None:
    """Makes a feed's DAG: sensor → one load for each arrival → checks → the feed's asset."""
    with DAG(
        f"feed_{feed.name}",
        description=feed.description,
        doc_md=feed_page(feed),
        schedule=feed.schedule,
        tags=["feed", feed.target.table],
        **dag_defaults(feed.owner),
    ):
        arrivals = NewArrivalsSensor(task_id="new_arrivals", feed=feed, soft_fail=True)
        load = aql.LoadFileOperator.partial(
            task_id="load",
            output_table=feed_table(feed),
            if_exists="append",
            outlets=[],  # the asset waits for the checks
            map_index_template="{{ task.input_file.key }}",
        ).expand(
            # `astro_sdk.ArrivalFile` imports the whole engine, so the parse must not look it up.
            input_file=arrivals.output.map(lambda arrival: astro_sdk.ArrivalFile.of(arrival, feed))
        )
        # A run is as green as its last tasks: this one is red when any file was refused.
        load >> EmptyOperator(task_id="every_file_loaded")
        check_and_publish(feed, load)


def check_and_publish(feed: Feed, load: Any) -> None:
    """Adds the feed's checks after its loads, and its asset after the checks."""
    table, checks = feed_table(feed), feed_checks(feed)
    asset = table_asset(table)

    # A bad file does not keep the good ones from the marts, and loads that an earlier run could not
    # check are published even if there is nothing new now.
    @task(trigger_rule=TriggerRule.ALL_DONE, inlets=[asset])
    def loads_to_publish(inlet_events: Any = None) -> str:
        return unpublished_loads(feed, inlet_events[asset])

    @task(outlets=[asset])
    def published(loads: str, ti: Any = None, outlet_events: Any = None) -> None:
        receipts = ti.xcom_pull(task_ids=["load"], key="receipts")
        outlet_events[asset].extra = {FINGERPRINT: loads, **extra_of(receipts)}

    loads = loads_to_publish()
    last = published(loads)
    load >> loads
    if checks.table:
        rows = aql.check_table(dataset=table, checks=checks.table, task_id="check_rows", **NO_RETRY)
        loads >> rows >> last
    if checks.columns:
        columns = aql.check_column(
            dataset=table, column_mapping=checks.columns, task_id="check_columns", **NO_RETRY
        )
        loads >> columns >> last


def make_broken_feed_dag(path: Path, error: FeedError) -> None:
    """Makes a DAG that fails on schedule with the reason why the feed's own DAG is missing."""
    with DAG(
        # A file may have a name that a DAG cannot have.
        re.sub(r"[^\w.-]+", "_", f"feed_{path.stem}"),
        description=f"{path.name} cannot be read: {error.what}",
        doc_md=broken_feed_page(path, error),
        schedule="@hourly",
        tags=["feed", "broken"],
        **dag_defaults(),
    ):
        message = str(error)

        @task(task_id="read_feed")
        def read_feed() -> None:
            raise AirflowFailException(message)

        read_feed()


make_dags(FEEDS)
