"""The messages that ask a worker for a report, as Celery itself writes them.

The API puts a report's record and its message into Redis in one step, which Celery's own publishing
cannot. So Celery writes one message into memory, and that one is the pattern for all.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

from kombu import Connection, Queue

from .records import QUEUE

if TYPE_CHECKING:
    from celery import Celery

TASK = "reports.make"


class Messages:
    """Makes the message for a report: the pattern with the report's id, and a tag of its own."""

    def __init__(self, app: Celery) -> None:
        self._id = uuid.uuid4().hex
        # A queue of its own: kombu's memory is shared by all of a process.
        queue = uuid.uuid4().hex
        with Connection("memory://") as memory, memory.channel() as channel:
            producer = app.amqp.Producer(channel)
            app.send_task(TASK, task_id=self._id, producer=producer, queue=Queue(queue))
            pattern = channel.queues[queue].get(block=False)
            channel.queue_delete(queue)
        self._tag = pattern["properties"]["delivery_tag"]
        pattern["properties"]["delivery_info"] = {"exchange": "", "routing_key": QUEUE}
        self._pattern = json.dumps(pattern)

    def make(self, report_id: str) -> str:
        """The message, as it lies in Redis."""
        text = self._pattern.replace(self._id, report_id)
        return text.replace(self._tag, str(uuid.uuid4()))
