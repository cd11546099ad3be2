"""Fault 6.5: settings are in a load's transaction, and nothing stays in the session.

Behind a pooler the next transaction may have another session, and the session another client. Each
database has settings under which dates, times and isolation would be wrong for a load.
"""

from __future__ import annotations

import datetime as dt
import time

import psycopg
import pytest
from psycopg import sql

from include.landfall.check import Database, check
from include.landfall.errors import ConnectionUnusable, DataError, ServerUnavailable
from include.landfall.postgres.connection import connect
from tests.support.pgbouncer import pgbouncer

OF_THE_DATABASE = {
    "DateStyle": "German, DMY", "TimeZone": "Asia/Tokyo", "IntervalStyle": "iso_8601",
    "default_transaction_isolation": "serializable", "client_min_messages": "notice",
    "bytea_output": "escape", "statement_timeout": "2min", "tcp_keepalives_idle": "77",
    "client_connection_check_interval": "0", "synchronous_commit": "off",
}  # fmt: skip
COLUMNS = {"id": "integer", "name": "timestamptz"}
FILE = "id,name\n1,2013-02-01 12:00:00\n2, 2013-02-01 12:00:00+00 \n3,Jan 2 2013\n"
NOON = dt.datetime(2013, 2, 1, 12, tzinfo=dt.UTC)
LOADED = [(1, NOON), (2, NOON), (3, dt.datetime(2013, 1, 2, tzinfo=dt.UTC))]


@pytest.fixture
def hostile(engine):
    """The engine with such a database."""
    for name, value in OF_THE_DATABASE.items():
        database = sql.Identifier(engine.warehouse.dbname)
        engine.sql(
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                database, sql.Identifier(name), sql.Literal(value)
            )
        )
    return engine.be(columns=COLUMNS)


def loaded(engine):
    rows = engine.sql("SELECT id, extract(epoch FROM name)::float8 FROM raw.t ORDER BY id")
    return [(number, dt.datetime.fromtimestamp(when, dt.UTC)) for number, when in rows]


def settings(conninfo) -> dict[str, str]:
    with psycopg.connect(conninfo, autocommit=True) as other:
        return {name: other.execute(f"SHOW {name}").fetchone()[0] for name in OF_THE_DATABASE}


@pytest.fixture(params=[1, 3])
def pooled(hostile, request):
    """The engine behind PgBouncer with one session, or three, for all its clients."""
    direct = hostile.warehouse
    with pgbouncer(direct, request.param) as hostile.warehouse:
        yield hostile
    hostile.warehouse = direct


def test_6_5_a_load_through_pgbouncer_reads_as_it_should_and_leaves_nothing_behind(pooled):
    before = settings(pooled.warehouse.conninfo())
    assert before["TimeZone"] == "Asia/Tokyo"
    assert pooled.load(FILE).rows == 3
    assert pooled.load(FILE).outcome == "already_loaded"
    pooled.be(columns=COLUMNS, disposition="replace").load(FILE, "b.csv")
    assert loaded(pooled) == LOADED
    (finding,) = check([Database("w")], warehouse_of=lambda _: pooled.warehouse)
    assert finding.reachable, finding.answer
    for _ in range(3):
        assert settings(pooled.warehouse.conninfo()) == before


def test_6_5_a_bad_file_through_pgbouncer_is_refused_and_kept(pooled):
    with pytest.raises(DataError, match="invalid input syntax"):
        pooled.load("id,name\n1,2013-02-01\n2,nonsense\n")
    (entry,) = pooled.entries()
    assert entry.status == "failed"
    assert entry.last_modified.utcoffset() == dt.timedelta(0)
    assert pooled.load("id,name\n1,2013-02-01\n", "b.csv").rows == 1


def test_6_5_keys_of_any_spelling_pass_a_pooler_that_keeps_sessions(engine):
    """The key is in `application_name`, which PgBouncer sets in each session that it lends."""
    direct = engine.warehouse
    with pgbouncer(direct, 2, "session") as engine.warehouse:
        for key in ("it's one.csv", "back\\slash;x=1.csv", "\u00fc" * 80 + ".csv", "%s.csv"):
            assert engine.load("id,name\n1,a\n", key).rows == 1
    engine.warehouse = direct


def test_6_5_a_pooler_that_takes_no_transaction_is_no_server_to_wait_for(engine):
    direct = engine.warehouse
    with pgbouncer(direct, 2, "statement") as engine.warehouse:
        (finding,) = check([Database("w")], warehouse_of=lambda _: engine.warehouse)
        assert "pool_mode" in finding.answer
        with pytest.raises(ConnectionUnusable, match="no transaction"):
            engine.load("id,name\n1,a\n")
    engine.warehouse = direct


@pytest.mark.parametrize("setting", ["query_wait_timeout", "idle_transaction_timeout"])
def test_6_5_a_timeout_of_the_pooler_is_told_by_its_name(engine, setting):
    engine.load("id,name\n1,a\n")
    direct = engine.warehouse
    with pgbouncer(direct, 1, more=f"{setting} = 1") as engine.warehouse:
        other = psycopg.connect(engine.warehouse.conninfo(), autocommit=True)
        if setting == "query_wait_timeout":
            other.execute("BEGIN")  # it holds the one session
        with other, pytest.raises(ServerUnavailable, match=setting) as told:
            engine.load("id,name\n2,b\n", "b.csv", progress=lambda rows: time.sleep(3))
    assert f"raise {setting} of PgBouncer" in str(told.value)
    engine.warehouse = direct
    assert engine.rows() == [(1, "a")]


def test_6_5_an_option_that_pgbouncer_does_not_take_is_told(pooled):
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        psycopg.connect(pooled.warehouse.conninfo(), options="-c work_mem=8MB")


def test_6_5_no_setting_is_the_session_s(hostile):
    """The same without a pooler: what is set outside of a transaction would stay."""
    own = "SELECT name FROM pg_settings WHERE source = 'session'"
    with connect(hostile.warehouse) as connection:
        for isolation, is_open in (("read committed", True), ("serializable", False)):
            if is_open:
                with connection.transaction():
                    row = connection.execute("SHOW transaction_isolation").fetchone()
                    assert "TimeZone" in [name for (name,) in connection.execute(own)]
                    with connection.transaction():  # a savepoint sets nothing once more
                        pass
            else:
                row = connection.execute("SHOW transaction_isolation").fetchone()
            assert row == (isolation,)
        assert connection.execute(own).fetchall() == []


def test_6_5_the_ledger_can_be_read_whatever_the_database_s_settings_are(hostile):
    hostile.load(FILE)
    (entry,) = hostile.entries()
    assert entry.started.utcoffset() == dt.timedelta(0)
    assert loaded(hostile) == LOADED
