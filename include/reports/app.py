"""The Celery application: `celery -A include.reports.app worker`, `… beat`, `… flower`.

Nothing is read or connected at import: Celery asks for the configuration when it first needs it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import heartbeat_sent
from kombu import Queue

from .records import QUEUE
from .settings import settings

TENDING = "reports-tending"
# A report that takes longer is ended, tried again, and at last given up.
MOST_SECONDS = 3600


def configuration() -> dict[str, Any]:
    """What differs from Celery's defaults. Raises TerminalError."""
    known = settings()
    return {
        "broker_url": known.broker.get_secret_value(),
        "broker_transport_options": {
            "visibility_timeout": known.visible_seconds,
            # Looked for every five seconds; kombu's own is a hundred.
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
            "socket_keepalive": True,
        },
        # Whoever is up first waits for Redis, and goes on waiting when it restarts.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_publish_retry_policy": {
            "max_retries": None, "interval_start": 0.2, "interval_step": 0.2, "interval_max": 2,
        },
        # Acknowledged when it is done: whatever happens to a worker, its message is still there.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # None waits behind a long report while another process has nothing to do.
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_concurrency": known.pool,
        "worker_send_task_events": True,
        "task_time_limit": MOST_SECONDS,
        "task_ignore_result": True,
        "task_default_queue": QUEUE,
        "task_queues": [Queue(QUEUE), Queue(TENDING)],
        # A queue of its own: behind many reports it would come too late.
        "task_routes": {"reports.tend": TENDING, "reports.nightly": TENDING},
        "timezone": "UTC",
        "beat_schedule": {
            "tend": {
                "task": "reports.tend", "schedule": known.tend_seconds,
                "options": {"expires": known.tend_seconds},
            },
            "nightly": {"task": "reports.nightly", "schedule": crontab.from_string(known.nightly)},
        },
        # What beat remembers is written after each task: a killed beat repeats none.
        "beat_sync_every": 1,
    }  # fmt: skip


app = Celery("landfall-reports", include=["include.reports.tasks"])
app.add_defaults(configuration)


@heartbeat_sent.connect
def _alive(**_: Any) -> None:
    """Every two seconds, while the broker is connected."""
    file = settings().alive_file
    if file:
        Path(file).touch()
