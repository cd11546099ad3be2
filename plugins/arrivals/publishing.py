"""Which loads of a feed its asset does not tell of yet.

Each event of the asset has the fingerprint of the loads that it tells of. So loads whose checks
could not run, or that a person made by hand, are published by the next run, which may load nothing.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from include.airflow_bridge import airflow_errors, warehouse_of
from include.landfall.feed.model import Feed

FINGERPRINT = "landfall_loads"  # the key in the event's `extra`
# Other DAGs may update the asset too, and their events have no fingerprint.
EVENTS_READ = 100


def unpublished_loads(feed: Feed, events: Any) -> str:
    """Returns the fingerprint of the feed's loads. `events` are those of its asset.

    Raises: AirflowSkipException when the newest fingerprint among the events is the same.
    """
    fingerprint = _fingerprint(feed)
    newest_first = events.ascending(False).limit(EVENTS_READ)
    published = (event.extra.get(FINGERPRINT) for event in newest_first if event.extra)
    if fingerprint is None or fingerprint == next(filter(None, published), None):
        raise AirflowSkipException("every load is published")
    return fingerprint


def _fingerprint(feed: Feed) -> str | None:
    # Imported here, because every parse of a DAG file would pay for psycopg.
    from include.landfall.ledger.queries import loads_fingerprint
    from include.landfall.postgres.connection import connect
    from include.landfall.postgres.errors import postgres_errors

    with (
        airflow_errors(),
        connect(warehouse_of(feed.target.connection), f"landfall {feed.name}") as connection,
        postgres_errors(),
    ):
        return loads_fingerprint(connection, feed.name)
