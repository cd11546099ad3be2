"""# 7. A first DAG"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG(
    dag_id="lesson_07_first_dag",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "data-team", "retries": 2, "retry_delay": timedelta(seconds=5)},
    tags=["lesson", "section 7"],
    doc_md=__doc__,
):
    hello = BashOperator(
        task_id="hello",
        bash_command="echo This line is in the log alone.; echo Hello from $BASH_VERSION",
    )
    look_around = BashOperator(
        task_id="look_around",
        bash_command='echo "hello said: $SAID"; ls | wc -l',
        env={"SAID": "{{ ti.xcom_pull(task_ids='hello') }}"},
        append_env=True,
    )
    hello >> look_around
