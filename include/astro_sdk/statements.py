"""SQL that a DAG's author wrote for SQLAlchemy 1 and psycopg 2, run by SQLAlchemy 2 and psycopg 2.

psycopg 2 is what the Astro SDK ran its SQL with: parameters become texts in the statement, a tuple
is a list for `IN`, one text may have several statements, and values come back in the same types.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
import sqlalchemy
from astro.query_modifier import QueryModifier
from psycopg2.extras import Json
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import ClauseElement

from include.landfall.connections import Warehouse
from include.landfall.postgres.connection import with_token

from . import tables
from .names import Name
from .rows import name_rows

if TYPE_CHECKING:
    from .database import PostgresDatabase

Statement = str | ClauseElement
Parameters = Any
# How psycopg 2 itself writes a parameter in a statement.
PYFORMAT = re.compile(r"%\((\w+)\)s")
# A name after one colon, which SQLAlchemy takes for a parameter.
COLON = re.compile(r"(?<![:\w\\]):(\w+)")


def open_connection(warehouse: Warehouse, application: str) -> Any:
    """Opens a connection of psycopg 2; the server's views show it under the application's name."""
    import psycopg2

    target = with_token(warehouse)
    name = target.options.get("application_name", application)[:63]
    return psycopg2.connect(target.conninfo(), application_name=name, client_encoding="UTF8")


def make_engine(connect: Callable[[], Any]) -> sqlalchemy.Engine:
    """Makes an engine in autocommit over the connections that `connect` opens; it keeps none."""
    return sqlalchemy.create_engine(
        "postgresql+psycopg2://",
        creator=connect,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )


def execute(connection: Any, sql: Statement, parameters: Parameters) -> Any:
    """Runs a statement; returns its result, whose rows have names.

    Parameters that the statement does not name are left out. Several sets of them run it once each.
    """
    if isinstance(sql, str):
        sql = sqlalchemy.text(with_colons(sql, parameters))
    if isinstance(parameters, Mapping):
        parameters = {name: adapted(value) for name, value in parameters.items()}
    elif parameters:
        parameters = [{name: adapted(v) for name, v in each.items()} for each in parameters]
    return name_rows(connection.execute(sql, parameters or {}))


def with_colons(sql: str, parameters: Parameters) -> str:
    """Returns the statement as `sqlalchemy.text` reads it.

    Each parameter is `:name`, also where it is written `%(name)s`, and may have a cast behind it
    (`:name::date`), from which a space parts it. Any other colon stands for itself, as in a JSON
    text.
    """
    given = _names(parameters)
    sql = PYFORMAT.sub(lambda each: f":{each[1]}" if each[1] in given else each[0], sql)
    return COLON.sub(lambda each: _with_colon(each, given), sql)


def _with_colon(name: re.Match[str], given: set[str]) -> str:
    if name[1] not in given:
        return f"\\{name[0]}"
    # The space is only before a cast: within a text ('{{month}}') it would be part of the text.
    return f"{name[0]} " if name.string.startswith(":", name.end()) else name[0]


def _names(parameters: Parameters) -> set[str]:
    if isinstance(parameters, Mapping):
        return set(parameters)
    return {name for each in parameters or () for name in each}


def adapted(value: Any) -> Any:
    """Returns a value as psycopg 2 writes it: objects as JSON, and numpy's numbers as Python's."""
    if isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, dict) for item in value)
    ):
        return Json(value)
    if isinstance(value, list | tuple):
        return type(value)(adapted(item) for item in value)
    return value.item() if type(value).__module__ == "numpy" and not value.shape else value


def run(
    engine: Any, sql: Statement, parameters: Parameters, handler: Any, modifier: QueryModifier
) -> Any:
    """Runs a statement between its modifier's queries, all on one connection.

    It returns what the handler makes of the result. A handler may return the result itself, or an
    iterator over it; then the connection stays open until nobody holds that any more.
    """
    connection = engine.connect()
    handled = None
    try:
        for query in modifier.pre_queries:
            execute(connection, query, parameters)
        result = execute(connection, sql, parameters)
        for query in modifier.post_queries:
            execute(connection, query, parameters)
        handled = handler(result) if handler else None
    finally:
        if not isinstance(handled, Iterator):
            connection.close()
    return handled


def replace_table(
    database: PostgresDatabase,
    target: Name,
    query: str,
    parameters: Parameters,
    modifier: QueryModifier,
) -> int:
    """Replaces a table's rows by those of a query, in one transaction; returns their number."""
    scratch = target.scratch()
    # The query has its own lines: it may begin or end with a comment.
    statement = f"CREATE TABLE {scratch.quoted} AS\n{query.strip().rstrip(';')}\n"
    before, after = modifier.pre_queries, modifier.post_queries
    texts = in_full(database.sqlalchemy_engine, [*before, statement, *after], parameters)
    with session(database.warehouse, f"astro {database.conn_id}") as connection:
        for text in texts[: len(before) + 1]:
            connection.execute(text)
        rows = tables.row_count(connection, scratch)
        tables.replace(connection, target, scratch)
        for text in texts[len(before) + 1 :]:
            connection.execute(text)
    return rows


def in_full(engine: sqlalchemy.Engine, queries: list[str], parameters: Parameters) -> list[bytes]:
    """Returns statements with their parameters in them, as psycopg 2 writes these."""
    values = {name: adapted(value) for name, value in (parameters or {}).items()}
    texts = []
    with engine.connect() as connection:
        cursor: Any = connection.connection.cursor()
        for query in queries:
            statement = sqlalchemy.text(with_colons(query, parameters))
            compiled = statement.compile(dialect=engine.dialect)
            used = {name: values[name] for name in compiled.params}
            texts.append(cursor.mogrify(str(compiled), used))
    return texts


@contextmanager
def session(warehouse: Warehouse, application: str) -> Iterator[psycopg.Connection]:
    """Opens a connection of psycopg 3 in a transaction, with the settings of the role.

    (The engine's own connections have other settings, which an author's SQL must not depend on.)
    """
    target = with_token(warehouse)
    name = target.options.get("application_name", application)[:63]
    with (
        psycopg.connect(
            target.conninfo(), application_name=name, client_encoding="UTF8", autocommit=True,
            prepare_threshold=None,
        ) as connection,
        connection.transaction(),
    ):  # fmt: skip
        yield connection


def escaped(sql: str) -> str:
    """Returns SQL without parameters as `sqlalchemy.text` takes it: a colon would begin one."""
    return sql.replace(":", "\\:")
