"""Airflow connections as the engine's stores and warehouses."""

from __future__ import annotations

from typing import Any

from include.landfall.connections import Store, Warehouse


def warehouse_of(conn_id: str, database: str | None = None) -> Warehouse:
    """The database of a Postgres connection; `database` where the connection names none.

    Raises: AirflowNotFoundException when there is no such connection.
    """
    fields = _fields(conn_id)
    fields["schema"] = fields["schema"] or database
    return Warehouse.from_fields(**fields)


def store_of(conn_id: str | None) -> Store:
    """The S3 service of an AWS connection. Without one: `aws_default`, else AWS's own chain.

    Raises: AirflowNotFoundException when a connection is named that does not exist.
    """
    from airflow.sdk.exceptions import AirflowNotFoundException

    if conn_id:
        return Store.from_fields(**_fields(conn_id))
    try:
        return Store.from_fields(**_fields("aws_default"))
    except AirflowNotFoundException:
        return Store()


def _fields(conn_id: str) -> dict[str, Any]:
    from airflow.sdk import BaseHook

    connection = BaseHook.get_connection(conn_id)
    return {
        "host": connection.host,
        "port": connection.port,
        "schema": connection.schema,
        "login": connection.login,
        "password": connection.password,
        "extra": connection.extra_dejson,
    }
