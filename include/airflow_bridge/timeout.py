"""The end of a task's time, as an error of the engine's kind: what it is, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk import get_current_context
from airflow.sdk.exceptions import AirflowTaskTimeout

from include.landfall.errors import TerminalError
from include.landfall.feed.duration import in_words


class OutOfTime(TerminalError):
    """Airflow has stopped the task, which ran for longer than its `execution_timeout`."""


@contextmanager
def in_time() -> Iterator[None]:
    """Turns Airflow's exception, whose message is a process id, into an error with words.

    Raises: OutOfTime.
    """
    try:
        yield
    except AirflowTaskTimeout:
        raise OutOfTime(
            f"Airflow stopped the task{_after()}, its execution_timeout",
            do="nothing is half done, and the next run goes on with it; look what it waits for"
            " then, such as a lock of another session (pg_stat_activity), or raise the time",
        ) from None


def _after() -> str:
    try:
        limit = get_current_context()["task"].execution_timeout
    except RuntimeError:  # how Airflow says that no task runs
        return ""
    return f" after {in_words(limit)}" if limit else ""
