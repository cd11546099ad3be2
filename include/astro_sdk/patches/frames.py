"""The tables that `transform` and `run_raw_sql` make of dataframes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pandas as pd


def tables_of_dataframes_are_dropped(module: ModuleType) -> None:
    """Drops the table that a query's dataframe was written to when the query is done.

    Problem: on any Airflow, such a table had no temporary name, so that `cleanup` let it be, and
    each run left one.
    Fix: the operator keeps its tables in mind, and drops them when its query has run or failed.
    """
    cls = module.BaseSQLDecoratedOperator
    of_args, of_kwargs = cls.load_op_arg_dataframes_into_sql, cls.load_op_kwarg_dataframes_into_sql
    enrich = cls._enrich_context

    def load_args(self: Any, conn_id: str, op_args: Any, output_table: Any) -> Any:
        tables = of_args(self, conn_id=conn_id, op_args=op_args, output_table=output_table)
        _keep(self, zip(op_args, tables, strict=True))
        return tables

    def load_kwargs(self: Any, conn_id: str, op_kwargs: Any, output_table: Any) -> Any:
        tables = of_kwargs(self, conn_id=conn_id, op_kwargs=op_kwargs, output_table=output_table)
        _keep(self, ((op_kwargs[name], table) for name, table in tables.items()))
        return tables

    def enrich_context(self: Any, context: Any) -> Any:
        try:
            return enrich(self, context)
        except BaseException:
            drop_tables_of_dataframes(self)
            raise

    cls.load_op_arg_dataframes_into_sql = load_args
    cls.load_op_kwarg_dataframes_into_sql = load_kwargs
    cls._enrich_context = enrich_context


def drop_when_done(module: ModuleType) -> None:
    """Drops the tables of an operator's dataframes when it has run.

    Problem: as in `tables_of_dataframes_are_dropped`; a query that fails left one for each try.
    Fix: as there.
    """
    for name in ("TransformOperator", "RawSQLOperator"):
        if hasattr(module, name):
            _drop_after_execute(getattr(module, name))


def _drop_after_execute(cls: Any) -> None:
    run = cls.execute

    def execute(self: Any, context: Any) -> Any:
        with _dropped_at_the_end(self):
            return run(self, context)

    cls.execute = execute


@contextmanager
def _dropped_at_the_end(operator: Any) -> Iterator[None]:
    try:
        yield
    finally:
        drop_tables_of_dataframes(operator)


def _keep(operator: Any, pairs: Any) -> None:
    tables = [table for given, table in pairs if isinstance(given, pd.DataFrame)]
    operator.__dict__.setdefault("_tables_of_dataframes", []).extend(tables)


def drop_tables_of_dataframes(operator: Any) -> None:
    """Drops the tables that the operator made of its dataframes."""
    for table in operator.__dict__.pop("_tables_of_dataframes", []):
        try:
            operator.database_impl.drop_table(table)
        except Exception as error:  # noqa: BLE001  the query's own result or error counts
            operator.log.warning("The table %s of a dataframe stays: %s", table.name, error)
