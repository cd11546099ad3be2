"""The messages that ask a worker for a report, in the form that Celery itself writes.

The API puts a report's record and its message into Redis in one step. Celery cannot publish a
message that way. So Celery writes one message into memory, and this module copies it for each
report.
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
    """Makes the message for a report: a copy of the pattern, with its own id and delivery tag."""

    def __init__(self, app: Celery) -> None:
        self._id = uuid.uuid4().hex
        # The name of the queue is random, because all of a process shares kombu's memory.
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
        """Returns the message for this report, in the form that Redis holds."""
        text = self._pattern.replace(self._id, report_id)
        return text.replace(self._tag, str(uuid.uuid4()))
