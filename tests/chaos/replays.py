"""Attacks on replays: a reject is loaded once, whoever is killed and however many replay it.

Raises: AssertionError when a guarantee did not hold.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from include.landfall.replay import Replayed, rejects_to_replay, replay
from tests.chaos.cases import BAD, Case, Servers
from tests.chaos.process import Loader

REJECTS = 3_000  # so many that a replay takes a moment


@dataclass(frozen=True)
class ReplayScene:
    """A loaded file with rejects, and the corrected cells of each by its id."""

    case: Case
    rows: int
    edited: dict[int, list[str]]

    def replay(self) -> list[Replayed]:
        """Replays all rejects that are still open."""
        case = self.case
        warehouse = case.servers.warehouse
        batches = rejects_to_replay(case.feed, warehouse=warehouse, edited=self.edited).batches
        return [replay(case.feed, batch, warehouse=warehouse) for batch in batches]

    def check(self) -> None:
        """Checks that each row is in the table once, and that all counts say so."""
        execute, name = self.case.servers.execute, self.case.name
        total = self.rows + len(self.edited)
        query = f"SELECT count(*), count(DISTINCT id) FROM chaos.{name}"
        assert execute(query) == [(total, total)]
        query = "SELECT rows, rejected FROM landfall.ledger WHERE feed = %s"
        assert execute(query, name) == [(total, 0)]
        query = "SELECT state, count(*) FROM landfall.rejects WHERE feed = %s GROUP BY state"
        assert execute(query, name) == [("replayed", len(self.edited))]
        query = (
            "SELECT sum(replays.rows)::int FROM landfall.replays"
            " JOIN landfall.ledger USING (load_id) WHERE feed = %s"
        )
        assert execute(query, name) == [(len(self.edited),)]


def make_replay(servers: Servers, rows: int = REJECTS) -> ReplayScene:
    """Loads a file with so many rejects, and corrects them all."""
    case = servers.case(at_most=rows + len(BAD))
    file = case.put("f", rows, spoil=lambda line: "x" + line)
    receipt = case.load(file)
    assert (receipt.rows, receipt.rejected) == (0, rows + len(BAD))
    query = "SELECT reject_id FROM landfall.rejects WHERE feed = %s"
    ids = [reject_id for (reject_id,) in servers.execute(query, case.name)]
    edited = {reject_id: [str(n), "f", "1.00", "edited"] for n, reject_id in enumerate(ids, 1)}
    return ReplayScene(case, receipt.rows, edited)


def kill_replay(servers: Servers, rng: random.Random) -> str:
    """Kills a replaying process: another replay completes its work, and no row is doubled."""
    scene = make_replay(servers)
    with Loader() as loader:
        loader.next_message()
        loader.send_replay(scene.case, scene.edited)
        time.sleep(rng.uniform(0, 0.6))
        loader.kill()
        loader.check_gone()
    scene.case.check_quiet()
    again = sum(replayed.rows for replayed in scene.replay())
    assert again in (0, len(scene.edited)), again
    scene.check()
    return "replayed again" if again else "replayed before"


def race_replays(servers: Servers, rng: random.Random) -> str:
    """Replays the same rejects twice at once: each row goes in once."""
    scene = make_replay(servers)
    with ThreadPoolExecutor(2) as pool:
        replays = [pool.submit(scene.replay)]
        time.sleep(rng.choice([0, 0, rng.uniform(0, 0.2)]))
        replays.append(pool.submit(scene.replay))
        rows = [sum(each.rows for each in future.result()) for future in replays]
    assert sum(rows) == len(scene.edited), rows
    scene.check()
    return "one took all" if 0 in rows else "both took some"
