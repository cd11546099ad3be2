"""A failed connect becomes an error that says whether a retry can help, and shows no password."""

from __future__ import annotations

import psycopg
import pytest

from include.landfall.connections import Warehouse
from include.landfall.errors import (
    ConnectionUnusable,
    LandfallError,
    ServerUnavailable,
)
from include.landfall.postgres.connection import connect


@pytest.mark.parametrize(
    ("message", "kind"),
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
        ("FATAL:  canceling authentication due to timeout", ServerUnavailable),
    ],
)
def test_a_connection_that_fails_is_refused_or_away_and_shows_no_password(mocker, message, kind):
    mocker.patch("psycopg.Connection.connect", side_effect=psycopg.OperationalError(message))
    warehouse = Warehouse(host="h", user="u", password="hunter2", dbname="d")
    with pytest.raises(LandfallError) as caught, connect(warehouse):
        pass
    assert type(caught.value) is kind
    assert message.split()[-1] in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__
