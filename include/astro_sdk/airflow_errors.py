"""The seam's words with Airflow's task: who runs, what it hands on, and what is worth a retry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from include.landfall.errors import LandfallError


@contextmanager
def as_airflow_sees_them() -> Iterator[None]:
    """An error that no retry can help fails the task at once; the others are Airflow's to retry."""
    from airflow.sdk.exceptions import AirflowException, AirflowFailException

    try:
        yield
    except LandfallError as error:
        kind = AirflowException if error.retryable else AirflowFailException
        raise kind(str(error)) from error


def who() -> str:
    """The task that runs, for the ledger; empty outside of one."""
    ti = _task_instance()
    return f"{ti.dag_id}.{ti.task_id} {ti.run_id} #{ti.try_number}" if ti else ""


def push(key: str, value: Any) -> None:
    """Hands a small value on under a key of its own; does nothing outside of a task."""
    ti = _task_instance()
    if ti:
        ti.xcom_push(key=key, value=value)


def _task_instance() -> Any:
    from airflow.sdk import get_current_context

    try:
        return get_current_context()["ti"]
    except RuntimeError:  # no task runs: the class is used by hand
        return None
