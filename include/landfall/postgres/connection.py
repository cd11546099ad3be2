"""Connects to Postgres, and gives every transaction the settings that every load has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import IsolationLevel, Transaction, sql
from psycopg.abc import RV, PQGen
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

from include.landfall.connections import Warehouse
from include.landfall.errors import ConnectionUnusable
from include.landfall.feed.limits import Limits
from include.landfall.postgres.errors import postgres_errors, unreached

CHECK_SECONDS = 2  # how often a server that works on a statement looks whether its client is there

# What the reading of a cell depends on is set in every load, whatever the role's settings are.
# When a client's host is gone, its locks end after two minutes, not after the system's two hours.
# LOCAL: behind a pooler the next transaction may be in another session, and the session left behind
# may be another client's.
SETTINGS = (
    "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, MDY';"
    " SET LOCAL IntervalStyle = 'postgres'; SET LOCAL bytea_output = 'hex';"
    " SET LOCAL array_nulls = on; SET LOCAL timezone_abbreviations = 'Default';"
    " SET LOCAL extra_float_digits = 1;"
    # A COPY only sends. A server with notices to send would wait for us, while we wait for it.
    " SET LOCAL client_min_messages = 'error';"
    " SET LOCAL tcp_keepalives_idle = 60; SET LOCAL tcp_keepalives_interval = 10;"
    " SET LOCAL tcp_keepalives_count = 6;"
    # What a receipt calls loaded must survive a crash of the server: COMMIT waits for its disk.
    " SELECT set_config('synchronous_commit', 'local', true)"
    " WHERE current_setting('synchronous_commit') = 'off';"
    # When a client is killed, the server notices it in mid-statement, and the locks end.
    # A server before 14, and one on a system without such news of a socket (on Windows), refuse the
    # setting: then the statement goes on to its end. A role's own interval stays.
    f" DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '{CHECK_SECONDS}s', true)"
    " WHERE current_setting('client_connection_check_interval') = '0';"
    " EXCEPTION WHEN undefined_object OR invalid_parameter_value THEN NULL; END $$"
)

OLDEST = 130_000  # PostgreSQL 13, and what calls itself an older one, such as Redshift

SHORT_LOCK_TIMEOUT = 5_000  # milliseconds in which others may queue behind an ALTER TABLE


class LoadConnection(psycopg.Connection):
    """A connection in autocommit, whose transactions have `settings` and read committed.

    Of two loads the second must see what the first committed while it waited: under a stricter
    isolation it would not, and the rows of both would stay. BEGIN names the isolation.

    When the server ends the connection, an error tells the server's reason.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.settings = SETTINGS
        self._reason: psycopg.Error | None = None  # with which the server has ended the connection
        self.add_notice_handler(self._note)

    def wait(self, gen: PQGen[RV], *arguments: Any, **options: Any) -> RV:
        """Waits for an answer of the server.

        What stops the waiting, such as the end of a task's time, closes the connection. It would be
        in the middle of a statement, and each transaction around would log that it cannot end.
        """
        try:
            return super().wait(gen, *arguments, **options)
        except psycopg.OperationalError as error:
            if error.sqlstate is None and (reason := self._reason or self._unread_reason()):
                raise reason from error
            raise
        except (Exception, KeyboardInterrupt):  # after Ctrl-C psycopg has cancelled the statement
            raise
        except BaseException:
            self.close()
            raise

    def _note(self, notice: psycopg.errors.Diagnostic) -> None:
        """Keeps the reason that comes between two statements: libpq takes it for a notice."""
        if notice.severity_nonlocalized == "FATAL" and notice.sqlstate:
            self._reason = psycopg.errors.lookup(notice.sqlstate)(str(notice.message_primary))

    def _unread_reason(self) -> psycopg.Error | None:
        """Reads the reason that came during a COPY, where sending fails before it is read."""
        if self.pgconn.status != ConnStatus.BAD:
            return None
        with suppress(psycopg.Error):
            self.pgconn.put_copy_end()  # libpq reads no error before
        result = self.pgconn.get_result()
        if result is None or result.status != ExecStatus.FATAL_ERROR:
            return None
        error = psycopg.errors.error_from_result(result)
        return error if error.sqlstate else None

    @contextmanager
    def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> Iterator[Transaction]:
        """Opens a transaction, or a savepoint within one."""
        is_outermost = self.info.transaction_status == TransactionStatus.IDLE
        with super().transaction(savepoint_name, force_rollback) as transaction:
            if is_outermost:
                self.execute(self.settings)
            yield transaction


@contextmanager
def connect(
    warehouse: Warehouse, application: str = "landfall", limits: Limits | None = None
) -> Iterator[psycopg.Connection]:
    """Opens a connection in autocommit, and closes it at the end.

    Statements outside of a transaction have the settings of the role: they must not depend on them.
    `application` is what the server's own views call it (application_name), unless the connection
    names it. `limits` are those of the feed whose table is worked on: each transaction has its
    timeouts.

    Raises: ServerUnavailable, ConnectionUnusable.
    """
    warehouse = with_token(warehouse)
    application = warehouse.options.get("application_name", application)
    with postgres_errors():
        try:
            connection = LoadConnection.connect(
                warehouse.conninfo(),
                autocommit=True,
                application_name=application[:63],
                client_encoding="UTF8",
                prepare_threshold=None,  # a pooler gives the next statement to another session
            )
        except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
            raise unreached(warehouse, error) from None  # its text may hold the conninfo
        connection.settings += _timeouts(limits) if limits else ""
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        with connection:
            _check_version(connection, warehouse)
            yield connection


def _check_version(connection: psycopg.Connection, warehouse: Warehouse) -> None:
    """Raises: ConnectionUnusable when the server lacks what the engine uses."""
    version = connection.info.server_version
    if version < OLDEST:
        raise ConnectionUnusable(
            f"the database at {warehouse.address} is too old",
            found=f"version {connection.info.parameter_status('server_version')}",
            expected=f"PostgreSQL {OLDEST // 10_000} or later",
            do="upgrade the server, or name another one in the connection",
        )


def _timeouts(limits: Limits) -> str:
    """Returns the statements that set the feed's timeouts. None leaves the role's setting."""
    seconds = {
        "statement_timeout": limits.statement_timeout,
        "lock_timeout": limits.lock_timeout,
    }
    return "".join(
        f"; SET LOCAL {name} = {max(1, round(1000 * value))}"
        for name, value in seconds.items()
        if value is not None
    )


def shorten_lock_timeout(connection: psycopg.Connection) -> None:
    """Sets lock_timeout to SHORT_LOCK_TIMEOUT for the transaction, unless it is shorter already."""
    connection.execute(
        "SELECT set_config('lock_timeout', %(most)s::text, true) FROM pg_settings"
        " WHERE name = 'lock_timeout' AND setting::integer NOT BETWEEN 1 AND %(most)s",
        {"most": SHORT_LOCK_TIMEOUT},
    )


def server_encoding(connection: psycopg.Connection) -> str | None:
    """Returns Python's name of the database's encoding, or None where it takes every letter."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding in {"UTF8", "SQL_ASCII"}:
        return None
    # Rolled back: what is set in a savepoint that is released stays for the whole transaction.
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("SET LOCAL client_encoding = {}").format(sql.Literal(encoding)))
        return connection.info.encoding


def storable(text: str, encoding: str | None) -> str:
    """Returns the text as a database can keep it: what the encoding lacks is spelt out.

    `encoding` is that of `server_encoding`.
    """
    name = encoding or "utf-8"
    return text.replace("\0", r"\x00").encode(name, "backslashreplace").decode(name)


def with_token(warehouse: Warehouse) -> Warehouse:
    """Puts a new token of RDS in place of the password: it is good for 15 minutes."""
    if warehouse.iam is None:
        return warehouse
    # Imported here: botocore is large, and few connections need it.
    from include.landfall.aws.token import rds_token

    token = rds_token(warehouse.iam, warehouse.host, warehouse.port, warehouse.user)
    return replace(warehouse, password=token)
