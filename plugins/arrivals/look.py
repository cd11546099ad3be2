"""One look for new arrivals: the listing of a feed's prefix minus the ledger.

The sensor and its trigger both look through `look`, and both end in the event of `event_of`, so
the sensor behaves the same whether it is deferred or not.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError, failures_of, printable
from include.landfall.feed.model import Feed
from plugins.arrivals.waiting import Nothing, Ready, Wait, Watch, decide, wait_on

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

    incomplete: list[str] = []
    early: list[str] = []
    with (
        connect(warehouse, f"landfall sensor {feed.name}") as connection,
        postgres_errors(),
        closing(make_client(store)) as client,
    ):
        new = new_arrivals(
            connection,
            feed,
            list_arrivals(client, feed.source, lambda each: incomplete.append(each.arrival.key)),
            due_only=not watch.retries_failed,
            on_early=lambda arrival: early.append(arrival.key),
        )
    outcome = decide(new, watch, time.time())
    if isinstance(outcome, Wait):
        return outcome
    return replace(outcome, incomplete=tuple(incomplete), early=tuple(early))


def look_again(error: LandfallError, watch: Watch) -> Wait:
    """Returns the decision after a look that failed: to wait for a server that is away.

    A retry of the task would begin to wait from the start.

    Raises: the error, when it does not pass, and when the time is up.
    """
    wait = wait_on(watch, time.time()) if error.retryable else None
    if wait is None:
        raise error
    return wait


def event_of(outcome: Ready | Nothing, feed: Feed) -> dict[str, Any]:
    """Returns the event that ends the sensor: its status, its message, the arrivals as dicts.

    `warns`: whether somebody should know that arrivals are left, or wait after a failure.
    """
    where, not_yet = _where(feed), _not_yet(outcome)
    if isinstance(outcome, Nothing):
        which = "every other file" if not_yet else "every file"
        message = f"nothing new in {where}: the ledger has {which}{not_yet}"
        return {"status": "nothing", "message": message, "warns": bool(outcome.early)}
    left = f"; {outcome.left} more are left to the next run" if outcome.left else ""
    names = _names([each.key for each in outcome.arrivals])
    return {
        "status": "ready",
        "message": f"{len(outcome.arrivals)} new in {where}: {names}{left}{not_yet}",
        "warns": bool(outcome.left or outcome.early),
        "arrivals": [arrival.as_dict() for arrival in outcome.arrivals],
    }


def event_of_error(error: LandfallError) -> dict[str, Any]:
    """Returns the event that fails the sensor, with the verdict on a retry."""
    return {
        "status": "failed",
        "message": str(error),
        "retryable": error.retryable,
        "failures": failures_of([error]),
    }


def event_of_surprise(error: Exception) -> dict[str, Any]:
    """Returns the event of an error that nobody foresaw; its traceback is in the trigger's log.

    A retry looks once more, with the feed and the code of then.
    """
    message = f"the look for new arrivals failed: {type(error).__name__}: {printable(error)}"
    return {"status": "failed", "message": message, "retryable": True}


def waiting_message(wait: Wait, feed: Feed) -> str:
    """Returns what a waiting sensor writes into its log: when it looks again, and until when."""
    watch, growing = wait.watch, [arrival.key for arrival in wait.growing]
    ends = watch.ends_for_growing if growing else watch.ends
    what = f"; still growing: {_names(growing)}" if growing else ""
    return (
        f"nothing to hand on yet in {_where(feed)}: the next look is at {_moment(watch.next_look)},"
        f" the last one at {_moment(ends)}{what}"
    )


def _where(feed: Feed) -> str:
    return f"s3://{feed.source.bucket}/{feed.source.pattern}"


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%SZ}"


def _not_yet(outcome: Ready | Nothing) -> str:
    growing = [arrival.key for arrival in outcome.growing]
    parts = (
        ("still growing", growing),
        ("not complete", list(outcome.incomplete)),
        ("failed, and tried again later or by a run that you start", list(outcome.early)),
    )
    return "".join(f"; {what}: {_names(keys)}" for what, keys in parts if keys)


def _names(keys: list[str]) -> str:
    more = len(keys) - NAMES_SHOWN
    names = ", ".join(map(printable, keys[:NAMES_SHOWN]))
    return names + (f" and {more} more" if more > 0 else "")
