"""What the role may do with a table, and the GRANT of what it lacks."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection, sql

from include.landfall.errors import ConnectionUnusable
from include.landfall.postgres.catalog import has_relation, has_schema


def check_rights(connection: Connection, schema: str, name: str, rights: Sequence[str]) -> None:
    """Checks that the role has the rights to the table, or can create it where it is missing.

    Raises: ConnectionUnusable with the GRANT that helps.
    """
    if not has_schema(connection, schema):
        return  # whether the role may create schemas is another question
    creates = not has_relation(connection, schema, name)
    needed = ("USAGE", "CREATE") if creates else ("USAGE",)
    grants = [_grant_of(connection, schema, each) for each in needed]
    if not creates:
        grants += [_table_grant_of(connection, schema, name, each) for each in rights]
    if missing := [each for each in grants if each]:
        raise ConnectionUnusable(f"the role may not fill {schema}.{name}", do="; ".join(missing))


def _grant_of(connection: Connection, schema: str, right: str) -> str | None:
    row = connection.execute("SELECT has_schema_privilege(%s, %s)", [schema, right]).fetchone()
    on = sql.SQL("SCHEMA {}").format(sql.Identifier(schema))
    return None if row and row[0] else _grant(connection, right, on)


def _table_grant_of(connection: Connection, schema: str, name: str, right: str) -> str | None:
    # By its id: without USAGE of the schema the server does not find the table by its name.
    row = connection.execute(
        "SELECT has_table_privilege(c.oid, %s) FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
        [right, schema, name],
    ).fetchone()
    return None if row and row[0] else _grant(connection, right, sql.Identifier(schema, name))


def _grant(connection: Connection, right: str, on: sql.Composable) -> str:
    row = connection.execute("SELECT quote_ident(current_user)").fetchone()
    return f"GRANT {right} ON {on.as_string(connection)} TO {row[0] if row else 'the role'}"
