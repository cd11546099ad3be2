"""How the arrivals of a run are spread over its tasks."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TypeVar

from plugins.arrivals.waiting import MOST_ARRIVALS

MOST_TASKS = 100  # Airflow runs 16 of a DAG at once, and each takes seconds before it loads
MOST_GROUPED = 10_000  # files in one XCom, of about 250 bytes each

T = TypeVar("T")


def most_files(per_task: int | None, max_map_length: int) -> int:
    """Returns how many files the tasks of a run can load, when each loads so many."""
    tasks = min(MOST_ARRIVALS, max_map_length)
    return tasks * (per_task or MOST_GROUPED)


def grouped(files: Sequence[T], per_task: int | None, max_map_length: int) -> list[list[T]]:
    """Returns the files in their order as lists, one for each task.

    Without `per_task` a task has one file, or so many that there are at most MOST_TASKS tasks.
    """
    size = per_task or ceil(len(files) / min(MOST_TASKS, max_map_length)) or 1
    return [list(files[first : first + size]) for first in range(0, len(files), size)]
