"""A pytest plugin: a test that is skipped without a word of why fails the run."""

from __future__ import annotations

import pytest

UNEXPLAINED = ("", "unconditional skip", "skipped")


class Skips:
    """A test that is skipped without a word of why fails the run."""

    def __init__(self, unexplained: list[str]) -> None:
        self.unexplained = unexplained

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail") and not _reason(report):
            self.unexplained.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped and not _reason(report):
            self.unexplained.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unexplained and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unexplained:
            terminalreporter.section("skipped without a reason: that fails the run", red=True)
            for nodeid in self.unexplained:
                terminalreporter.line(nodeid)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason given for a skip, or nothing."""
    words = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    reason = words.removeprefix("Skipped:").strip()
    return "" if reason.lower() in UNEXPLAINED else reason
