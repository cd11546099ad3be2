"""The engine on real servers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from include.landfall.cli import main as cli
from include.local.services.environ import connections as spelled
from tests.support.engine import Engine
from tests.support.find_pgbouncer import find_pgbouncer
from tests.support.shell import Shell

# The end of the run says so: see tests/support/run_summary.py.
collect_ignore = [] if find_pgbouncer() else ["test_pooler.py"]


@pytest.fixture
def engine(warehouse, object_store, client, bucket) -> Engine:
    """An engine with a database and a bucket for this test alone."""
    return Engine(warehouse, object_store, client, bucket)


@pytest.fixture
def shell(tmp_path, bucket, client, warehouse, connections, capsys) -> Shell:
    """The command line with the feed `things`, a database and a bucket for this test alone."""
    shell = Shell(tmp_path, bucket, client, warehouse, capsys)
    shell.write_feed()
    return shell


@pytest.fixture
def landfall(connections, capsys):
    """Runs the command line, and returns its exit code and what it printed."""

    def landfall(*arguments):
        code = cli.main(list(arguments))
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return landfall


@pytest.fixture
def wrong(monkeypatch, warehouse, object_store):
    """Sets the environment's connections with some values changed."""

    def change(store=None, database=None):
        values = spelled(
            replace(warehouse, **(database or {})), replace(object_store, **(store or {}))
        )
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return change
