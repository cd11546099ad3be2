"""The rounds of `make bench`: what slows the machine for a minute must meet both sides."""

from __future__ import annotations

from tests.bench import __main__ as bench
from tests.bench.measure import Usage

WAYS = ["psql", "binary", "csv"]


class Ring:
    """Notes the runs instead of making them."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def run(self, way: str, *_: object) -> Usage:
        self.runs.append(way)
        return Usage(1.0, {"postgres": 1.0}, 1, 1)


def test_psql_runs_beside_every_run_of_another_and_the_warm_up_is_forgotten(mocker):
    mocker.patch.object(bench, "_files", return_value={})
    ring = Ring()
    runs = bench._rounds(ring, WAYS, 1, 2, warm_up=True)
    warm_up, rounds = ring.runs[:3], ring.runs[3:]
    assert warm_up == WAYS
    assert {way: len(usages) for way, usages in runs.items()} == {"psql": 4, "binary": 2, "csv": 2}
    assert rounds[:4] == ["psql", "binary", "psql", "csv"]
    assert rounds[4:] == ["binary", "psql", "csv", "psql"], "the next time right after it"
