"""What the attacks need: servers, files with rows that are known, and the checks afterwards.

The check of the rows shares no code with the engine: it compares the database's own digest of the
rows as text with the digest of the file's text.
"""

from __future__ import annotations

import hashlib
import itertools
import random
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
from include.landfall.errors import TransientError
from include.landfall.feed.model import Feed
from include.landfall.ledger.entries import create_ledger
from include.landfall.load import Receipt, load
from include.landfall.postgres.connection import connect
from include.landfall.s3.listing import find_arrival

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SMALL = 500
LARGE = 90_000  # more than 8 MiB, so that another process reads it
COLUMNS = {"id": "integer", "tag": "text", "amount": "numeric(10,2)", "note": "text"}
BAD = {  # rows that no load takes, by the reason
    "cell": "x,{tag},1.00,bad",
    "fields": "1,{tag}",
    "quote": '1,{tag},1.00,"bad" row',
}
ROW = "id || ',' || tag || ',' || amount || ',' || note"
WAIT = 15  # seconds for a server to notice that a client is dead
numbers = itertools.count(1)

State = dict[str, int]  # for each file's tag, its rows in the table


@dataclass(frozen=True)
class File:
    """A file in the bucket. Each of its rows has the tag."""

    tag: str
    rows: int
    digest: str
    arrival: Arrival


@dataclass
class Servers:
    """The servers of the attacks. `restart` restarts the database server, where that is allowed."""

    warehouse: Warehouse
    store: Store
    client: S3Client
    bucket: str
    restart: Callable[[str], None] | None = None
    load_seconds: float = 0.0
    ending: ExitStack = field(default_factory=ExitStack)
    loaders: list[Any] = field(default_factory=list)  # processes that the rounds share

    def prepare(self) -> Servers:
        """Creates the ledger."""
        with connect(self.warehouse) as connection:
            create_ledger(connection)
        return self

    def case(
        self, disposition: str = "append", name: str = "", at_most: int = len(BAD), **more: Any
    ) -> Case:
        """Makes a feed with a table that no other round has used, and this error budget."""
        name = name or f"r{next(numbers)}_{uuid.uuid4().hex[:6]}"
        values = {
            "feed": name,
            "source": {"bucket": self.bucket, "pattern": f"{name}/*.csv"},
            "target": {"table": f"chaos.{name}", "disposition": disposition, **more},
            "columns": COLUMNS,
            "rejects": {"at_most": at_most},
        }
        return Case(self, name, Feed.model_validate(values), values)

    @contextmanager
    def new_database(self, ledger: bool = True) -> Iterator[Servers]:
        """Creates a database for the block, and yields the same servers with that database."""
        name = f"chaos_{uuid.uuid4().hex[:10]}"
        self.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            servers = replace(self, warehouse=replace(self.warehouse, dbname=name))
            if ledger:
                servers.prepare()
            yield servers
        finally:
            self.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def execute(self, query: Any, *values: Any) -> list[Any]:
        """Runs a query on a new connection, and returns its rows."""
        with psycopg.connect(self.warehouse.conninfo(), autocommit=True) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def end_loaders(self) -> None:
        """Ends the processes that rounds share: after a failure they can be in any state."""
        self.ending.close()
        self.loaders.clear()

    def usual_seconds(self) -> float:
        """Measures once how long a large load takes when nothing disturbs it."""
        if not self.load_seconds:
            case = self.case()
            self.load_seconds = case.load(case.put("usual", LARGE)).seconds
        return self.load_seconds


@dataclass
class Case:
    """One feed, its files and its table."""

    servers: Servers
    name: str
    feed: Feed
    values: dict[str, Any] = field(repr=False)
    bad: dict[str, str] = field(default_factory=lambda: BAD, repr=False)

    def job(self, file: File) -> dict[str, Any]:
        """Makes the job for a loading process: what is loaded, and how."""
        return {"feed": self.values, "arrival": file.arrival.as_dict()}

    def put(
        self,
        tag: str,
        rows: int,
        key: str = "",
        pack: Callable[[bytes], bytes] = bytes,
        spoil: Callable[[str], str] = str,
    ) -> File:
        """Uploads a file whose rows all differ, with `key` or the tag in its name.

        Among them, at random, are the bad rows, none right behind another one: the reject of a
        quote takes a misshapen line behind it too. `spoil` changes the others.
        """
        lines = [
            f"{i},{tag},{i % 9973}.{i % 100:02d},line {i:08d} of {tag}: "
            + hashlib.sha256(f"{tag}{i}".encode()).hexdigest()
            for i in range(1, rows + 1)
        ]
        text = "\n".join(lines)
        lines = [spoil(line) for line in lines]
        places = sorted(random.sample(range(rows + 1), len(self.bad)), reverse=True)
        for place, row in zip(places, random.sample(list(self.bad.values()), len(self.bad))):
            lines.insert(place, row.format(tag=tag))
        key = f"{self.name}/{key or tag}.csv"
        body = pack("\n".join([",".join(COLUMNS), *lines, ""]).encode())
        self.servers.client.put_object(Bucket=self.servers.bucket, Key=key, Body=body)
        digest = hashlib.md5(text.encode()).hexdigest()
        return File(tag, rows, digest, find_arrival(self.servers.client, self.servers.bucket, key))

    def load(self, file: File, **changes: Any) -> Receipt:
        """Loads the file in this process."""
        connections = {"store": self.servers.store, "warehouse": self.servers.warehouse}
        return load(self.feed, file.arrival, **{**connections, **changes})

    def state(self) -> State:
        """Counts the rows in the table by tag."""
        return {tag: rows for tag, rows, _ in self._select("0")}

    def ledger(self) -> list[tuple[str, str, int | None, str]]:
        """Reads version, status, rows and the loading process of each entry in the ledger."""
        query = "SELECT version, status, rows, loaded_by FROM landfall.ledger WHERE feed = %s"
        return self.servers.execute(f"{query} ORDER BY load_id", self.name)

    def check(self, *files: File) -> None:
        """Checks that the table and the ledger hold these files, complete, and nothing else."""
        digest = f"md5(string_agg({ROW}, E'\\n' ORDER BY id))"
        in_table = {tag: (rows, digest) for tag, rows, digest in self._select(digest)}
        assert in_table == {f.tag: (f.rows, f.digest) for f in files}, in_table.keys()
        loaded = [
            (version, rows) for version, status, rows, _ in self.ledger() if status == "loaded"
        ]
        assert sorted(loaded) == sorted((f.arrival.version, f.rows) for f in files), self.ledger()
        self.check_rejects(*files)

    def check_rejects(self, *files: File) -> None:
        """Checks that each loaded file has its bad rows as open rejects, once, and no other has."""
        query = (
            "SELECT version, array_agg(reason ORDER BY reason) FROM landfall.rejects"
            " WHERE feed = %s AND state = 'open' GROUP BY version ORDER BY version"
        )
        rejects = self.servers.execute(query, self.name)
        assert rejects == sorted((f.arrival.version, sorted(BAD)) for f in files), rejects
        counted = self.servers.execute(
            "SELECT sum(rejected) FROM landfall.ledger WHERE feed = %s AND status = 'loaded'",
            self.name,
        )
        assert (counted[0][0] or 0) == len(BAD) * len(files), counted

    def check_quiet(self) -> None:
        """Waits until the load's backends are gone, and with them its locks."""
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE %s"
        )
        wait_until(lambda: self.servers.execute(query, f"landfall {self.name}%") == [(0,)])

    def _select(self, digest: str) -> list[tuple[str, int, str]]:
        table = sql.Identifier("chaos", self.name).as_string()
        query = f"SELECT tag, count(*)::int, {digest} FROM {table} GROUP BY tag"
        try:
            return self.servers.execute(query)
        except psycopg.errors.UndefinedTable:
            return []


class TableWatcher:
    """A client that reads the table all the time, and notes each state that differs."""

    def __init__(self, case: Case) -> None:
        self.states: list[State] = []
        self.reads = 0
        self._case = case
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> TableWatcher:
        self._thread.start()
        wait_until(lambda: self.reads > 0)
        return self

    def __exit__(self, *_: object) -> None:
        reads = self.reads
        wait_until(lambda: self.reads > reads + 1 or not self._thread.is_alive())
        self._ended.set()
        self._thread.join(WAIT)

    def check(self, before: State, after: State) -> None:
        """Checks that only these two states were seen, in this order."""
        assert self.states in ([before], [after], [before, after]), self.states

    def _watch(self) -> None:
        table = sql.Identifier("chaos", self._case.name).as_string()
        query = f"SELECT tag, count(*)::int FROM {table} GROUP BY tag"
        while not self._ended.is_set():
            # A server that restarts closes its connections: the watcher connects again.
            try:
                with psycopg.connect(self._case.servers.warehouse.conninfo()) as connection:
                    connection.autocommit = True
                    self._read_on(connection, query)
            except psycopg.OperationalError:
                time.sleep(0.05)

    def _read_on(self, connection: psycopg.Connection, query: str) -> None:
        while not self._ended.wait(0.005):
            try:
                state = dict(connection.execute(query).fetchall())
            except psycopg.errors.UndefinedTable:
                state = {}
            if not self.states or state != self.states[-1]:
                self.states.append(state)
            self.reads += 1


def wait_until(check: Callable[[], bool], seconds: float = WAIT) -> None:
    """Waits until the check is true.

    Raises: AssertionError when the time is over.
    """
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"not true within {seconds} seconds"
        time.sleep(0.02)


def outcome_of(case: Any, file: File, warehouse: Warehouse) -> str:
    """Loads the file by this connection; returns its outcome, or that the error was transient."""
    try:
        outcome: str = case.load(file, warehouse=warehouse).outcome
    except TransientError:
        return "transient"
    return outcome
