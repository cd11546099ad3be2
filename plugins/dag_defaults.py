"""What every DAG of the project shares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

OWNER = "data-team"
# Not from when on data exists: without catchup a schedule only needs some date in the past.
START = datetime(2013, 1, 1, tzinfo=UTC)
# Only the transient ones of the engine's errors are retried, whatever this says (airflow_bridge).
RETRIES = 2
RETRY_DELAY = timedelta(seconds=30)
# For checks: rows that broke a rule will break it again in a minute. A database that is away is
# another thing, and is retried.
NO_RETRY = {"retry_on_failure": False}


def dag_defaults(owner: str = OWNER) -> dict[str, Any]:
    """The arguments of `DAG` that do not differ: one run at a time, none for the past, retries."""
    return {
        "start_date": START,
        "catchup": False,
        "max_active_runs": 1,
        "default_args": {
            "owner": owner,
            "retries": RETRIES,
            "retry_delay": RETRY_DELAY,
            "retry_exponential_backoff": True,
            "max_retry_delay": timedelta(minutes=10),
        },
    }
