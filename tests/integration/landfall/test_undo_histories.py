"""Whichever files of a random history are undone, the table is as if they had never come.

LANDFALL_UNDO_HISTORIES is how many histories are played, LANDFALL_MERGE_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from unittest.mock import patch

import pytest

from include.landfall import load as load_module
from include.landfall.errors import FeedError, ServerUnavailable
from tests.support.memory_store import MemoryStore
from tests.support.merge_reference import Table, Versions, as_csv, random_files
from tests.support.undo import objects_of, replay_edited, undo

HISTORIES = int(os.environ.get("LANDFALL_UNDO_HISTORIES", "6"))
SEED = int(os.environ.get("LANDFALL_MERGE_SEED", random.randrange(10**6)))
COLUMNS = {
    "history": "integer", "region": "text", "name": "text", "value": "text",
    "at": "integer", "op": "text",
}  # fmt: skip
CONTENT = "SELECT history, region, name, value, {} FROM raw.t"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("strategy", ["upsert", "delete-insert", "scd2"])
def test_the_table_is_as_if_the_files_had_never_come_or_it_is_refused_rightly(
    engine, strategy, mocker
):
    engine.client = MemoryStore()
    mocker.patch("include.landfall.s3.client.make_client", return_value=engine.client)
    rng = random.Random(f"{SEED} undo {strategy}")
    engine.be(
        columns=COLUMNS,
        target={
            "table": "raw.t", "disposition": "merge", "strategy": strategy, "newest": "at",
            "key": ["history", "region", "name"], "keep_replaced": 7,
            "deleted": {"column": "op", "values": ["D"]},
        },
        rejects={"at_most": 100},
    )  # fmt: skip
    engine.load(as_csv([]), "first.csv")  # else there is no table where all of a history fails
    for number in range(HISTORIES):
        files = random_files(rng, number, nulls=strategy != "scd2")
        names = names_of(rng, number, files)
        unkept = rng.choice([0, 1, 1, 2])
        events = load_with_replays(engine, rng, files, names, unkept)
        loaded = sorted({name for name, _ in events})
        gone = set(rng.sample(loaded, min(len(loaded), rng.choice([1, 1, 2]))))
        if gone and (refusal := undo_or_refusal(engine, gone)):
            hint = f"LANDFALL_MERGE_SEED={SEED} {number} {refusal}"
            assert content(engine, strategy, number) == content_without(strategy, events, ()), hint
            if "was not kept" in str(refusal):
                assert unkept, hint
                continue
            assert is_touched(events, gone), hint
            gone = set(objects_of(refusal))
            assert gone, hint
            assert undo_or_refusal(engine, gone) is None, hint
        hint = f"LANDFALL_MERGE_SEED={SEED} {number}"
        assert content(engine, strategy, number) == content_without(strategy, events, gone), hint


def names_of(rng, number, files):
    """Returns an object's name for each file; some are further versions of the first object."""
    places = [0 if rng.random() < 0.4 else place for place in range(len(files))]
    return [f"{number}-{place}.csv" for place in places]


def load_with_replays(engine, rng, files, names, unkept):
    """Loads the files, some of whose rows are rejects that are replayed later.

    Of the first ones, as many as `unkept`, is not kept what they replace. Some versions of objects
    are put back, and some loads fail first. Returns the names of the files and the rows that were
    merged, in the order of the merges.
    """
    events, rejects, versions = [], {}, {}
    keeping_feed = engine.feed
    for place, (name, rows) in enumerate(zip(names, files)):
        target = engine.feed.target.model_copy(
            update={"keep_replaced": None if place < unkept else 7}
        )
        engine.feed = keeping_feed.model_copy(update={"target": target})
        bad = [row for row in rows if rng.random() < 0.15 and row.at is not None]
        before = versions.get(name)
        versions[name] = rows, bad
        is_put_back = before is not None and rng.random() < 0.6
        for good_and_bad in [versions[name], before] if is_put_back else [versions[name]]:
            if receipt := load_or_fail(engine, rng, name, *good_and_bad):
                rows, bad = good_and_bad
                events.append((name, [row for row in rows if row not in bad]))
                rejects[name] = receipt.load_id, bad
    engine.feed = keeping_feed
    replay_edited(engine, "at", {f"{at}?": str(at) for at in range(8)})
    replayed = sorted((load_id, name) for name, (load_id, _) in rejects.items())
    return events + [(name, rejects[name][1]) for _, name in replayed]


def load_or_fail(engine, rng, name, rows, bad):
    """Loads a version of an object, or lets it fail, or both. Returns the receipt of a load."""
    spoiled = [replace(row, at=f"{row.at}?") if row in bad else row for row in rows]
    arrival = engine.put(as_csv(spoiled), name)
    if rng.random() < 0.5:
        away = patch.object(load_module, "settle", side_effect=ServerUnavailable("away"))
        with away, pytest.raises(ServerUnavailable):
            engine.load(arrival, force=rng.random() < 0.5)
        if rng.random() < 0.5:
            return None
    receipt = engine.load(arrival)
    return receipt if receipt.outcome == "loaded" else None


def undo_or_refusal(engine, keys):
    """Forgets the files, or returns why that is refused."""
    try:
        undo(engine, *sorted(keys))
    except FeedError as error:
        return error
    return None


def content(engine, strategy, number):
    times = "_valid_from, _valid_to" if strategy == "scd2" else "at"
    rows = engine.sql(f"{CONTENT.format(times)} WHERE history = {number}")
    return sorted(map(str, rows))


def content_without(strategy, events, gone):
    """Returns the table without these files."""
    reference = Versions() if strategy == "scd2" else Table(by_newest=True)
    for name, rows in events:
        if name not in gone:
            reference.merge(rows)
    if strategy == "scd2":
        rows = [
            (*key, value, begin, end)
            for key, versions in reference.versions.items()
            for begin, end, value in versions
        ]
    else:
        rows = [(*key, row.value, row.at) for key, row in reference.rows.items()]
    return sorted(map(str, rows))


def is_touched(events, gone):
    """Returns whether another file had a key of these files after them."""
    keys = set()
    for name, rows in events:
        own = {row.key for row in rows}
        if name not in gone and keys & own:
            return True
        keys |= own if name in gone else set()
    return False
