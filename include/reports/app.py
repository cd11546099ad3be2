"""The Celery application: `celery -A include.reports.app worker`, `… beat`, `… flower`.

The import of this module reads no setting and opens no connection: Celery calls `configuration`
when it first needs a value of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import heartbeat_sent
from kombu import Queue

from .records import QUEUE
from .settings import Settings, settings

TENDING = "reports-tending"
# Celery kills a task that takes longer. The report is then tried again, up to the last attempt.
MAX_SECONDS = 3600


def configuration() -> dict[str, Any]:
    """Returns the settings that differ from Celery's defaults.

    Raises: TerminalError when a setting is missing or wrong.
    """
    values = settings()
    return {**_broker(values), **_tasks(values), **_beat(values), "timezone": "UTC"}


def _broker(values: Settings) -> dict[str, Any]:
    return {
        "broker_url": values.broker.get_secret_value(),
        "broker_transport_options": {
            "visibility_timeout": values.visible_seconds,
            # Seconds between two searches for unacknowledged messages. Kombu's default is 100.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_keepalive": True,
        },
        # A program that starts before Redis waits for it, and waits again when Redis restarts.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_publish_retry_policy": {
            "max_retries": None, "interval_start": 0.2, "interval_step": 0.2, "interval_max": 2,
        },
    }  # fmt: skip


def _tasks(values: Settings) -> dict[str, Any]:
    return {
        # A worker acknowledges a message when the report is done. So the message of a worker that
        # dies is still in Redis.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # Each process takes one message at a time. Otherwise a message could wait behind a long
        # report while another process is idle.
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_concurrency": values.pool,
        "worker_send_task_events": True,
        "task_time_limit": MAX_SECONDS,
        "task_ignore_result": True,
        "task_default_queue": QUEUE,
        "task_queues": [Queue(QUEUE), Queue(TENDING)],
        # Beat's tasks have their own queue, because they must not wait behind many reports.
        "task_routes": {"reports.tend": TENDING, "reports.nightly": TENDING},
    }


def _beat(values: Settings) -> dict[str, Any]:
    seconds, nightly = values.tend_seconds, crontab.from_string(values.nightly)
    return {
        "beat_schedule": {
            "tend": {
                "task": "reports.tend", "schedule": seconds, "options": {"expires": seconds},
            },
            "nightly": {"task": "reports.nightly", "schedule": nightly},
        },
        # Beat writes its state after each task, so a beat that was killed repeats no task.
        "beat_sync_every": 1,
    }  # fmt: skip


app = Celery("landfall-reports", include=["include.reports.tasks"])
app.add_defaults(configuration)


@heartbeat_sent.connect
def _touch_alive_file(**_: Any) -> None:
    """Runs every two seconds while the worker is connected to the broker."""
    file = settings().alive_file
    if file:
        Path(file).touch()
