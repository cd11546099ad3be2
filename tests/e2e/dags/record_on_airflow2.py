"""Records the examples in `uses/` on Airflow 2 with the real Astro SDK, for sdk_uses.json.

In an environment of its own (Python 3.11), with packages as they were in July 2024:

    pip install --uploaded-prior-to 2024-07-20 apache-airflow==2.9.2 astro-sdk-python==1.8.1 \
        apache-airflow-providers-postgres apache-airflow-providers-amazon \
        apache-airflow-providers-openlineage "sqlalchemy<2" "pandas<2.2" pyarrow s3fs openpyxl
    pip install --no-deps astro-sdk-python==1.9.0

AIRFLOW_CONN_WAREHOUSE (an empty Postgres database) and AIRFLOW_CONN_LANDING (an S3 service) are JSON,
AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES is `airflow.* astro.*`, USES_FOLDER is a folder for local
files. Then: `airflow db migrate; python record_on_airflow2.py > ../recordings/sdk_uses.json`, and
`python record_on_airflow2.py twenty > ../recordings/twenty_tasks.json`
"""

import importlib
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

import airflow.providers.fab.auth_manager.models  # its tables, which dag.test() needs
import pendulum
import psycopg2
from airflow.hooks.base import BaseHook
from airflow.models import DagRun
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.utils.session import create_session

USES = Path(__file__).parent / "uses"
TWENTY = Path(__file__).parent / "twenty"
GROUPS = ("run_raw_sql", "transform", "tables", "load_file")


def sql(query):
    conn = BaseHook.get_connection("warehouse")
    with psycopg2.connect(
        host=conn.host, port=conn.port, user=conn.login, password=conn.password, dbname=conn.schema
    ) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def record(group):
    """Runs one DAG; gives each use's state and result."""
    import uses_files

    dag = importlib.import_module(f"uses_of_{group}").dag
    sql((USES / "prepare.sql").read_text())
    uses_files.put_all()
    dag.test(execution_date=pendulum.datetime(2024, 5, 5))
    with create_session() as session:
        run = session.query(DagRun).filter(DagRun.dag_id == dag.dag_id).order_by(DagRun.id.desc()).first()
        states = {ti.task_id: str(ti.state) for ti in run.get_task_instances(session=session)}
    results = sql("SELECT name, text FROM uses.results ORDER BY name")
    return {name: [states[name], text] for name, text in results}


def rows_of(table):
    """A table's columns and rows, as texts, in an order that does not depend on the server."""
    columns = sql(
        f"SELECT column_name FROM information_schema.columns WHERE table_schema = 'shop'"
        f" AND table_name = '{table}' ORDER BY ordinal_position"
    )
    rows = [[None if v is None else str(v) for v in row] for row in sql(f"SELECT * FROM shop.{table}")]
    return [[name for (name,) in columns], *sorted(rows, key=repr)]


def record_twenty():
    """Runs the DAG of twenty tasks; gives its tables, and what is left of its temporary ones."""
    client = S3Hook("landing").get_conn()
    client.create_bucket(Bucket="twenty")
    for name in ("customers.csv", "orders/2023.csv", "orders/2024.csv"):
        client.put_object(Bucket="twenty", Key=name, Body=(TWENTY / name).read_bytes())
    sql((TWENTY / "prepare.sql").read_text())
    importlib.import_module("twenty_tasks").dag.test(execution_date=pendulum.datetime(2024, 5, 5))
    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'shop' ORDER BY 1")
    left = sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'tmp_astro'")[0][0]
    exported = client.get_object(Bucket="twenty", Key="best.csv")["Body"].read().decode()
    recorded = {table: rows_of(table) for (table,) in tables}
    return {**recorded, "temporary tables left": left, "best.csv": exported}


if __name__ == "__main__":
    sys.path[:0] = [str(USES), str(TWENTY)]
    with redirect_stdout(sys.stderr):
        if sys.argv[1:] == ["twenty"]:
            recorded = record_twenty()
        else:
            recorded = {group: record(group) for group in GROUPS}
    print(json.dumps(recorded, indent=1, ensure_ascii=False))
