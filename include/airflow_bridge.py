"""The adapter between Airflow and the engine, for the plugins and the seam to astro-sdk alike.

Airflow's connections go down to the engine as stores and warehouses, the engine's errors come up
to Airflow as its own, and the ledger learns which task loads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseHook, get_current_context
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import ConnectionUnusable, LandfallError, ObjectChanged

DEFAULT_STORE = "aws_default"


def store_of(conn_id: str | None) -> Store:
    """Gives the S3 service of an AWS connection.

    Without a name it is the service of `aws_default`, or, where that is not defined either, AWS
    itself with the key that AWS's own chain finds (environment, profile, role).

    Raises: ConnectionUnusable when a connection is named that Airflow does not have.
    """
    if conn_id is None:
        try:
            connection = _connection(DEFAULT_STORE)
        except ConnectionUnusable:
            return Store()
    else:
        connection = _connection(conn_id)
    return _store(connection, connection.extra_dejson)


def warehouse_of(conn_id: str, database: str | None = None) -> Warehouse:
    """Gives the database of a Postgres connection; `database` counts where it names none.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    connection = _connection(conn_id)
    return _warehouse(connection, connection.extra_dejson, database)


async def astore_of(conn_id: str) -> Store:
    """Does what `store_of` does in the triggerer, where a blocking look-up stops the event loop.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    connection = await _aconnection(conn_id)
    return _store(connection, await connection.aextra_dejson())


async def awarehouse_of(conn_id: str) -> Warehouse:
    """Does what `warehouse_of` does, in the triggerer.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    connection = await _aconnection(conn_id)
    return _warehouse(connection, await connection.aextra_dejson())


def connection_type(conn_id: str) -> str:
    """Gives the type of an Airflow connection, such as `postgres`.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    return str(_connection(conn_id).conn_type)


def verdict(message: str, retryable: bool) -> AirflowException:
    """Gives the exception with which Airflow retries a task only if a retry can help."""
    return (AirflowException if retryable else AirflowFailException)(message)


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turns the engine's errors into Airflow's, by whether a retry can help.

    Raises: AirflowException for a transient error, AirflowFailException for a terminal one.
    """
    try:
        yield
    except LandfallError as error:
        # `from None`: the message is complete, and the engine's frames would hide it in the log.
        raise verdict(str(error), error.retryable) from None


@contextmanager
def arrival_errors() -> Iterator[None]:
    """Does what `airflow_errors` does, and skips the task when its listed object has changed.

    A retry would ask for the version that is gone. The new version is an arrival of its own, which
    the sensor's next look finds.

    Raises: AirflowSkipException when the object has changed, else as `airflow_errors`.
    """
    with airflow_errors():
        try:
            yield
        except ObjectChanged as changed:
            raise AirflowSkipException(f"{changed}\nskipped: the next run loads it") from None


def loader() -> str:
    """Gives the name under which the ledger keeps the running task; empty when no task runs."""
    ti = _task_instance()
    return f"{ti.dag_id}.{ti.task_id} {ti.run_id} #{ti.try_number}" if ti else ""


def push_xcom(key: str, value: Any) -> None:
    """Writes a small value to XCom under a key; does nothing when no task runs."""
    ti = _task_instance()
    if ti:
        ti.xcom_push(key=key, value=value)


def _task_instance() -> Any:
    try:
        return get_current_context()["ti"]
    except RuntimeError:  # how Airflow says that no task runs
        return None


def _connection(conn_id: str) -> Any:
    with _missing_connections(conn_id):
        return BaseHook.get_connection(conn_id)


async def _aconnection(conn_id: str) -> Any:
    with _missing_connections(conn_id):
        return await BaseHook.aget_connection(conn_id)


@contextmanager
def _missing_connections(conn_id: str) -> Iterator[None]:
    try:
        yield
    except AirflowNotFoundException:
        raise ConnectionUnusable(
            f"Airflow has no connection {conn_id!r}",
            do=f"define it: airflow_settings.yaml, AIRFLOW_CONN_{conn_id.upper()} or the UI",
        ) from None


def _store(connection: Any, extra: Mapping[str, Any]) -> Store:
    return Store.from_fields(login=connection.login, password=connection.password, extra=extra)


def _warehouse(connection: Any, extra: Mapping[str, Any], database: str | None = None) -> Warehouse:
    return Warehouse.from_fields(
        host=connection.host,
        port=connection.port,
        schema=connection.schema or database,
        login=connection.login,
        password=connection.password,
        extra=extra,
    )
