"""`transform`, `transform_file`, `run_raw_sql`, `dataframe` and `export_to_file`."""

from __future__ import annotations

import contextlib
import typing
from pathlib import Path
from types import ModuleType
from typing import Any

from . import xcom


def read_sql_as_written(module: ModuleType) -> None:
    """Reads a .sql file as it is written, when the task runs.

    Problem: on any Airflow, the lines of a .sql file were joined, so a `--` comment made the rest
    of the query a comment too; an absolute path was first looked for as a template, with an error
    in the log of every parse; a query of two characters was taken for a pair of query and
    parameters.
    Fix: the file is read with its lines, an absolute path is read when the task runs, and the type
    of the result decides whether it is a pair or a text.
    """
    cls = module.BaseSQLDecoratedOperator
    resolve_by_searchpath = cls.resolve_template_files

    def read_sql_from_function(self: Any) -> None:
        if self.sql == "":
            returned = self.python_callable(*self.op_args, **self.op_kwargs)
            self.sql = returned
            if not isinstance(returned, str):
                self.sql, self.parameters = returned
            self.parameters = dict(self.parameters or {})
        if self.sql.endswith(".sql"):
            self.sql = Path(self.sql).read_text(encoding="utf-8")
        self.op_kwargs.pop("sql", None)

    def resolve_template_files(self: Any) -> None:
        if not Path(self.sql).is_absolute():
            resolve_by_searchpath(self)

    cls.read_sql_from_function = read_sql_from_function
    cls.resolve_template_files = resolve_template_files


def transform_in_one_transaction(module: ModuleType) -> None:
    """Lets `transform` replace its table's rows in one transaction.

    Problem: on any Airflow, one statement dropped the output table and another one created it, so
    there was no table in between, and none at all when the query failed.
    Fix: where the database can (Postgres), the new rows replace the old ones in one transaction.
    """
    cls = module.TransformOperator
    drop_and_create = cls.execute

    def execute(self: Any, context: Any) -> Any:
        # Only this finds the connection of a mapped task.
        module.BaseSQLDecoratedOperator.execute(self, context)
        database = self.database_impl
        if not hasattr(database, "replace_table_from_select"):
            return drop_and_create(self, context)
        schema = self.output_table.metadata.schema
        database.create_schema_if_applicable(schema, self.assume_schema_exists)
        rows = database.replace_table_from_select(
            self.sql, self.output_table, self.parameters, self.query_modifier
        )
        context["ti"].xcom_push(key="output_table_row_count", value=str(rows))
        context["ti"].xcom_push(key="output_table_conn_id", value=str(self.output_table.conn_id))
        return self.output_table

    cls.execute = execute


def rows_cross_xcom(module: ModuleType) -> None:
    """Lets `run_raw_sql` hand rows on to other tasks, with the names of their columns.

    Problem: SQLAlchemy 2's rows have no `values()` and no access by name, XCom cannot carry them,
    and on any Airflow a row lost its names on the way.
    Fix: rows cross with their names (`rows.NamedRow`), with values that XCom can carry; everything
    else that a handler returns stays what it is. Decimals in a dataframe become floats, as pandas
    made them, unless the setting `astro_sdk/exact_decimals` is on.
    """
    cls = module.RawSQLOperator
    cls.make_row_serializable = staticmethod(_carried)
    cls.results_as_list = staticmethod(lambda results: [list(row) for row in results.fetchall()])
    cls.results_as_pandas_dataframe = staticmethod(_as_dataframe)
    xcom.allow_named("include.astro_sdk.rows.NamedRow")


def _carried(value: Any) -> Any:
    from include.astro_sdk.carrying import carried

    return carried(value)


def _as_dataframe(result: Any) -> Any:
    import pandas as pd
    from astro.dataframes.pandas import PandasDataframe

    from include.astro_sdk.settings import exact_decimals

    # Lists, because pandas would take a row with names for a nested one.
    rows, columns = [list(row) for row in result.fetchall()], list(result.keys())
    frame = pd.DataFrame.from_records(rows, columns=columns, coerce_float=not exact_decimals())
    return PandasDataframe.from_pandas_df(frame)


def handlers_fail_aloud(module: ModuleType) -> None:
    """Lets a handler's error fail the task, unless the query gave no rows.

    Problem: on any Airflow, `run_raw_sql` took each exception of a handler for the documented case
    of a query without rows (`fail_on_empty=False`), and the task gave None in silence.
    Fix: without rows it gives None as documented. With rows the exception is the task's.
    """

    def get_wrapped_handler(fail_on_empty: bool, conversion_func: Any) -> Any:
        def handle(result: Any) -> Any:
            try:
                return conversion_func(result)
            except Exception as error:
                # Other databases say -1, and stay as they were.
                if getattr(result, "rowcount", -1) > 0 and getattr(result, "returns_rows", False):
                    raise
                module.logging.info("The query gave no rows, and the handler failed: %s", error)
                return None

        return conversion_func if fail_on_empty else handle

    module.RawSQLOperator.get_wrapped_handler = staticmethod(get_wrapped_handler)


def annotations_may_be_text(module: ModuleType) -> None:
    """Lets a function of `dataframe` have annotations that are texts.

    Problem: on any Airflow, `dataframe` reads the tables whose annotation is `pd.DataFrame`, and
    under `from __future__ import annotations` that is a text: the function got the Table.
    Fix: the annotations are looked up before the task reads them.
    """
    cls = module.DataframeOperator
    run = cls.execute

    def execute(self: Any, context: Any) -> Any:
        # An annotation that only type checkers import cannot be looked up, and stays a text.
        with contextlib.suppress(NameError, TypeError, AttributeError):
            self.python_callable.__annotations__ = typing.get_type_hints(self.python_callable)
        return run(self, context)

    cls.execute = execute


def export_as_a_stream(module: ModuleType) -> None:
    """Lets `export_to_file` stream from Postgres to S3.

    Problem: on any Airflow, the whole table was read into a dataframe, and then written.
    Fix: CSV and Parquet stream through the engine; the rest is as it was.
    """
    cls = module.ExportToFileOperator
    through_pandas = cls.execute

    def execute(self: Any, context: Any) -> Any:
        if not isinstance(self.input_data, module.BaseTable):
            return through_pandas(self, context)
        database = module.create_database(self.input_data.conn_id, table=self.input_data)
        can_stream = getattr(database, "can_stream_to", lambda _: False)
        if not can_stream(self.output_file):
            return through_pandas(self, context)
        self.input_data = database.populate_table_metadata(self.input_data)
        database.export_table_to_file(self.input_data, self.output_file, self.if_exists)
        return self.output_file

    cls.execute = execute
