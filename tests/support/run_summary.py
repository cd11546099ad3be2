"""A pytest plugin: lines at the end say which servers the tests met, and what tests measured.

In the servers' own words: the header comes before they run, and an image's name is not proof of
what is in it. A test gives a figure by `record_property("figure", ...)`.
"""

from __future__ import annotations

from typing import Any

import pytest


class Answers:
    """What the servers of this run said of themselves, in this process and in xdist's workers."""

    NAME = "landfall-answers"

    def __init__(self) -> None:
        self.said: set[str] = set()
        self.figures: list[str] = []

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[self.NAME] = sorted(self.said)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.said.update(getattr(node, "workeroutput", {}).get(self.NAME, []))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self.figures += [str(text) for name, text in report.user_properties if name == "figure"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for figure in self.figures:
            terminalreporter.write_line(f"measured: {figure}")
        if self.said:
            terminalreporter.write_line(f"servers: {'; '.join(sorted(self.said))}")
