"""What OpenLineage gets of astro's operators."""

from __future__ import annotations

from types import ModuleType
from typing import Any


class Pushed:
    """A finished task whose `xcom_pull` gives what its operator still knows."""

    def __init__(self, task_instance: Any, values: dict[str, Any]) -> None:
        self._task_instance, self._values = task_instance, values

    def xcom_pull(self, key: str = "", **_: Any) -> Any:
        """Returns the value that the operator pushed under the key."""
        return self._values.get(key)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task_instance, name)


def facets_without_xcom(module: ModuleType) -> None:
    """Returns the facets of an operator without reading XCom.

    Problem: astro's operators read their own XComs for their facets. On Airflow 3 OpenLineage asks
    for the facets in a process of its own, which may not reach the API of tasks in its ten seconds,
    and then there was no event.
    Fix: the operator has run in this process, and still knows what it pushed.
    """
    for name in ("LoadFileOperator", "TransformOperator", "RawSQLOperator", "AppendOperator",
                 "MergeOperator"):  # fmt: skip
        if hasattr(module, name):
            _patch(getattr(module, name))


def _patch(cls: Any) -> None:
    facets = cls.get_openlineage_facets_on_complete

    def get_openlineage_facets_on_complete(self: Any, task_instance: Any) -> Any:
        return facets(self, Pushed(task_instance, _values(self)))

    cls.get_openlineage_facets_on_complete = get_openlineage_facets_on_complete


def _values(operator: Any) -> dict[str, Any]:
    if hasattr(operator, "source_table"):
        query = _insert(operator)
        return {"append_query": query, "merge_query": query}
    if hasattr(operator, "results_format"):  # run_raw_sql has no output table
        return {"base_sql_query": operator.sql}
    table = operator.output_table
    values = {"base_sql_query": getattr(operator, "sql", None)}
    if table is not None:
        values |= {"output_table_conn_id": table.conn_id, "output_table_name": table.name}
    if hasattr(operator, "sql"):
        values["output_table_row_count"] = table.row_count
    return values


def _insert(operator: Any) -> str:
    from astro.databases import create_database

    name = create_database(operator.target_table.conn_id).get_table_qualified_name
    columns = operator.columns or {"*": "*"}
    target = f"{name(operator.target_table)} ({', '.join(columns.values())})"
    source = f"{', '.join(columns)} FROM {name(operator.source_table)}"
    return f"INSERT INTO {target} SELECT {source}"
