"""How a row of the target is kept as JSON, so that each of its values comes back as it was.

Most types go there and back by `to_jsonb` and `jsonb_to_record`. Others are kept as their
texts: an array whose bounds do not begin at 1, a value of json, which jsonb would write otherwise,
JSON's null, which is no NULL, and a type with a JSON of its own that it does not read, like hstore.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from psycopg import Connection, sql
from psycopg.rows import class_row

from include.landfall.postgres.statements import statement

AT_ONCE = 40  # pairs of one jsonb_build_object: a function takes 100 arguments


class KeptColumn(NamedTuple):
    """A column of the target. `is_always`: only an INSERT can write it. `is_computed`: nothing can.

    `collated` is its type with its collation, as the server writes it.
    `is_text`: its values are kept as texts. `is_json`: those are texts of JSON. `is_exact`: equal
    values have equal JSON, which those of citext and of an interval have not. `given` is the text
    of the value that rows got which were there when the column was added.
    """

    name: str
    type: str
    collated: str
    is_computed: bool
    is_always: bool
    is_text: bool
    is_json: bool
    is_exact: bool
    given: str | None


def all_columns(connection: Connection, target: sql.Identifier) -> list[KeptColumn]:
    """Returns the target's columns, also those that the table computes, which are not kept."""
    parameters = {"target": target.as_string(connection)}
    with connection.cursor(row_factory=class_row(KeptColumn)) as cursor:
        return cursor.execute(statement("write/kept_columns"), parameters).fetchall()


def objects_of(pairs: Sequence[sql.Composable]) -> list[sql.Composed]:
    """Returns the SQL of jsonb objects that have these pairs of a name and a value."""
    return [
        sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs[n : n + AT_ONCE]))
        for n in range(0, len(pairs), AT_ONCE)
    ]


def key_as_json(columns: Sequence[KeptColumn], key: Sequence[str]) -> sql.Composed:
    """Returns the SQL of the key of a row `b` as jsonb."""
    as_text = {each.name for each in columns if each.is_text and not each.is_json}
    pairs = [
        sql.SQL("{}, {}{}").format(
            sql.Literal(name), sql.Identifier("b", name), sql.SQL("::text" * (name in as_text))
        )
        for name in key
    ]
    return sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(pairs))


def types_of(columns: Iterable[KeptColumn]) -> sql.Composed:
    """Returns the columns as `jsonb_to_record` makes them: no other column of the table is asked.

    A record of the whole table would ask a domain that takes no NULL for each column that is left
    out.
    """
    return sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(each.name), sql.SQL(each.collated))
        for each in columns
    )


def value_of(column: KeptColumn) -> sql.Composable:
    """Returns the SQL of a kept value, where `b.cells` is the row and `r` is populated by it."""
    if not column.is_json:
        return sql.Identifier("r", column.name)
    # The server wrote the type itself.
    return sql.SQL("(b.cells ->> {})::{}").format(sql.Literal(column.name), sql.SQL(column.type))
