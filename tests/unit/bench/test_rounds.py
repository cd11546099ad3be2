"""The rounds of `make bench`: when the machine is slow for a minute, it is slow for both sides."""

from __future__ import annotations

from tests.bench import __main__ as bench
from tests.bench.measure import Usage

WAYS = ["psql", "binary", "csv"]


class FakeBench:
    """Notes the runs instead of making them."""

    def __init__(self) -> None:
        self.runs: list[str] = []

    def run(self, way: str, *_: object) -> Usage:
        self.runs.append(way)
        return Usage(1.0, {"postgres": 1.0}, 1, 1)


def test_psql_runs_beside_every_other_run_and_the_warm_up_does_not_count(mocker):
    mocker.patch.object(bench, "prepare_files", return_value={})
    fake = FakeBench()
    runs = bench._rounds(fake, WAYS, 1, 2, warm_up=True)
    warm_up, rounds = fake.runs[:3], fake.runs[3:]
    assert warm_up == WAYS
    assert {way: len(usages) for way, usages in runs.items()} == {"psql": 4, "binary": 2, "csv": 2}
    assert rounds[:4] == ["psql", "binary", "psql", "csv"]
    assert rounds[4:] == ["binary", "psql", "csv", "psql"], "in the next round psql runs second"
