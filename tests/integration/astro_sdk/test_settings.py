"""Each setting of the Astro SDK does what docs/astro-sdk.md says of it.

astro reads its settings when it is imported, so each look needs a new process. One Python imports
what needs seconds (Airflow, pandas), and forks a process for each look.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
# Each line of the input is an environment and a code. A fork of this process, in which astro is not
# imported, runs it. Each line of the output is the status with which the fork ended, and its text.
FORK = """
import json, os, sys, traceback
import airflow.sdk, boto3, pandas, pyarrow, sqlalchemy
import airflow.providers.amazon.aws.hooks.s3, airflow.providers.postgres.hooks.postgres

def run(environ, code):
    assert "astro.settings" not in sys.modules
    os.environ.update(environ)
    try:
        exec(code, {"__name__": "__main__"})
        sys.stdout.flush()
    except BaseException:
        os.write(2, traceback.format_exc().encode())
        os._exit(1)
    os._exit(0)

for line in sys.stdin:
    reader, writer = os.pipe()
    if not (fork := os.fork()):
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        run(*json.loads(line))
    os.close(writer)
    printed = open(reader).read()
    status = os.waitpid(fork, 0)[1]
    print(json.dumps([status, printed]), flush=True)
"""
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
    ("MAX_DATAFRAME_MEM_FOR_XCOM_DB", "1", FRAME, "['json', 'parquet']", "True"),
    ("RUN_RAW_SQL_RESPONSE_SIZE", "3", "print(settings.RAW_SQL_MAX_RESPONSE_SIZE)", "-1", "3"),
    ("LOAD_TABLE_AUTODETECT_ROWS_COUNT", "7",
     "print(settings.LOAD_TABLE_AUTODETECT_ROWS_COUNT)", "1000", "7"),
    ("ASSUME_SCHEMA_EXISTS", "True", "print(settings.ASSUME_SCHEMA_EXISTS)", "False", "True"),
]  # fmt: skip


Printed = Callable[..., str]


@pytest.fixture(scope="module")
def forks() -> Iterator[subprocess.Popen[str]]:
    """The Python that forks."""
    environ = {**os.environ, "PYTHONPATH": str(PROJECT)}
    environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(PROJECT / "plugins")
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORK], env=environ, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as program:  # fmt: skip
        yield program


@pytest.fixture
def printed(forks: subprocess.Popen[str], connections: dict[str, str]) -> Printed:
    """Returns the last line that a code prints in a new process with these settings."""

    def run(code: str, **settings: str) -> str:
        environ = {f"AIRFLOW__ASTRO_SDK__{name}": value for name, value in settings.items()}
        assert forks.stdin
        assert forks.stdout
        forks.stdin.write(json.dumps([{**connections, **environ}, START + code]) + "\n")
        forks.stdin.flush()
        status, text = json.loads(forks.stdout.readline())
        assert status == 0, text
        return text.splitlines()[-1]

    return run


@pytest.mark.parametrize(
    ("setting", "value", "code", "without", "with_it"), SETTINGS, ids=[each[0] for each in SETTINGS]
)
def test_the_setting_works(
    printed: Printed, setting: str, value: str, code: str, without: str, with_it: str
) -> None:
    assert printed(code, **{setting: value}) == with_it
    if setting != "EXACT_DECIMALS":  # its table is there already
        assert printed(code) == without
