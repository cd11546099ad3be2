"""Names in SQL, apart from `tables`, so that parsing a DAG file does not import psycopg."""

from __future__ import annotations

import re
from functools import cache

NAME_BYTES = 63
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")


def quoted(name: str) -> str:
    """Returns an identifier in quotes."""
    return '"' + name.replace('"', '""') + '"'


def folded(name: str) -> str:
    """Returns the name under which Postgres keeps what an author wrote.

    As in SQL: `Homes` is `homes`, and `"Homes"`, in quotes, is `Homes`. A name that SQL takes only
    in quotes (`my-table`) is what it is, with and without them.
    """
    if len(name) > 2 and name[0] == name[-1] == '"':
        return name[1:-1].replace('""', '"')
    return name.lower() if PLAIN.fullmatch(name) else name


def cut(name: str) -> str:
    """Returns the name as Postgres keeps it: its first 63 bytes."""
    return name.encode()[:NAME_BYTES].decode(errors="ignore")


def unfolded(name: str) -> str:
    """Returns what an author writes for a name that Postgres keeps; capitals need quotes."""
    return name if folded(name) == name else quoted(name)


def in_sql(name: str) -> str:
    """Returns the name that an author wrote as SQL, in quotes only where Postgres needs them."""
    kept = folded(name)
    needs_no_quotes = PLAIN.fullmatch(kept) and kept == kept.lower() and kept not in _reserved()
    return kept if needs_no_quotes else quoted(kept)


@cache
def _reserved() -> set[str]:
    from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

    return set(RESERVED_WORDS)
