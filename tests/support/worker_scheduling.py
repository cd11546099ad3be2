"""How the processes of `make test` share the tests: file by file, one Airflow at a time.

A file that uses all of Airflow's programs keeps two cores busy. All such files go to one process,
which begins with them. The other processes take the rest of the queue from its beginning, where
the tests are that mostly wait.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# These use the same Airflow, in this order: the last one stops it.
SHARE_AIRFLOW = (
    "test_astro_sdk_uses.py", "test_astro_sdk_twenty_tasks.py", "test_astro_sdk_lineage.py",
    "test_scheduler.py",
)  # fmt: skip
START_AIRFLOW = ("test_airflow.py", "test_lessons.py")
USE_AIRFLOW = SHARE_AIRFLOW + START_AIRFLOW
MOSTLY_WAIT = "tests/integration/reports/"


def group_of(nodeid: str) -> str:
    """Names the tests that must run in the same process: a file, or all that use an Airflow."""
    file = nodeid.partition("::")[0]
    return "airflow" if PurePosixPath(file).name in USE_AIRFLOW else file


class GroupScheduling(LoadFileScheduling):
    """xdist's scheduling by files, with all files that use an Airflow in one group."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        # Without this, xdist would begin with the largest file, whatever the collection's order.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


class WorkerScheduling:
    """The pytest plugin. Without `-n` it changes the order and the names of tests only."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> GroupScheduling:
        return GroupScheduling(config, log)

    def pytest_make_parametrize_id(self, val: object, argname: str) -> str | None:
        """Names a test of bytes by its argument: each process must give a test the same name.

        A packed file may hold the second in which it was made.
        """
        return argname if isinstance(val, bytes) else None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[int, bool]:
    name = item.path.name
    place = USE_AIRFLOW.index(name) if name in USE_AIRFLOW else len(USE_AIRFLOW)
    return place, not item.nodeid.startswith(MOSTLY_WAIT)
