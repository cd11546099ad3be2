"""A table gets other columns, and what hangs on it stays: views, grants, indexes, defaults, keys.

All of it runs in the transaction that replaces the table's rows. The table has no row then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, LiteralString, NamedTuple

from psycopg import Connection, errors, sql
from psycopg.rows import class_row

from .names import Name
from .quoting import quoted

log = logging.getLogger(__name__)
VIEWS = """
WITH RECURSIVE dependent (oid, depth) AS (
    SELECT %(table)s::regclass::oid, 0
    UNION
    SELECT rule.ev_class, depth + 1
    FROM dependent
    JOIN pg_depend ON refobjid = dependent.oid AND refclassid = 'pg_class'::regclass
        AND classid = 'pg_rewrite'::regclass
    JOIN pg_rewrite AS rule ON rule.oid = objid
    WHERE rule.ev_class <> dependent.oid
)
SELECT
    quote_ident(nspname) || '.' || quote_ident(relname) AS name,
    pg_get_viewdef(c.oid) AS query,
    ' WITH (' || array_to_string(reloptions, ', ') || ')' AS options,
    quote_ident(pg_get_userbyid(relowner)) AS owner,
    obj_description(c.oid, 'pg_class') AS comment
FROM pg_class AS c
JOIN (SELECT oid, max(depth) AS depth FROM dependent GROUP BY oid) AS d USING (oid)
JOIN pg_namespace AS n ON n.oid = relnamespace
WHERE relkind = 'v'
ORDER BY depth
"""
GRANTS = """
SELECT 'GRANT ' || privilege_type || ' ON ' || %(table)s || ' TO '
    || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
    || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
FROM pg_class, aclexplode(relacl) WHERE oid = %(table)s::regclass AND grantee <> relowner
"""
INDEXES = """
SELECT 'ALTER TABLE ' || %(table)s || ' ADD CONSTRAINT ' || quote_ident(conname) || ' '
    || pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype IN ('p', 'u', 'c', 'x')
UNION ALL
SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %(table)s::regclass
    AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
"""
OWN_NAMES = """
SELECT format('ALTER TABLE %%s RENAME CONSTRAINT %%I TO %%I',
    %(table)s::text, conname, replace(conname, %(old)s::text, %(new)s::text))
FROM pg_constraint WHERE conrelid = %(table)s::regclass AND strpos(conname, %(old)s::text) > 0
UNION ALL
SELECT format('ALTER %%s %%I.%%I RENAME TO %%I',
    CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'INDEX' END,
    %(schema)s::text, relname, replace(relname, %(old)s::text, %(new)s::text))
FROM pg_depend JOIN pg_class AS part ON part.oid = objid AND classid = 'pg_class'::regclass
WHERE refobjid = %(table)s::regclass AND refclassid = 'pg_class'::regclass
    AND relkind IN ('S', 'i') AND strpos(relname, %(old)s::text) > 0
"""
# Postgres says so when another object needs what is to be changed or dropped.
IN_USE = (errors.DependentObjectsStillExist, errors.FeatureNotSupported)


class View(NamedTuple):
    """A view that reads a table, as it is made again; its name and owner are quoted."""

    name: str
    query: str
    options: str | None
    owner: str
    comment: str | None


def keeps_order(old: Mapping[str, str], new: Mapping[str, str]) -> bool:
    """Returns whether new columns come last, so that a table can be altered to have them."""
    kept = [column for column in old if column in new]
    return [*kept, *(column for column in new if column not in old)] == list(new)


def alter(
    connection: Connection, name: Name, old: Mapping[str, str], new: Mapping[str, str]
) -> bool:
    """Alters an empty table to other columns, and returns True.

    Returns False where something in the table does not fit the new types, such as a default.
    """
    changes = [_change(column, old.get(column), new.get(column)) for column in {**old, **new}]
    statement = sql.SQL("ALTER TABLE {} {}").format(
        name.identifier, sql.SQL(", ").join(change for change in changes if change)
    )
    try:
        _with_views_aside(connection, name, statement)
    except (errors.DatatypeMismatch, errors.UndefinedObject, errors.UndefinedFunction, *IN_USE):
        return False
    return True


def _change(column: str, old: str | None, new: str | None) -> sql.Composed | None:
    if old == new:
        return None
    name = sql.Identifier(column)
    if new is None:
        return sql.SQL("DROP {}").format(name)
    if old is None:
        return sql.SQL("ADD {} {}").format(name, sql.SQL(_type(new)))
    return sql.SQL("ALTER {} TYPE {type} USING NULL::{type}").format(name, type=sql.SQL(_type(new)))


def _type(name: str) -> Any:
    return name  # Postgres's own name, never a text from a file


def _with_views_aside(connection: Connection, name: Name, statement: sql.Composed) -> None:
    """Runs the statement; where views are in the way, they are dropped and made again."""
    try:
        with connection.transaction():
            connection.execute(statement)
    except IN_USE:
        with connection.transaction(), views_aside(connection, name):
            connection.execute(statement)


@contextmanager
def views_aside(connection: Connection, name: Name) -> Iterator[None]:
    """Drops the views that read a table, and makes them again at the end.

    Raises: psycopg's errors when a view does not fit the table any more, and nothing has changed.
    """
    with connection.cursor(row_factory=class_row(View)) as cursor:
        views = cursor.execute(VIEWS, {"table": name.quoted}).fetchall()
    grants = {view.name: _lines(connection, GRANTS, view.name) for view in views}
    for view in reversed(views):
        _run(connection, f"DROP VIEW {view.name}")
    yield
    for view in views:
        _run(connection, f"CREATE VIEW {view.name}{view.options or ''} AS {view.query}")
        _run(connection, f"ALTER VIEW {view.name} OWNER TO {view.owner}")
        if view.comment:
            comment = sql.Literal(view.comment).as_string(connection)
            _run(connection, f"COMMENT ON VIEW {view.name} IS {comment}")
        for grant in grants[view.name]:
            _run(connection, grant)


def exchange(connection: Connection, target: Name, source: Name) -> None:
    """Drops a table and gives another one its name, its grants, and its indexes where they fit."""
    grants = _lines(connection, GRANTS, target.quoted)
    # A declared table has indexes of its own.
    has_own = _lines(connection, INDEXES, source.quoted)
    indexes = [] if has_own else _lines(connection, INDEXES, target.quoted)
    with views_aside(connection, target):
        connection.execute(sql.SQL("DROP TABLE {}").format(target.identifier))
        take_name(connection, target, source)
        for index in indexes:
            try:
                with connection.transaction():
                    _run(connection, index)
            except errors.Error as error:
                log.warning("%s has other columns now, and lost an index: %s (%s)",
                            target.quoted, index, error.diag.message_primary)  # fmt: skip
        for grant in grants:
            _run(connection, grant)


def take_name(connection: Connection, target: Name, source: Name) -> None:
    """Gives a table another one's name, and to its constraints, indexes and sequences, too.

    `ON CONFLICT ON CONSTRAINT t_pkey` must find the key of a loaded table.
    """
    _run(connection, f"ALTER TABLE {source.quoted} RENAME TO {quoted(target.table)}")
    parts = {"table": target.quoted, "schema": target.schema, "old": source.table}
    names = connection.execute(OWN_NAMES, {**parts, "new": target.table}).fetchall()
    for (statement,) in names:
        # Where a name is taken, the part keeps the one that it has.
        with suppress(errors.DuplicateTable, errors.DuplicateObject), connection.transaction():
            _run(connection, statement)


def _lines(connection: Connection, query: LiteralString, table: str) -> list[str]:
    return [line for (line,) in connection.execute(query, {"table": table}).fetchall()]


def _run(connection: Connection, statement: str) -> None:
    # Of names that Postgres has quoted; without parameters a % is no placeholder.
    connection.execute(statement.encode())
