"""Runs of the sensor for new arrivals, with its trigger as a triggerer makes it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from importlib import import_module

import pytest
from airflow.sdk.exceptions import TaskDeferred

from include.landfall.arrival import Arrival
from include.landfall.feed.model import Feed
from plugins.arrivals.sensor import NewArrivalsSensor

FEED = Feed.model_validate(
    {
        "feed": "flights",
        "source": {"bucket": "landing", "pattern": "flights/*.csv", "settle_seconds": 30},
        "target": {"table": "raw.flights"},
        "columns": {"year": "smallint"},
    }
)
ARRIVAL = Arrival("landing", "flights/1.csv", "etag", 10, datetime(2013, 1, 1, tzinfo=UTC))


def sensor(**values):
    return NewArrivalsSensor(**{"task_id": "wait", "feed": FEED, "soft_fail": True, **values})


def run(task):
    """Runs the task to its end, with its trigger in between if it defers."""
    try:
        return task.execute({})
    except TaskDeferred as deferred:
        event = fire(revived(deferred.trigger)).payload
        return task.resume_execution(deferred.method_name, {"event": event}, {})


def revived(trigger):
    """Makes the trigger as a triggerer does: from a path and from JSON."""
    path, values = trigger.serialize()
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)(**json.loads(json.dumps(values)))


def fire(trigger):
    async def events():
        return [event async for event in trigger.run()]

    (event,) = asyncio.run(events())
    return event


both_ways = pytest.mark.parametrize("deferrable", [True, False])
