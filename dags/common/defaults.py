"""The settings that every DAG of the project shares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import AirflowTaskTimeout

from dags.common.alerts import RUN_FAILED, TASK_FAILED
from dags.common.failures import keep_failure, of_killed, unless_told

OWNER = "data-team"
# Any date in the past will do: without catchup it does not say since when there is data.
START = datetime(2013, 1, 1, tzinfo=UTC)
# Whatever this says, only the engine's transient errors are retried: include.airflow_bridge.errors.
RETRIES = 2
RETRY_DELAY = timedelta(seconds=30)
# A task that hangs would keep its feed waiting, and nobody would know. A load that is stopped
# leaves nothing, and the next run makes it again. A retry would hang too: for days, before anybody
# is told.
LONGEST_TASK = timedelta(hours=24)
NO_RETRY_OF_LONGEST = ExceptionRetryPolicy(
    [RetryRule(AirflowTaskTimeout, RetryAction.FAIL, reason="it ran for too long")]
)
# For checks: rows that broke a rule will break it again in a minute. A database that cannot be
# reached is still retried.
NO_RETRY = {"retry_on_failure": False}


def task_failed() -> list[Any]:
    """Returns what Airflow calls of a failed task, where anybody is told of anything."""
    keep = [keep_failure] if TASK_FAILED or RUN_FAILED else []
    return [*keep, *map(unless_told, TASK_FAILED)]


def run_failed() -> list[Any]:
    """Returns what Airflow calls of a failed run, also for its tasks that could tell nobody."""
    return [*map(of_killed, TASK_FAILED), *RUN_FAILED]


def dag_defaults(owner: str = OWNER) -> dict[str, Any]:
    """Returns the arguments of `DAG` that are the same for all: runs, retries, alerts."""
    return {
        "start_date": START,
        "catchup": False,
        "max_active_runs": 1,
        "on_failure_callback": run_failed() or None,
        "default_args": {
            "owner": owner,
            "retries": RETRIES,
            "retry_delay": RETRY_DELAY,
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
            "execution_timeout": LONGEST_TASK,
            "retry_policy": NO_RETRY_OF_LONGEST,
            "on_failure_callback": task_failed() or None,
        },
    }
