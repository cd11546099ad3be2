"""A pytest plugin: a test that is skipped without a reason fails the run."""

from __future__ import annotations

import pytest

NO_REASONS = ("", "unconditional skip", "skipped")  # what pytest reports where none was given


class UnexplainedSkips:
    """The tests of a run that were skipped without a reason."""

    def __init__(self) -> None:
        self.nodeids: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and not _reason(report):
            self.nodeids.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped and not _reason(report):
            self.nodeids.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.nodeids and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.nodeids:
            terminalreporter.section("skipped without a reason: that fails the run", red=True)
            for nodeid in self.nodeids:
                terminalreporter.line(nodeid)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason of a skip; empty when none was given."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = text.removeprefix("Skipped:").strip()
    return "" if reason.lower() in NO_REASONS else reason
