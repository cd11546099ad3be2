"""Each of the server's refusals becomes one of ours, by what a retry would do."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors as server

from include.landfall.connections import Warehouse
from include.landfall.errors import (
    ConnectionUnusable,
    FeedError,
    LandfallError,
    RefusedCell,
    ServerUnavailable,
    TerminalError,
)
from include.landfall.postgres.connection import connect
from include.landfall.postgres.errors import refusal

# What Postgres calls each class of SQLSTATE, and what it is to a load:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
CLASSES = {
    ServerUnavailable: ["08", "40", "53", "55", "57", "58"],
    RefusedCell: ["22", "23", "44", "54"],
    FeedError: ["3F", "42"],
    ConnectionUnusable: ["28"],
    TerminalError: [
        "02", "03", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "24", "25", "26",
        "27", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "72", "F0", "HV", "P0", "XX",
    ],
}  # fmt: skip
EXCEPTIONS = {"42501": ConnectionUnusable, "P0001": RefusedCell}
KIND = {state: kind for kind, states in CLASSES.items() for state in states}
STATES = sorted(
    {
        value.sqlstate
        for value in vars(server).values()
        if isinstance(value, type) and issubclass(value, psycopg.Error) and value.sqlstate
    }
)


def test_psycopg_has_no_class_of_errors_that_nobody_has_thought_of():
    assert {state[:2] for state in STATES} <= KIND.keys()


@pytest.mark.parametrize("state", STATES)
def test_every_error_of_the_server_is_mapped_by_its_class(state):
    error = refusal(server.lookup(state)("words"))
    assert type(error) is EXCEPTIONS.get(state, KIND[state[:2]])
    assert error.found == f"words (SQLSTATE {state})"


def test_a_state_that_psycopg_does_not_know_is_mapped_by_its_class_too():
    class Odd(psycopg.DatabaseError):
        sqlstate = "53999"

    assert type(refusal(Odd("words"))) is ServerUnavailable


@pytest.mark.parametrize(
    "kind",
    [
        psycopg.InterfaceError, psycopg.DatabaseError, psycopg.DataError, psycopg.InternalError,
        psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.NotSupportedError,
    ],
)  # fmt: skip
def test_psycopg_s_own_errors_are_terminal_but_for_the_broken_connection(kind):
    assert type(refusal(kind("words"))) is TerminalError
    assert type(refusal(psycopg.OperationalError("server closed"))) is ServerUnavailable


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('FATAL:  password authentication failed for user "x"', ConnectionUnusable),
        ('FATAL:  permission denied for database "w"', ConnectionUnusable),  # no CONNECT
        ('FATAL:  database "x" does not exist', ConnectionUnusable),
        ('FATAL:  role "x" does not exist', ConnectionUnusable),
        ("FATAL:  no pg_hba.conf entry for host", ConnectionUnusable),
        ("fe_sendauth: no password supplied", ConnectionUnusable),
        ("connection refused", ServerUnavailable),
        ("FATAL:  the database system is starting up", ServerUnavailable),
        ("FATAL:  sorry, too many clients already", ServerUnavailable),
        ("could not translate host name", ServerUnavailable),
    ],
)
def test_a_connection_that_fails_is_refused_or_away_and_shows_no_password(mocker, said, kind):
    mocker.patch("psycopg.connect", side_effect=psycopg.OperationalError(said))
    warehouse = Warehouse(host="h", user="u", password="hunter2", dbname="d")
    with pytest.raises(LandfallError) as caught, connect(warehouse):
        pass
    assert type(caught.value) is kind
    assert said.split()[-1] in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__
