"""`check_column` and `check_table`."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from include.astro_sdk.check_failures import VALUE, column_failure, failure_text, table_failures


def check_columns_of_upstream_tables(module: ModuleType) -> None:
    """Lets `check_column` take a table from an upstream task.

    Problem: a table from an upstream task was never resolved; for any other one the connection was
    looked up when the DAG was parsed; columns were put into the SQL without quotes; and a UNION
    failed on checks of columns of two types.
    Fix: `dataset` is templated, nothing is looked up before the task runs, and every check is a
    column of one query.
    """
    from airflow.providers.common.sql.operators.sql import SQLColumnCheckOperator

    cls = _put_in_place(module, _column_check_operator(module, SQLColumnCheckOperator))
    names = ("column_mapping", "partition_clause", "task_id")

    @functools.wraps(module.check_column)
    def check_column(dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return cls(dataset=dataset, **dict(zip(names, args, strict=False)), **kwargs)

    module.check_column = check_column  # type: ignore[attr-defined]


def _column_check_operator(module: ModuleType, base: Any) -> Any:
    class ColumnCheckOperator(module.ColumnCheckOperator):  # type: ignore[name-defined]
        template_fields = ("dataset", *base.template_fields)

        def __init__(
            self,
            dataset: Any,
            column_mapping: dict[str, dict[str, Any]],
            partition_clause: str | None = None,
            task_id: str | None = None,
            **kwargs: Any,
        ) -> None:
            base.__init__(
                self,
                table="",
                column_mapping=column_mapping,
                partition_clause=partition_clause,
                conn_id=getattr(dataset, "conn_id", None) or "",
                task_id=task_id or module.get_unique_task_id("check_column"),
                **_arguments(kwargs),
            )
            self.dataset, self.df, self.kwargs = dataset, None, kwargs

        def execute(self, context: Any) -> Any:
            if not isinstance(self.dataset, module.BaseTable):
                return super().execute(context)
            return _check_columns(self, module.create_database(self.dataset.conn_id))

    return ColumnCheckOperator


def check_table_keeps_its_arguments(module: ModuleType) -> None:
    """Lets `check_table` take the arguments of every operator.

    Problem: arguments for BaseOperator (`retries`, `trigger_rule`, …) were dropped without a
    warning, and a table without a schema was looked for outside the default schema.
    Fix: arguments are passed on, and the schema is filled in as in every other operator.
    """
    from airflow.providers.common.sql.operators.sql import SQLTableCheckOperator

    cls = _put_in_place(module, _table_check_operator(module, SQLTableCheckOperator))
    names = ("checks", "partition_clause", "task_id")

    @functools.wraps(module.check_table)
    def check_table(dataset: Any, *args: Any, **kwargs: Any) -> Any:
        return cls(dataset=dataset, **dict(zip(names, args, strict=False)), **kwargs).output

    module.check_table = check_table  # type: ignore[attr-defined]


def _table_check_operator(module: ModuleType, base: Any) -> Any:
    class SQLCheckOperator(module.SQLCheckOperator):  # type: ignore[name-defined]
        template_fields = (*base.template_fields, "dataset")
        _raise_exception = _raise_what_failed(base._raise_exception)  # noqa: SLF001

        def __init__(
            self,
            *,
            dataset: Any,
            checks: dict[str, dict[str, Any]],
            partition_clause: str | None = None,
            task_id: str | None = None,
            **kwargs: Any,
        ) -> None:
            base.__init__(
                self,
                table="",
                checks=checks,
                partition_clause=partition_clause,
                task_id=task_id or module.get_unique_task_id("check_table"),
                **_arguments(kwargs),
            )
            self.dataset = dataset

        def execute(self, context: Any) -> Any:
            database = module.create_database(self.dataset.conn_id)
            self.dataset = database.populate_table_metadata(self.dataset)
            return super().execute(context)

    return SQLCheckOperator


def _raise_what_failed(raise_exception: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    """Lets the operator say what it found: its own text has its SQL, and 0 for false."""

    def raise_it(operator: Any, text: str) -> None:
        if all("success" in check for check in operator.checks.values()):
            failures = table_failures(operator.checks, _values(operator))
            text = failure_text(operator.table, failures)
        raise_exception(operator, text)

    return raise_it


def _values(operator: Any) -> dict[str, object]:
    """Returns the value that each failed check is about, where the check names it."""
    failed = {
        name: c[VALUE] for name, c in operator.checks.items() if VALUE in c and not c["success"]
    }
    if not failed:
        return {}
    statement = f"SELECT {', '.join(failed.values())} FROM {operator.table}"  # noqa: S608  quoted
    return dict(zip(failed, operator.get_db_hook().get_first(statement), strict=True))


def _put_in_place(module: ModuleType, cls: Any) -> Any:
    """Puts a subclass into the module: Airflow wraps `__init__` only of a new class."""
    cls.__module__, cls.__qualname__ = module.__name__, cls.__name__
    setattr(module, cls.__name__, cls)
    return cls


def _arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    # astro's own functions pass their keyword arguments on as one argument called kwargs.
    nested = kwargs.pop("kwargs", None) or {}
    return {**kwargs, **nested}


def _check_columns(operator: Any, database: Any) -> None:
    operator.dataset = database.populate_table_metadata(operator.dataset)
    operator.conn_id = operator.dataset.conn_id
    operator.table = database.get_table_qualified_name(operator.dataset)
    names = list(operator.column_mapping)
    # Only Postgres has the project's own class. On other databases the names stay as they are.
    as_sql = getattr(database, "columns_as_sql", lambda _, names: {name: name for name in names})
    columns = as_sql(operator.dataset, names)
    hook, failed = operator.get_db_hook(), []
    for statement, checks in _queries(operator, columns):
        operator.sql = statement
        row = hook.get_first(statement)
        for (column, check), result in zip(checks, row, strict=True):
            values = operator.column_mapping[column][check]
            values["result"] = result
            values["success"] = operator._get_match(values, result, values.get("tolerance"))  # noqa: SLF001
            if not values["success"]:
                rows_of = None if operator.partition_clause else operator.table
                failed.append(column_failure(column, check, values, columns[column], rows_of))
    operator.check_results = operator._build_check_results()  # noqa: SLF001
    if failed:
        operator._raise_exception(failure_text(operator.table, failed))  # noqa: SLF001
    operator.log.info("All tests have passed: %s", operator.column_mapping)


def _queries(operator: Any, columns: dict[str, str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """One query for each set of rows, with the checks whose results are its columns."""
    checks_of_rows: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for column, checks in operator.column_mapping.items():
        for check, values in checks.items():
            clauses = [operator.partition_clause, values.get("partition_clause")]
            rows = " AND ".join(f"({clause})" for clause in clauses if clause)
            checks_of_rows[rows].append((column, check))
    for rows, pairs in checks_of_rows.items():
        results = (operator.column_checks[check].format(column=columns[c]) for c, check in pairs)
        where = f" WHERE {rows}" if rows else ""
        yield f"SELECT {', '.join(results)} FROM {operator.table}{where}", pairs  # noqa: S608  quoted
