"""What an attack plays on: a case, what is loaded already, and the next file."""

from __future__ import annotations

import random
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from include.landfall.connections import Warehouse
from include.landfall.load import Receipt
from tests.chaos.cases import LARGE, SMALL, Case, File, Servers, State, TableWatcher


@dataclass(frozen=True)
class Scene:
    """A load to attack, and what the table holds before and after it."""

    case: Case
    file: File
    kept: tuple[File, ...]  # files that stay in the table beside the new one
    before: State

    @property
    def after(self) -> State:
        """The rows in the table once the file is loaded."""
        return {file.tag: file.rows for file in (*self.kept, self.file)}

    def check(self, watcher: TableWatcher | None = None) -> None:
        """Checks rows, ledger, locks, and what the watcher saw."""
        self.case.check(*self.kept, self.file)
        self.case.check_quiet()
        versions = [version for version, *_ in self.case.ledger()]
        assert versions.count(self.file.arrival.version) == 1, versions
        if watcher:
            watcher.check(self.before, self.after)


def make_scene(servers: Servers, rng: random.Random, rows: int = LARGE) -> Scene:
    """Makes the first file of a feed, another one, a changed one, or one for a `replace` feed."""
    file = rng.choice(["first", "another", "changed", "replace"])
    case = servers.case("replace" if file == "replace" else "append")
    if file == "first":
        return Scene(case, case.put("new", rows), (), {})
    old = case.put("old", SMALL, key="changed" if file == "changed" else "")
    case.load(old)
    new = case.put("new", rows, key="changed" if file == "changed" else "")
    new = replace(new, arrival=later(new, old))
    return Scene(case, new, (old,) if file == "another" else (), {"old": SMALL})


def later(new: File, old: File):
    # S3's times have whole seconds, and a round takes less.
    seconds = (new.arrival.last_modified - old.arrival.last_modified).total_seconds()
    when = (
        new.arrival.last_modified
        if seconds > 0
        else old.arrival.last_modified.replace(microsecond=500_000)
    )
    return replace(new.arrival, last_modified=when)


def start_load(pool: ThreadPoolExecutor, scene: Scene, **changes: Warehouse) -> Future[Receipt]:
    """Starts the load in a thread."""
    return pool.submit(scene.case.load, scene.file, **changes)
