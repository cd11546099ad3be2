"""The sensor: which arrivals of a feed are new against the ledger, and whole.

On a worker it looks once; when there is something to wait for it defers to its trigger, which
looks on from the triggerer. Both look through `look` and decide through `waiting.decide`, and both
end in one event, so deferrable or not the sensor behaves the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import BaseOperator, BaseSensorOperator
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferralTimeout,
)
from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.airflow_bridge import (
    airflow_errors,
    astore_of,
    awarehouse_of,
    store_of,
    verdict,
    warehouse_of,
)
from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.errors import LandfallError
from include.landfall.feed.model import Feed
from plugins.arrivals.waiting import MOST_ARRIVALS, Nothing, Ready, Wait, Watch, decide

# How long a deferred sensor may be overdue before the task itself says that nobody looks.
TRIGGERER_GRACE_SECONDS = 600
NAMES_SHOWN = 10


class NewArrivalsSensor(BaseSensorOperator):  # type: ignore[misc]
    """Waits for arrivals of a feed that the ledger does not have; gives them oldest first.

    XCom: a list of at most `most` arrivals as dicts (`Arrival.as_dict`), ready to be mapped over;
    more than that are left to the next run. A set difference between the listing of the feed's
    prefix and the ledger decides what is new, never a time: so late files, files with odd clocks
    and files that arrive in mid-listing are found by the next look.

    An object that still grows (`source.settle_seconds`) is waited for. `timeout` (seconds) is how
    long to wait for anything new, deferrals included; 0 looks once. Then the task is skipped with
    `soft_fail`, and fails without. A wrong bucket, key or password fails at once, soft or not.
    """

    ui_color = "#d7ecd9"

    def __init__(
        self,
        *,
        feed: Feed,
        most: int = MOST_ARRIVALS,
        deferrable: bool = True,
        timeout: float | timedelta = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(timeout=timeout, **kwargs)
        if self.never_fail or self.silent_fail or self.exponential_backoff or self.reschedule:
            raise ValueError(
                "NewArrivalsSensor takes no never_fail, silent_fail, exponential_backoff or"
                " mode='reschedule': it is deferrable, and only the absence of files is soft"
            )
        if not 1 <= most <= MOST_ARRIVALS:
            raise ValueError(f"most is {most}: a task maps over 1 to {MOST_ARRIVALS} arrivals")
        self.feed = feed
        self.most = most
        self.deferrable = deferrable

    def execute(self, context: Any) -> list[dict[str, Any]]:
        """Looks, and waits here or on the triggerer while there is something to wait for."""
        watch = self._watch(time.time())
        with airflow_errors():
            store = store_of(self.feed.source.connection)
            warehouse = warehouse_of(self.feed.target.connection)
            while isinstance(outcome := look(self.feed, watch, store, warehouse), Wait):
                watch = outcome.watch
                self.log.info("%s: nothing to hand on yet, waiting", self.feed.source.pattern)
                if self.deferrable:
                    self._defer(watch)
                time.sleep(max(0.0, watch.next_look - time.time()))
        return self.conclude(context, event_of(outcome, self.feed))

    def conclude(self, context: Any, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Ends the task as the event says, whoever looked."""
        if event["status"] == "failed":
            raise verdict(event["message"], event["retryable"])
        if event["status"] == "ready":
            self.log.info(event["message"])
            return list(event["arrivals"])
        raise (AirflowSkipException if self.soft_fail else AirflowSensorTimeout)(event["message"])

    def resume_execution(
        self, next_method: str, next_kwargs: dict[str, Any] | None, context: Any
    ) -> Any:
        """Comes back from the trigger.

        BaseSensorOperator's own would make a skip of every failure under `soft_fail`, a wrong
        password too.
        """
        try:
            return BaseOperator.resume_execution(self, next_method, next_kwargs, context)
        except TaskDeferralTimeout:
            raise AirflowException(
                "the triggerer did not look for new arrivals in time: check that it runs"
            ) from None

    def _watch(self, now: float) -> Watch:
        return Watch(
            started=now,
            timeout=self.timeout,
            poke_interval=self.poke_interval,
            settle=self.feed.source.settle_seconds,
            most=self.most,
        )

    def _defer(self, watch: Watch) -> NoReturn:
        overdue = watch.ends_for_growing - watch.started + TRIGGERER_GRACE_SECONDS
        trigger = NewArrivalsTrigger(self.feed.model_dump(mode="json"), watch.as_dict())
        self.defer(trigger=trigger, method_name="conclude", timeout=overdue)
        raise AssertionError("defer does not return")


class NewArrivalsTrigger(BaseTrigger):  # type: ignore[misc]
    """Looks for new arrivals until there are some or the watch ends; fires one event.

    All it needs is in its two arguments, which Airflow keeps in its database: a triggerer that
    takes it over goes on with the same deadline. It holds no connection between looks.
    """

    def __init__(self, feed: dict[str, Any], watch: dict[str, Any]) -> None:
        super().__init__()
        self.feed = feed
        self.watch = watch

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """The path that the triggerer imports, and the arguments."""
        kind = type(self)
        path = f"{kind.__module__}.{kind.__qualname__}"
        return path, {"feed": self.feed, "watch": self.watch}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields the one event that `NewArrivalsSensor.conclude` takes."""
        try:
            yield TriggerEvent(await self._wait())
        except LandfallError as error:
            # As an event, for a trigger that raises shows the task its traceback and no verdict.
            failed = {"status": "failed", "message": str(error), "retryable": error.retryable}
            yield TriggerEvent(failed)

    async def _wait(self) -> dict[str, Any]:
        feed, watch = Feed.model_validate(self.feed), Watch.from_dict(self.watch)
        store = await astore_of(feed.source.connection)
        warehouse = await awarehouse_of(feed.target.connection)
        while True:
            await asyncio.sleep(max(0.0, watch.next_look - time.time()))
            outcome = await asyncio.to_thread(look, feed, watch, store, warehouse)
            if not isinstance(outcome, Wait):
                return event_of(outcome, feed)
            watch = outcome.watch


def look(feed: Feed, watch: Watch, store: Store, warehouse: Warehouse) -> Ready | Wait | Nothing:
    """One look: lists the feed's prefix, subtracts the ledger, decides. Blocks."""
    # Imported here: every parse of a DAG file would pay for boto3 and psycopg.
    from include.landfall.ledger.arrivals import new_arrivals
    from include.landfall.postgres.connection import connect
    from include.landfall.postgres.errors import postgres_errors
    from include.landfall.s3.client import make_client
    from include.landfall.s3.listing import list_arrivals

    with connect(warehouse, f"landfall sensor {feed.name}") as connection, postgres_errors():
        listed = list_arrivals(make_client(store), feed.source)
        new = new_arrivals(connection, feed, listed)
    return decide(new, watch, time.time())


def event_of(outcome: Ready | Nothing, feed: Feed) -> dict[str, Any]:
    """The outcome as the event that ends the sensor, with what the log should say."""
    source = feed.source
    where = f"s3://{source.bucket}/{source.pattern}"
    growing = f"; still growing: {_names(outcome.growing)}" if outcome.growing else ""
    if isinstance(outcome, Nothing):
        said = f"nothing new in {where}: the ledger has every file{growing and ' that is whole'}"
        return {"status": "nothing", "message": said + growing}
    left = f"; {outcome.left} more are left to the next run" if outcome.left else ""
    said = f"{len(outcome.arrivals)} new in {where}: {_names(outcome.arrivals)}{left}{growing}"
    found = [arrival.as_dict() for arrival in outcome.arrivals]
    return {"status": "ready", "message": said, "arrivals": found}


def _names(arrivals: list[Arrival]) -> str:
    keys = [arrival.key for arrival in arrivals[:NAMES_SHOWN]]
    more = len(arrivals) - len(keys)
    return ", ".join(keys) + (f" and {more} more" if more else "")
