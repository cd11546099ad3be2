"""A pytest plugin: a line at the end says which servers the tests met, in the servers' own words.

The header comes before they run, and an image's name is not proof of what is in it.
"""

from __future__ import annotations

from typing import Any

import pytest


class Answers:
    """What the servers of this run said of themselves, in this process and in xdist's workers."""

    NAME = "landfall-answers"

    def __init__(self) -> None:
        self.said: set[str] = set()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[self.NAME] = sorted(self.said)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.said.update(getattr(node, "workeroutput", {}).get(self.NAME, []))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.said:
            terminalreporter.write_line(f"servers: {'; '.join(sorted(self.said))}")
