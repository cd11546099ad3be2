"""Between Airflow and the engine: connections go down, errors come up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowNotFoundException

from include.landfall.connections import Store, Warehouse
from include.landfall.errors import ConnectionUnusable, LandfallError


def store_of(conn_id: str) -> Store:
    """The S3 service of an Airflow connection; raises ConnectionUnusable when it is not defined."""
    with _named(conn_id):
        connection = BaseHook.get_connection(conn_id)
    return _store(connection, connection.extra_dejson)


def warehouse_of(conn_id: str) -> Warehouse:
    """The database of an Airflow connection; raises ConnectionUnusable when it is not defined."""
    with _named(conn_id):
        connection = BaseHook.get_connection(conn_id)
    return _warehouse(connection, connection.extra_dejson)


async def astore_of(conn_id: str) -> Store:
    """`store_of` for the triggerer: a blocking look-up there would stop its event loop."""
    with _named(conn_id):
        connection = await BaseHook.aget_connection(conn_id)
    return _store(connection, await connection.aextra_dejson())


async def awarehouse_of(conn_id: str) -> Warehouse:
    """`warehouse_of` for the triggerer."""
    with _named(conn_id):
        connection = await BaseHook.aget_connection(conn_id)
    return _warehouse(connection, await connection.aextra_dejson())


def verdict(message: str, retryable: bool) -> AirflowException:
    """What a task raises so that Airflow retries exactly what a retry can help."""
    return (AirflowException if retryable else AirflowFailException)(message)


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turns the engine's errors into Airflow's, by whether a retry can help."""
    try:
        yield
    except LandfallError as error:
        # `from None`: the message is whole; the engine's frames would only bury it in the log.
        raise verdict(str(error), error.retryable) from None


@contextmanager
def _named(conn_id: str) -> Iterator[None]:
    try:
        yield
    except AirflowNotFoundException:
        raise ConnectionUnusable(
            f"Airflow has no connection {conn_id!r}",
            do=f"define it: airflow_settings.yaml, AIRFLOW_CONN_{conn_id.upper()} or the UI",
        ) from None


def _store(connection: Any, extra: Mapping[str, Any]) -> Store:
    return Store.from_fields(login=connection.login, password=connection.password, extra=extra)


def _warehouse(connection: Any, extra: Mapping[str, Any]) -> Warehouse:
    return Warehouse.from_fields(
        host=connection.host,
        port=connection.port,
        schema=connection.schema,
        login=connection.login,
        password=connection.password,
        extra=extra,
    )
