"""The facets that OpenLineage gets of the Astro SDK's operators, where XCom cannot be reached."""

from __future__ import annotations

from typing import Any

import airflow  # noqa: F401  finds the patches
import psycopg
import pytest

from include.astro_sdk import File, Metadata, Table, aql
from include.landfall.connections import Warehouse


class Task:
    """A finished task, as OpenLineage's own process has it."""

    task_id = "t"

    def __init__(self, operator: Any) -> None:
        self.task = operator

    def xcom_push(self, **_: Any) -> None:
        """Takes what the operator pushes while it runs."""

    def xcom_pull(self, *_: Any, **__: Any) -> Any:
        raise TimeoutError("this process has no API")


def table(name: str) -> Any:
    return Table(name, conn_id="warehouse", metadata=Metadata(schema="public"))


@pytest.fixture
def homes(warehouse: Warehouse, connections: dict[str, str]) -> Any:
    with psycopg.connect(warehouse.conninfo(), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE homes AS SELECT 1 AS sell, 'Ann' AS agent;"
            " CREATE TABLE other (sell int UNIQUE, agent text)"
        )
    return table("homes")


def select(homes: Table) -> str:  # type: ignore[valid-type]
    return "SELECT * FROM {{homes}}"


OPERATORS = {
    "load_file": lambda homes, path: aql.LoadFileOperator(
        task_id="t", input_file=File(path), output_table=table("made")
    ),
    "transform": lambda homes, path: aql.TransformOperator(
        task_id="t", conn_id="warehouse", python_callable=select, op_args=(), op_kwargs={
            "homes": homes, "output_table": table("made"),
        },
    ),
    "append": lambda homes, path: aql.AppendOperator(
        task_id="t", source_table=homes, target_table=table("other"), columns=["sell", "agent"]
    ),
    "merge": lambda homes, path: aql.MergeOperator(
        task_id="t", source_table=homes, target_table=table("other"), columns=["sell", "agent"],
        target_conflict_columns=["sell"], if_conflicts="update",
    ),
    "export_to_file": lambda homes, path: aql.ExportToFileOperator(
        task_id="t", input_data=homes, output_file=File(f"{path}.out.csv"), if_exists="replace"
    ),
}  # fmt: skip
FACETS = {
    "load_file": {"output_database_facet", "schema", "dataSource"},
    "transform": {"dataSource", "outputStatistics"},
    "append": {"dataSource", "outputStatistics"},
    "merge": {"dataSource", "outputStatistics"},
    "export_to_file": {"output_file_facet", "outputStatistics"},
}


@pytest.mark.parametrize("name", OPERATORS)
def test_openlineage_facets_need_no_xcom(homes: Any, tmp_path: Any, name: str) -> None:
    path = tmp_path / "homes.csv"
    path.write_text("sell,agent\n2,Bo\n")
    operator = OPERATORS[name](homes, str(path))
    task = Task(operator)
    operator.execute({"ti": task})
    lineage = operator.get_openlineage_facets_on_complete(task)
    (output,) = lineage.outputs
    assert FACETS[name] <= set(output.facets)
    if name in ("append", "merge"):
        query = lineage.job_facets["sql"].query
        assert (
            query == "INSERT INTO public.other (sell, agent) SELECT sell, agent FROM public.homes"
        )
