"""Airflow's connections, as the stores and warehouses of the engine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.sdk import BaseHook
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSecretsBackendAccessDenied

from include.landfall.connections import Store, Warehouse
from include.landfall.connections.environment import DEFAULT_STORE
from include.landfall.connections.warehouse import uses_iam
from include.landfall.errors import ConnectionUnusable, LandfallError, ServerUnavailable


def store_of(conn_id: str | None) -> Store:
    """Returns the S3 service of an AWS connection.

    Without a name it is the service of `aws_default`, or, where that is not defined either, AWS
    itself with the key that AWS's own chain finds (environment, profile, role).

    Raises: ConnectionUnusable when a connection is named that Airflow does not have.
    """
    try:
        connection = _connection(conn_id or DEFAULT_STORE)
    except LandfallError:
        if conn_id or _variable(DEFAULT_STORE) in os.environ:
            raise
        return Store()
    return _store(connection, _extra(connection))


def warehouse_of(conn_id: str, database: str | None = None) -> Warehouse:
    """Returns the database of a Postgres connection; `database` counts where it names none.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    connection = _connection(conn_id)
    extra = _extra(connection)
    iam = store_of(extra.get("aws_conn_id")) if uses_iam(extra) else None
    return _warehouse(connection, extra, iam, database)


async def astore_of(conn_id: str | None) -> Store:
    """Does what `store_of` does in the triggerer, where a blocking look-up stops the event loop.

    Raises: ConnectionUnusable when a connection is named that Airflow does not have.
    """
    try:
        connection = await _aconnection(conn_id or DEFAULT_STORE)
    except LandfallError:
        if conn_id or _variable(DEFAULT_STORE) in os.environ:
            raise
        return Store()
    return _store(connection, await asyncio.to_thread(_extra, connection))


async def awarehouse_of(conn_id: str) -> Warehouse:
    """Does what `warehouse_of` does, in the triggerer.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    connection = await _aconnection(conn_id)
    extra = await asyncio.to_thread(_extra, connection)
    iam = await astore_of(extra.get("aws_conn_id")) if uses_iam(extra) else None
    return _warehouse(connection, extra, iam)


def connection_type(conn_id: str) -> str:
    """Returns the type of an Airflow connection, such as `postgres`.

    Raises: ConnectionUnusable when Airflow does not have the connection.
    """
    return str(_connection(conn_id).conn_type)


def _connection(conn_id: str) -> Any:
    with _missing_connections(conn_id):
        return _read(BaseHook.get_connection(conn_id))


async def _aconnection(conn_id: str) -> Any:
    with _missing_connections(conn_id):
        return _read(await BaseHook.aget_connection(conn_id))


def _read(connection: Any) -> Any:
    """Returns the connection, unless Airflow made it of a text that is none, such as a password."""
    if connection.conn_type == "" and _variable(connection.conn_id) in os.environ:
        raise _unreadable(connection.conn_id)
    return connection


@contextmanager
def _missing_connections(conn_id: str) -> Iterator[None]:
    try:
        yield
    except AirflowNotFoundException:
        raise _missing(conn_id) from None
    except AirflowSecretsBackendAccessDenied as denied:
        raise ConnectionUnusable(str(denied)) from None


def _missing(conn_id: object) -> LandfallError:
    """Returns the error of a connection that Airflow does not give.

    Airflow says the same when it cannot read the connection, and when a secrets backend is away.
    """
    if not isinstance(conn_id, str) or not conn_id:
        name = repr(conn_id)
        return ConnectionUnusable("a connection without a name", found=name, expected="its id")
    if _variable(conn_id) in os.environ:
        return _unreadable(conn_id)
    settings = ("workers", "secrets_backend"), ("secrets", "backend")
    backend = next(filter(None, (conf.get(*each, fallback="") for each in settings)), None)
    if backend:
        return ServerUnavailable(
            f"Airflow has no connection {conn_id!r}, or its secrets backend did not answer",
            found=f"the secrets backend {backend}",
            do="define the connection there, or find out why the backend does not answer",
        )
    return ConnectionUnusable(
        f"Airflow has no connection {conn_id!r}",
        do=f"define it: airflow_settings.yaml, {_variable(conn_id)} or the UI",
    )


def _unreadable(conn_id: str) -> ConnectionUnusable:
    return ConnectionUnusable(
        f"Airflow cannot read the connection {conn_id!r}",
        found=f"a text in {_variable(conn_id)}",
        expected="JSON of an object, or a URI such as postgres://login:password@host/database",
    )


def _variable(conn_id: str) -> str:
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def _extra(connection: Any) -> Mapping[str, Any]:
    """Returns the connection's extra. It blocks, as Airflow hides the values in it from the log.

    Raises: ConnectionUnusable when it is no JSON of an object: Airflow would go on without it.
    """
    parsed = connection.extra_dejson  # a secrets backend's own class may have no aextra_dejson
    is_empty = (connection.extra or "").replace(" ", "") in {"", "{}"}
    if isinstance(parsed, Mapping) and (parsed or is_empty):
        return parsed
    raise ConnectionUnusable(
        f"the extra of the connection {connection.conn_id!r} cannot be read",
        expected='JSON of an object, such as {"sslmode": "require"}',
    )


def _store(connection: Any, extra: Mapping[str, Any]) -> Store:
    """Makes the store from the connection, as Airflow's Amazon provider understands it.

    The engine renews keys on its own: the process that reads a large file has no Airflow to ask.
    """
    if conf.get("aws", "session_factory", fallback=None):
        raise ConnectionUnusable(
            "Airflow's setting [aws] session_factory gives keys that a load cannot have",
            do="name the role in the connection: role_arn, profile_name or a web identity",
        )
    return Store.from_fields(
        login=connection.login,
        password=connection.password,
        extra=extra,
        host=connection.host,
        conn_id=connection.conn_id,
        conn_type=connection.conn_type,
    )


def _warehouse(
    connection: Any, extra: Mapping[str, Any], iam: Store | None, database: str | None = None
) -> Warehouse:
    return Warehouse.from_fields(
        host=connection.host,
        port=connection.port,
        schema=connection.schema or database,
        login=connection.login,
        password=connection.password,
        extra=extra,
        iam=iam,
        conn_id=connection.conn_id,
        conn_type=connection.conn_type,
    )
