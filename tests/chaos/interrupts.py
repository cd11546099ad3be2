"""Attacks on single statements: the server cancels one, or ends its session, wherever it is.

Raises: AssertionError when a guarantee did not hold.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

import psycopg

from include.landfall.errors import TransientError
from include.landfall.forget import forget
from include.landfall.postgres.connection import LoadConnection
from tests.chaos.cases import SMALL, Case, File, Servers
from tests.chaos.replays import make_replay

STOPS = {
    "canceled": "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)",
    "terminated": "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(60)",
}


@dataclass(frozen=True)
class Work:
    """Something that the engine does with a feed's table, and what must be true once it is done."""

    case: Case
    run: Callable[[], object]
    check: Callable[[], None]

    def state(self) -> list[Any]:
        """Reads the table, and what the ledger says of it; failures aside."""
        name, execute = self.case.name, self.case.servers.execute
        return [
            execute(query.format(name=name))
            for query in (
                "SELECT md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM chaos.{name} AS t",
                "SELECT load_id, rows, rejected, status FROM landfall.ledger"
                " WHERE feed = '{name}' AND status <> 'failed' ORDER BY 1",
                "SELECT reject_id, state FROM landfall.rejects"
                " WHERE feed = '{name}' AND state <> 'sample' ORDER BY 1",
                "SELECT count(*) FROM landfall.replaced WHERE target = 'chaos.{name}'",
                "SELECT count(*) FROM landfall.replays JOIN landfall.ledger USING (load_id)"
                " WHERE feed = '{name}'",
            )
        ]


def interrupt(servers: Servers, rng: random.Random, name: str = "") -> str:
    """Stops one statement of a load, replay or undo: nothing has changed, and a retry works."""
    name = name or rng.choice(list(WORKS))
    work = WORKS[name](servers)
    with counted() as statements:
        work.run()
    stop, number = rng.choice(list(STOPS)), rng.randint(1, len(statements))
    return f"{name} {stop}: {stop_at(WORKS[name](servers), stop, number)}"


def stop_at(work: Work, stop: str, number: int) -> str:
    """Stops the statement of this number. Returns what became of the work."""
    before = work.state()
    with counted(number, STOPS[stop]) as statements:
        error = _error_of(work)
    assert len(statements) >= number, len(statements)
    if error:
        reason = "canceled the statement" if stop == "canceled" else "ended the connection"
        assert reason in error, (statements[number - 1], error)
        assert work.state() == before, statements[number - 1]
        work.run()
    work.check()
    work.case.check_quiet()
    return "failed, then done" if error else "done all the same"


def _error_of(work: Work) -> str | None:
    try:
        work.run()
    except TransientError as error:
        return str(error)
    return None


@contextmanager
def counted(number: int = 0, stop: str = "") -> Iterator[list[str]]:
    """Collects the statements of the engine, and stops the one of this number."""
    statements: list[str] = []

    def stopping(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(cursor: psycopg.Cursor, query: Any, *arguments: Any, **options: Any) -> Any:
            if isinstance(cursor.connection, LoadConnection):
                statements.append(query if isinstance(query, str) else query.as_string(None))
                if len(statements) == number:
                    execute(cursor, stop)
            return real(cursor, query, *arguments, **options)

        return call

    execute = psycopg.Cursor.execute
    calls = {name: stopping(getattr(psycopg.Cursor, name)) for name in ("execute", "copy")}
    with mock.patch.multiple(psycopg.Cursor, **calls):
        yield statements


# ---- what is stopped -----------------------------------------------------------------------------


def _load(servers: Servers, disposition: str, **target: Any) -> Work:
    case = servers.case(disposition, **target)
    old = case.put("old", SMALL, key="same")
    case.load(old)
    # A changed file replaces its own rows; some of its cells are read by Postgres.
    new = case.put("new", SMALL, key="same", spoil=_spoil)
    return Work(case, partial(case.load, new), partial(_check_loaded, case, new))


def _spoil(line: str) -> str:
    return f" {line}" if line.startswith("17,") else line


def _check_loaded(case: Case, new: File) -> None:
    rows = [row for row in case.ledger() if row[1] == "loaded"]
    assert [row[:3] for row in rows] == [(new.arrival.version, "loaded", new.rows)], rows
    assert case.state()["new"] == new.rows
    assert case.load(new).outcome == "already_loaded"
    case.check_rejects(new)


def _replay(servers: Servers) -> Work:
    scene = make_replay(servers, 20)
    return Work(scene.case, scene.replay, scene.check)


def _forget(servers: Servers, disposition: str, **target: Any) -> Work:
    case = servers.case(disposition, **target)
    one, two = case.put("one", SMALL), case.put("two", SMALL // 2)
    case.load(one)
    case.load(two)

    def check() -> None:
        assert case.state() == {"one": one.rows}
        assert [row[0] for row in case.ledger()] == [one.arrival.version]
        assert case.load(two).outcome == "loaded"

    key = two.arrival.key
    return Work(case, partial(forget, case.feed, key, warehouse=servers.warehouse), check)


MERGE = {"disposition": "merge", "key": ["id"], "keep_replaced": 9}
WORKS: dict[str, Callable[[Servers], Work]] = {
    "append": partial(_load, disposition="append"),
    "replace": partial(_load, disposition="replace"),
    "replace_where": partial(_load, disposition="replace", replace_where=["tag"]),
    "upsert": partial(_load, strategy="upsert", **MERGE),
    "delete-insert": partial(_load, strategy="delete-insert", **MERGE),
    "scd2": partial(_load, strategy="scd2", **MERGE),
    "replay": _replay,
    "forget": partial(_forget, disposition="append"),
    "forget a merge": partial(_forget, strategy="upsert", **MERGE),
}
