"""How the processes of `make test` share the tests: file by file, one Airflow at a time.

What has all of Airflow's programs run at once fills two cores by itself, so those files go to one
process, first, while the others take the rest of the queue from its beginning: there are the tests
that mostly wait.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

WHOLE_AIRFLOW = ("test_airflow.py", "test_lessons.py", "test_scheduler.py")
WAITING = "tests/integration/reports/"


def scope(nodeid: str) -> str:
    """What a test may not be parted from: its file, or the files that start an Airflow."""
    file = nodeid.partition("::")[0]
    return "airflow" if PurePosixPath(file).name in WHOLE_AIRFLOW else file


class Scheduling(LoadFileScheduling):
    """xdist's way by files, but for the files that start an Airflow."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        # The queue keeps the order of the collection; xdist would begin with the most tests.
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)


class Workers:
    """A pytest plugin; without `-n` it changes nothing."""

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Scheduling:
        return Scheduling(config, log)

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        if hasattr(config, "workerinput"):
            items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, bool]:
    return scope(item.nodeid) != "airflow", not item.nodeid.startswith(WAITING)
