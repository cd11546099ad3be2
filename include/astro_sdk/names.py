"""Names of tables, exactly as Postgres keeps them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from .quoting import folded, in_sql, quoted


@dataclass(frozen=True)
class Name:
    """A table's schema and name, exactly as Postgres keeps them."""

    schema: str
    table: str

    @classmethod
    def of(cls, table: Any) -> Name:
        """Returns the name of astro's table, whose schema must be filled in."""
        return cls(folded(table.metadata.schema), folded(table.name))

    @property
    def quoted(self) -> str:
        """The name in SQL, in quotes."""
        return ".".join(quoted(part) for part in (self.schema, self.table))

    @property
    def in_sql(self) -> str:
        """The name in SQL, in quotes only where Postgres needs them."""
        return ".".join(in_sql(quoted(part)) for part in (self.schema, self.table))

    @property
    def identifier(self) -> sql.Identifier:
        """The name in psycopg's SQL."""
        return sql.Identifier(self.schema, self.table)

    @property
    def written(self) -> str:
        """The name as a feed has it."""
        return f"{self.schema}.{self.table}"

    def scratch(self) -> Name:
        """Returns a name in the same schema that no table has."""
        return Name(self.schema, f"_landfall_{uuid.uuid4().hex}")
