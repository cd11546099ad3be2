"""The engine on real servers."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import yaml

from include.landfall.cli import main as cli
from include.local.services.environ import connections as spelled
from tests.support.engine import Engine
from tests.support.find_pgbouncer import find_pgbouncer
from tests.support.kept_rejects import keep_load, keep_reject
from tests.support.shell import Shell
from tests.support.snapshot_folders import Sets

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
def sets(engine) -> Sets:
    """A feed of snapshots, and its folders."""
    return Sets(engine)


@pytest.fixture
def engine_shell(engine, connections, tmp_path, capsys) -> SimpleNamespace:
    """Runs a command for the engine's feed; returns exit code, standard output and error."""
    path, edited = tmp_path / "t.yaml", tmp_path / "edited.csv"

    def run(command, *more):
        path.write_text(yaml.safe_dump(engine.feed.model_dump(by_alias=True), sort_keys=False))
        code = cli.main([command, "--feed", str(path), *more])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return SimpleNamespace(run=run, edited=edited, engine=engine)


@pytest.fixture
def rejects(engine):
    """Three open rejects of a file with five rows: a bad cell, a NULL, a row with three fields."""
    load_id = keep_load(engine, rows=2, rejected=3)
    return load_id, [
        keep_reject(engine, load_id, {"id": "x", "name": "a"}, row=1),
        keep_reject(
            engine, load_id, {"id": None, "name": ""}, row=2, reason="null", raw=',""',
            message="a cell is NULL in a column that takes none",
        ),
        keep_reject(
            engine, load_id, None, row=3, column=None, reason="fields", raw='3,"b,c",d',
            message="the row has 3 fields, not 2",
        ),
    ]  # fmt: skip


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
