"""One look for new arrivals: the listing of a feed's prefix minus the ledger.

The sensor and its trigger both look through `look`, and both end in the event of `event_of`, so
the sensor behaves the same whether it is deferred or not.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import Any

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
        incomplete: list[str] = []
        listed = list_arrivals(
            client, feed.source, lambda snapshot: incomplete.append(snapshot.arrival.key)
        )
        new = new_arrivals(connection, feed, listed, due_only=not watch.retries_failed)
    outcome = decide(new, watch, time.time())
    if isinstance(outcome, Wait):
        return outcome
    return replace(outcome, incomplete=tuple(incomplete))


def event_of(outcome: Ready | Nothing, feed: Feed) -> dict[str, Any]:
    """Returns the event that ends the sensor: its status, its message, the arrivals as dicts."""
    source = feed.source
    where = f"s3://{source.bucket}/{source.pattern}"
    not_yet = _not_yet(outcome)
    if isinstance(outcome, Nothing):
        complete = " that is complete" if not_yet else ""
        message = f"nothing new in {where}: the ledger has every file{complete}{not_yet}"
        return {"status": "nothing", "message": message}
    left = f"; {outcome.left} more are left to the next run" if outcome.left else ""
    new = (
        f"{len(outcome.arrivals)} new in {where}: {_names([each.key for each in outcome.arrivals])}"
    )
    arrivals = [arrival.as_dict() for arrival in outcome.arrivals]
    return {"status": "ready", "message": f"{new}{left}{not_yet}", "arrivals": arrivals}


def event_of_error(error: LandfallError) -> dict[str, Any]:
    """Returns the event that fails the sensor, with the verdict on a retry."""
    return {"status": "failed", "message": str(error), "retryable": error.retryable}


def _not_yet(outcome: Ready | Nothing) -> str:
    growing = [arrival.key for arrival in outcome.growing]
    parts = ("still growing", growing), ("not complete", list(outcome.incomplete))
    return "".join(f"; {what}: {_names(keys)}" for what, keys in parts if keys)


def _names(keys: list[str]) -> str:
    more = len(keys) - NAMES_SHOWN
    return ", ".join(keys[:NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
