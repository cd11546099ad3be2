"""One look for new arrivals: the listing of a feed's prefix minus the ledger.

The sensor and its trigger both look through `look`, and both end in the event of `event_of`, so
the sensor behaves the same whether it is deferred or not.
"""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError
from include.landfall.feed.model import Feed
from plugins.arrivals.waiting import Nothing, Ready, Wait, Watch, decide

NAMES_SHOWN = 10


def look(feed: Feed, watch: Watch, store: Store, warehouse: Warehouse) -> Ready | Wait | Nothing:
    """Lists the feed's prefix, subtracts the ledger, and decides; blocks while it does.

    Raises: LandfallError.
    """
    # Imported here, because every parse of a DAG file would pay for boto3 and psycopg.
    from include.landfall.ledger.arrivals import new_arrivals
    from include.landfall.postgres.connection import connect
    from include.landfall.postgres.errors import postgres_errors
    from include.landfall.s3.client import make_client
    from include.landfall.s3.listing import list_arrivals

    with (
        connect(warehouse, f"landfall sensor {feed.name}") as connection,
        postgres_errors(),
        closing(make_client(store)) as client,
    ):
        listed = list_arrivals(client, feed.source)
        new = new_arrivals(connection, feed, listed, due_only=not watch.retries_failed)
    return decide(new, watch, time.time())


def event_of(outcome: Ready | Nothing, feed: Feed) -> dict[str, Any]:
    """Gives the event that ends the sensor: its status, its message, the arrivals as dicts."""
    source = feed.source
    where = f"s3://{source.bucket}/{source.pattern}"
    growing = f"; still growing: {_names(outcome.growing)}" if outcome.growing else ""
    if isinstance(outcome, Nothing):
        complete = " that is complete" if growing else ""
        message = f"nothing new in {where}: the ledger has every file{complete}{growing}"
        return {"status": "nothing", "message": message}
    left = f"; {outcome.left} more are left to the next run" if outcome.left else ""
    new = f"{len(outcome.arrivals)} new in {where}: {_names(outcome.arrivals)}"
    arrivals = [arrival.as_dict() for arrival in outcome.arrivals]
    return {"status": "ready", "message": f"{new}{left}{growing}", "arrivals": arrivals}


def event_of_error(error: LandfallError) -> dict[str, Any]:
    """Gives the event that fails the sensor, with the verdict on a retry."""
    return {"status": "failed", "message": str(error), "retryable": error.retryable}


def _names(arrivals: list[Arrival]) -> str:
    keys = [arrival.key for arrival in arrivals[:NAMES_SHOWN]]
    more = len(arrivals) - len(keys)
    return ", ".join(keys) + (f" and {more} more" if more else "")
