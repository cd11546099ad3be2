"""Tells the people on call when the files of a feed are overdue (`source.late_after`).

Every 15 minutes one task looks at all feeds that have the key, whether their DAGs run by the clock,
by an asset or by hand, and also when they are paused. It fails when there is something new to tell:
no file has come for too long, nothing takes the files that come, or a look was not possible. So the
alerts of dags/common/alerts.py tell of it, once for each silence. While a silence lasts the later
runs are green, and their logs warn of it. It ends by itself when a file comes.

What was told is in Airflow's variable `landfall_late_files`. Whoever deletes it is told again.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from airflow.sdk import DAG, Variable, task
from airflow.sdk.exceptions import AirflowFailException

from dags.common.defaults import dag_defaults
from include.landfall.feed.model import Feed
from include.landfall.feed.yaml_file import read_folder
from plugins.arrivals.late import look_at

FEEDS = Path(__file__).parents[1] / "include" / "feeds"
MEMORY = "landfall_late_files"


def make_dag(feeds: Iterable[Feed]) -> DAG | None:
    """Makes the DAG that looks at the feeds which have `late_after`; None where none has it."""
    watched = [feed for feed in feeds if feed.source.late_after]
    if not watched:
        return None
    with DAG(
        "late_files",
        description="Tells when no new file of a feed has come for too long",
        doc_md=__doc__,
        schedule="*/15 * * * *",
        tags=["maintenance"],
        # Whoever writes the key expects to hear, also where Airflow pauses what is new.
        is_paused_upon_creation=False,
        **dag_defaults(),
    ) as dag:
        add_look(watched)
    return dag


def add_look(feeds: list[Feed]) -> None:
    """Adds the task that looks at the feeds, and fails when there is something new to tell."""

    @task
    def look() -> None:
        memory = Variable.get(MEMORY, default=None, deserialize_json=True) or {}
        texts, kept = look_at(feeds, memory)
        if kept != memory:
            Variable.set(MEMORY, kept, "What was told of late feeds", serialize_json=True)
        if texts:
            raise AirflowFailException("\n\n".join(texts))

    look()


# dags/broken_feeds.py shows the feeds that cannot be read.
late_files = make_dag(read_folder(FEEDS).feeds)
