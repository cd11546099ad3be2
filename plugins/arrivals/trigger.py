"""The trigger: looks for new arrivals on a triggerer, while the sensor's task is deferred."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.airflow_bridge.connections import astore_of, awarehouse_of
from include.landfall.errors import LandfallError
from include.landfall.feed.model import Feed
from plugins.arrivals.look import (
    event_of,
    event_of_error,
    event_of_surprise,
    look,
    look_again,
    waiting_message,
)
from plugins.arrivals.waiting import Nothing, Ready, Wait, Watch


class NewArrivalsTrigger(BaseTrigger):  # type: ignore[misc]
    """Looks for new arrivals until there are some or the watch ends; fires one event.

    Its two arguments are all that it needs, and Airflow keeps them in its database: a triggerer
    that takes over continues with the same deadline. It holds no connection between looks.
    """

    def __init__(self, feed: dict[str, Any] | str, watch: dict[str, Any]) -> None:
        super().__init__()
        self.feed = json.loads(feed) if isinstance(feed, str) else feed
        self.watch = watch

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Returns the path that the triggerer imports, and the arguments."""
        cls = type(self)
        path = f"{cls.__module__}.{cls.__qualname__}"
        # As a text, because Airflow refuses dicts with some keys, and a column may be called so.
        return path, {"feed": json.dumps(self.feed), "watch": self.watch}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yields the one event that `NewArrivalsSensor.conclude` takes."""
        # Each error is an event, because a trigger that raises gives the task a traceback and no
        # verdict.
        try:
            yield TriggerEvent(await self._wait())
        except LandfallError as error:
            yield TriggerEvent(event_of_error(error))
        except Exception as error:  # for instance, a later release has another Feed
            self.log.exception("the look for new arrivals failed")
            yield TriggerEvent(event_of_surprise(error))

    async def _wait(self) -> dict[str, Any]:
        feed, watch = Feed.model_validate(self.feed), Watch.from_dict(self.watch)
        while True:
            await asyncio.sleep(max(0.0, watch.next_look - time.time()))
            try:
                outcome = await self._look(feed, watch)
            except LandfallError as error:
                outcome = look_again(error, watch)
                self.log.warning(str(error))
            if not isinstance(outcome, Wait):
                return event_of(outcome, feed)
            watch = outcome.watch
            self.log.info(waiting_message(outcome, feed))

    async def _look(self, feed: Feed, watch: Watch) -> Ready | Wait | Nothing:
        """Looks once. The connections may have changed since the last look: a password ends."""
        store = await astore_of(feed.source.connection)
        warehouse = await awarehouse_of(feed.target.connection)
        return await asyncio.to_thread(look, feed, watch, store, warehouse)
