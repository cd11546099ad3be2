"""Tables whose columns a DAG's author declares, with SQLAlchemy's `Column`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy
from psycopg import Connection

from . import tables
from .tables import Name


def create(connection: Connection, columns: Sequence[Any], name: Name) -> None:
    """Creates a table of the declared columns, with their keys and defaults."""
    for statement in _statements(columns, name):
        connection.execute(statement)


def types_of(connection: Connection, columns: Sequence[Any], name: Name) -> dict[str, str]:
    """Returns the declared columns and their types as Postgres writes them.

    It creates a table beside `name`, looks, and takes the table back.
    """
    scratch = name.scratch()
    with connection.transaction(force_rollback=True):
        create(connection, columns, scratch)
        return tables.columns_of(connection, scratch)


def _statements(columns: Sequence[Any], name: Name) -> list[Any]:
    """CREATE TABLE, and the statements for its indexes and comments."""
    from sqlalchemy.dialects import postgresql

    metadata = sqlalchemy.MetaData(schema=name.schema)
    # A column belongs to one table only, and its author may use it in another table.
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
