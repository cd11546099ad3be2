"""Every error of psycopg and Postgres becomes one of the project's errors, by complete tables."""

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
    TransientError,
)
from include.landfall.postgres.error_table import CLASSES, STATES
from include.landfall.postgres.errors import postgres_errors, refusal, unreached
from include.landfall.s3.error_codes import CODES
from include.landfall.s3.errors import CLASSES as S3_CLASSES
from tests.support.exception_classes import exception_classes

# Classes that are no errors, with the reason.
NOT_ERRORS = {
    "Rollback": "a signal to psycopg's own transaction(), which catches it",
    "Warning": "psycopg defines it for DB-API, and never raises it",
}

PSYCOPG_CLASSES = exception_classes(psycopg)
WITH_STATE = [c for c in PSYCOPG_CLASSES if getattr(c, "sqlstate", None)]
WITHOUT_STATE = {c.__name__: c for c in PSYCOPG_CLASSES if c not in WITH_STATE}
WAREHOUSE = Warehouse(host="h", user="u", password="hunter2", dbname="d")

# The error that each class of SQLSTATE becomes. The classes are those of
# https://www.postgresql.org/docs/current/errcodes-appendix.html
EXPECTED = {
    ServerUnavailable: ("08 40 53 57 58 72 25006 25P03 25P04 55006 55P03 57014 57P05 HV001 HV00N"),
    RefusedCell: "22 23 44 54 P0001",
    FeedError: "3F 42",
    ConnectionUnusable: "28 3D 42501 57P04",
    TerminalError: (
        "02 03 09 0A 0B 0F 0L 0P 0Z 10 20 21 24 25 26 27 2B 2D 2F 34 38 39 3B 55 58P01 58P02 58P03"
        " F0 HV P0 XX"
    ),
}
KINDS = {state: kind for kind, states in EXPECTED.items() for state in states.split()}


def classes_without_a_line(states, classes):
    unstated = [n for n in WITHOUT_STATE if n not in classes and n not in NOT_ERRORS]
    return unstated + [
        c.__name__ for c in WITH_STATE if c.sqlstate not in states and c.sqlstate[:2] not in states
    ]


def faults(states, classes):
    """Classes without a line, and states whose own line is missing."""
    return classes_without_a_line(states, classes) + sorted(KINDS.keys() ^ states.keys())


def raised(state, text="text"):
    class Raised(psycopg.DatabaseError):
        sqlstate = state

    return Raised(text)


def test_every_class_of_psycopg_has_a_line():
    assert len(WITH_STATE) > 200
    assert faults(STATES, CLASSES) == []


@pytest.mark.parametrize("name", CLASSES)
def test_a_line_of_a_class_that_is_taken_out_is_missed(name):
    assert faults(STATES, {n: v for n, v in CLASSES.items() if n != name}) == [name]


@pytest.mark.parametrize("state", STATES)
def test_a_line_of_a_state_that_is_taken_out_is_missed(state):
    rest = {s: v for s, v in STATES.items() if s != state}
    assert state in faults(rest, CLASSES)
    if len(state) == 2:
        assert classes_without_a_line(rest, CLASSES) != []


def test_no_line_is_for_nothing():
    assert CLASSES.keys() - WITHOUT_STATE.keys() == set()
    states = {c.sqlstate for c in WITH_STATE}
    assert STATES.keys() - states - {state[:2] for state in states} == set()
    assert {s for s in STATES if len(s) == 5 and STATES[s] == STATES[s[:2]]} == set()


def test_what_is_no_error_is_not_caught():
    for name in NOT_ERRORS:
        assert not issubclass(WITHOUT_STATE[name], psycopg.Error)


@pytest.mark.parametrize("error_class", WITH_STATE)
def test_every_error_of_the_server_becomes_the_expected_one(error_class):
    state = error_class.sqlstate
    with pytest.raises(LandfallError) as caught, postgres_errors():
        raise error_class("text")
    error = caught.value
    assert type(error) is KINDS.get(state, KINDS[state[:2]])
    assert isinstance(error, TransientError) != isinstance(error, TerminalError)
    assert error.what
    assert error.found == f"text (SQLSTATE {state})"
    assert isinstance(error.__cause__, error_class)


@pytest.mark.parametrize(
    ("state", "what"),
    [
        ("08006", "connection to the database broke"),
        ("40001", "conflict"),
        ("40P01", "conflict"),
        ("53100", "ran out of a resource"),
        ("53300", "ran out of a resource"),
        ("55P03", "another session uses"),
        ("57014", "canceled"),
        ("57P01", "ended the connection"),
        ("57P03", "stopping or starting"),
        ("57P05", "idle"),
        ("25P03", "idle"),
        ("25P04", "long"),
        ("25006", "standby"),
        ("58030", "operating system"),
        ("72000", "snapshot"),
        ("HV00N", "behind a foreign table"),
        ("28P01", "refused the role"),
        ("42501", "refused the role"),
        ("3D000", "does not exist"),
        ("57P04", "does not exist"),
        ("23505", "refused the rows"),
        ("P0001", "refused the rows"),
        ("42P01", "does not fit its target"),
        ("3F000", "does not fit its target"),
        ("55000", "not in the state"),
        ("0A000", "cannot do"),
        ("26000", "prepared statement"),
        ("HV00R", "foreign table"),
        ("58P01", "file of the database server"),
        ("XX002", "damaged data"),
        ("25P02", "the database refused"),
    ],
)
def test_what_the_server_refuses_is_worded_by_its_cause(state, what):
    assert what in refusal(raised(state)).what


def test_every_verdict_says_what_to_do():
    verdicts = {*STATES.values(), *CLASSES.values(), *CODES.values(), *S3_CLASSES.values()}
    assert [verdict.what for verdict in verdicts if not verdict.do] == []


@pytest.mark.parametrize(
    ("state", "text", "setting"),
    [
        ("57014", "canceling statement due to statement timeout", "statement_timeout"),
        ("55P03", "canceling statement due to lock timeout", "lock_timeout"),
        ("25P04", "terminating connection due to transaction timeout", "transaction_timeout"),
        ("25P03", "terminating connection due to idle-in-transaction timeout",
         "idle_in_transaction_session_timeout"),
        ("57P05", "terminating connection due to idle-session timeout", "idle_session_timeout"),
    ],
)  # fmt: skip
def test_a_setting_that_ended_the_work_is_named(state, text, setting):
    error = refusal(raised(state, text))
    assert type(error) is ServerUnavailable
    assert error.what == f"the database stopped the work because of {setting}"
    assert setting in error.do


def test_no_setting_is_named_when_the_server_names_none():
    canceled = refusal(raised("57014", "canceling statement due to user request"))
    assert canceled.what == "the database canceled the statement"
    row = refusal(raised("P0001", "statement timeout is a word of this trigger"))
    assert (type(row), row.what) == (RefusedCell, "the database refused the rows")


@pytest.mark.parametrize(
    ("state", "kind"),
    [("53999", ServerUnavailable), ("22999", RefusedCell), ("55999", TerminalError),
     ("99001", TerminalError), ("ZZ000", TerminalError)],
)  # fmt: skip
def test_an_unknown_state_is_judged_by_its_class_and_terminal_without_one(state, kind):
    assert type(refusal(raised(state))) is kind


@pytest.mark.parametrize("name", CLASSES)
def test_what_psycopg_raises_itself_becomes_the_error_of_its_line(name):
    error = refusal(WITHOUT_STATE[name]("text"))
    assert (type(error), error.what) == (CLASSES[name].error, CLASSES[name].what)
    assert error.found == "text"
    transient = {"OperationalError", "ConnectionTimeout", "CancellationTimeout", "_WaitTimeout"}
    assert error.retryable == (name in transient)


def test_a_class_that_a_later_psycopg_adds_is_terminal_unless_it_is_operational():
    class NewError(psycopg.Error):
        pass

    class NewOperationalError(psycopg.OperationalError):
        pass

    assert type(refusal(NewError("text"))) is TerminalError
    assert type(refusal(NewOperationalError("text"))) is ServerUnavailable


def test_what_others_raise_passes_as_it_is():
    with pytest.raises(KeyError), postgres_errors():
        raise KeyError("x")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('FATAL:  password authentication failed for user "x"', ConnectionUnusable),
        ('FATAL:  permission denied for database "w"', ConnectionUnusable),  # no CONNECT
        ('FATAL:  database "x" does not exist', ConnectionUnusable),
        ('FATAL:  role "x" does not exist', ConnectionUnusable),
        ("FATAL:  no pg_hba.conf entry for host", ConnectionUnusable),
        ("fe_sendauth: no password supplied", ConnectionUnusable),
        ("SSL error: certificate verify failed", ConnectionUnusable),
        ("server does not support SSL, but SSL was required", ConnectionUnusable),
        ("connection refused", ServerUnavailable),
        ("FATAL:  the database system is starting up", ServerUnavailable),
        ("FATAL:  sorry, too many clients already", ServerUnavailable),
        ("could not translate host name", ServerUnavailable),
    ],
)
def test_a_connection_that_fails_is_judged_by_the_server_s_message(text, kind):
    error = unreached(WAREHOUSE, psycopg.OperationalError(text))
    assert type(error) is kind
    assert error.found == " ".join(text.split())
    assert ("u@h:5432/d" if kind is ConnectionUnusable else "h:5432") in error.what
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (server.InvalidPassword, ConnectionUnusable),
        (server.InvalidCatalogName, ConnectionUnusable),
        (server.InsufficientPrivilege, ConnectionUnusable),
        (server.CannotConnectNow, ServerUnavailable),
        (server.TooManyConnections, ServerUnavailable),
    ],
)
def test_a_state_goes_before_the_words_of_a_message_in_any_language(refused, kind):
    text = "mot de passe" if kind is ConnectionUnusable else "no password, as it happens"
    assert type(unreached(WAREHOUSE, refused(text))) is kind


@pytest.mark.parametrize(
    "text",
    [
        "FATAL: sorry, too many clients already",
        'FATAL: too many connections for role "loader"',
        'FATAL: too many connections for database "warehouse"',
        "FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute",
        "FATAL: no more connections allowed (max_client_conn)",
    ],
)
def test_a_server_that_takes_no_more_connections_is_not_to_be_started(text):
    error = unreached(WAREHOUSE, psycopg.OperationalError(f"connection failed: {text}"))
    assert type(error) is ServerUnavailable
    assert "takes no more connections" in error.what
    assert "fewer loads" in str(error.do)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("tuple concurrently updated", ServerUnavailable),
        ("tuple concurrently deleted", ServerUnavailable),
        ("cache lookup failed for relation 16384", ServerUnavailable),
        ("could not open relation with OID 16384", ServerUnavailable),
        ("invalid memory alloc request size 18446744073709551613", TerminalError),
    ],
)
def test_what_another_session_changed_meanwhile_can_be_tried_again(message, error):
    assert type(refusal(raised("XX000", message))) is error


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            'connection failed: connection to server at "a.very.long.name.of.a.host.example.com"'
            ' (10.0.0.1), port 5432 failed: FATAL:  role "u" is not permitted to log in',
            'FATAL: role "u" is not permitted to log in',
        ),
        (
            'connection is bad: connection to server on socket "/run/.s.PGSQL.5432" failed: no',
            "no",
        ),
        (two := 'connection failed: connection to server at "a", port 1 failed: x ' * 2, two[:-1]),
    ],
)
def test_a_connect_that_fails_is_told_by_its_reason_and_not_by_its_address_again(text, reason):
    assert unreached(WAREHOUSE, psycopg.OperationalError(text)).found == reason


def test_the_state_stays_beside_a_long_reason():
    told = str(refusal(raised("23503", "x" * 900)))
    assert "… (900 characters) (SQLSTATE 23503)" in told
