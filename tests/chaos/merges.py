"""Attacks on merges: a reader sees the table before or after, whoever is killed or comes at once.

Raises: AssertionError when a guarantee did not hold.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.cases import LARGE, SMALL, Case, File, Servers, State, TableWatcher
from tests.chaos.process import Loader

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
