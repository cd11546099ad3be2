"""The ledger, watched from outside: what was there, and what has come since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg
from psycopg.rows import class_row

QUERY = """
    SELECT load_id, feed, key, coalesce(rows, 0) AS rows, coalesce(seconds, 0) AS seconds,
        status, error, started::text AS started
    FROM landfall.ledger ORDER BY feed, key
"""
UNDER_WAY = "SELECT coalesce(sum(tuples_processed), 0)::bigint FROM pg_stat_progress_copy"


@dataclass(frozen=True)
class Load:
    """A row of the ledger, as far as the demo shows it."""

    load_id: int
    feed: str
    key: str
    rows: int
    seconds: float
    status: str
    error: str | None
    started: str


@dataclass(frozen=True)
class Total:
    """What one feed's loads come to."""

    feed: str
    files: int
    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """How fast; 0 for what took no time."""
        return self.rows / self.seconds if self.seconds else 0


@dataclass
class Watch:
    """Sees each change of the ledger once. What is there at the start is not a change."""

    connection: psycopg.Connection
    before: list[Load] = field(default_factory=list)
    seen: set[Load] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.before = self.loads()
        self.seen = set(self.before)

    def loads(self) -> list[Load]:
        """The whole ledger; empty before its first load."""
        row = self.connection.execute(
            "SELECT to_regclass('landfall.ledger') IS NOT NULL"
        ).fetchone()
        if not row or not row[0]:
            return []
        with self.connection.cursor(row_factory=class_row(Load)) as cursor:
            return cursor.execute(QUERY).fetchall()

    def has_table(self, name: str) -> bool:
        """Whether there is a table of this name, schema first."""
        row = self.connection.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone()
        return bool(row and row[0])

    def news(self) -> list[Load]:
        """What has changed since the last call."""
        fresh = [load for load in self.loads() if load not in self.seen]
        self.seen.update(fresh)
        return fresh

    def rows_under_way(self) -> int:
        """How many rows the COPYs that run now have taken."""
        row = self.connection.execute(UNDER_WAY).fetchone()
        return row[0] if row else 0

    def last_load(self) -> int:
        """Tells a later state of the ledger from an earlier one; 0 when it is empty."""
        return max((load.load_id for load in self.loads() if load.status == "loaded"), default=0)


def totals(loads: Iterable[Load]) -> list[Total]:
    """The loads of each feed together, in the order of the feeds' names."""
    found: dict[str, list[Load]] = {}
    for load in loads:
        found.setdefault(load.feed, []).append(load)
    return [
        Total(feed, len(of), sum(load.rows for load in of), sum(load.seconds for load in of))
        for feed, of in sorted(found.items())
    ]
