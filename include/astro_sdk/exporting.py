"""Out of the database: a table into a dataframe, or into a file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import sqlalchemy

from include.airflow_bridge.connections import store_of
from include.airflow_bridge.errors import airflow_errors
from include.landfall.export.query import export

from . import sources, statements, tables
from .csv_spelling import as_pandas
from .quoting import quoted
from .settings import exact_decimals
from .tables import Name

if TYPE_CHECKING:
    from .database import PostgresDatabase

log = logging.getLogger(__name__)


def can_stream_to(file: Any) -> bool:
    """Returns whether an export to the file can stream through the engine."""
    return file.path.startswith("s3://") and sources.file_type(file) in sources.FORMATS


def export_table(database: PostgresDatabase, name: Name, file: Any, if_exists: str) -> None:
    """Writes a table to an S3 object, in constant memory.

    Raises: FileExistsError when the object exists and `if_exists` is not `replace`;
    AirflowException or AirflowFailException, by whether a retry can help.
    """
    with airflow_errors():
        store = store_of(file.conn_id or None)
        bucket, key = sources.bucket_and_key(file.path)
        if if_exists != "replace" and sources.object_exists(store, bucket, key):
            raise FileExistsError(f"{file.path} file already exists.")
        is_csv = sources.file_type(file) == "csv"
        exported = export(
            select_of(database, name, as_pandas if is_csv else lambda column, _: column),
            # With parameters psycopg would read the % of a column's name as one of them.
            None,
            warehouse=database.warehouse,
            store=store,
            bucket=bucket,
            key=key,
            format=cast("Any", sources.file_type(file)),
            compression=cast("Any", sources.compression_of(key)),
        )
    log.info("Exported %s rows, %s bytes, to %s", exported.rows, exported.bytes, exported.uri)


def frame_of(database: PostgresDatabase, name: Name) -> pd.DataFrame:
    """Reads a table into a dataframe that astro can hand on, without the engine's column."""
    from astro.dataframes.pandas import PandasDataframe

    with database.sqlalchemy_engine.connect() as connection:
        query = sqlalchemy.text(statements.escaped(select_of(database, name, _as_the_sdk)))
        frame = pd.read_sql(query, con=connection, coerce_float=not exact_decimals())
    for column in frame.select_dtypes(object):
        if isinstance(next(iter(frame[column].dropna()), None), memoryview):
            frame[column] = frame[column].map(bytes, na_action="ignore")
    return PandasDataframe.from_pandas_df(frame)


def _as_the_sdk(column: str, type_name: str) -> str:
    """A UUID is a text in the SDK's dataframes."""
    is_uuid = type_name in {"uuid", "uuid[]"}
    return f"{column}::{type_name.replace('uuid', 'text')} AS {column}" if is_uuid else column


def select_of(
    database: PostgresDatabase,
    name: Name,
    spelled: Callable[[str, str], str] = lambda column, _: column,
) -> str:
    """Returns the SELECT of a table's columns, without the engine's.

    `spelled` gives the SQL for a quoted column and its type.

    Raises: NonExistentTableException, astro's own, when there is no such table.
    """
    with database.connect() as connection:
        columns = tables.data_columns_of(connection, name)
    parts = [spelled(quoted(column), type_name) for column, type_name in columns.items()]
    return f"SELECT {', '.join(parts)} FROM {name.quoted}"  # noqa: S608  quoted
