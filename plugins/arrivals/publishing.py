"""Which loads of a feed its asset does not tell of yet.

Each event of the asset has the fingerprint of the loads that it tells of. So loads whose checks
could not run, or that a person made by hand, are published by the next run, which may load nothing.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.airflow_bridge.connections import warehouse_of
from include.airflow_bridge.errors import airflow_errors
from include.landfall.feed.model import Feed

# Keys in the event's `extra`.
FINGERPRINT = "landfall_loads"
FEED = "landfall_feed"
NO_LOADS = "none"  # the fingerprint of a feed whose loads are all undone
# Other feeds and DAGs may update the asset too.
EVENTS_READ = 500


def unpublished_loads(feed: Feed, events: Any) -> str:
    """Returns the fingerprint of the feed's loads. `events` are those of its asset.

    Raises: AirflowSkipException when the newest event of the feed has the same.
    """
    fingerprint = _fingerprint(feed)
    if fingerprint in (None, _published(feed, events) or NO_LOADS):
        raise AirflowSkipException("every load is published")
    return str(fingerprint)


def _published(feed: Feed, events: Any) -> str | None:
    """Returns the newest fingerprint of the feed. An earlier release did not name the feed."""
    for event in events.ascending(False).limit(EVENTS_READ):
        extra = event.extra or {}
        if extra.get(FINGERPRINT) and extra.get(FEED, feed.name) == feed.name:
            return str(extra[FINGERPRINT])
    return None


def extra_of_feed(feed: Feed, fingerprint: str) -> dict[str, str]:
    """Returns what an event of the feed's asset carries, so that `unpublished_loads` knows it."""
    return {FEED: feed.name, FINGERPRINT: fingerprint}


def _fingerprint(feed: Feed) -> str | None:
    """Returns the fingerprint of the feed's loads; None where it has neither loads nor a table."""
    # Imported here, because every parse of a DAG file would pay for psycopg.
    from include.landfall.ledger.queries import loads_fingerprint
    from include.landfall.postgres.catalog import has_relation
    from include.landfall.postgres.connection import connect
    from include.landfall.postgres.errors import postgres_errors

    target = feed.target
    with (
        airflow_errors(),
        connect(warehouse_of(target.connection), f"landfall {feed.name}") as connection,
        postgres_errors(),
    ):
        fingerprint = loads_fingerprint(connection, feed.name)
        if fingerprint is None and has_relation(connection, target.schema_name, target.table_name):
            return NO_LOADS
        return fingerprint
