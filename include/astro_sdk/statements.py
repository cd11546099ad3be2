"""Statements as SQLAlchemy 2 takes them from a DAG that was written for SQLAlchemy 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy
from sqlalchemy.sql import ClauseElement

from .tables import Name


def execute(connection: Any, sql: str | ClauseElement, parameters: dict[str, Any] | None) -> Any:
    """Runs the statement with those of the parameters that it names.

    Texts go untyped, so that Postgres reads them by where they stand, as it reads a literal:
    SQLAlchemy 2 would cast each to VARCHAR, and `integer = VARCHAR` is an error.
    """
    if not isinstance(sql, str):
        return connection.execute(sql, parameters or {})
    statement = sqlalchemy.text(sql)
    named = set(statement._bindparams)  # noqa: SLF001  there is no public way to ask
    used = {name: value for name, value in (parameters or {}).items() if name in named}
    untyped = [
        sqlalchemy.bindparam(name, type_=sqlalchemy.types.NullType())
        for name, value in used.items()
        if isinstance(value, str)
    ]
    return connection.execute(statement.bindparams(*untyped), used)


def ddl_of(columns: Sequence[Any], name: Name) -> list[Any]:
    """CREATE TABLE, and what belongs to it, of SQLAlchemy's columns."""
    from sqlalchemy.dialects import postgresql

    metadata = sqlalchemy.MetaData(schema=name.schema)
    # A column belongs to one table only, and its author may use it again.
    sqlalchemy.Table(name.table, metadata, *[column._copy() for column in columns])  # noqa: SLF001
    statements: list[Any] = []
    engine = sqlalchemy.create_mock_engine(
        "postgresql+psycopg://",
        lambda ddl, *_args, **_kwargs: statements.append(
            str(ddl.compile(dialect=postgresql.dialect()))
        ),
    )
    metadata.create_all(cast("Any", engine), checkfirst=False)
    return statements
