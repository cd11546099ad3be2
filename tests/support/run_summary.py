"""A pytest plugin: its last lines name the servers of the run, and what the tests measured.

The servers' names and versions come from the servers themselves. The header of the run is printed
before they start, and the name of an image does not prove what is in it. A test adds a measurement
by `record_property("measurement", text)`.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.find_pgbouncer import find_pgbouncer


class RunSummary:
    """The servers and measurements of this process and of xdist's workers."""

    NAME = "landfall-run-summary"

    def __init__(self) -> None:
        self.servers: set[str] = set()
        self.measurements: list[str] = []

    @classmethod
    def of(cls, config: pytest.Config) -> RunSummary:
        """Finds the summary of a run."""
        summary = config.pluginmanager.get_plugin(cls.NAME)
        assert isinstance(summary, cls)
        return summary

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[self.NAME] = sorted(self.servers)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.servers.update(getattr(node, "workeroutput", {}).get(self.NAME, []))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            texts = [text for name, text in report.user_properties if name == "measurement"]
            self.measurements += map(str, texts)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.servers and find_pgbouncer() is None:
            terminalreporter.write_line("not run: test_pooler.py, for want of PgBouncer")
        for measurement in self.measurements:
            terminalreporter.write_line(f"measured: {measurement}")
        if self.servers:
            terminalreporter.write_line(f"servers: {'; '.join(sorted(self.servers))}")
