"""Why the tasks of a run have failed, in XCom: for the alert of the run, and for one per cause.

A task keeps its failure under the key `failure` before anybody is told of it.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from airflow.sdk.exceptions import AirflowException

from include.airflow_bridge.commands import status_command
from include.landfall.errors import shortened

log = logging.getLogger(__name__)

KEY = "failure"
SHOWN = 10  # failures of a run, and of one task
FEED_DAG = "feed_"
LISTING, LOADING = "new_arrivals", "load"  # tasks of the DAG of a feed
LONGEST_LABEL = 200
NO_MESSAGE = (
    "its process ended without a message: it was killed, for want of memory or by hand, or its"
    " machine was lost"
)

Context = Mapping[str, Any]


def keep_failure(context: Context) -> None:
    """Keeps the failure of a task: when, of what, and the cause that other tasks may meet too."""
    exception = context.get("exception")
    if exception is None:  # its process was killed, and this one is the DAG processor
        return
    failures = getattr(exception, "failures", None) or [_foreign(context["ti"], exception)]
    value = {
        "at": datetime.now(UTC).isoformat(),
        "task": _id(context["ti"]),
        "cause": _cause(failures),
        "texts": [each["text"] for each in failures[:SHOWN]],
        "failures": len(failures),
    }
    context["ti"].xcom_push(key=KEY, value=value)


def _foreign(ti: Any, exception: BaseException) -> dict[str, str]:
    first = (str(exception).splitlines() or [type(exception).__name__])[0]
    return {"text": f"{_label(ti)}: {first}", "cause": ""}


def _id(ti: Any) -> str:
    """Returns the task's id as Airflow writes it among the states of a run."""
    is_mapped = ti.map_index is not None and ti.map_index >= 0
    return f"{ti.task_id}_{ti.map_index}" if is_mapped else str(ti.task_id)


def _label(ti: Any) -> str:
    label = getattr(ti, "rendered_map_index", None)
    return f"{ti.task_id} [{label}]" if label else str(ti.task_id)


def unless_told(member: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Makes a callback that calls the member, unless another task of the run told of the cause."""

    @wraps(member, updated=())
    def tell(context: Context) -> None:
        if not _is_told(context):
            member(context)

    return tell


def _is_told(context: Context) -> bool:
    """Returns whether an earlier failure of the run has the same cause as that of the task.

    Each task keeps its failure before it asks. So of those that fail at once one is the earliest to
    all of them.
    """
    cause = _cause(getattr(context.get("exception"), "failures", []))
    if not cause:
        return False
    try:
        first = _first_of(cause, context)
    except Exception as error:  # noqa: BLE001  whatever Airflow raises: an alert twice is better than none
        log.warning("whether the cause was told of cannot be seen: %r", error)
        return False
    if first in (None, _id(context["ti"])):
        return False
    log.info("nobody is told: %s has told of the same cause", first)
    return True


def _first_of(cause: str, context: Context) -> str | None:
    started = context["dag_run"].start_date  # a run that is cleared starts again
    same = [
        (each["at"], each["task"])
        for each in _kept(context)
        if each["cause"] == cause and datetime.fromisoformat(each["at"]) >= started
    ]
    return min(same)[1] if same else None


def _cause(failures: list[dict[str, str]]) -> str:
    """Returns the one cause that other tasks may meet too; empty where files were refused."""
    return failures[0]["cause"] if len(failures) == 1 else ""


def _kept(context: Context) -> Iterator[dict[str, Any]]:
    ids = [task.task_id for task in context["dag"].tasks]
    for each in context["ti"].xcom_pull(task_ids=ids, key=KEY) or []:
        if each is not None:
            yield each


def of_killed(member: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Makes a callback of a run that tells the member of a task whose process was killed.

    Nobody else does: a worker tells of its own task, and this one is gone. Of several, which have
    one cause as a rule, the first is told, and how many more there are.
    """

    @wraps(member, updated=())
    def tell(context: Context) -> None:
        try:
            killed = _killed(_failed_tasks(context), _kept(context), context)
            of_task = _context_of(killed, context) if killed else None
        except Exception as error:  # noqa: BLE001  whatever Airflow raises: the other callbacks go on
            log.warning("whether a task was killed cannot be seen: %r", error)
            return
        if of_task:
            member(of_task)

    return tell


def _killed(failed: set[str], kept: Iterable[dict[str, Any]], context: Context) -> list[str]:
    """Returns the failed tasks that have kept no failure, in their order."""
    killed = failed - {each["task"] for each in kept}
    return sorted(killed, key=lambda task: _place_of(task, context))


def _texts_of_killed(killed: Sequence[str], context: Context) -> list[str]:
    labels = [f" [{label}]" if label else "" for label in _files_of(killed, context)]
    return [f"{task}{label}: {NO_MESSAGE}" for task, label in zip(killed, labels, strict=True)]


def _context_of(killed: list[str], context: Context) -> Context:
    """Returns what a worker would have called a failed task's callback with."""
    task_id, index = _place_of(killed[0], context)
    ti = copy(context["ti"])
    ti.task_id, ti.map_index, ti.try_number = task_id, index, 0
    [ti.rendered_map_index] = _files_of(killed[:1], context)
    more = f" (and {len(killed) - 1:,} more of the same)" if len(killed) > 1 else ""
    of_run = {name: value for name, value in context.items() if name != "reason"}
    return {**of_run, "ti": ti, "exception": AirflowException(f"{NO_MESSAGE}{more}")}


def _place_of(task: str, context: Context) -> tuple[str, int]:
    """Returns the id and the map index of a task, by its name among the states of a run."""
    if task in {each.task_id for each in context["dag"].tasks}:
        return task, -1
    task_id, _, index = task.rpartition("_")
    return task_id, int(index)


def _files_of(tasks: Sequence[str], context: Context) -> list[str | None]:
    """Returns the first key that each task of a feed was to load, and how many more."""
    places = [_place_of(task, context) for task in tasks]
    is_feed = context["dag"].dag_id.startswith(FEED_DAG)
    if not is_feed or not any(task_id == LOADING for task_id, _ in places):
        return [None] * len(tasks)
    listed = context["ti"].xcom_pull(task_ids=LISTING) or []
    return [
        _label_of(listed[index]) if task_id == LOADING and 0 <= index < len(listed) else None
        for task_id, index in places
    ]


def _label_of(listed: Any) -> str | None:
    """Returns a name for what a sensor has listed: an arrival, or several for one task."""
    files = listed if isinstance(listed, list) else [listed]
    if not files or not isinstance(files[0], Mapping) or "key" not in files[0]:
        return None  # a DAG of somebody's own, with tasks of these names
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return shortened(files[0]["key"], LONGEST_LABEL) + more


def failures_of_run(context: Context) -> list[str]:
    """Returns lines of what has failed in a run: files, and tasks without any.

    At the most so many, and how many more there are. None where Airflow does not tell: an alert
    without them is better than none.
    """
    try:
        failed = _failed_tasks(context)
        kept = [each for each in _kept(context) if each["task"] in failed]
        texts = [*_texts(kept), *_texts_of_killed(_killed(failed, kept, context), context)]
    except Exception as error:  # noqa: BLE001  whatever Airflow raises: the alert itself must go out
        log.warning("what has failed in the run cannot be read: %r", error)
        return []
    lines = [f"  {text}" for text in texts[:SHOWN]]
    untold = sum(each["failures"] - len(each["texts"]) for each in kept)
    if more := len(texts) - len(lines) + untold:
        lines.append(f"  and {more:,} more")
    dag_id = context["dag"].dag_id
    if lines and dag_id.startswith(FEED_DAG):
        lines.append(f"to see every file: {status_command(dag_id.removeprefix(FEED_DAG))}")
    return lines


def _texts(kept: list[dict[str, Any]]) -> Iterator[str]:
    """Yields the failures in their order; of those of one cause the first, with their number."""
    same = Counter(each["cause"] for each in kept)
    for each in kept:
        cause = each["cause"]
        if not cause:
            yield from each["texts"]
        elif number := same.pop(cause, 0):
            more = f" (and {number - 1:,} more of the same)" if number > 1 else ""
            yield f"{each['texts'][0]}{more}"


def _failed_tasks(context: Context) -> set[str]:
    ti, run_id = context["ti"], context["run_id"]
    states = ti.get_task_states(dag_id=context["dag"].dag_id, run_ids=[run_id])
    return {task for task, state in states.get(run_id, {}).items() if state == "failed"}
