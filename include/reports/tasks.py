"""The tasks of the workers. A task has the id of its report, so a message needs no arguments."""

from __future__ import annotations

import datetime as dt
import logging
from functools import cache
from typing import Any

from .app import app
from .catalogue import Request
from .making import TryLater, make_report
from .messages import Messages
from .records import NewReport, Records
from .requests import nightly_id, nightly_object_key
from .settings import settings

log = logging.getLogger(__name__)
NIGHTLY = Request(report="delays_by_carrier", format="csv.gz")


@cache
def _records() -> Records:
    """Returns the connection of this process, which the first task opens."""
    return Records(settings().broker.get_secret_value(), settings().lease_seconds)


@cache
def _messages() -> Messages:
    return Messages(app)


@app.task(bind=True, name="reports.make", max_retries=None)
def make(task: Any) -> str:
    """Makes the report with the id of the task, unless it is done, and returns how it ended."""
    try:
        return make_report(task.request.id, _records(), settings())
    except TryLater as later:
        log.info("report %s: %s", task.request.id, later)
        raise task.retry(countdown=later.seconds, exc=later) from None


@app.task(name="reports.tend")
def tend() -> list[str]:
    """Queues the lost reports again, and returns their ids (see `Records.lost`)."""
    lost = _records().lost()
    for report_id in lost:
        log.warning("report %s was lost by its worker: it is queued again", report_id)
        _records().queue(_messages().make(report_id))
    return lost


@app.task(name="reports.nightly")
def nightly() -> str:
    """Asks for the nightly report of this day, which is made once however often this task runs."""
    day = dt.datetime.now(dt.UTC).date()
    report_id = nightly_id(NIGHTLY, day)
    key, message = nightly_object_key(NIGHTLY, day), _messages().make(report_id)
    _records().accept(NewReport(report_id, NIGHTLY.model_dump_json(), key, message))
    return report_id
