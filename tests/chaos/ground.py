"""Where the attacks happen: servers, files whose every row is known, and what must hold after.

What is compared with the source here shares no code with the engine: the server's own digest of
the rows as text against the digest of the file's text.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from include.landfall.arrival import Arrival
from include.landfall.connections import Store, Warehouse
from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import create_ledger
from include.landfall.load import Receipt, load
from include.landfall.postgres.connection import connect
from include.landfall.s3.listing import find_arrival

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SMALL = 500
LARGE = 90_000  # more than 8 MiB: read by a process of its own
COLUMNS = {"id": "integer", "tag": "text", "amount": "numeric(10,2)", "note": "text"}
ROW = "id || ',' || tag || ',' || amount || ',' || note"
WAIT = 15  # seconds for a server to notice that a client is dead
numbers = itertools.count(1)

State = dict[str, int]  # rows in the table by the file's tag


@dataclass(frozen=True)
class File:
    """A file in the bucket: `tag` is in its every row."""

    tag: str
    rows: int
    digest: str
    arrival: Arrival


@dataclass
class Ground:
    """The servers. `restart` ends and starts the database server, where we may."""

    warehouse: Warehouse
    store: Store
    client: S3Client
    bucket: str
    restart: Callable[[str], None] | None = None
    load_seconds: float = 0.0
    ending: ExitStack = field(default_factory=ExitStack)
    loaders: list[Any] = field(default_factory=list)  # processes that many rounds share

    def prepare(self) -> Ground:
        """Makes the ledger."""
        with connect(self.warehouse) as connection:
            create_ledger(connection)
        return self

    def case(self, disposition: str = "append", name: str = "") -> Case:
        """A feed and a table that no other round has used."""
        name = name or f"r{next(numbers)}_{uuid.uuid4().hex[:6]}"
        values = {
            "feed": name,
            "source": {"bucket": self.bucket, "pattern": f"{name}/*.csv"},
            "target": {"table": f"chaos.{name}", "disposition": disposition},
            "columns": COLUMNS,
        }
        return Case(self, name, Feed.model_validate(values), values)

    @contextmanager
    def new_database(self, ledger: bool = True) -> Iterator[Ground]:
        """The same servers with a database in which nothing has been loaded."""
        name = f"chaos_{uuid.uuid4().hex[:10]}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            ground = replace(self, warehouse=replace(self.warehouse, dbname=name))
            if ledger:
                ground.prepare()
            yield ground
        finally:
            self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(self, query: Any, *values: Any) -> list[Any]:
        """A query on a connection of its own."""
        with psycopg.connect(self.warehouse.conninfo(), autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def dismiss(self) -> None:
        """Ends the processes that rounds share: after a failure they may be in any state."""
        self.ending.close()
        self.loaders.clear()

    def usual_seconds(self) -> float:
        """How long a large load takes when nobody disturbs it."""
        if not self.load_seconds:
            case = self.case()
            self.load_seconds = case.load(case.put("usual", LARGE)).seconds
        return self.load_seconds


@dataclass
class Case:
    """One feed, its files and its table."""

    ground: Ground
    name: str
    feed: Feed
    values: dict[str, Any] = field(repr=False)

    def put(
        self, tag: str, rows: int, key: str = "", pack: Callable[[bytes], bytes] = bytes
    ) -> File:
        """A file of rows that all differ, in the bucket (under the tag's name, or `key`)."""
        lines = [
            f"{i},{tag},{i % 9973}.{i % 100:02d},line {i:08d} of {tag}: "
            + hashlib.sha256(f"{tag}{i}".encode()).hexdigest()
            for i in range(1, rows + 1)
        ]
        text = "\n".join(lines)
        key = f"{self.name}/{key or tag}.csv"
        body = pack(f"{','.join(COLUMNS)}\n{text}\n".encode())
        self.ground.client.put_object(Bucket=self.ground.bucket, Key=key, Body=body)
        digest = hashlib.md5(text.encode()).hexdigest()
        return File(tag, rows, digest, find_arrival(self.ground.client, self.ground.bucket, key))

    def load(self, file: File, **changes: Any) -> Receipt:
        """Loads the file in this process."""
        servers = {"store": self.ground.store, "warehouse": self.ground.warehouse}
        return load(self.feed, file.arrival, **{**servers, **changes})

    def state(self) -> State:
        """The rows in the table, by tag."""
        return {tag: rows for tag, rows, _ in self._select("0")}

    def ledger(self) -> list[tuple[str, str, int | None, str]]:
        """(version, status, rows, by whom) of each row of the ledger."""
        query = "SELECT version, status, rows, loaded_by FROM landfall.ledger WHERE feed = %s"
        return self.ground.execute(f"{query} ORDER BY load_id", self.name)

    def check(self, *files: File) -> None:
        """The table holds just these files, every row of them, and the ledger says the same."""
        digest = f"md5(string_agg({ROW}, E'\\n' ORDER BY id))"
        found = {tag: (rows, digest) for tag, rows, digest in self._select(digest)}
        assert found == {f.tag: (f.rows, f.digest) for f in files}, found.keys()
        loaded = [
            (version, rows) for version, status, rows, _ in self.ledger() if status == "loaded"
        ]
        assert sorted(loaded) == sorted((f.arrival.version, f.rows) for f in files), self.ledger()

    def check_quiet(self) -> None:
        """No backend of ours is left, and so no lock."""
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s"
        )
        wait_until(lambda: self.ground.execute(query, f"landfall {self.name}%") == [(0,)])

    def _select(self, digest: str) -> list[tuple[str, int, str]]:
        table = sql.Identifier("chaos", self.name).as_string()
        query = f"SELECT tag, count(*)::int, {digest} FROM {table} GROUP BY tag"
        try:
            return self.ground.execute(query)
        except psycopg.errors.UndefinedTable:
            return []


class Reader:
    """A reader who looks at the table all the time, and remembers each change it saw."""

    def __init__(self, case: Case) -> None:
        self.states: list[State] = []
        self.looks = 0
        self._case = case
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Reader:
        self._thread.start()
        wait_until(lambda: self.looks > 0)
        return self

    def __exit__(self, *_: object) -> None:
        seen = self.looks
        wait_until(lambda: self.looks > seen + 1 or not self._thread.is_alive())
        self._ended.set()
        self._thread.join(WAIT)

    def check(self, before: State, after: State) -> None:
        """Nothing but these two was ever seen, and in this order."""
        assert self.states in ([before], [after], [before, after]), self.states

    def _look(self) -> None:
        table = sql.Identifier("chaos", self._case.name).as_string()
        query = f"SELECT tag, count(*)::int FROM {table} GROUP BY tag"
        while not self._ended.is_set():
            # A server that restarts throws its readers out: they come back.
            try:
                with psycopg.connect(self._case.ground.warehouse.conninfo()) as connection:
                    connection.autocommit = True
                    self._look_on(connection, query)
            except psycopg.OperationalError:
                time.sleep(0.05)

    def _look_on(self, connection: psycopg.Connection, query: str) -> None:
        while not self._ended.wait(0.005):
            try:
                state = dict(connection.execute(query).fetchall())
            except psycopg.errors.UndefinedTable:
                state = {}
            if not self.states or state != self.states[-1]:
                self.states.append(state)
            self.looks += 1


def wait_until(true: Callable[[], bool], seconds: float = WAIT) -> None:
    """Waits; an AssertionError when the time is over."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not so within {seconds} seconds"
        time.sleep(0.02)
