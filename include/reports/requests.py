"""The id of a report and the key of its object, which decide what counts as the same report."""

from __future__ import annotations

import datetime as dt
import uuid

from .catalogue import Request

FOLDER = "reports"
# Only this service uses it, so equal names in another service do not give the same ids.
NAMESPACE = uuid.UUID("6b9f3e0e-58c7-4a43-9f8e-6d0f3c3f2d19")


def report_id(idempotency_key: str | None = None) -> str:
    """Returns a new id, or the id that always belongs to this idempotency key."""
    if idempotency_key is None:
        return uuid.uuid4().hex
    return uuid.uuid5(NAMESPACE, f"key {idempotency_key}").hex


def object_key(request: Request, report_id: str) -> str:
    """Returns the key of a report's object. Every attempt at the report writes this object."""
    return f"{FOLDER}/{request.report}/{report_id}.{request.format}"


def nightly_id(request: Request, day: dt.date) -> str:
    """Returns the id of the nightly report of this day."""
    return uuid.uuid5(NAMESPACE, f"nightly {request.report} {day}").hex


def nightly_object_key(request: Request, day: dt.date) -> str:
    """Returns the key of the nightly report's object, which contains the day."""
    return f"{FOLDER}/nightly/{request.report}/{day}.{request.format}"
