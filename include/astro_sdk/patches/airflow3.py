"""Stand-ins for what Airflow 3 and SQLAlchemy 2 no longer have, only while astro imports it.

They are removed at once, so that no other code takes this Airflow or SQLAlchemy for an older one.
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
    """Sets `core/enable_xcom_pickling` to False.

    Problem: astro reads this setting when it is imported, and Airflow 3 does not have it.
    Fix: Airflow 3 never pickles XComs, so the answer is False.
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
    """Puts `DbApiHook` into a module `airflow.hooks.dbapi`.

    Problem: `astro.databases.base` imports it from there, and that module is gone.
    Fix: the class is the same, and is in the common.sql provider now.
    """
    from airflow.providers.common.sql.hooks.sql import DbApiHook

    with _modules(**{"airflow.hooks.dbapi": {"DbApiHook": DbApiHook}}):
        yield


@contextmanager
def legacy_row() -> Iterator[None]:
    """Puts an empty class `LegacyRow` into SQLAlchemy.

    Problem: astro subclasses `sqlalchemy.engine.row.LegacyRow`, which is gone.
    Fix: no row has this class any more, so an empty one is enough. `sql.rows_are_plain_values`
    handles the rows that SQLAlchemy 2 gives.
    """
    import sqlalchemy.engine.row as row

    row.LegacyRow = type("LegacyRow", (), {})  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del row.LegacyRow  # type: ignore[attr-defined]


@contextmanager
def context_class() -> Iterator[None]:
    """Puts the SDK's `Context` into a module `airflow.utils.context`.

    Problem: astro imports `Context`, for annotations only, from a module of Airflow's that warns,
    and that imports the metadata database's models in every process.
    Fix: the class is the SDK's.
    """
    from airflow.sdk import Context

    with _modules(**{"airflow.utils.context": {"Context": Context}}):
        yield


@contextmanager
def metadata_models() -> Iterator[None]:
    """Puts empty classes in the place of the metadata database's models.

    Problem: `cleanup` imports these models, which a task may not use.
    Fix: since `clean_up_without_the_metadata_database` it names them in annotations only. What
    else it imports is imported first, so that no other module gets the stand-ins.
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
    """Puts a module `smart_open` in place that imports the real one when it opens a file.

    Problem: `smart_open` imports boto3 and more, which costs 0.4 s of every parse.
    Fix: only a task that opens a file pays for it.
    """

    def open_with_it(*args: Any, **kwargs: Any) -> Any:
        return importlib.import_module("smart_open").open(*args, **kwargs)

    with _modules(smart_open={"open": open_with_it}):
        yield


@contextmanager
def _modules(**modules: dict[str, Any]) -> Iterator[None]:
    """Modules of these names, with these members, unless the real ones are loaded already."""
    added = []
    for name, members in modules.items():
        if name not in sys.modules:
            sys.modules[name] = stand_in = ModuleType(name)
            stand_in.__dict__.update(members)
            added.append(name)
    try:
        yield
    finally:
        for name in added:
            sys.modules.pop(name, None)
