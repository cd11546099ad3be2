"""SQL that a DAG's author wrote for SQLAlchemy 1, run by SQLAlchemy 2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy
from astro.query_modifier import QueryModifier
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import ClauseElement

from . import tables
from .tables import Name

Statement = str | ClauseElement
Parameters = dict[str, Any] | None


def make_engine(connect: Callable[[], Any]) -> Any:
    """Makes an engine in autocommit over the connections that `connect` opens; it keeps none.

    Client-side cursors bind values as psycopg 2 did, so several statements in one text, and DDL,
    may have parameters.
    """

    def client_side() -> Any:
        connection = connect()
        connection.cursor_factory = psycopg.ClientCursor
        return connection

    return sqlalchemy.create_engine(
        "postgresql+psycopg://",
        creator=client_side,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )


@contextmanager
def transaction(engine: Any) -> Iterator[tuple[Any, psycopg.Connection]]:
    """Gives one transaction twice: SQLAlchemy's connection and psycopg's underneath it."""
    with engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
        yield connection, connection.connection.driver_connection


def execute(connection: Any, sql: Statement, parameters: Parameters) -> Any:
    """Runs a statement with those of the parameters that it names.

    Texts are bound without a type, so that Postgres takes their type from the place, as for a
    literal: SQLAlchemy 2 would cast each to VARCHAR, and `integer = VARCHAR` is an error.
    """
    if not isinstance(sql, str):
        return connection.execute(sql, parameters or {})
    statement = sqlalchemy.text(sql)
    named = set(statement._bindparams)  # noqa: SLF001  SQLAlchemy has no public way
    used = {name: value for name, value in (parameters or {}).items() if name in named}
    untyped = [
        sqlalchemy.bindparam(name, type_=sqlalchemy.types.NullType())
        for name, value in used.items()
        if isinstance(value, str)
    ]
    return connection.execute(statement.bindparams(*untyped), used)


def run(
    engine: Any, sql: Statement, parameters: Parameters, handler: Any, modifier: QueryModifier
) -> Any:
    """Runs a statement between its modifier's queries, all on one connection.

    It gives what the handler makes of the result.
    """
    with engine.connect() as connection:
        for query in modifier.pre_queries:
            execute(connection, query, parameters)
        result = execute(connection, sql, parameters)
        handled = handler(result) if handler else None
        result.close()
        for query in modifier.post_queries:
            execute(connection, query, parameters)
    return handled


def replace_table(
    engine: Any, target: Name, query: str, parameters: Parameters, modifier: QueryModifier
) -> int:
    """Replaces a table's rows by those of a query, in one transaction; gives their number."""
    scratch = target.scratch()
    created = escaped(scratch.quoted)
    with transaction(engine) as (connection, driver):
        for before in modifier.pre_queries:
            execute(connection, before, parameters)
        # The query has its own lines: it may begin or end with a comment.
        statement = f"CREATE TABLE {created} AS\n{query.strip().rstrip(';')}\n"
        execute(connection, statement, parameters)
        rows = tables.row_count(driver, scratch)
        tables.replace(driver, target, scratch)
        for after in modifier.post_queries:
            execute(connection, after, parameters)
    return rows


def escaped(sql: str) -> str:
    """Gives SQL without parameters as `sqlalchemy.text` takes it: a colon would begin one."""
    return sql.replace(":", "\\:")
