"""The attacks. Each plays one round, and returns its outcome in a few words.

Raises: AssertionError when a guarantee did not hold.
"""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import psutil

from include.landfall.errors import TransientError
from tests.chaos.cases import (
    LARGE,
    SMALL,
    Case,
    File,
    Servers,
    TableWatcher,
    outcome_of,
    wait_until,
)
from tests.chaos.commits import commit
from tests.chaos.interrupts import interrupt
from tests.chaos.merges import kill_long_merge, kill_merge, race_merges
from tests.chaos.plain_attacks import commit_plain, kill_plain, race_plain
from tests.chaos.process import Loader
from tests.chaos.proxy import Cut, Link, Proxy
from tests.chaos.replays import kill_replay, race_replays
from tests.chaos.scene import Scene, later, make_scene, start_load

START_SECONDS = 1.5  # about as long as a new process needs before it can load


# ---- SIGKILL -----------------------------------------------------------------------------------


def kill(servers: Servers, rng: random.Random) -> str:
    """Kills a loading process: the rerun completes the load, and nobody saw a part of it."""
    scene = make_scene(servers, rng)
    moment = rng.choices(["start", "load", "end", "reader"], [2, 5, 3, 2])[0]
    usual = servers.usual_seconds()
    with TableWatcher(scene.case) as watcher:
        with Loader() as loader:
            KILLS[moment](loader, scene, rng, usual)
            loader.check_gone()
        scene.case.check_quiet()
        state = scene.case.state()
        rerun = scene.case.load(scene.file)
    assert rerun.outcome == ("already_loaded" if state == scene.after else "loaded"), rerun
    scene.check(watcher)
    return f"{moment}, {rerun.outcome}"


def _kill_start(loader: Loader, scene: Scene, rng: random.Random, usual: float) -> None:
    loader.send_job(scene.case, scene.file)
    time.sleep(rng.uniform(0, START_SECONDS + usual))
    loader.kill()


def _kill_load(loader: Loader, scene: Scene, rng: random.Random, usual: float) -> None:
    loader.next_message()
    loader.send_job(scene.case, scene.file)
    time.sleep(rng.uniform(0, 1.1 * usual))
    loader.kill()


def _kill_end(loader: Loader, scene: Scene, rng: random.Random, usual: float) -> None:
    """Kills it when all rows are read: the end of the COPY, the settling and COMMIT remain."""
    loader.send_job(scene.case, scene.file)
    while loader.next_message().get("read", 0) < scene.file.rows:
        pass
    time.sleep(rng.uniform(0, 0.1 * usual))
    loader.kill()


def _kill_reader(loader: Loader, scene: Scene, rng: random.Random, usual: float) -> None:
    loader.next_message()
    loader.send_job(scene.case, scene.file)
    time.sleep(rng.uniform(0, 0.8 * usual))
    killed = loader.kill_reader()
    outcome = loader.outcome()
    assert outcome["outcome"] == "loaded" or (killed and outcome["retryable"]), outcome
    loader.kill()


KILLS = {"start": _kill_start, "load": _kill_load, "end": _kill_end, "reader": _kill_reader}


# ---- two at once -------------------------------------------------------------------------------


def race(servers: Servers, rng: random.Random) -> str:
    """Loads one arrival in two processes at once: the loser names the winner, no row is doubled."""
    rows = rng.choice([SMALL, LARGE])
    if rng.random() < 0.7:
        return _race(make_scene(servers, rng, rows), *_pair(servers), rng)
    # In some rounds there is no ledger and no schema yet.
    with servers.new_database(ledger=False) as fresh:
        case = fresh.case()
        return "first ever, " + _race(
            Scene(case, case.put("new", rows), (), {}), *_pair(servers), rng
        )


def _pair(servers: Servers) -> list[Loader]:
    while len(servers.loaders) < 2:
        servers.loaders.append(
            servers.ending.enter_context(Loader(f"loader {len(servers.loaders)}"))
        )
        servers.loaders[-1].next_message()
    return servers.loaders


def _race(scene: Scene, one: Loader, two: Loader, rng: random.Random) -> str:
    with TableWatcher(scene.case) as watcher:
        one.send_job(scene.case, scene.file)
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.3)]))
        two.send_job(scene.case, scene.file)
        answers = {one.name: one.outcome(), two.name: two.outcome()}
    outcomes = {name: answer["outcome"] for name, answer in answers.items()}
    assert sorted(outcomes.values()) == ["already_loaded", "loaded"], answers
    winner = next(name for name, outcome in outcomes.items() if outcome == "loaded")
    assert {answer["by"] for answer in answers.values()} == {winner}, answers
    assert [
        by for version, *_, by in scene.case.ledger() if version == scene.file.arrival.version
    ] == [winner]
    scene.check(watcher)
    return f"{winner} won"


def firsts(servers: Servers, rng: random.Random) -> str:
    """Loads the first files of a feed at once: one table is created, and it holds them all."""
    case = servers.case()
    files = [case.put(f"file{n}", rng.choice([SMALL, LARGE // 3])) for n in range(4)]
    with ThreadPoolExecutor() as pool:
        outcomes = {receipt.outcome for receipt in pool.map(case.load, files)}
    assert outcomes == {"loaded"}, outcomes
    case.check(*files)
    return "all loaded"


def versions(servers: Servers, rng: random.Random) -> str:
    """Replaces an object while it is loaded, and loads the new version: that one stays."""
    case = servers.case(rng.choice(["append", "replace"]))
    old = case.put("old", rng.choice([SMALL, LARGE]), "same")
    with TableWatcher(case) as watcher, ThreadPoolExecutor() as pool:
        load = pool.submit(outcome_of, case, old, servers.warehouse)
        time.sleep(rng.choice([0, rng.uniform(0, 0.3), rng.uniform(0, 2)]))
        new = case.put("new", rng.choice([SMALL, LARGE]), "same")
        assert case.load(new).outcome == "loaded"
        outcome = load.result()
    states = [{}, *([{"old": old.rows}] if outcome == "loaded" else []), {"new": new.rows}]
    assert [s for s in states if s in watcher.states] == watcher.states, watcher.states
    case.check(new)
    status = dict(row[:2] for row in case.ledger())[old.arrival.version]
    assert status == {"loaded": "superseded", "transient": "failed"}[outcome]
    return f"the older one {outcome}"


def replacements(servers: Servers, rng: random.Random) -> str:
    """Loads two `replace` files at once: the newest stays."""
    case = servers.case("replace")
    sizes = [rng.choice([SMALL, LARGE]) for _ in "ab"]
    old, new = (case.put(tag, rows) for tag, rows in zip(["old", "new"], sizes))
    new = replace(new, arrival=later(new, old))
    with TableWatcher(case) as watcher, ThreadPoolExecutor() as pool:
        first, second = rng.sample([old, new], 2)
        loads = {first.tag: pool.submit(case.load, first)}
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.3)]))
        loads[second.tag] = pool.submit(case.load, second)
        outcomes = {tag: load.result().outcome for tag, load in loads.items()}
    assert outcomes["new"] == "loaded", outcomes
    states = [{}, *([{"old": old.rows}] if outcomes["old"] == "loaded" else []), {"new": new.rows}]
    assert [s for s in states if s in watcher.states] == watcher.states, watcher.states
    case.check(new)
    assert dict(row[:2] for row in case.ledger())[old.arrival.version] == "superseded"
    return f"the older one {outcomes['old']}"


# ---- the connection to the database ------------------------------------------------------------


def terminate(servers: Servers, rng: random.Random) -> str:
    """Terminates the load's backend: the error is transient, and the rerun completes the load."""
    return _break_server(servers, rng, _terminate)


def restart(servers: Servers, rng: random.Random) -> str:
    """Restarts the database server during a load, or lets it crash."""
    assert servers.restart is not None
    mode = rng.choice(["fast", "immediate", "crash"])
    return f"{mode}: {_break_server(servers, rng, partial(_restart, mode))}"


def _break_server(
    servers: Servers, rng: random.Random, break_it: Callable[[Servers, int], None]
) -> str:
    scene = make_scene(servers, rng)
    usual = servers.usual_seconds()
    with TableWatcher(scene.case) as watcher, ThreadPoolExecutor() as pool:
        load = start_load(pool, scene)
        backend = _backend_of(scene.case)
        time.sleep(rng.uniform(0, usual))
        break_it(servers, backend)
        error = load.exception()
        assert error is None or isinstance(error, TransientError), error
        rerun = scene.case.load(scene.file).outcome
    assert rerun == ("loaded" if error else "already_loaded")
    scene.check(watcher)
    return "failed, then loaded" if error else "loaded before"


def _backend_of(case: Case) -> int:
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s"
        " AND datname = current_database()"
    )
    backends: list[tuple[int]] = []

    def listed() -> bool:
        backends[:] = case.servers.execute(query, f"landfall {case.name}%")
        return bool(backends)

    wait_until(listed)
    return backends[0][0]


def _terminate(servers: Servers, backend: int) -> None:
    servers.execute("SELECT pg_terminate_backend(%s)", backend)


def _restart(mode: str, servers: Servers, backend: int) -> None:
    assert servers.restart is not None
    if mode != "crash":
        servers.restart(mode)
    elif psutil.pid_exists(backend):
        psutil.Process(backend).kill()
        wait_until(lambda: _answers(servers))


def _answers(servers: Servers) -> bool:
    try:
        return servers.execute("SELECT 1") == [(1,)]
    except Exception:  # noqa: BLE001  the server is not back yet
        return False


# ---- the connection to the object store ----------------------------------------------------------


def store(servers: Servers, rng: random.Random) -> str:
    """Breaks the connection to the object store: the reading continues where it broke."""
    case = servers.case()
    pack = rng.choice([bytes, gzip.compress])
    file = case.put("new", LARGE, pack=pack)
    breaks = rng.choice([1, 3, 1000])
    with TableWatcher(case) as watcher, _breaking_proxy(servers, rng, breaks, file) as proxy:
        through = replace(servers.store, endpoint_url=f"http://127.0.0.1:{proxy.port}")
        try:
            outcome = case.load(file, store=through).outcome
        except TransientError:
            outcome = "transient"
        assert outcome == ("transient" if breaks == 1000 else "loaded"), outcome
        case.load(file)
    case.check(file)
    watcher.check({}, {"new": LARGE})
    return f"{'packed, ' * (pack is not bytes)}{breaks} breaks: {outcome}"


def _breaking_proxy(servers: Servers, rng: random.Random, breaks: int, file: File) -> Proxy:
    """Makes a proxy that cuts this many answers, each at a random byte; 1000 means all of them."""
    left = [breaks]

    def back(link: Link, chunk: bytes) -> bytes:
        if link.bytes_back == 0:
            link.limit = rng.randrange(600, file.arrival.size // 4) if breaks < 1000 else 400
        link.bytes_back += len(chunk)
        if left[0] and link.bytes_back > link.limit:
            left[0] -= 1
            raise Cut
        return chunk

    return Proxy.of_url(servers.store.endpoint_url or "", back=back)


ATTACKS: dict[str, tuple[Callable[[Servers, random.Random], str], int]] = {
    "SIGKILL at a random moment": (kill, 200),
    "two loads of one arrival at once": (race, 100),
    "first files of a feed at once": (firsts, 20),
    "connection cut at COMMIT": (commit, 50),
    "a new version while the old one loads": (versions, 30),
    "two replacements at once": (replacements, 30),
    "load's backend terminated": (terminate, 20),
    "server restarted or crashed": (restart, 10),
    "object store's connection broken": (store, 30),
    "SIGKILL of a replay": (kill_replay, 50),
    "two replays at once": (race_replays, 50),
    "SIGKILL of a merge": (kill_merge, 300),
    "SIGKILL in a long statement": (kill_long_merge, 20),
    "two merges of the same keys at once": (race_merges, 300),
    "a statement canceled, a backend terminated": (interrupt, 200),
    "SIGKILL of a plain load": (kill_plain, 50),
    "plain loads at once": (race_plain, 50),
    "plain load cut at COMMIT": (commit_plain, 30),
}
