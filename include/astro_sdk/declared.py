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
    for statement, type_name in _statements(columns, name):
        # An Enum's type belongs to no table, and may be there from an earlier load.
        if not type_name or not _has_type(connection, type_name):
            connection.execute(statement)


def types_of(connection: Connection, columns: Sequence[Any], name: Name) -> dict[str, str]:
    """Returns the declared columns and their types as Postgres writes them.

    It creates a table beside `name`, looks, and takes the table back.
    """
    scratch = name.scratch()
    with connection.transaction(force_rollback=True):
        create(connection, columns, scratch)
        return tables.columns_of(connection, scratch)


def _has_type(connection: Connection, name: str) -> bool:
    row = connection.execute("SELECT to_regtype(%s) IS NOT NULL", [name]).fetchone()
    return bool(row and row[0])


def _statements(columns: Sequence[Any], name: Name) -> list[tuple[Any, str]]:
    """CREATE TABLE, and the statements for its types, indexes and comments.

    With each goes the name of the type that it creates, which is empty for the others.
    """
    from sqlalchemy.dialects import postgresql

    metadata = sqlalchemy.MetaData(schema=name.schema)
    # A column belongs to one table only, and its author may use it in another table.
    sqlalchemy.Table(name.table, metadata, *[column._copy() for column in columns])  # noqa: SLF001
    statements: list[tuple[Any, str]] = []
    dialect = postgresql.dialect()
    preparer: Any = dialect.identifier_preparer  # SQLAlchemy's own for Postgres

    def keep(ddl: Any, *_args: Any, **_kwargs: Any) -> None:
        is_type = isinstance(ddl, postgresql.named_types.CreateEnumType)
        type_name = preparer.format_type(ddl.element) if is_type else ""
        statements.append((str(ddl.compile(dialect=dialect)), type_name))

    engine = sqlalchemy.create_mock_engine("postgresql+psycopg://", keep)
    metadata.create_all(cast("Any", engine), checkfirst=False)
    return statements
