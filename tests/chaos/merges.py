"""Attacks on merges: a reader sees the table before or after, whoever is killed or comes at once.

Raises: AssertionError when a guarantee did not hold.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.cases import LARGE, SMALL, Case, File, Servers, State, TableWatcher, wait_until
from tests.chaos.process import Loader

# A merge that takes ten minutes, as one of many millions of rows may.
LONG = """
CREATE FUNCTION chaos.slow_{name}() RETURNS trigger LANGUAGE plpgsql AS
'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';
CREATE TRIGGER slow AFTER INSERT ON chaos.{name} EXECUTE FUNCTION chaos.slow_{name}()
"""
SLEEPING = (
    "SELECT count(*)::int FROM pg_stat_activity"
    " WHERE application_name LIKE %s AND wait_event = 'PgSleep'"
)
STRATEGIES = ["upsert", "delete-insert", "scd2"]


def make_case(servers: Servers, rng: random.Random) -> tuple[Case, Callable[..., State]]:
    """Makes a feed that merges by the rows' ids.

    The function tells what the table holds after files, whose ids all begin at 1.
    """
    strategy = rng.choice(STRATEGIES)
    case = servers.case("merge", key=["id"], strategy=strategy)

    def after(*files: File) -> State:
        if strategy == "scd2":
            return {file.tag: file.rows for file in files}
        state, covered = {}, 0
        for file in reversed(files):
            if file.rows > covered:
                state[file.tag] = file.rows - covered
            covered = max(covered, file.rows)
        return state

    return case, after


def kill_merge(servers: Servers, rng: random.Random) -> str:
    """Kills a merging process: nobody sees a part of the file, and the rerun completes it."""
    case, after = make_case(servers, rng)
    old, new = case.put("old", SMALL), case.put("new", rng.choice([SMALL // 2, LARGE]))
    case.load(old)
    usual = servers.usual_seconds()
    with TableWatcher(case) as watcher:
        with Loader() as loader:
            loader.next_message()
            loader.send_job(case, new)
            time.sleep(rng.uniform(0, 2 * usual))
            loader.kill()
            loader.check_gone()
        case.check_quiet()
        state = case.state()
        rerun = case.load(new).outcome
    assert state in (after(old), after(old, new)), state
    assert rerun == ("already_loaded" if state == after(old, new) else "loaded"), rerun
    watcher.check(after(old), after(old, new))
    _check(case, old, new)
    return f"{case.feed.target.strategy}, {rerun}"


def kill_long_merge(servers: Servers, rng: random.Random) -> str:
    """Kills a process whose merge is one long statement: the server ends it, and the rerun goes."""
    case, after = make_case(servers, rng)
    old, new = case.put("old", SMALL), case.put("new", SMALL // 2)
    case.load(old)
    servers.execute(LONG.format(name=case.name))
    with Loader() as loader:
        loader.next_message()
        loader.send_job(case, new)
        wait_until(lambda: servers.execute(SLEEPING, f"landfall {case.name}%") == [(1,)])
        loader.kill()
        loader.check_gone()
    case.check_quiet()
    servers.execute(f"DROP TRIGGER slow ON chaos.{case.name}")
    assert case.state() == after(old)
    assert case.load(new).outcome == "loaded"
    _check(case, old, new)
    return case.feed.target.strategy


def race_merges(servers: Servers, rng: random.Random) -> str:
    """Merges two files with the same keys at once: one after the other, in either order."""
    case, after = make_case(servers, rng)
    files = [case.put(tag, rng.choice([SMALL, LARGE // 3])) for tag in "ab"]
    with TableWatcher(case) as watcher, ThreadPoolExecutor() as pool:
        first = pool.submit(case.load, files[0])
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.3)]))
        outcomes = {each.result().outcome for each in (pool.submit(case.load, files[1]), first)}
    assert outcomes == {"loaded"}, outcomes
    orders = [[{}, after(one), after(one, two)] for one, two in (files, reversed(files))]
    assert any(_is_part(watcher.states, states) for states in orders), watcher.states
    assert case.state() in [states[-1] for states in orders], case.state()
    _check(case, *files)
    return f"{case.feed.target.strategy}, both loaded"


def _is_part(seen: list[State], states: list[State]) -> bool:
    """Returns whether the states were seen in this order, maybe not all of them."""
    remaining = iter(states)
    return all(any(state == each for each in remaining) for state in seen)


def _check(case: Case, *files: File) -> None:
    """Checks that each file is loaded once, with all its rows, and has its rejects once."""
    loaded = [(version, rows) for version, status, rows, _ in case.ledger() if status == "loaded"]
    assert sorted(loaded) == sorted((f.arrival.version, f.rows) for f in files), case.ledger()
    case.check_rejects(*files)
    case.check_quiet()
