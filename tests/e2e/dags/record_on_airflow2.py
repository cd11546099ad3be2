"""Records the examples in `uses/` on Airflow 2 with the real Astro SDK, for sdk_uses.json.

In an environment of its own (Python 3.11), with packages as they were in July 2024:

    pip install --uploaded-prior-to 2024-07-20 apache-airflow==2.9.2 astro-sdk-python==1.8.1 \
        apache-airflow-providers-postgres apache-airflow-providers-amazon \
        apache-airflow-providers-openlineage "sqlalchemy<2" "pandas<2.2" pyarrow s3fs openpyxl
    pip install --no-deps astro-sdk-python==1.9.0

AIRFLOW_CONN_WAREHOUSE (an empty Postgres database) and AIRFLOW_CONN_LANDING (an S3 service) are JSON,
AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES is `airflow.* astro.*`, USES_FOLDER is a folder for local
files. Then: `airflow db migrate; python record_on_airflow2.py > ../recordings/sdk_uses.json`
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
from airflow.utils.session import create_session

USES = Path(__file__).parent / "uses"
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


if __name__ == "__main__":
    sys.path.insert(0, str(USES))
    with redirect_stdout(sys.stderr):
        recorded = {group: record(group) for group in GROUPS}
    print(json.dumps(recorded, indent=1, ensure_ascii=False))
