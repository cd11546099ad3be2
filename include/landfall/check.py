"""Checks that every connection of the feeds can be used, and that its role may do what a load does.

Nothing is written. All are asked at once and each answer is one line, because whoever asks wants
to know everything that is wrong, not the first of it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Thread
from typing import Any

from psycopg import Connection, errors
from psycopg.rows import namedtuple_row

from include.landfall.connections import (
    Store,
    Warehouse,
    store_from_environ,
    warehouse_from_environ,
)
from include.landfall.errors import (
    ConnectionUnusable,
    LandfallError,
    ServerUnavailable,
    TerminalError,
    shorten,
)
from include.landfall.feed.model import Feed
from include.landfall.feed.source import Source
from include.landfall.job import LOAD_ID
from include.landfall.ledger.arrivals import LOOK, check_target
from include.landfall.ledger.entries import ledger_exists
from include.landfall.ledger.rights import check_ledger
from include.landfall.postgres.catalog import has_column, has_relation
from include.landfall.postgres.connection import connect
from include.landfall.postgres.error_table import STATES
from include.landfall.postgres.errors import postgres_errors
from include.landfall.postgres.rights import check_may_alter, check_may_create, check_rights
from include.landfall.postgres.statements import statement, table
from include.landfall.s3.client import address_of, make_client
from include.landfall.s3.errors import naming_right, s3_errors
from include.landfall.s3.key_rights import check_may_delete, check_may_read, check_may_write
from include.landfall.write import ledger_behind
from include.landfall.write.dispositions import disposition_of
from include.landfall.write.kind import check_kind
from include.landfall.write.target import check_types, compare

# How long one server has for its answer, and all of them together. The latter ends waits that no
# library ends by itself, such as for a name server that is silent.
ANSWER_SECONDS = 3
ALL_SECONDS = 10
LACKS_BEFORE_14 = (
    " (before 14: a killed load keeps its locks until its statement ends, and a ledger that is lost"
    " or older than its table is not noticed)"
)
LISTED = 100  # keys of a prefix among which one is looked for that a load would read
LINE = 400  # characters of a server's own message in one line


@dataclass(frozen=True)
class Bucket:
    """An S3 connection and a bucket of it. `prefixes` are those that loads list there.

    Loaded files are deleted below `deletes`, and moved to what is below `writes`. Files of
    `sources` are read.
    """

    connection: str
    name: str
    prefixes: tuple[str, ...] = ("",)
    deletes: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Database:
    """A Postgres connection. `feeds` are those whose targets are checked there."""

    connection: str
    feeds: tuple[Feed, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Finding:
    """The result of one check: one line in `answer`, and the error where it cannot be used."""

    connection: str
    address: str
    answer: str
    error: LandfallError | None = None

    @property
    def reachable(self) -> bool:
        """Whether the connection can be used."""
        return self.error is None

    def as_dict(self) -> dict[str, Any]:
        """Returns the finding in values that JSON, and so XCom, can carry. It holds no secret."""
        return {
            "connection": self.connection,
            "address": self.address,
            "reachable": self.reachable,
            "answer": self.answer,
        }


@dataclass(frozen=True)
class _Probe:
    connection: str
    address: str
    ask: Callable[[], str]


def asked_by(feeds: Iterable[Feed]) -> list[Bucket | Database]:
    """Returns each bucket and each database that the feeds name, once."""
    sources: dict[tuple[str, str], list[Source]] = defaultdict(list)
    databases: dict[str, list[Feed]] = defaultdict(list)
    for feed in feeds:
        sources[feed.source.connection, feed.source.bucket].append(feed.source)
        databases[feed.target.connection].append(feed)
    buckets = [_bucket(*names, sources[names]) for names in sorted(sources)]
    return [*buckets, *(Database(name, tuple(databases[name])) for name in sorted(databases))]


def _bucket(connection: str, name: str, sources: Sequence[Source]) -> Bucket:
    rules = [(each.prefix, each.loaded_files) for each in sources]
    deletes = {prefix for prefix, rule in rules if rule}
    writes = {rule.move_to for _, rule in rules if rule and rule.move_to}
    places = {each.prefix for each in sources}, deletes, writes
    read, deleted, written = (tuple(sorted(each)) for each in places)
    return Bucket(connection, name, read, deleted, written, tuple(sources))


def check(
    targets: Sequence[Bucket | Database],
    store_of: Callable[[str], Store] = store_from_environ,
    warehouse_of: Callable[[str], Warehouse] = warehouse_from_environ,
) -> list[Finding]:
    """Asks all servers, within seconds even when one is silent. It raises nothing for its findings.

    `store_of` and `warehouse_of` look a connection up by its name, and raise ConnectionUnusable
    where there is none. Without them the environment is asked.
    """
    probes = [_probe(each, store_of, warehouse_of) for each in targets]
    findings: dict[int, Finding] = {}
    threads = [
        # Daemons: a thread that waits for a silent server must not keep the program from ending.
        Thread(target=lambda i=i, p=p: findings.update({i: _finding(p)}), daemon=True)
        for i, p in enumerate(probes)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + ALL_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [findings.get(i) or _refused(p, _silence()) for i, p in enumerate(probes)]


def _probe(
    target: Bucket | Database,
    store_of: Callable[[str], Store],
    warehouse_of: Callable[[str], Warehouse],
) -> _Probe:
    try:
        if isinstance(target, Database):
            warehouse = warehouse_of(target.connection)
            return _Probe(
                target.connection, warehouse.name, partial(_use_database, warehouse, target.feeds)
            )
        store = store_of(target.connection)
        address = f"s3://{target.name} at {_address(store)}"
        return _Probe(target.connection, address, partial(_list_bucket, store, target))
    except LandfallError as error:
        return _Probe(target.connection, "", partial(_raise, error))


def _address(store: Store) -> str:
    address = address_of(store)
    return f"{address} as {store.role.arn}" if store.role else address


def _raise(error: LandfallError) -> str:
    raise error


def _finding(probe: _Probe) -> Finding:
    try:
        return Finding(probe.connection, probe.address, probe.ask())
    except LandfallError as error:
        return _refused(probe, error)
    except Exception as error:  # noqa: BLE001  one that cannot be asked must not stop the others
        message = f"{type(error).__name__}: {error}"
        return _refused(
            probe, TerminalError("the server's answer is not understood", found=message)
        )


def _refused(probe: _Probe, error: LandfallError) -> Finding:
    return Finding(probe.connection, probe.address, in_one_line(error), error)


def _silence() -> LandfallError:
    do = "check the host's name and the way to it; then retry"
    return ServerUnavailable(f"no answer in {ALL_SECONDS} s", do=do)


def in_one_line(error: LandfallError) -> str:
    """Returns what is wrong, what was found and expected, and what to do, on one line."""
    shown = shorten(" ".join(error.found.split()), LINE) if error.found else None
    line = f"line {error.place.line}: " if error.place.line else ""
    parts = [
        (line, error.what),
        ("found: ", shown),
        ("expected: ", error.expected),
        *((f"{name}: ", fact) for name, fact in error.more),
        ("what to do: ", error.do),
    ]
    return "; ".join(name + value for name, value in parts if value)


def _list_bucket(store: Store, bucket: Bucket) -> str:
    """Lists the bucket, as a load does. Asking STS who one is would fail on any store but AWS."""
    client = make_client(
        store,
        connect_timeout=ANSWER_SECONDS,
        read_timeout=ANSWER_SECONDS,
        retries={"total_max_attempts": 1},
    )
    with closing(client):
        with naming_right("s3:ListBucket"), s3_errors(bucket.name):
            pages = [
                client.list_objects_v2(Bucket=bucket.name, Prefix=prefix, MaxKeys=LISTED)
                for prefix in bucket.prefixes
            ]
        for page in pages:
            if key := _first_file(page, bucket.sources):
                check_may_read(client, bucket.name, key)
        for prefix in bucket.deletes:
            check_may_delete(client, bucket.name, prefix)
        for prefix in bucket.writes:
            check_may_write(client, bucket.name, prefix)
    filled = sum("Contents" in page for page in pages)
    return f"may be listed; files under {filled} of {len(pages)} prefixes"


def _first_file(page: Any, sources: Sequence[Source]) -> str | None:
    """Returns the first key of a listing that a load would read."""
    for key in (each["Key"] for each in page.get("Contents", [])):
        if any(source.matches(key) and not source.is_hidden(key) for source in sources):
            return str(key)
    return None


def _use_database(warehouse: Warehouse, feeds: Sequence[Feed]) -> str:
    options = {**warehouse.options, "connect_timeout": str(ANSWER_SECONDS)}
    with (
        connect(replace(warehouse, options=options), "landfall check") as connection,
        postgres_errors(),
        connection.transaction(),
        connection.cursor(row_factory=namedtuple_row) as cursor,
    ):
        cursor.execute(f"SET LOCAL statement_timeout = '{ANSWER_SECONDS}s'")
        _check_takes_writes(connection)
        rights: Any = cursor.execute(statement("ledger/rights")).fetchone()
        if not rights.temporary:
            raise ConnectionUnusable(
                "the role may not make temporary tables",
                do=f"GRANT TEMPORARY ON DATABASE {rights.database} TO {rights.role}",
            )
        ledger = check_ledger(rights)
        for feed in feeds:
            _check_target(connection, feed)
        lacks = LACKS_BEFORE_14 if connection.info.server_version < 140_000 else ""
    return f"PostgreSQL {rights.version}{lacks}; may make temporary tables; ledger: {ledger}"


def _check_takes_writes(connection: Connection) -> None:
    """Raises: ServerUnavailable of a standby, and where the role or database is set to read."""
    if connection.execute("SHOW transaction_read_only").fetchone() == ("on",):
        verdict = STATES["25006"]
        raise verdict.error(verdict.what, do=verdict.do)


def _check_target(connection: Connection, feed: Feed) -> None:
    """Checks what a load of the feed would meet in the database before it reads a file.

    Raises: LandfallError.
    """
    target = feed.target
    try:
        if ledger_exists(connection):
            check_target(connection, feed)
        check_types(connection, feed)
        check_may_create(connection, target.schema_name)
        rights = disposition_of(feed).rights_of(feed)
        check_rights(connection, target.schema_name, target.table_name, rights)
        check_kind(connection, feed)
        _check_fit(connection, feed)
        if feed.contract.types == "widen" or feed.contract.new_columns == "evolve":
            check_may_alter(connection, target.schema_name, target.table_name)
    except LandfallError as error:
        where = f", column {error.place.column}" if error.place.column else ""
        error.what = f"feed {feed.name}{where}: {error.what}"
        raise


def _check_fit(connection: Connection, feed: Feed) -> None:
    """Checks a table that exists: its columns, and what the feed's way of writing needs of it.

    Where loads alter the table, its columns may differ. Whether other tables would lose rows is
    left to a load: to look takes long in large tables.

    Raises: FeedError.
    """
    target = feed.target
    if not has_relation(connection, target.schema_name, target.table_name):
        return
    disposition = disposition_of(feed)
    if not disposition.deletes_rows:
        disposition.check_target(connection, feed)
    if not feed.contract.alters:
        with connection.transaction(force_rollback=True):  # it leaves a temporary table
            compare(connection, feed, table(target.table))
    has_ids = target.load_id and has_column(connection, table(target.table), LOAD_ID)
    if has_ids and not disposition.replaces_feed and ledger_exists(connection):
        _check_ledger_is_not_behind(connection, feed)


def _check_ledger_is_not_behind(connection: Connection, feed: Feed) -> None:
    """Checks what a load checks first; not where another session has locked the table.

    Raises: FeedError.
    """
    with suppress(errors.LockNotAvailable), connection.transaction(force_rollback=True):
        connection.execute(LOOK)
        ledger_behind.check_ledger(connection, feed)
