"""Merges of random histories leave what a naive reference in plain Python leaves.

Every history has keys of its own, so one file carries a file of each history, and a few loads play
hundreds of them. LANDFALL_MERGE_HISTORIES is how many, LANDFALL_MERGE_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from itertools import zip_longest

import pytest

from tests.support.merge_reference import Row, Table, Versions, as_csv, random_files

HISTORIES = int(os.environ.get("LANDFALL_MERGE_HISTORIES", "300"))
SEED = int(os.environ.get("LANDFALL_MERGE_SEED", random.randrange(10**6)))
COLUMNS = {
    "history": "integer", "region": "text", "name": "text", "value": "text",
    "at": "integer", "op": "text",
}  # fmt: skip
KEY = ["history", "region", "name"]


def merging(engine, **target):
    merge = {"table": "raw.t", "disposition": "merge", "key": KEY, **target}
    return engine.be(
        columns=COLUMNS, target={**merge, "deleted": {"column": "op", "values": ["D"]}}
    )


def files_of(rng: random.Random, nulls: bool) -> list[list[Row]]:
    """Makes the files: each has a file of every history, its rows in between those of others."""
    histories = [random_files(rng, number, nulls) for number in range(HISTORIES)]
    files = []
    for parts in zip_longest(*histories, fillvalue=[]):
        places = [number for number, part in enumerate(parts) for _ in part]
        rng.shuffle(places)
        remaining = [iter(part) for part in parts]
        files.append([next(remaining[number]) for number in places])
    return files


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("newest", "absent"), [("at", None), (None, None), (None, "delete")],
    ids=["newest", "last", "snapshots"],
)  # fmt: skip
@pytest.mark.parametrize("strategy", ["upsert", "delete-insert"])
def test_a_table_of_keys_is_as_the_reference_has_it(engine, strategy, newest, absent):
    merging(engine, strategy=strategy, newest=newest, absent=absent)
    reference = Table(by_newest=newest is not None, of_snapshots=absent is not None)
    for number, rows in enumerate(files_of(random.Random(f"{SEED} {strategy}"), nulls=True)):
        receipt = engine.load(as_csv(rows), f"{number}.csv")
        hint = f"LANDFALL_MERGE_SEED={SEED}"
        assert receipt.deduplicated == reference.merge(rows), hint
        assert receipt.rows == len(rows) - receipt.deduplicated, hint
        in_table = engine.sql("SELECT history, region, name, value, at FROM raw.t")
        expected = [(*key, row.value, row.at) for key, row in reference.rows.items()]
        assert sorted(in_table, key=str) == sorted(expected, key=str), hint


@pytest.mark.timeout(600)
def test_the_versions_are_as_the_reference_has_them(engine):
    merging(engine, strategy="scd2", newest="at")
    reference = Versions()
    for number, rows in enumerate(files_of(random.Random(f"{SEED} scd2"), nulls=False)):
        receipt = engine.load(as_csv(rows), f"{number}.csv")
        hint = f"LANDFALL_MERGE_SEED={SEED}"
        assert receipt.deduplicated == reference.merge(rows), hint
        in_table = engine.sql(
            "SELECT history, region, name, _valid_from, _valid_to, value, _is_current FROM raw.t"
        )
        expected = [
            (*key, *version, version[1] is None)
            for key, versions in reference.versions.items()
            for version in versions
        ]
        assert sorted(in_table, key=str) == sorted(expected, key=str), hint
