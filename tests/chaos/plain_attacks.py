"""Attacks on `load_file` without a feed: kills, races and cuts, over append and replace.

Raises: AssertionError when a guarantee did not hold.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from include.landfall.connections import Warehouse
from tests.chaos.cases import LARGE, SMALL, File, Servers, State, TableWatcher, outcome_of
from tests.chaos.plain import PlainCase, make_table, plain_case
from tests.chaos.process import Loader
from tests.chaos.proxy import COMMIT, Cut, Link, Proxy

MOST_COMMITS = 3  # of one plain load: of its table, its rows, the replacement


@dataclass(frozen=True)
class PlainScene:
    """A plain load to attack, and what the table holds before it."""

    case: PlainCase
    file: File
    kept: tuple[File, ...]
    before: State

    @property
    def after(self) -> State:
        """The rows in the table once the file is loaded."""
        return {file.tag: file.rows for file in (*self.kept, self.file)}

    def check(self, watcher: TableWatcher) -> None:
        """Checks rows, ledger, locks, and what the watcher saw."""
        self.case.check(*self.kept, self.file)
        self.case.check_quiet()
        states = [state for state in watcher.states if state]  # an empty table may come first
        assert [s for s in [self.before, self.after] if s in states] == states, watcher.states


def make_plain_scene(servers: Servers, rng: random.Random, rows: int = LARGE) -> PlainScene:
    """Makes a table, or none, and a file that is appended to it or replaces it."""
    case = plain_case(servers, rng.choice(["append", "replace"]))
    kept, before = make_table(case, rng)
    return PlainScene(case, case.put("new", rows), kept, before)


def kill_plain(servers: Servers, rng: random.Random) -> str:
    """Kills a plain load: the retry completes it, and nobody saw a part of it."""
    scene = make_plain_scene(servers, rng)
    with TableWatcher(scene.case) as watcher:
        with Loader() as loader:
            loader.send_job(scene.case, scene.file)
            while "started" not in loader.next_message():
                pass
            time.sleep(rng.uniform(0, 1.5 * servers.usual_seconds()))
            loader.kill()
            loader.check_gone()
        scene.case.check_quiet()
        was_loaded = scene.case.state() == scene.after
        retry = scene.case.load(scene.file).outcome
    is_append = scene.case.if_exists == "append"
    assert retry == ("already_loaded" if was_loaded and is_append else "loaded"), retry
    scene.check(watcher)
    return f"{scene.case.if_exists}, {retry}"


def race_plain(servers: Servers, rng: random.Random) -> str:
    """Runs two tries of one task at once, or mapped tasks with a file each and their retries."""
    if rng.random() < 0.5:
        return _race_mapped(servers, rng)
    scene = make_plain_scene(servers, rng, rng.choice([SMALL, LARGE]))
    with TableWatcher(scene.case) as watcher, ThreadPoolExecutor() as pool:
        tries = [pool.submit(scene.case.load, scene.file) for _ in "ab"]
        outcomes = sorted(each.result().outcome for each in tries)
    second = "already_loaded" if scene.case.if_exists == "append" else "loaded"
    assert outcomes == [second, "loaded"], outcomes
    scene.check(watcher)
    return f"two tries, {scene.case.if_exists}"


def _race_mapped(servers: Servers, rng: random.Random) -> str:
    case = plain_case(servers, "append")
    kept, _ = make_table(case, rng)
    files = [case.put(f"file{n}", rng.choice([SMALL, LARGE // 3])) for n in range(4)]
    tasks = [(file, f"map index {n}") for n, file in enumerate(files)] * 2
    rng.shuffle(tasks)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda task: case.load(*task).outcome, tasks))
    assert sorted(outcomes) == [*["already_loaded"] * 4, *["loaded"] * 4], outcomes
    case.check(*kept, *files)
    return "mapped tasks"


def commit_plain(servers: Servers, rng: random.Random) -> str:
    """Cuts the connection at one of the COMMITs: the retry completes the load, nothing doubles."""
    scene = make_plain_scene(servers, rng, rng.choice([SMALL, LARGE]))
    server, arrives = servers.warehouse, rng.random() < 0.5
    with TableWatcher(scene.case) as watcher:
        with _cutting_proxy(server, rng.randrange(MOST_COMMITS), arrives) as proxy:
            first = outcome_of(
                scene.case, scene.file, replace(server, host="127.0.0.1", port=proxy.port)
            )
        scene.case.check_quiet()
        retry = scene.case.load(scene.file).outcome
    assert retry in {"loaded", "already_loaded"}, retry
    scene.check(watcher)
    cut = "answer lost" if arrives else "COMMIT lost"
    return f"{scene.case.if_exists}, {cut}: {first}, {retry}"


def _cutting_proxy(server: Warehouse, number: int, arrives: bool) -> Proxy:
    """Makes a proxy that cuts one COMMIT, by its number; the server may get it before."""
    left = [number]

    def forth(link: Link, chunk: bytes) -> bytes:
        if chunk.endswith(COMMIT):
            left[0] -= 1
            if left[0] == -1 and not arrives:
                raise Cut
            link.marked = left[0] == -1
        return chunk

    def back(link: Link, chunk: bytes) -> bytes:
        if link.marked:
            raise Cut
        return chunk

    return Proxy(server.host, server.port, forth, back)
