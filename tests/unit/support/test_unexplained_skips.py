"""A run fails when a test was skipped without a reason."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support.unexplained_skips import UnexplainedSkips


def skipped(reason: str) -> SimpleNamespace:
    """Makes the report of a skipped test."""
    return SimpleNamespace(skipped=True, nodeid="test_x", longrepr=("test_x.py", 1, reason))


@pytest.mark.parametrize("reason", ["unconditional skip", "Skipped", "Skipped: ", "Skipped:"])
def test_a_skip_without_a_reason_fails_the_run(reason):
    skips = UnexplainedSkips()
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    skips.pytest_runtest_logreport(skipped(reason))
    skips.pytest_sessionfinish(session)
    assert skips.nodeids == ["test_x"]
    assert session.exitstatus == pytest.ExitCode.TESTS_FAILED


def test_a_skip_with_a_reason_is_left_alone():
    skips = UnexplainedSkips()
    session = SimpleNamespace(exitstatus=pytest.ExitCode.OK)
    skips.pytest_runtest_logreport(skipped("Skipped: needs two cores"))
    skips.pytest_sessionfinish(session)
    assert session.exitstatus == pytest.ExitCode.OK


def test_a_module_that_skips_itself_without_a_reason_fails_the_run():
    skips = UnexplainedSkips()
    skips.pytest_collectreport(skipped("Skipped: "))
    assert skips.nodeids == ["test_x"]
