"""Servers of other versions: what an older one lacks is told, or not used.

The suite runs on one version. Here the connection calls itself another one.
"""

from __future__ import annotations

import psycopg
import pytest

from include.landfall.check import Database, check
from include.landfall.errors import ConnectionUnusable, WrongUse
from include.landfall.export.query import export


@pytest.fixture
def server(engine, mocker):
    """Lets the server call itself PostgreSQL of this version."""

    def be(version):
        shown = mocker.PropertyMock(return_value=version * 10_000)
        mocker.patch.object(psycopg.ConnectionInfo, "server_version", shown)
        return engine

    return be


def test_a_server_that_is_too_old_is_refused_before_anything_is_written(server):
    engine = server(12)
    with pytest.raises(ConnectionUnusable, match="is too old") as refused:
        engine.load("id,name\n1,a\n")
    assert "PostgreSQL 13 or later" in str(refused.value)
    assert engine.sql("SELECT to_regnamespace('landfall')") == [None]


@pytest.mark.parametrize(("version", "answer"), [
    (12, "is too old"), (13, "before 14: a killed load keeps its locks"), (14, "; may make"),
])  # fmt: skip
def test_check_tells_what_an_older_server_lacks(server, version, answer):
    engine = server(version)
    (finding,) = check([Database("w")], warehouse_of=lambda _: engine.warehouse)
    assert answer in finding.answer
    assert finding.reachable == (version > 12)


def test_an_export_that_an_older_server_cannot_write_is_refused_by_its_reason(server):
    engine = server(14)
    place = {"bucket": engine.bucket, "key": "x.csv"}
    servers = {"warehouse": engine.warehouse, "store": engine.store}
    dialect = {"type": "csv", "quote": None, "escape": "backslash"}
    with pytest.raises(WrongUse, match="no header into a CSV without quotes"):
        export("SELECT 1 AS a", format=dialect, **place, **servers)
    assert (
        export("SELECT 1 AS a", format={**dialect, "header": False}, **place, **servers).rows == 1
    )
