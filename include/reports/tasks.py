"""What the workers do. The id of a task is that of its report, so a message needs nothing else."""

from __future__ import annotations

import datetime as dt
import logging
from functools import cache
from typing import Any

from .app import app
from .catalogue import Request
from .making import Later, make_report
from .messages import Messages
from .records import New, Records
from .requests import nightly_id, nightly_object
from .settings import settings

log = logging.getLogger(__name__)
NIGHTLY = Request(report="delays_by_carrier", format="csv.gz")


@cache
def _records() -> Records:
    """This process's own connection, made at the first task."""
    return Records(settings().broker.get_secret_value(), settings().lease_seconds)


@cache
def _messages() -> Messages:
    return Messages(app)


@app.task(bind=True, name="reports.make", max_retries=None)
def make(task: Any) -> str:
    """Makes the report whose id the task has, unless it is made; says what became of it."""
    try:
        return make_report(task.request.id, _records(), settings())
    except Later as later:
        log.info("report %s: %s", task.request.id, later)
        raise task.retry(countdown=later.seconds, exc=later) from None


@app.task(name="reports.tend")
def tend() -> list[str]:
    """Asks again for open reports that nobody makes and no message asks for; which they were."""
    lost = _records().lost()
    for report_id in lost:
        log.warning("report %s was lost by its worker: asked for again", report_id)
        _records().hand_on(_messages().make(report_id))
    return lost


@app.task(name="reports.nightly")
def nightly() -> str:
    """Asks for the report of this day, which is made once however often it is asked for."""
    day = dt.datetime.now(dt.UTC).date()
    report_id = nightly_id(NIGHTLY, day)
    place, message = nightly_object(NIGHTLY, day), _messages().make(report_id)
    _records().accept(New(report_id, NIGHTLY.model_dump_json(), place, message))
    return report_id
