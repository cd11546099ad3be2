"""Which class of astro's serves a connection."""

from __future__ import annotations

from types import ModuleType

POSTGRES = "include.astro_sdk.database"


def use_the_engine(module: ModuleType) -> None:
    """Broke, on any Airflow: astro's Postgres load goes through pandas, file by file, and drops
    the target before the transaction that fills it.

    Mends: Postgres connections get the project's own subclass, whose loads are the engine's.
    """
    for conn_type in ("postgres", "postgresql"):
        module.CONN_TYPE_TO_MODULE_PATH[conn_type] = POSTGRES


def find_connections_by_their_new_name(module: ModuleType) -> None:
    """Broke: each look-up of a connection imported `airflow.hooks.base`, which warns; and what it
    found was kept for as long as the process lived.

    Mends: it asks `airflow.sdk`, each time.
    """

    def module_of(conn_id: str) -> str:
        from airflow.sdk import BaseHook

        conn_type = BaseHook.get_connection(conn_id).conn_type
        try:
            return str(module.CONN_TYPE_TO_MODULE_PATH[conn_type])
        except KeyError:
            known = ", ".join(sorted(module.CONN_TYPE_TO_MODULE_PATH))
            raise ValueError(
                f"the connection {conn_id!r} is of type {conn_type!r}, and tables live in: {known}"
            ) from None

    setattr(module, "_get_conn", module_of)  # noqa: B010  it is private, and there is no other way in
