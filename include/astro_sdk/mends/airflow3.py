"""Stand-ins for what Airflow 3 and SQLAlchemy 2 took away, there only while astro looks for it.

They are taken back at once, so that no other code meets an Airflow or an SQLAlchemy that seems
to be older than it is.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

XCOM_PICKLING = "AIRFLOW__CORE__ENABLE_XCOM_PICKLING"


@contextmanager
def xcom_pickling_setting() -> Iterator[None]:
    """Broke: `core/enable_xcom_pickling` is no setting of Airflow 3, and astro reads it at import.

    Mends: Airflow 3 never pickles XComs, so the answer is False.
    """
    before = os.environ.get(XCOM_PICKLING)
    os.environ[XCOM_PICKLING] = "False"
    try:
        yield
    finally:
        if before is None:
            del os.environ[XCOM_PICKLING]
        else:
            os.environ[XCOM_PICKLING] = before


@contextmanager
def dbapi_module() -> Iterator[None]:
    """Broke: `airflow.hooks.dbapi` is gone, and `astro.databases.base` imports its `DbApiHook`.

    Mends: the class is the same, and lives in the common.sql provider now.
    """
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    name = "airflow.hooks.dbapi"
    stand_in = ModuleType(name)
    stand_in.DbApiHook = DbApiHook  # type: ignore[attr-defined]
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


@contextmanager
def legacy_row() -> Iterator[None]:
    """Broke: `sqlalchemy.engine.row.LegacyRow` is gone, and astro subclasses it.

    Mends: nothing is such a row any more, so an empty class will do; what `run_raw_sql` makes of
    the rows of SQLAlchemy 2 is mended in `sql.rows_are_plain_values`.
    """
    import sqlalchemy.engine.row as row

    row.LegacyRow = type("LegacyRow", (), {})  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del row.LegacyRow  # type: ignore[attr-defined]
