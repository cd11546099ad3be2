"""What the role may do with a table, and the GRANT of what it lacks."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import Connection, sql

from include.landfall.errors import ConnectionUnusable
from include.landfall.postgres.catalog import has_relation, has_schema
from include.landfall.postgres.statements import value


def check_rights(connection: Connection, schema: str, name: str, rights: Sequence[str]) -> None:
    """Checks that the role has the rights to the table, or can create it where it is missing.

    Raises: ConnectionUnusable with the GRANT that helps.
    """
    if not has_schema(connection, schema):
        return
    creates = not has_relation(connection, schema, name)
    needed = ("USAGE", "CREATE") if creates else ("USAGE",)
    grants = [_grant_of(connection, schema, each) for each in needed]
    if not creates:
        grants += [_table_grant_of(connection, schema, name, each) for each in rights]
    if missing := [each for each in grants if each]:
        raise ConnectionUnusable(f"the role may not fill {schema}.{name}", do="; ".join(missing))


def check_may_create(connection: Connection, schema: str) -> None:
    """Checks that the schema is there, or that the role can create it.

    Raises: ConnectionUnusable with the statement that helps.
    """
    if has_schema(connection, schema):
        return
    query = "SELECT has_database_privilege(current_database(), 'CREATE'), quote_ident(current_user)"
    may, role = connection.execute(query).fetchone() or (False, "the role")
    if not may:
        create = sql.SQL("CREATE SCHEMA {} AUTHORIZATION ").format(sql.Identifier(schema))
        raise ConnectionUnusable(
            f"there is no schema {schema}, and the role may not make it",
            do=create.as_string(connection) + role,
        )


def check_may_alter(connection: Connection, schema: str, name: str) -> None:
    """Checks that the role owns the table, as only an owner can alter one, or that there is none.

    Raises: ConnectionUnusable with the statement that helps.
    """
    row = connection.execute(
        "SELECT pg_has_role(c.relowner, 'USAGE'), quote_ident(current_user) FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s",
        [schema, name],
    ).fetchone()
    if row and not row[0]:
        table = sql.Identifier(schema, name).as_string(connection)
        raise ConnectionUnusable(
            f"the role may not alter {schema}.{name}, as the feed's contract asks",
            expected="its owner, or a member of that role",
            do=f"ALTER TABLE {table} OWNER TO {row[1]}",
        )


def _grant_of(connection: Connection, schema: str, right: str) -> str | None:
    is_granted = value(connection, "SELECT has_schema_privilege(%s, %s)", [schema, right])
    on = sql.SQL("SCHEMA {}").format(sql.Identifier(schema))
    return None if is_granted else _grant(connection, right, on)


def _table_grant_of(connection: Connection, schema: str, name: str, right: str) -> str | None:
    # By its id: without USAGE of the schema the server does not find the table by its name.
    query = (
        "SELECT has_table_privilege(c.oid, %s) FROM pg_class AS c"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s"
    )
    is_granted = value(connection, query, [right, schema, name])
    return None if is_granted else _grant(connection, right, sql.Identifier(schema, name))


def _grant(connection: Connection, right: str, on: sql.Composable) -> str:
    role = value(connection, "SELECT quote_ident(current_user)")
    return f"GRANT {right} ON {on.as_string(connection)} TO {role}"
