"""Random histories of a bucket: after each run the table holds what the rule says, in plain Python.

The model below is the rule of `ledger/arrivals.py` without a database and without a bucket.
"""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from psycopg import sql

from include.landfall.arrival import Arrival
from include.landfall.errors import DataError, FeedError
from include.landfall.ledger.arrivals import new_arrivals
from include.landfall.load import load
from include.landfall.postgres.connection import connect
from include.landfall.s3.listing import list_arrivals
from tests.support.engine import Engine

START = datetime(2026, 1, 1, tzinfo=UTC)
BAD = "x"  # the content of a file that is refused
KEYS = ["a", "b", "c"]
CONTENTS = ["1", "2", "1 2", BAD]
TIMES = st.integers(0, 3)  # seconds after START: often the same, and often older than before
examples = itertools.count()


@dataclass
class Model:
    """What the ledger and the table hold. A version of an object is its key and its content."""

    replaces_feed: bool
    status: dict[tuple[str, str], str] = field(default_factory=dict)
    loaded_at: dict[str, int] = field(default_factory=dict)
    loaded: dict[str, str] = field(default_factory=dict)
    table: dict[str, str] | None = None

    def new(self, bucket: dict[str, tuple[str, int]]) -> list[str]:
        """The keys that a run loads, in its order."""
        keys = [key for key, (content, time) in bucket.items() if self._is_new(key, content, time)]
        return sorted(keys, key=lambda key: self._turn(key, *bucket[key]))

    def _is_new(self, key: str, content: str, time: int) -> bool:
        if key in self.loaded:
            return self.loaded[key] != content
        if self.status.get((key, content)) != "superseded" or not self.loaded:
            return True
        return (time, key) > max((at, other) for other, at in self.loaded_at.items())

    def _turn(self, key: str, content: str, time: int) -> tuple[bool, int, str]:
        return self.status.get((key, content)) == "failed", time, key

    def load(self, key: str, content: str, time: int, force: bool = False) -> None:
        """Loads a version, as far as its content and newer files allow."""
        is_loaded = self.loaded.get(key) == content
        if is_loaded and not force:
            return
        newer = [k for k, at in self.loaded_at.items() if k != key and (at, k) > (time, key)]
        if self.replaces_feed and newer and not force:
            self.status[key, content] = "superseded"
        elif content != BAD:
            self._put(key, content, time)
        elif not is_loaded:
            self.status[key, content] = "failed"

    def _put(self, key: str, content: str, time: int) -> None:
        replaced = list(self.loaded) if self.replaces_feed else [key] if key in self.loaded else []
        for other in replaced:
            self.status[other, self.loaded.pop(other)] = "superseded"
            del self.loaded_at[other]
        self.status[key, content] = "loaded"
        self.loaded[key], self.loaded_at[key] = content, time
        kept = {} if self.table is None or self.replaces_feed else self.table
        self.table = {**kept, key: content}

    def rows(self) -> Counter[str] | None:
        """The rows of the table; None when there is no table."""
        if self.table is None:
            return None
        return Counter(row for content in self.table.values() for row in content.split())


class History(RuleBasedStateMachine):
    """One history, in a folder of the bucket and a table of its own."""

    engine: Engine
    disposition: str

    def __init__(self) -> None:
        super().__init__()
        self.name = f"t{next(examples)}"
        self.feed = self.engine.make_feed(
            feed=self.name,
            table=f"raw.{self.name}",
            disposition=self.disposition,
            columns={"id": "integer"},
            source={"bucket": self.engine.bucket, "pattern": f"{self.name}/**"},
        )
        self.model = Model(self.disposition == "replace")
        self.bucket: dict[str, tuple[str, int]] = {}

    @rule(
        key=st.sampled_from(KEYS), content=st.sampled_from(CONTENTS), time=TIMES,
        then_run=st.booleans(),
    )  # fmt: skip
    def put(self, key: str, content: str, time: int, then_run: bool) -> None:
        """Puts an object: a new one, another content, or the same content again."""
        body = "\n".join(["id", *content.split(), ""]).encode()
        self.engine.client.put_object(**self._at(key), Body=body)
        self.bucket[key] = content, time
        if then_run:
            self.run()

    @rule(key=st.sampled_from(KEYS), time=TIMES, then_run=st.booleans())
    def touch(self, key: str, time: int, then_run: bool) -> None:
        """Changes the time alone."""
        if key in self.bucket:
            self.bucket[key] = self.bucket[key][0], time
        if then_run:
            self.run()

    @rule(key=st.sampled_from(KEYS))
    def delete(self, key: str) -> None:
        """Deletes an object. Its rows stay in the table."""
        self.engine.client.delete_object(**self._at(key))
        self.bucket.pop(key, None)

    @rule()
    def drop_target(self) -> None:
        """Drops the table by hand."""
        self.engine.sql(f"DROP TABLE IF EXISTS raw.{self.name}")
        self.model.table = None

    @rule()
    def run(self) -> None:
        """Loads what is new; refuses where the ledger has files and their table is gone."""
        with connect(self.engine.warehouse) as connection:
            if self.model.loaded and self.model.table is None:
                with pytest.raises(FeedError, match="is gone"):
                    new_arrivals(connection, self.feed, self._listing())
                return
            new = new_arrivals(connection, self.feed, self._listing())
        assert [self._key(arrival) for arrival in new] == self.model.new(self.bucket)
        for arrival in new:
            self._load(arrival, force=False)
        self._check()

    @rule()
    def force(self) -> None:
        """Loads all again, as `load --force`: of a feed whose newest file is all, the newest."""
        arrivals = sorted(self._listing(), key=lambda a: (a.last_modified, a.key))
        for arrival in arrivals[-1:] if self.model.replaces_feed else arrivals:
            self._load(arrival, force=True)
        self._check()

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.engine.bucket, "Key": f"{self.name}/{key}"}

    def _key(self, arrival: Arrival) -> str:
        return arrival.key.rpartition("/")[2]

    def _listing(self) -> list[Arrival]:
        """The listing, with the times of this history: a store's own cannot go back."""
        listed = list(list_arrivals(self.engine.client, self.feed.source))
        times = [START + timedelta(seconds=self.bucket[self._key(a)][1]) for a in listed]
        return [replace(a, last_modified=t) for a, t in zip(listed, times, strict=True)]

    def _load(self, arrival: Arrival, *, force: bool) -> None:
        servers: dict[str, Any] = {
            "store": self.engine.store, "warehouse": self.engine.warehouse,
        }  # fmt: skip
        with suppress(DataError):
            load(self.feed, arrival, force=force, **servers)
        key = self._key(arrival)
        self.model.load(key, *self.bucket[key], force)

    def _check(self) -> None:
        exists = self.engine.sql(f"SELECT to_regclass('raw.{self.name}') IS NOT NULL")
        table = sql.Identifier("raw", self.name)
        query = sql.SQL("SELECT id::text FROM {}").format(table)
        rows = Counter(self.engine.sql(query)) if exists == [True] else None
        assert rows == self.model.rows()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disposition", ["append", "replace"])
def test_the_table_holds_what_the_rule_says(engine, disposition):
    machine = type("One", (History,), {"engine": engine, "disposition": disposition})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],  # to make a failing history shorter would take minutes
        ),
    )
