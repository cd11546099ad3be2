"""A report's id and where its object goes: from them alone it follows what is the same report."""

from __future__ import annotations

import datetime as dt
import uuid

from .catalogue import Request

FOLDER = "reports"
# Of this service alone, so that no other's names give the same ids.
OURS = uuid.UUID("6b9f3e0e-58c7-4a43-9f8e-6d0f3c3f2d19")


def report_id(idempotency_key: str | None = None) -> str:
    """A new id, or the one that belongs to the caller's own key."""
    if idempotency_key is None:
        return uuid.uuid4().hex
    return uuid.uuid5(OURS, f"key {idempotency_key}").hex


def report_object(request: Request, report_id: str) -> str:
    """The key of a report's object; every attempt writes to the same."""
    return f"{FOLDER}/{request.report}/{report_id}.{request.format}"


def nightly_id(request: Request, day: dt.date) -> str:
    """The id of a night's report: one a day."""
    return uuid.uuid5(OURS, f"nightly {request.report} {day}").hex


def nightly_object(request: Request, day: dt.date) -> str:
    """The key of a night's object, which holds the day."""
    return f"{FOLDER}/nightly/{request.report}/{day}.{request.format}"
