"""The engine's errors, as those of Airflow: a task is retried only if that can help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowSkipException,
)

from include.airflow_bridge.commands import rejects_command
from include.airflow_bridge.timeout import in_time
from include.landfall.errors import DataError, LandfallError, ObjectChanged, failures_of


def verdict(
    message: str, retryable: bool, failures: Sequence[dict[str, str]] = ()
) -> AirflowException:
    """Returns the exception with which Airflow retries a task only if a retry can help.

    Its attribute `failures` is that of `failures_of`, for who tells of the task's failure.
    """
    exception = (AirflowException if retryable else AirflowFailException)(message)
    exception.failures = list(failures)
    return exception


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turns the engine's errors into Airflow's, by whether a retry can help.

    Raises: AirflowException for a transient error, AirflowFailException for a terminal one.
    """
    try:
        with in_time():
            yield
    except LandfallError as error:
        # `from None`: the message is complete, and the engine's frames would hide it in the log.
        raise verdict(str(error), error.retryable, failures_of([error])) from None


@contextmanager
def arrival_errors() -> Iterator[None]:
    """Does what `airflow_errors` does, and skips the task when its listed object has changed.

    A retry would ask for the version that is gone. The new version is an arrival of its own, which
    the sensor's next look finds.

    Raises: AirflowSkipException when the object has changed, else as `airflow_errors`.
    """
    with airflow_errors():
        try:
            yield
        except ObjectChanged as changed:
            text = f"{changed}\nskipped: the next run lists the feed again"
            raise AirflowSkipException(text) from None
        except DataError as refused:
            raise with_samples(refused) from None


def with_samples(refused: LandfallError) -> LandfallError:
    """Adds the command that shows the refused rows, where the message names only some of them."""
    feed, uri = refused.place.feed, refused.place.object
    if isinstance(refused, DataError) and refused.rejection and feed and uri:
        command = rejects_command(feed, uri.removeprefix("s3://").partition("/")[2])
        refused.more.append(("to see the rows", f"{command} --state sample"))
    return refused
