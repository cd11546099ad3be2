"""The running task: its name for the ledger, and what it leaves for other tasks."""

from __future__ import annotations

from typing import Any

from airflow.sdk import get_current_context


def loader() -> str:
    """Returns the name under which the ledger keeps the running task; empty when no task runs."""
    ti = _task_instance()
    return f"{ti.dag_id}.{ti.task_id} {ti.run_id} #{ti.try_number}" if ti else ""


def task_identity() -> str:
    """Returns what all tries of the running task instance share; empty when no task runs."""
    if (ti := _task_instance()) is None:
        return ""
    map_index = -1 if ti.map_index is None else ti.map_index
    return "\0".join([ti.dag_id, ti.task_id, ti.run_id, str(map_index)])


def push_xcom(key: str, value: Any) -> None:
    """Writes a small value to XCom under a key; does nothing when no task runs."""
    if ti := _task_instance():
        ti.xcom_push(key=key, value=value)


def _task_instance() -> Any:
    try:
        return get_current_context()["ti"]
    except RuntimeError:  # how Airflow says that no task runs
        return None
