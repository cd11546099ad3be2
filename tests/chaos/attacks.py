"""The attacks. Each plays one round, raises AssertionError where a promise was broken, and says
in a word or two what came of it."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import psutil

from include.landfall.connections import Warehouse
from include.landfall.errors import TransientError
from include.landfall.load import Receipt
from tests.chaos.ground import LARGE, SMALL, Case, File, Ground, Reader, State, wait_until
from tests.chaos.process import Loader
from tests.chaos.proxy import Cut, Link, Proxy, passing

COMMIT = b"Q\0\0\0\x0bCOMMIT\0"
START_SECONDS = 1.5  # about what a new process needs before it can load


@dataclass(frozen=True)
class Scene:
    """A load that is about to be attacked, and what the table holds before and after it."""

    case: Case
    file: File
    kept: tuple[File, ...]
    before: State

    @property
    def after(self) -> State:
        """The rows that a reader may see once it is loaded."""
        return {file.tag: file.rows for file in (*self.kept, self.file)}

    def check(self, reader: Reader | None = None) -> None:
        """Everything is right: rows, ledger, no lock left, and what the reader saw."""
        self.case.check(*self.kept, self.file)
        self.case.check_quiet()
        versions = [version for version, *_ in self.case.ledger()]
        assert versions.count(self.file.arrival.version) == 1, versions
        if reader:
            reader.check(self.before, self.after)


def scene(ground: Ground, rng: random.Random, rows: int = LARGE) -> Scene:
    """The first file of a feed, another one, a changed one, or the next of a `replace` feed."""
    kind = rng.choice(["first", "another", "changed", "replace"])
    case = ground.case("replace" if kind == "replace" else "append")
    if kind == "first":
        return Scene(case, case.put("new", rows), (), {})
    old = case.put("old", SMALL, key="changed" if kind == "changed" else "")
    case.load(old)
    new = case.put("new", rows, key="changed" if kind == "changed" else "")
    new = replace(new, arrival=_later(new, old))
    return Scene(case, new, (old,) if kind == "another" else (), {"old": SMALL})


def _later(new: File, old: File):
    # S3 knows when to the second, and a round takes less.
    moved = (new.arrival.last_modified - old.arrival.last_modified).total_seconds()
    when = (
        new.arrival.last_modified
        if moved > 0
        else old.arrival.last_modified.replace(microsecond=500_000)
    )
    return replace(new.arrival, last_modified=when)


def loading(pool: ThreadPoolExecutor, scene: Scene, **changes: Warehouse) -> Future[Receipt]:
    """The load, under way in a thread."""
    return pool.submit(scene.case.load, scene.file, **changes)


# ---- SIGKILL -----------------------------------------------------------------------------------


def kill(ground: Ground, rng: random.Random) -> str:
    """A loading process is killed; the rerun makes it right, and no reader saw a part."""
    at = scene(ground, rng)
    moment = rng.choices(["start", "load", "end", "reader"], [2, 5, 3, 2])[0]
    usual = ground.usual_seconds()
    with Reader(at.case) as reader:
        with Loader() as loader:
            KILLS[moment](loader, at, rng, usual)
            loader.check_gone()
        at.case.check_quiet()
        found = at.case.state()
        again = at.case.load(at.file)
    assert again.outcome == ("already_loaded" if found == at.after else "loaded"), again
    at.check(reader)
    return f"{moment}, {again.outcome}"


def _kill_start(loader: Loader, at: Scene, rng: random.Random, usual: float) -> None:
    loader.give(at.case, at.file)
    time.sleep(rng.uniform(0, START_SECONDS + usual))
    loader.kill()


def _kill_load(loader: Loader, at: Scene, rng: random.Random, usual: float) -> None:
    loader.hear()
    loader.give(at.case, at.file)
    time.sleep(rng.uniform(0, 1.1 * usual))
    loader.kill()


def _kill_end(loader: Loader, at: Scene, rng: random.Random, usual: float) -> None:
    """All rows are read: only the last of the COPY, the settling and COMMIT are left."""
    loader.give(at.case, at.file)
    while loader.hear().get("read", 0) < at.file.rows:
        pass
    time.sleep(rng.uniform(0, 0.1 * usual))
    loader.kill()


def _kill_reader(loader: Loader, at: Scene, rng: random.Random, usual: float) -> None:
    loader.hear()
    loader.give(at.case, at.file)
    time.sleep(rng.uniform(0, 0.8 * usual))
    killed = loader.kill_reader()
    said = loader.hear_out()
    assert said["outcome"] == "loaded" or (killed and said["retryable"]), said
    loader.kill()


KILLS = {"start": _kill_start, "load": _kill_load, "end": _kill_end, "reader": _kill_reader}


# ---- two at once -------------------------------------------------------------------------------


def race(ground: Ground, rng: random.Random) -> str:
    """Two processes load one arrival at once: rows once, and the loser says who won."""
    rows = rng.choice([SMALL, LARGE])
    if rng.random() < 0.7:
        return _race(scene(ground, rng, rows), *_pair(ground), rng)
    # Sometimes they meet where there is no ledger yet, and no schema.
    with ground.new_database(ledger=False) as fresh:
        case = fresh.case()
        return "first ever, " + _race(
            Scene(case, case.put("new", rows), (), {}), *_pair(ground), rng
        )


def _pair(ground: Ground) -> list[Loader]:
    while len(ground.loaders) < 2:
        ground.loaders.append(ground.ending.enter_context(Loader(f"loader {len(ground.loaders)}")))
        ground.loaders[-1].hear()
    return ground.loaders


def _race(at: Scene, one: Loader, two: Loader, rng: random.Random) -> str:
    with Reader(at.case) as reader:
        one.give(at.case, at.file)
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.3)]))
        two.give(at.case, at.file)
        said = {one.name: one.hear_out(), two.name: two.hear_out()}
    outcomes = {name: answer["outcome"] for name, answer in said.items()}
    assert sorted(outcomes.values()) == ["already_loaded", "loaded"], said
    winner = next(name for name, outcome in outcomes.items() if outcome == "loaded")
    assert {answer["by"] for answer in said.values()} == {winner}, said
    assert [by for version, *_, by in at.case.ledger() if version == at.file.arrival.version] == [
        winner
    ]
    at.check(reader)
    return f"{winner} won"


def firsts(ground: Ground, rng: random.Random) -> str:
    """The first files of a feed are loaded at once: one table is made, and it holds them all."""
    case = ground.case()
    files = [case.put(f"file{n}", rng.choice([SMALL, LARGE // 3])) for n in range(4)]
    with ThreadPoolExecutor() as pool:
        outcomes = {receipt.outcome for receipt in pool.map(case.load, files)}
    assert outcomes == {"loaded"}, outcomes
    case.check(*files)
    return "all loaded"


def versions(ground: Ground, rng: random.Random) -> str:
    """Two versions of one object, or two files of a `replace` feed, at once: the newest stays."""
    disposition = rng.choice(["append", "replace"])
    case = ground.case(disposition)
    sizes = [rng.choice([SMALL, LARGE]) for _ in "ab"]
    key = "same" if disposition == "append" else ""
    old, new = (_version(case, tag, rows, key) for tag, rows in zip(["old", "new"], sizes))
    new = replace(new, arrival=_later(new, old))
    with Reader(case) as reader, ThreadPoolExecutor() as pool:
        first, second = rng.sample([old, new], 2)
        loads = {first.tag: pool.submit(case.load, first)}
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.3)]))
        loads[second.tag] = pool.submit(case.load, second)
        outcomes = {tag: load.result().outcome for tag, load in loads.items()}
    assert outcomes["new"] == "loaded", outcomes
    states = [{}, *([{"old": old.rows}] if outcomes["old"] == "loaded" else []), {"new": new.rows}]
    assert [s for s in states if s in reader.states] == reader.states, reader.states
    case.check(new)
    assert dict(row[:2] for row in case.ledger())[old.arrival.version] == "superseded"
    return f"{disposition}, the older one {outcomes['old']}"


def _version(case: Case, tag: str, rows: int, key: str) -> File:
    """With versions kept, the older content can still be read when the newer is there."""
    file = case.put(tag, rows, key)
    client, bucket = case.ground.client, case.ground.bucket
    head = client.head_object(Bucket=bucket, Key=file.arrival.key)
    return replace(file, arrival=replace(file.arrival, version_id=head.get("VersionId")))


# ---- the connection to the database ------------------------------------------------------------


def commit(ground: Ground, rng: random.Random) -> str:
    """The connection is cut at COMMIT: the load itself knows, or the rerun does; rows once."""
    at = scene(ground, rng, rng.choice([SMALL, LARGE]))
    kind = rng.choice(list(CUTS))
    stays_away = rng.random() < 0.5
    server = ground.warehouse
    with Reader(at.case) as reader:
        with _cutting_proxy(server, kind, stays_away) as proxy:
            first = _outcome(at, replace(server, host="127.0.0.1", port=proxy.port))
        at.case.check_quiet()
        found = at.case.state()
        again = at.case.load(at.file).outcome
    assert first == ("loaded" if found == at.after and not stays_away else "transient"), first
    assert again == ("already_loaded" if found == at.after else "loaded")
    assert (found == at.after) == (kind != "COMMIT lost")
    at.check(reader)
    return f"{kind}{', server stays away' * stays_away}: {first}, {again}"


def _outcome(at: Scene, warehouse: Warehouse) -> str:
    try:
        return at.case.load(at.file, warehouse=warehouse).outcome
    except TransientError:
        return "transient"


def _commit_lost(link: Link, chunk: bytes) -> bytes:
    if chunk.endswith(COMMIT):
        raise Cut
    return chunk


def _commit_noted(link: Link, chunk: bytes) -> bytes:
    link.marked = link.marked or chunk.endswith(COMMIT)
    return chunk


def _answer_lost(link: Link, chunk: bytes) -> bytes:
    if link.marked:
        raise Cut
    return chunk


def _commit_late(link: Link, chunk: bytes) -> bytes:
    """The client is cut off at once; the server hears of COMMIT only when it has asked again."""
    if chunk.endswith(COMMIT):
        link.close(link.client)
        time.sleep(0.5)
    return chunk


CUTS = {
    "COMMIT lost": {"forth": _commit_lost},
    "answer lost": {"forth": _commit_noted, "back": _answer_lost},
    "COMMIT late": {"forth": _commit_late},
}


def _cutting_proxy(server: Warehouse, kind: str, stays_away: bool) -> Proxy:
    """Cuts the first COMMIT that passes, and only that one."""
    hooks = {"forth": passing, **CUTS[kind]}
    seen: list[Link] = []

    def forth(link: Link, chunk: bytes) -> bytes:
        if chunk.endswith(COMMIT) and not seen:
            seen.append(link)
            proxy.away = stays_away
        return hooks["forth"](link, chunk) if link in seen else chunk

    proxy = Proxy(server.host, server.port, forth, hooks.get("back", passing))
    return proxy


def terminate(ground: Ground, rng: random.Random) -> str:
    """The server throws the load out in the middle: a transient error, and a rerun is right."""
    return _break_server(ground, rng, _terminate)


def restart(ground: Ground, rng: random.Random) -> str:
    """The server is stopped and started, or crashes, in the middle of a load."""
    assert ground.restart is not None
    way = rng.choice(["fast", "immediate", "crash"])
    return f"{way}: {_break_server(ground, rng, partial(_restart, way))}"


def _break_server(
    ground: Ground, rng: random.Random, break_it: Callable[[Ground, int], None]
) -> str:
    at = scene(ground, rng)
    usual = ground.usual_seconds()
    with Reader(at.case) as reader, ThreadPoolExecutor() as pool:
        load = loading(pool, at)
        backend = _backend_of(at.case)
        time.sleep(rng.uniform(0, usual))
        break_it(ground, backend)
        error = load.exception()
        assert error is None or isinstance(error, TransientError), error
        again = at.case.load(at.file).outcome
    assert again == ("loaded" if error else "already_loaded")
    at.check(reader)
    return "failed, then loaded" if error else "loaded before"


def _backend_of(case: Case) -> int:
    query = (
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s"
        " AND datname = current_database()"
    )
    found: list[tuple[int]] = []
    wait_until(lambda: bool(found) or found.extend(
        case.ground.execute(query, f"landfall {case.name}%")
    ) is not None)  # fmt: skip
    return found[0][0]


def _terminate(ground: Ground, backend: int) -> None:
    ground.execute("SELECT pg_terminate_backend(%s)", backend)


def _restart(way: str, ground: Ground, backend: int) -> None:
    assert ground.restart is not None
    if way != "crash":
        ground.restart(way)
    elif psutil.pid_exists(backend):
        psutil.Process(backend).kill()
        wait_until(lambda: _answers(ground))


def _answers(ground: Ground) -> bool:
    try:
        return ground.execute("SELECT 1") == [(1,)]
    except Exception:  # noqa: BLE001  it comes back in its own time
        return False


# ---- the connection to the object store ----------------------------------------------------------


def store(ground: Ground, rng: random.Random) -> str:
    """The connection to the object store breaks while it is read: taken up where it broke."""
    case = ground.case()
    pack = rng.choice([bytes, gzip.compress])
    file = case.put("new", LARGE, pack=pack)
    breaks = rng.choice([1, 3, 1000])
    with Reader(case) as reader, _breaking_proxy(ground, rng, breaks, file) as proxy:
        through = replace(ground.store, endpoint_url=f"http://127.0.0.1:{proxy.port}")
        try:
            outcome = case.load(file, store=through).outcome
        except TransientError:
            outcome = "transient"
        assert outcome == ("transient" if breaks == 1000 else "loaded"), outcome
        case.load(file)
    case.check(file)
    reader.check({}, {"new": LARGE})
    return f"{'packed, ' * (pack is not bytes)}{breaks} breaks: {outcome}"


def _breaking_proxy(ground: Ground, rng: random.Random, breaks: int, file: File) -> Proxy:
    """Cuts so many answers, each at a random byte; 1000 of them leave none that gets through."""
    left = [breaks]

    def back(link: Link, chunk: bytes) -> bytes:
        if link.bytes_back == 0:
            link.limit = rng.randrange(600, file.arrival.size // 4) if breaks < 1000 else 400
        link.bytes_back += len(chunk)
        if left[0] and link.bytes_back > link.limit:
            left[0] -= 1
            raise Cut
        return chunk

    return Proxy.of_url(ground.store.endpoint_url or "", back=back)


ATTACKS: dict[str, tuple[Callable[[Ground, random.Random], str], int]] = {
    "SIGKILL at a random moment": (kill, 50),
    "two loads of one arrival at once": (race, 50),
    "first files of a feed at once": (firsts, 20),
    "connection cut at COMMIT": (commit, 50),
    "two versions, two replacements at once": (versions, 30),
    "load's backend terminated": (terminate, 20),
    "server restarted or crashed": (restart, 10),
    "object store's connection broken": (store, 30),
}
