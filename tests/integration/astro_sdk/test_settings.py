"""Each setting of the Astro SDK does what docs/astro-sdk.md says of it.

astro reads its settings when it is imported, so each test starts a Python of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
START = """
import airflow, pandas as pd
from astro import settings, sql as aql
from astro.databases import create_database
from astro.files import File
from astro.table import Table, TempTable
table = Table("t", conn_id="warehouse")
database = create_database("warehouse")
"""
SCHEMA = "print(database.populate_table_metadata(table).metadata.schema)"
OUTLETS = """
loaded = aql.load_file(input_file=File("s3://b/a.csv"), output_table=table)
print(len(loaded.operator.inlets), len(loaded.operator.outlets))
"""
FRAME = """
from astro.dataframes.pandas import PandasDataframe
try:
    print(sorted(PandasDataframe({"a": ["x" * 99] * 99}).serialize()))
except Exception as error:
    print("XCOM_STORAGE_CONN_ID needs to be set" in str(error))
"""
DECIMALS = """
database.run_sql("CREATE TABLE public.t AS SELECT 1.50 AS a")
from astro.table import Metadata
table = Table("t", conn_id="warehouse", metadata=Metadata("public"))
read = database.export_table_to_pandas_dataframe(table)
print(repr(read["a"][0]))
"""
TEMPORARY = "print(Table(conn_id='warehouse').openlineage_emit_temp_table_event())"

# The setting, its value, what to look at, what is printed without and with it.
SETTINGS = [
    ("POSTGRES_DEFAULT_SCHEMA", "mine", SCHEMA, "tmp_astro", "mine"),
    ("SQL_SCHEMA", "mine", SCHEMA, "tmp_astro", "mine"),
    ("AUTO_ADD_INLETS_OUTLETS", "False", OUTLETS, "1 1", "0 0"),
    ("EXACT_DECIMALS", "True", DECIMALS, "1.5", "Decimal('1.50')"),
    ("OPENLINEAGE_EMIT_TEMP_TABLE_EVENT", "False", TEMPORARY, "True", "False"),
    ("MAX_DATAFRAME_MEM_FOR_XCOM_DB", "1", FRAME, "['parquet']", "True"),
    ("RUN_RAW_SQL_RESPONSE_SIZE", "3", "print(settings.RAW_SQL_MAX_RESPONSE_SIZE)", "-1", "3"),
    ("LOAD_TABLE_AUTODETECT_ROWS_COUNT", "7",
     "print(settings.LOAD_TABLE_AUTODETECT_ROWS_COUNT)", "1000", "7"),
    ("ASSUME_SCHEMA_EXISTS", "True", "print(settings.ASSUME_SCHEMA_EXISTS)", "False", "True"),
]  # fmt: skip


def printed(code: str, **settings: str) -> str:
    """The last line that a new Python prints."""
    environ = {**os.environ, "PYTHONPATH": str(PROJECT)}
    environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(PROJECT / "plugins")
    environ |= {f"AIRFLOW__ASTRO_SDK__{name}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START + code], env=environ, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("setting", "value", "code", "without", "with_it"), SETTINGS, ids=[each[0] for each in SETTINGS]
)
def test_the_setting_works(
    connections: dict[str, str], setting: str, value: str, code: str, without: str, with_it: str
) -> None:
    assert printed(code, **{setting: value}) == with_it
    if setting != "EXACT_DECIMALS":  # its table is there already
        assert printed(code) == without
