"""The class of astro's that serves a connection."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

POSTGRES_MODULE = "include.astro_sdk.database"
POSTGRES_CLASS = "PostgresDatabase"


def use_the_engine(module: ModuleType) -> None:
    """Gives Postgres connections the project's own class, whose loads are the engine's.

    Problem: on any Airflow, astro's Postgres load goes through pandas, file by file, and drops the
    target before the transaction that fills it.
    Fix: astro makes the project's subclass. It looks for a class `<Module>Database` in a module, so
    this patch gives it the name of this class.
    """
    for conn_type in ("postgres", "postgresql"):
        module.CONN_TYPE_TO_MODULE_PATH[conn_type] = POSTGRES_MODULE
    class_of_module = module.get_class_name

    def get_class_name(module_ref: Any, suffix: str = "Location") -> str:
        if module_ref.__name__ == POSTGRES_MODULE:
            return POSTGRES_CLASS
        return str(class_of_module(module_ref, suffix))

    module.get_class_name = get_class_name  # type: ignore[attr-defined]


def other_databases_append(module: ModuleType) -> None:
    """Lets `append` work on the databases that are not Postgres.

    Problem: SQLAlchemy 2 takes no list in `select`, and commits nothing on its own.
    Fix: the columns are arguments, and the statements run in autocommit. Nobody is promised these
    databases, but what runs should not break.
    """
    from sqlalchemy import select

    def select_columns(columns: Any, *more: Any) -> Any:
        return select(*columns, *more) if isinstance(columns, list) else select(columns, *more)

    def connection(self: Any) -> Any:
        return self.sqlalchemy_engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    module.select = select_columns  # type: ignore[attr-defined]
    module.BaseDatabase.connection = property(connection)


def postgres_by_hand(module: ModuleType) -> None:
    """Makes `astro.databases.postgres.PostgresDatabase` the project's own class.

    Problem: whoever made one by hand got astro's class, which commits nothing with SQLAlchemy 2
    and leaves its transaction and locks open.
    Fix: the name gives the project's subclass; astro's own class is `AstroPostgresDatabase`. The
    subclass is imported when the name is used, because it imports this module.
    """
    module.AstroPostgresDatabase = module.PostgresDatabase  # type: ignore[attr-defined]
    del module.PostgresDatabase

    def __getattr__(name: str) -> Any:  # noqa: N807  Python calls it by this name
        if name == POSTGRES_CLASS:
            return getattr(importlib.import_module(POSTGRES_MODULE), POSTGRES_CLASS)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    module.__getattr__ = __getattr__  # type: ignore[method-assign]


def find_connections_by_their_new_name(module: ModuleType) -> None:
    """Looks up the type of a connection through the bridge.

    Problem: each look-up imported `airflow.hooks.base`, which warns; and its result was kept for
    as long as the process lived.
    Fix: it asks Airflow's SDK, each time. A connection that is not defined fails the task at once,
    as everywhere in the project.
    """

    def module_of(conn_id: str) -> str:
        from include.airflow_bridge.connections import connection_type
        from include.airflow_bridge.errors import airflow_errors

        with airflow_errors():
            conn_type = connection_type(conn_id)
        try:
            return str(module.CONN_TYPE_TO_MODULE_PATH[conn_type])
        except KeyError:
            supported = ", ".join(sorted(module.CONN_TYPE_TO_MODULE_PATH))
            raise ValueError(
                f"the connection {conn_id!r} has the type {conn_type!r}, and tables need one of:"
                f" {supported}"
            ) from None

    setattr(module, "_get_conn", module_of)  # noqa: B010  it is private, and there is no other way
