"""The faults of test_faults.py that are about connections, each by its number."""

from __future__ import annotations

import select
from dataclasses import replace

import psycopg
import pytest

from include.landfall.connections import Warehouse
from include.landfall.errors import (
    ConnectionUnusable,
    LandfallError,
    TerminalError,
)
from include.landfall.postgres.connection import connect


def test_5_1_a_publication_without_a_key_is_terminal(engine):
    engine.load(engine.put("id,name\n1,a\n"))
    engine.sql("CREATE PUBLICATION p FOR TABLE raw.t")
    with pytest.raises(TerminalError, match="not in the state") as refused:
        engine.load(engine.put("id,name\n2,b\n"))
    assert "REPLICA IDENTITY" in str(refused.value)


def stopped_by(warehouse, way) -> LandfallError:
    """Returns the error of a connection that the server ends: `way` gets it and its server."""
    other = psycopg.connect(warehouse.conninfo(), autocommit=True)
    with pytest.raises(LandfallError) as refused, other, connect(warehouse) as connection:
        way(connection, other)
    return refused.value


def during_a_copy(connection, other):
    connection.execute("CREATE TEMP TABLE copied (a text)")
    with connection.cursor().copy("COPY copied FROM STDIN") as copy:
        copy.write(b"a\n")
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        for _ in range(10_000):
            copy.write(b"a" * 10_000 + b"\n")


def between_two_statements(connection, other):
    connection.execute("SET idle_in_transaction_session_timeout = 50; BEGIN")
    select.select([connection.pgconn.socket], [], [], 10)
    connection.pgconn.consume_input()  # as when the answer comes while the next statement is sent
    connection.pgconn.is_busy()
    connection.execute("SELECT 1")


@pytest.mark.parametrize(
    ("way", "what", "found"),
    [
        (during_a_copy, "the database ended the connection", "command (SQLSTATE 57P01)"),
        (
            between_two_statements,
            "the database stopped the work because of idle_in_transaction_session_timeout",
            "terminating connection due to idle-in-transaction timeout (SQLSTATE 25P03)",
        ),
    ],
)
def test_5_3_a_server_that_ends_a_connection_is_quoted(engine, way, what, found):
    """The library alone tells only that the connection broke: the reason comes before it reads."""
    error = stopped_by(engine.warehouse, way)
    assert error.retryable
    assert found in error.found
    assert what in error.what


def test_5_4_an_endpoint_without_a_scheme_is_one_clear_message(engine):
    store = replace(engine.store, endpoint_url="localhost:9000")
    with pytest.raises(ConnectionUnusable, match="endpoint_url cannot be read"):
        engine.load(engine.put("id,name\n1,a\n"), store=store)


@pytest.mark.parametrize(
    ("extra", "hint"),
    [({"ssl_mode": "verify-full"}, "'sslmode'"), ({"wallet": "x"}, "take it out"),
     ({"sslcrll": "x"}, "'sslcrl'")],
)  # fmt: skip
def test_6_1_an_option_that_libpq_does_not_know_is_refused_by_name(extra, hint):
    fields = dict.fromkeys(("host", "port", "schema", "login", "password"))
    (name,) = extra
    with pytest.raises(ConnectionUnusable, match=f"does not know: '{name}'") as refused:
        Warehouse.from_fields(**fields, extra=extra)
    assert hint in refused.value.do


def test_6_1_every_option_of_libpq_reaches_it():
    fields = dict.fromkeys(("host", "port", "schema", "login", "password"))
    extra = {"require_auth": "scram-sha-256", "sslcrl": "x", "channel_binding": "require"}
    conninfo = Warehouse.from_fields(**fields, extra=extra).conninfo()
    assert all(f"{name}={value}" in conninfo for name, value in extra.items())
