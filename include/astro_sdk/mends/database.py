"""Which class of astro's serves a connection."""

from __future__ import annotations

from types import ModuleType

POSTGRES = "include.astro_sdk.postgres"


def use_the_engine(module: ModuleType) -> None:
    """Broke, on any Airflow: astro's Postgres load goes through pandas, file by file, and drops
    the target before the transaction that fills it.

    Mends: Postgres connections get the project's own subclass, whose loads are the engine's.
    """
    for conn_type in ("postgres", "postgresql"):
        module.CONN_TYPE_TO_MODULE_PATH[conn_type] = POSTGRES
