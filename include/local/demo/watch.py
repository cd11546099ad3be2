"""Watches the ledger from outside: its loads at the start, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import psycopg
from psycopg.rows import class_row

from include.landfall.postgres.catalog import missing_relations

QUERY = """
    SELECT load_id, feed, key, coalesce(rows, 0) AS rows, coalesce(seconds, 0) AS seconds,
        status, error, started::text AS started
    FROM landfall.ledger ORDER BY feed, key
"""
UNDER_WAY = "SELECT coalesce(sum(tuples_processed), 0)::bigint FROM pg_stat_progress_copy"


@dataclass(frozen=True)
class Load:
    """A row of the ledger, with the columns that the demo shows."""

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
    """The sum of one feed's loads."""

    feed: str
    files: int
    rows: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        """Rows per second; 0 for a load that took no time."""
        return self.rows / self.seconds if self.seconds else 0


@dataclass
class Watch:
    """Sees each change of the ledger once. What the ledger has at the start is no change."""

    connection: psycopg.Connection
    before: list[Load] = field(default_factory=list)
    seen: set[Load] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.before = self.loads()
        self.seen = set(self.before)

    def loads(self) -> list[Load]:
        """Returns the loads of the whole ledger, which is empty before its first load."""
        row = self.connection.execute(
            "SELECT to_regclass('landfall.ledger') IS NOT NULL"
        ).fetchone()
        if not row or not row[0]:
            return []
        with self.connection.cursor(row_factory=class_row(Load)) as cursor:
            return cursor.execute(QUERY).fetchall()

    def has_table(self, name: str) -> bool:
        """Returns whether a table of this name exists; the name includes the schema."""
        return not missing_relations(self.connection, [name])

    def changes(self) -> list[Load]:
        """Returns the loads that are new or have changed since the last call."""
        changed = [load for load in self.loads() if load not in self.seen]
        self.seen.update(changed)
        return changed

    def rows_under_way(self) -> int:
        """Counts the rows that the COPY statements of this moment have read."""
        row = self.connection.execute(UNDER_WAY).fetchone()
        return row[0] if row else 0

    def last_load(self) -> int:
        """Returns the highest load id, which grows with every load; 0 when the ledger is empty."""
        return max((load.load_id for load in self.loads() if load.status == "loaded"), default=0)


def totals(loads: Iterable[Load]) -> list[Total]:
    """Sums up each feed's loads, in the order of the feeds' names."""
    by_feed: dict[str, list[Load]] = {}
    for load in loads:
        by_feed.setdefault(load.feed, []).append(load)
    return [
        Total(feed, len(own), sum(load.rows for load in own), sum(load.seconds for load in own))
        for feed, own in sorted(by_feed.items())
    ]
