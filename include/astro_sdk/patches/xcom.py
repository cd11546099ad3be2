"""What crosses from task to task: tables, files and small dataframes."""

from __future__ import annotations

import io
from types import ModuleType
from typing import Any

BASE_BACKENDS = (
    "airflow.models.xcom.BaseXCom",
    "airflow.sdk.bases.xcom.BaseXCom",
    "airflow.sdk.execution_time.xcom.BaseXCom",
)


def know_the_xcom_backend(module: ModuleType) -> None:
    """Lets astro recognise Airflow's own XCom backend.

    Problem: Airflow 3 has another name for its own XCom backend, so astro took it for a custom one
    and wrote dataframes of any size to the metadata database.
    Fix: the new names are the base backend too; the documented limit (100 KB, then
    `xcom_storage_conn_id`) holds again.
    """
    base = module.XCOM_BACKEND in BASE_BACKENDS
    module.IS_BASE_XCOM_BACKEND = base  # type: ignore[attr-defined]
    module.NEED_CUSTOM_SERIALIZATION = base  # type: ignore[attr-defined]
    module.IS_CUSTOM_XCOM_BACKEND = not base  # type: ignore[attr-defined]


def tables_cross_xcom(module: ModuleType) -> None:
    """Lets tables cross from task to task.

    Problem: Airflow 3 reads back only the classes of `allowed_deserialization_classes`, `airflow.*`
    by default, so a task that got a table failed.
    Fix: the classes are allowed by their names, so nobody has to widen the setting.
    """
    _allow(module.Table, module.TempTable)


def files_cross_xcom(module: ModuleType) -> None:
    """Lets files cross from task to task.

    Problem: as with tables; and Airflow 3 writes the private fields of a `File` too.
    Fix: a file crosses as what its author wrote (`to_json`), and its class is allowed.
    """
    cls = module.File
    cls.serialize = lambda self: _without_class(self.to_json())
    cls.deserialize = staticmethod(lambda data, _version: _file_of(cls, data))
    _allow(cls)


def dataframes_keep_their_types(module: ModuleType) -> None:
    """Lets dataframes cross from task to task with their types.

    Problem: a dataframe crossed as JSON text. `read_json` warns of a text, and JSON has no form for
    dates, for integers with gaps, and for the leading zeros of texts.
    Fix: it crosses as Parquet (`crossing`), which keeps the types. Older XComs, as JSON, are still
    read.
    """
    cls = module.PandasDataframe
    serialize, deserialize = cls.serialize, cls.deserialize
    settings = module.settings

    def to_data(self: Any) -> dict[str, Any]:
        from include.astro_sdk import crossing

        size = self.memory_usage(deep=True).sum()
        if size < settings.MAX_DATAFRAME_MEMORY_FOR_XCOM_DB * 1024:
            return crossing.to_data(self)
        data: dict[str, Any] = serialize(self)
        return data

    def from_data(data: dict[str, Any], version: int) -> Any:
        import pandas as pd

        from include.astro_sdk import crossing

        if "parquet" in data:
            return cls.from_pandas_df(crossing.from_data(data))
        if "data" in data:
            return cls.from_pandas_df(pd.read_json(io.StringIO(data["data"])))
        return deserialize(data, version)

    cls.serialize = to_data
    cls.deserialize = staticmethod(from_data)
    _allow(cls)


def series_cross_xcom(module: ModuleType) -> None:
    """Lets a Series cross from task to task.

    Problem: Airflow 3 cannot serialise a Series, and the first example of astro's documentation
    returns one from `dataframe`.
    Fix: it crosses as a dataframe of one column, and comes back as a Series.
    """
    import pandas as pd

    allow_named("include.astro_sdk.series.PandasSeries")
    cls = module.DataframeOperator
    run = cls.execute

    def execute(self: Any, context: Any) -> Any:
        from include.astro_sdk.series import PandasSeries

        result = run(self, context)
        return PandasSeries(result) if isinstance(result, pd.Series) else result

    cls.execute = execute


def _without_class(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name != "class"}


def _file_of(cls: Any, data: dict[str, Any]) -> Any:
    file = cls.from_json(data)
    return file.export_to_dataframe() if file.is_dataframe else file


def _allow(*classes: type) -> None:
    for cls in classes:
        allow_named(f"{cls.__module__}.{cls.__qualname__}")


def allow_named(name: str) -> None:
    """Lets XCom read back the class of this name."""
    from airflow.sdk import serde

    # Not `allow_class`: that imports the class by its name, and its module is being loaded.
    serde._extra_allowed.add(name)  # noqa: SLF001
