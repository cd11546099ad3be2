"""What the examples share: the connections, a table of homes, and the task that keeps results.

The same files run on Airflow 2 with the real Astro SDK, which gave the recording, and here.
"""

import datetime
import os

import pandas as pd

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.decorators import task

from astro.databases import create_database
from astro.files import File
from astro.table import BaseTable, Metadata, Table

PG, S3 = "warehouse", "landing"
BUCKET = "s3://uses"
FOLDER = os.environ.get("USES_FOLDER", "/tmp")  # local files
START = datetime.datetime(2024, 1, 1)

HOMES = Table("homes", conn_id=PG, metadata=Metadata(schema="uses"))
AGENTS = Table("agents", conn_id=PG, metadata=Metadata(schema="uses"))
EMPTY = Table("empty", conn_id=PG, metadata=Metadata(schema="uses"))


def mart(name, **more):
    """A table to write to."""
    return Table(name, conn_id=PG, metadata=Metadata(schema="uses"), **more)


def shown(value):
    """A result as a text that is the same wherever it comes from."""
    if isinstance(value, BaseTable):
        rows = create_database(value.conn_id).run_sql(
            f"SELECT * FROM {create_database(value.conn_id).get_table_qualified_name(value)}",
            handler=lambda result: [tuple(result.keys()), *sorted(result.fetchall(), key=repr)],
        )
        return "table " + repr([tuple(row) for row in rows])
    if isinstance(value, File):
        return f"file {os.path.basename(value.path)}: {shown(value.export_to_dataframe())}"
    if isinstance(value, pd.DataFrame):
        types = [f"{name} {dtype}" for name, dtype in value.dtypes.items()]
        return f"dataframe {types} {value.astype(object).where(value.notna(), None).values.tolist()}"
    if isinstance(value, (list, tuple)):
        return repr([shown(item) if hasattr(item, "to_json") else _plain(item) for item in value])
    return repr(value)


def _plain(item):
    return item if isinstance(item, (str, int, float, dict)) else (
        tuple(item) if hasattr(item, "__iter__") else item)


@task(trigger_rule="all_done")
def keep_results(group, **results):
    """Writes each use's result into a table, which the test reads."""
    database = create_database(PG)
    for name, value in results.items():
        try:
            text = shown(value)
        except Exception as error:  # a table that is not there
            text = f"{type(error).__name__}"
        database.run_sql(
            "INSERT INTO uses.results VALUES (:group, :name, :text)",
            parameters={"group": group, "name": name, "text": text},
        )


def keep(group, *uses):
    """Keeps the results of these tasks, under their names."""
    return keep_results(group, **{use.operator.task_id: use for use in uses})
