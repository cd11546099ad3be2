"""The last lines of a run name the servers that all its processes used."""

from __future__ import annotations

from tests.support.run_summary import RunSummary


def test_the_servers_of_all_workers_are_named(mocker):
    summary = RunSummary()
    summary.servers.add("PostgreSQL 15.20")
    summary.pytest_testnodedown(mocker.Mock(workeroutput={RunSummary.NAME: ["SeaweedFS 4.48"]}))
    summary.pytest_testnodedown(mocker.Mock(spec=[]))  # a worker that crashed has no output
    reporter = mocker.Mock()
    summary.pytest_terminal_summary(reporter)
    reporter.write_line.assert_called_once_with("servers: PostgreSQL 15.20; SeaweedFS 4.48")
