"""Stand-ins for what Airflow 3 and SQLAlchemy 2 took away, there only while astro looks for it.

They are taken back at once, so that no other code meets an Airflow or an SQLAlchemy that seems
to be older than it is.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

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

    with _modules(**{"airflow.hooks.dbapi": {"DbApiHook": DbApiHook}}):
        yield


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


@contextmanager
def context_class() -> Iterator[None]:
    """Broke: astro takes `Context`, for annotations only, from a module of Airflow's that warns,
    and that brings the metadata database's models into every process.

    Mends: the class is the SDK's.
    """
    from airflow.sdk import Context

    with _modules(**{"airflow.utils.context": {"Context": Context}}):
        yield


@contextmanager
def metadata_models() -> Iterator[None]:
    """Broke: `cleanup` imports the metadata database's models, which a task may not use.

    Mends: it names them in annotations only, since `clean_up_without_the_metadata_database`; what
    else it imports is loaded first, so that nobody else meets the stand-ins.
    """
    from airflow.sdk import TaskInstanceState

    importlib.import_module("astro.sql.operators.load_file")
    importlib.import_module("astro.sql.operators.dataframe")
    models = {
        "airflow.models.dagrun": {"DagRun": object},
        "airflow.models.taskinstance": {
            "TaskInstance": object, "TaskInstanceState": TaskInstanceState,
        },
    }  # fmt: skip
    with _modules(**models):
        yield


@contextmanager
def smart_open_when_used() -> Iterator[None]:
    """Broke nothing, but costs: `smart_open` brings boto3 and more, 0.4 s of every parse.

    Mends: astro gets a module that loads it when a file is opened.
    """

    def open_with_it(*args: Any, **kwargs: Any) -> Any:
        return importlib.import_module("smart_open").open(*args, **kwargs)

    with _modules(smart_open={"open": open_with_it}):
        yield


@contextmanager
def _modules(**modules: dict[str, Any]) -> Iterator[None]:
    """Modules of these names, with these members, unless the real ones are loaded already."""
    made = []
    for name, members in modules.items():
        if name not in sys.modules:
            sys.modules[name] = made_up = ModuleType(name)
            made_up.__dict__.update(members)
            made.append(name)
    try:
        yield
    finally:
        for name in made:
            sys.modules.pop(name, None)
