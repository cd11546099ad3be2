"""One DAG for each feed in include/feeds: wait for new arrivals, load each, check, tell the marts.

A feed whose file cannot be read has a DAG too, which fails with the error; it changes nothing for
the other feeds. dags/broken_feeds.py shows the same error among Airflow's import errors.
"""

from __future__ import annotations

import re
from collections.abc import Container
from hashlib import sha256
from pathlib import Path
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, TriggerRule, get_parsing_context, task
from airflow.sdk.exceptions import AirflowFailException
from croniter import CroniterError, croniter

from dags.common.defaults import NO_RETRY, START, dag_defaults
from dags.common.feed_pages import broken_feed_page, feed_page
from dags.common.receipts import extra_of
from include import astro_sdk
from include.astro_sdk import aql, feed_checks, feed_table, table_asset
from include.landfall.errors import FeedError, shortened
from include.landfall.feed.dispositions import MERGE
from include.landfall.feed.model import PRESETS, Feed
from include.landfall.feed.yaml_file import read_folder
from plugins.arrivals.publishing import extra_of_feed, unpublished_loads
from plugins.arrivals.sensor import NewArrivalsSensor

FEEDS = Path(__file__).parents[1] / "include" / "feeds"
LONGEST_ID = 200  # of 250 characters that Airflow takes
LONGEST_TAG = 100
# How long a run of @continuous waits for files: without it, there would be a run every few seconds.
LOOP_SECONDS = 600


def make_dags(folder: Path) -> dict[str, DAG]:
    """Makes the DAG of every feed in a folder, and returns them by their ids.

    A task gets the DAG of its own feed alone: it would else make those of hundreds when it starts.
    """
    if own := own_feed(folder, get_parsing_context().dag_id or ""):
        return {f"feed_{own.name}": dag_of(own)}
    feeds, dags = read_folder(folder), {}
    for feed in feeds.feeds:
        dags[f"feed_{feed.name}"] = dag_of(feed)
    for path, error in feeds.broken.items():
        dag_id = broken_dag_id(path, dags)
        dags[dag_id] = make_broken_feed_dag(dag_id, path.name, error)
    return dags


def own_feed(folder: Path, dag_id: str) -> Feed | None:
    """Returns the feed of a DAG; None of the DAG of a file that cannot be read."""
    name = dag_id.removeprefix("feed_")
    feeds = read_folder(folder, name).feeds if dag_id.startswith("feed_") else []
    return next((feed for feed in feeds if feed.name == name), None)


def dag_of(feed: Feed) -> DAG:
    """Makes a feed's DAG, or where Airflow refuses the feed one that says why."""
    try:
        check_schedule(feed)
        return make_feed_dag(feed)
    except FeedError as wrong:
        error = wrong
    except Exception as cause:  # noqa: BLE001  whatever it is, the other feeds keep their DAGs
        error = FeedError("Airflow refuses the feed", found=str(cause))
    return make_broken_feed_dag(f"feed_{feed.name}", f"{feed.name}.yaml", error.at(feed=feed.name))


def broken_dag_id(path: Path, taken: Container[str]) -> str:
    """Returns an id for the DAG of a file that cannot be read, beside the ids that are taken.

    A file may have a name that a DAG cannot have.
    """
    dag_id = re.sub(r"[^\w.-]+", "_", f"feed_{path.stem}")[:LONGEST_ID]
    if dag_id not in taken:
        return dag_id
    return f"{dag_id}_{sha256(path.name.encode(errors='replace')).hexdigest()[:8]}"


def check_schedule(feed: Feed) -> None:
    """Checks that Airflow can take the schedule: it looks only after it has made the DAG.

    Raises: FeedError when the schedule is neither a preset nor cron, or names no day that exists.
    """
    if feed.schedule in (None, *PRESETS) or _has_next(str(feed.schedule)):
        return
    raise FeedError(
        "'schedule' is wrong",
        found=feed.schedule,
        expected=f"cron such as '0 6 * * *', null, or one of {', '.join(PRESETS)}",
    )


def _has_next(cron: str) -> bool:
    try:
        croniter(cron, START).get_next()
    except CroniterError:  # also of a day that never comes, such as February 30
        return False
    return True


def make_feed_dag(feed: Feed) -> DAG:
    """Makes a feed's DAG: sensor → loads of the arrivals → checks → the feed's asset."""
    with DAG(
        f"feed_{feed.name}",
        description=feed.description,
        doc_md=feed_page(feed),
        schedule=feed.schedule,
        tags=["feed", shortened(feed.target.table, LONGEST_TAG)],
        auto_register=False,  # a DAG that fails on the way is half of one
        **dag_defaults(feed.owner),
    ) as dag:
        timeout = LOOP_SECONDS if feed.schedule == "@continuous" else 0
        arrivals = NewArrivalsSensor(
            task_id="new_arrivals", feed=feed, by_task=True, soft_fail=True, timeout=timeout
        )
        load = load_each(feed, arrivals)
        # A run is as green as its last tasks: this one is red when any file was refused.
        load >> EmptyOperator(task_id="every_file_loaded")
        check_and_publish(feed, load)
    return dag


def load_each(feed: Feed, arrivals: NewArrivalsSensor) -> Any:
    """Returns the task that loads arrivals, one or several, mapped over the sensor's."""
    return aql.LoadFileOperator.partial(
        task_id="load",
        output_table=feed_table(feed),
        if_exists="append",
        outlets=[],  # the asset waits for the checks
        map_index_template="{{ task.input_file.label }}",
        # Where the later file wins, the files are loaded one after the other, oldest first.
        max_active_tis_per_dag=1 if later_file_wins(feed) else None,
    ).expand(
        # `astro_sdk.ArrivalFile` imports the whole engine, so the parse must not look it up.
        input_file=arrivals.output.map(lambda files: astro_sdk.ArrivalFile.of(files, feed))
    )


def later_file_wins(feed: Feed) -> bool:
    """Returns whether the table depends on the order in which files are loaded."""
    target = feed.target
    is_merge = target.disposition == MERGE and not target.newest
    return bool(target.replace_where) or is_merge


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
        outlet_events[asset].extra = {**extra_of_feed(feed, loads), **extra_of(receipts)}

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


def make_broken_feed_dag(dag_id: str, file: str, error: FeedError) -> DAG:
    """Makes a DAG that fails on schedule with the reason why the feed's own DAG is missing."""
    with DAG(
        dag_id,
        description=f"{file} cannot be read: {error.what}",
        doc_md=broken_feed_page(file, error),
        schedule="@hourly",
        tags=["feed", "broken"],
        auto_register=False,
        **dag_defaults(),
    ) as dag:
        message = str(error)

        @task(task_id="read_feed")
        def read_feed() -> None:
            raise AirflowFailException(message)

        read_feed()
    return dag


globals().update(make_dags(FEEDS))  # where Airflow finds them
